package price

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, answer, path, timePath string
		value                        float64
		at                           int64
		err                          error
	}{
		{"CoinGecko", `{"bitcoin":{"usd":67187.3358936566,"last_updated_at":1711356300}}`, "bitcoin.usd", "bitcoin.last_updated_at", 67187.3358936566, 1711356300, nil},
		{"text", `{"data":{"amount":"64123.45","base":"BTC"}}`, "data.amount", "", 64123.45, 0, nil},
		{"array", `{"result":{"XXBTZUSD":{"c":["64100.1","0.02"]}}}`, "result.XXBTZUSD.c.0", "", 64100.1, 0, nil},
		{"exponent", `[6.4e4]`, "0", "", 64000, 0, nil},
		{"nothing there", `{"bitcoin":{}}`, "bitcoin.usd", "", 0, 0, ErrNoPrice},
		{"other shape", `{"bitcoin":[]}`, "bitcoin.usd", "", 0, 0, ErrNoPrice},
		{"beyond the array", `[1]`, "1", "", 0, 0, ErrNoPrice},
		{"null", `null`, "bitcoin", "", 0, 0, ErrNoPrice},
		{"object as price", `{"bitcoin":{"usd":1}}`, "bitcoin", "", 0, 0, ErrNoPrice},
		{"free", `{"p":0}`, "p", "", 0, 0, ErrNoPrice},
		{"negative", `{"p":-1}`, "p", "", 0, 0, ErrNoPrice},
		{"not a number", `{"p":"NaN"}`, "p", "", 0, 0, ErrNoPrice},
		{"endless", `{"p":"1e999"}`, "p", "", 0, 0, ErrNoPrice},
		{"absurd", `{"p":1e20}`, "p", "", 0, 0, ErrNoPrice},
		{"no time", `{"p":1}`, "p", "t", 0, 0, ErrNoPrice},
		{"time in milliseconds", `{"p":1,"t":1711356300000}`, "p", "t", 0, 0, ErrNoPrice},
		{"page", `<html>`, "p", "", 0, 0, ErrNotJSON},
		{"empty", ``, "p", "", 0, 0, ErrNotJSON},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, at, err := parse([]byte(tt.answer), tt.path, tt.timePath)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if value != tt.value {
				t.Errorf("price %v, want %v", value, tt.value)
			}
			if tt.at == 0 && !at.IsZero() || tt.at != 0 && !at.Equal(time.Unix(tt.at, 0)) {
				t.Errorf("time %v, want %d", at, tt.at)
			}
		})
	}
}

// FuzzParse shows the parser answers and paths: what it takes for a price is
// one, and can be written as JSON.
func FuzzParse(f *testing.F) {
	f.Add(`{"bitcoin":{"usd":67187.33,"last_updated_at":1711356300}}`, "bitcoin.usd", "bitcoin.last_updated_at")
	f.Add(`[["1e5"],2]`, "0.0", "")
	f.Add(`{"":{"":1}}`, ".", "1")
	f.Fuzz(func(t *testing.T, answer, path, timePath string) {
		value, at, err := parse([]byte(answer), path, timePath)
		if err != nil {
			if value != 0 || !at.IsZero() {
				t.Fatalf("%v and %v with an error", value, at)
			}
			return
		}
		if math.IsNaN(value) || value <= 0 || value >= maxPrice {
			t.Fatalf("%v is no price", value)
		}
		if at.IsZero() != (timePath == "") {
			t.Fatalf("time %v of %q", at, timePath)
		}
		if _, err := json.Marshal(map[string]any{"price": value, "at": at}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPathsAreBounded(t *testing.T) {
	deep := strings.Repeat("a.", 50_000) + "a"
	if _, _, err := parse([]byte(`{"a":1}`), deep, ""); !errors.Is(err, ErrNoPrice) {
		t.Fatal(err)
	}
}
