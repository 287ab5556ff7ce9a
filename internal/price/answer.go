package price

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxPrice is above any price in any currency; beyond it, an answer is not one.
const maxPrice = 1e15

// parse takes the price out of a JSON answer, and its time when timePath is not
// empty. Paths are names and, in arrays, numbers from 0, with dots between:
// "bitcoin.usd", "result.0.last". Prices may be numbers or, as exchanges send
// them, texts with a number; times are Unix seconds.
func parse(answer []byte, path, timePath string) (value float64, at time.Time, err error) {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return 0, time.Time{}, ErrNotJSON
	}
	if value, err = number(doc, path); err != nil {
		return 0, time.Time{}, err
	}
	if !(value > 0 && value < maxPrice) {
		return 0, time.Time{}, fmt.Errorf("%w: %s is no price", ErrNoPrice, path)
	}
	if timePath == "" {
		return value, time.Time{}, nil
	}
	seconds, err := number(doc, timePath)
	if err != nil {
		return 0, time.Time{}, err
	}
	if !(seconds > 0 && seconds < 1e11) {
		return 0, time.Time{}, fmt.Errorf("%w: %s is no time in Unix seconds", ErrNoPrice, timePath)
	}
	whole, part := math.Modf(seconds)
	return value, time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}

// number finds the number at a path.
func number(doc any, path string) (float64, error) {
	for name := range strings.SplitSeq(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[name]
		case []any:
			i, err := strconv.ParseUint(name, 10, 31)
			if err != nil || i >= uint64(len(v)) {
				return 0, fmt.Errorf("%w: nothing at %s", ErrNoPrice, path)
			}
			doc = v[i]
		default:
			return 0, fmt.Errorf("%w: nothing at %s", ErrNoPrice, path)
		}
	}
	text, ok := doc.(string)
	if n, isNumber := doc.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	if !ok {
		return 0, fmt.Errorf("%w: no number at %s", ErrNoPrice, path)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%w: no number at %s", ErrNoPrice, path)
	}
	return f, nil
}
