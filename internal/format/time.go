package format

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Lengths of time in seconds.
const (
	minute = 60
	hour   = 3600
	day    = 86_400
	year   = 365.25 * day
)

// Duration writes a length of time in its two largest units: "18 s",
// "4 min 5 s", "3 d 4 h", "2.1 years".
func Duration(seconds float64) string {
	if !finite(seconds) {
		return None
	}
	s := math.Abs(seconds)
	switch years := s / year; {
	case years >= 1e6:
		return Difficulty(years) + " years"
	case years >= 10:
		return grouped(fixed(years, 0)) + " years"
	case years >= 1:
		return fixed(years, 1) + " years"
	case s == 0:
		return "0 s"
	case s < 1:
		return "< 1 s"
	}
	switch whole := int64(math.Floor(s + 0.5)); {
	case whole < minute:
		return strconv.FormatInt(whole, 10) + " s"
	case whole < hour:
		return two(whole, minute, "min", 1, "s")
	case whole < day:
		return two(whole, hour, "h", minute, "min")
	default:
		return two(whole, day, "d", hour, "h")
	}
}

func two(seconds, big int64, bigName string, small int64, smallName string) string {
	many, rest := seconds/big, seconds%big/small
	if rest == 0 {
		return fmt.Sprintf("%d %s", many, bigName)
	}
	return fmt.Sprintf("%d %s %d %s", many, bigName, rest, smallName)
}

// Timer writes a running time: "0:07", "9:46", "1:02:03".
func Timer(seconds float64) string {
	if !finite(seconds) {
		return None
	}
	if math.Abs(seconds) >= day {
		return Duration(math.Floor(math.Abs(seconds)))
	}
	s := int64(math.Abs(seconds))
	if s < hour {
		return fmt.Sprintf("%d:%02d", s/minute, s%minute)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/hour, s/minute%minute, s%minute)
}

// Ago writes how long ago something was: "now", "14 s ago", "3 h 2 min ago".
func Ago(seconds float64) string {
	switch {
	case !finite(seconds):
		return None
	case seconds < 1:
		return "now"
	}
	return Duration(seconds) + " ago"
}

// Latency writes milliseconds: "17 µs", "0.4 ms", "12 ms".
func Latency(ms float64) string {
	switch {
	case !finite(ms) || ms <= 0:
		return None
	case ms < 0.1:
		return fixed(max(math.Floor(ms*1000+0.5), 1), 0) + " µs"
	case ms < 10:
		return fixed(ms, 1) + " ms"
	}
	return grouped(fixed(ms, 0)) + " ms"
}

// Time writes a time as short as tells it apart from now: today's without the
// day, older ones with the year. Both are in the time zone of now.
func Time(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04:05")
	case now.Sub(t).Abs() < 300*day*time.Second:
		return t.Format("2 Jan, 15:04")
	}
	return t.Format("2 Jan 2006")
}
