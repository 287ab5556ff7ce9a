package format

import (
	"math"
	"strconv"
	"strings"
)

// None is what is shown where there is nothing to show.
const None = "–"

var prefixes = [...]string{"", "k", "M", "G", "T", "P", "E", "Z", "Y"}

// Hashrate writes hashes per second with three significant digits: "2.31 MH/s".
// What is not above zero is "0 H/s".
func Hashrate(hashesPerSecond float64) string {
	switch h := hashesPerSecond; {
	case !finite(h) || h <= 0:
		return "0 H/s"
	case h < 1:
		return significant(h, 2) + " H/s"
	default:
		text, prefix := si(h, 3)
		return text + " " + prefix + "H/s"
	}
}

// Difficulty writes a difficulty with three significant digits: "0.0117",
// "512", "3.42 G".
func Difficulty(d float64) string {
	switch {
	case !finite(d):
		return None
	case d <= 0:
		return "0"
	case d < 1:
		return significant(d, 3)
	}
	text, prefix := si(d, 3)
	text = withoutZeros(text)
	if prefix == "" {
		return text
	}
	return text + " " + prefix
}

// Count writes a whole number with its thousands apart: "12,345".
func Count[T int | int64 | uint64](n T) string {
	return grouped(strconv.FormatInt(int64(n), 10))
}

// Rate writes a rate per minute: with one decimal below a hundred.
func Rate(perMinute float64) string {
	switch {
	case !finite(perMinute):
		return None
	case perMinute >= 100:
		return grouped(fixed(perMinute, 0))
	}
	return fixed(perMinute, 1)
}

// BTC writes satoshis as bitcoin, to the last satoshi: "3.14931877 BTC".
func BTC(sats int64) string {
	sign, whole := "", uint64(sats)
	if sats < 0 {
		sign, whole = "-", -whole
	}
	digits := strconv.FormatUint(whole%1e8+1e8, 10)[1:]
	text := sign + grouped(strconv.FormatUint(whole/1e8, 10))
	if digits = strings.TrimRight(digits, "0"); digits != "" {
		text += "." + digits
	}
	return text + " BTC"
}

// Percent writes a part of one as per cent: "12 %", "0.42 %", "< 0.01 %".
func Percent(part float64) string {
	percent := part * 100
	switch {
	case !finite(part):
		return None
	case percent > 0 && percent < 0.01:
		return "< 0.01 %"
	case percent > 99.9 && percent < 100:
		return "> 99.9 %"
	case percent >= 10 || percent == 0:
		return fixed(percent, 0) + " %"
	case percent >= 1:
		return fixed(percent, 1) + " %"
	}
	return fixed(percent, 2) + " %"
}

// si scales a value of at least 1 to 1–999 with an SI prefix; rounding up to
// 1000 takes the next one.
func si(value float64, digits int) (text, prefix string) {
	step := 0
	for value >= 1000 && step < len(prefixes)-1 {
		value /= 1000
		step++
	}
	text = fixed(value, decimals(value, digits))
	if rounded, _ := strconv.ParseFloat(text, 64); rounded >= 1000 && step < len(prefixes)-1 {
		step++
		text = fixed(1, digits-1)
	}
	return text, prefixes[step]
}

// decimals are the digits after the point that make so many significant ones,
// for 1 ≤ value < 1000.
func decimals(value float64, digits int) int {
	switch {
	case value >= 100:
		return max(digits-3, 0)
	case value >= 10:
		return max(digits-2, 0)
	}
	return max(digits-1, 0)
}

// significant writes a number between 0 and 1 without an exponent: "0.0117",
// "0.00000052".
func significant(value float64, digits int) string {
	const mostPlaces = 20
	_, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', -1, 64), "e")
	magnitude, _ := strconv.Atoi(exponent)
	return withoutZeros(fixed(value, min(digits-1-magnitude, mostPlaces)))
}

// withoutZeros drops zeros at the end of a fraction.
func withoutZeros(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// fixed rounds to so many decimals. Exact halves go up, as JavaScript's toFixed
// does it; strconv would take the even neighbour.
func fixed(value float64, places int) string {
	// A float64 is exactly a half of the last place when this is odd: it has no
	// other factors than two in its denominator.
	if half := math.Ldexp(value, places+1); math.Mod(half, 2) == 1 {
		value = math.Nextafter(value, math.Inf(1))
	}
	return strconv.FormatFloat(value, 'f', places, 64)
}

// grouped sets the thousands of a whole number apart.
func grouped(digits string) string {
	begin := 0
	if strings.HasPrefix(digits, "-") {
		begin = 1
	}
	for at := len(digits) - 3; at > begin; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
