package capture

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// valid says whether a text is one JSON value (RFC 8259) that nests at most
// maxDepth deep. It agrees with encoding/json's Valid, and takes a tenth of its
// time: every captured line is looked at.
func valid(b []byte) bool {
	var objects uint64 // bit n: the container at depth n+1 is an object
	depth := 0
	i := skipSpace(b, 0)
	for {
		// A value begins at i.
		if i >= len(b) {
			return false
		}
		switch c := b[i]; {
		case c == '{' || c == '[':
			if depth == maxDepth {
				return false
			}
			objects &^= 1 << depth
			if c == '{' {
				objects |= 1 << depth
			}
			depth++
			i = skipSpace(b, i+1)
			switch {
			case i < len(b) && b[i] == c+2: // the closing bracket of either kind
				depth--
				i++
			case c == '{':
				if i = skipKey(b, i); i < 0 {
					return false
				}
				continue
			default:
				continue
			}
		case c == '"':
			i = skipString(b, i)
		case c == '-' || c >= '0' && c <= '9':
			i = skipNumber(b, i)
		default:
			i = skipLiteral(b, i)
		}
		if i < 0 {
			return false
		}
		// A value ends before i.
		for {
			i = skipSpace(b, i)
			if depth == 0 {
				return i == len(b)
			}
			if i >= len(b) {
				return false
			}
			inObject := objects>>(depth-1)&1 != 0
			if b[i] == ',' {
				i = skipSpace(b, i+1)
				if inObject {
					if i = skipKey(b, i); i < 0 {
						return false
					}
				}
				break
			}
			if inObject && b[i] != '}' || !inObject && b[i] != ']' {
				return false
			}
			depth--
			i++
		}
	}
}

// skipKey returns where the value of the member begins whose key begins at i; -1
// when there is no such thing. The others below are like it.
func skipKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	if i = skipString(b, i); i < 0 {
		return -1
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return -1
	}
	return skipSpace(b, i+1)
}

// skipString returns the index behind the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; ; {
		i += plainPrefix(b[i:])
		if i >= len(b) || b[i] < ' ' {
			return -1
		}
		if b[i] == '"' {
			return i + 1
		}
		if i+1 >= len(b) {
			return -1
		}
		switch b[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			if i+6 > len(b) {
				return -1
			}
			for _, c := range b[i+2 : i+6] {
				if !isHex(c) {
					return -1
				}
			}
			i += 6
		default:
			return -1
		}
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// plainPrefix counts the bytes before the first quote, backslash or control
// character: eight at a time, since jobs are long strings of hex.
func plainPrefix(b []byte) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		quote, backslash := w^ones*'"', w^ones*'\\'
		// In each the top bit of a byte is set that is zero, or below a blank; a
		// byte above the first of these may be wrong, and does not matter.
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*' ')&^w) & tops
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for n < len(b) && b[n] != '"' && b[n] != '\\' && b[n] >= ' ' {
		n++
	}
	return n
}

// skipNumber returns the index behind the number that begins at i.
func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	whole := i
	i = skipDigits(b, i)
	if i == whole || b[whole] == '0' && i > whole+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = skipDigits(b, fraction); i == fraction {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		if i = skipDigits(b, exponent); i == exponent {
			return -1
		}
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}

func skipLiteral(b []byte, i int) int {
	for _, literal := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(b[i:], []byte(literal)) {
			return i + len(literal)
		}
	}
	return -1
}
