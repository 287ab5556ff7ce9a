package format

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"
)

// TestAsOnThePage writes what the page's own tests write, from the same file.
func TestAsOnThePage(t *testing.T) {
	data, err := os.ReadFile("../../ui/src/lib/format-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string][][2]json.RawMessage
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	writers := map[string]func(float64) string{
		"hashrate":   Hashrate,
		"difficulty": Difficulty,
		"count":      func(v float64) string { return Count(int64(v)) },
		"rate":       Rate,
		"btc":        func(v float64) string { return BTC(int64(v)) },
		"percent":    Percent,
		"duration":   Duration,
		"timer":      Timer,
		"ago":        Ago,
		"latency":    Latency,
	}
	if len(vectors) != len(writers) {
		t.Errorf("the file has %d kinds, here are %d", len(vectors), len(writers))
	}
	for kind, cases := range vectors {
		write := writers[kind]
		if write == nil {
			t.Errorf("%q is written nowhere", kind)
			continue
		}
		for _, c := range cases {
			var value float64
			var want string
			if err := json.Unmarshal(c[0], &value); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(c[1], &want); err != nil {
				t.Fatal(err)
			}
			if got := write(value); got != want {
				t.Errorf("%s of %s: %q, on the page %q", kind, c[0], got, want)
			}
		}
	}
}

func TestUnknownIsNone(t *testing.T) {
	for name, write := range map[string]func(float64) string{
		"difficulty": Difficulty, "rate": Rate, "percent": Percent, "duration": Duration, "timer": Timer, "ago": Ago, "latency": Latency,
	} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if got := write(v); got != None {
				t.Errorf("%s of %v: %q", name, v, got)
			}
		}
	}
	if got := Hashrate(math.NaN()); got != "0 H/s" {
		t.Errorf("hashrate: %q", got)
	}
}

func TestTimeIsAsShortAsTellsItApart(t *testing.T) {
	zone := time.FixedZone("UTC+2", 2*3600)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, zone)
	for text, at := range map[string]time.Time{
		"09:59:58":      now.Add(-2 * time.Second),
		"00:30:00":      time.Date(2026, 11, 21, 22, 30, 0, 0, time.UTC),
		"21 Nov, 23:00": time.Date(2026, 11, 21, 21, 0, 0, 0, time.UTC),
		"22 Nov 2025":   now.AddDate(-1, 0, 0),
	} {
		if got := Time(at, now); got != text {
			t.Errorf("%v: %q, want %q", at, got, text)
		}
	}
}
