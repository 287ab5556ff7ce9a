package api

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// appender is a response that encodes itself, since it is so long that reflection
// would be felt. What it appends is what json.Marshal would give.
type appender interface {
	appendJSON(dst []byte) []byte
}

// encode encodes a response.
func encode(value any) ([]byte, error) {
	if a, ok := value.(appender); ok {
		return a.appendJSON(nil), nil
	}
	return json.Marshal(value)
}

// appendText appends a string. Those that need no escaping, almost all, are copied.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			if err != nil {
				text = []byte(`""`) // strings always have a JSON form
			}
			return append(dst, text...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// appendNumber appends a finite number as ECMAScript would write it, as
// encoding/json does.
func appendNumber(dst []byte, f float64) []byte {
	if size := math.Abs(f); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 is e-9
		dst = dst[:n-1]
	}
	return dst
}

// appendTime appends a time.
func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// significant rounds an estimate to six digits: more would be noise, and noise
// does not compress.
func significant(f float64) float64 {
	if f = finite(f); f == 0 {
		return 0
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(f))))
	if rounded := math.Round(f*scale) / scale; rounded-rounded == 0 {
		return rounded
	}
	return f // too small, or too large, to be scaled
}
