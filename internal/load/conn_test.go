package load

import (
	"testing"
	"time"
)

func TestLatencyByNearestRank(t *testing.T) {
	var times []time.Duration
	for i := 100; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Microsecond)
	}
	if got, want := latencyOf(times), (Latency{50, 95, 99, 100, 100}); got != want {
		t.Errorf("%+v", got)
	}
	if got, want := latencyOf([]time.Duration{3 * time.Microsecond}), (Latency{3, 3, 3, 3, 3}); got != want {
		t.Errorf("one value: %+v", got)
	}
	if got := latencyOf(nil); got != (Latency{}) {
		t.Errorf("no values: %+v", got)
	}
}

func TestParseProc(t *testing.T) {
	stat := "77 (a) b (c) S 1 77 77 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 5 0 99 1 2"
	if got := parseStat(stat); got != 2*time.Second {
		t.Errorf("processor time %v", got)
	}
	for _, bad := range []string{"", "77 (x) S 1", "77 (x) S 1 77 77 0 -1 4194560 1 2 3 4 a b 7"} {
		if got := parseStat(bad); got != 0 {
			t.Errorf("%q = %v", bad, got)
		}
	}
	if got := parseRSS("VmHWM:\t  99 kB\nVmRSS:\t   10240 kB\nX: 1\n"); got != 10240 {
		t.Errorf("memory %d", got)
	}
	if got := parseRSS("nothing"); got != 0 {
		t.Errorf("memory %d", got)
	}
}
