package telemetry

import "testing"

func TestParseStatm(t *testing.T) {
	for text, want := range map[string]uint64{"12345 678 90 1 0 2 0\n": 678, "": 0, "1": 0, "a b": 0, "1 -2 3": 0} {
		if got := parseStatm(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestParseMeminfo(t *testing.T) {
	for _, tc := range []struct {
		text        string
		total, free uint64
	}{
		{"MemTotal:       24684096 kB\nMemFree:        23391824 kB\nMemAvailable:   24149448 kB\nBuffers:           1 kB\n", 24684096 << 10, 24149448 << 10},
		{"MemTotal:  100 kB\nMemFree:  40 kB\n", 100 << 10, 40 << 10}, // an old kernel
		{"", 0, 0},
		{"MemTotal\nMemFree: x kB\nMemAvailable: kB\n", 0, 0},
	} {
		if total, free := parseMeminfo(tc.text); total != tc.total || free != tc.free {
			t.Errorf("%q: %d and %d, want %d and %d", tc.text, total, free, tc.total, tc.free)
		}
	}
}

func TestParseLoadavg(t *testing.T) {
	for text, want := range map[string][3]float64{
		"1.48 0.70 0.27 2/345 6789\n": {1.48, 0.70, 0.27},
		"":                            {},
		"1 2":                         {},
		"1 x 3":                       {},
	} {
		l1, l5, l15 := parseLoadavg(text)
		if got := [3]float64{l1, l5, l15}; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
