package telemetry

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// TestSampler runs a sampler on a machine of four cores whose process uses one
// of them fully.
func TestSampler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := NewSampler(5 * time.Second)
		s.cores = 4
		s.read = func() osSample {
			return osSample{cpu: time.Minute + time.Since(start), rss: 7, memTotal: 100, memFree: 30, load1: 1, load5: 2, load15: 3}
		}
		if got := s.System(); got != (System{}) {
			t.Errorf("before it runs: %+v", got)
		}

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		first := s.System()
		if first.CPUPercent != 0 || !first.At.Equal(start) {
			t.Errorf("the first sample has nothing to compare with: %+v", first)
		}
		if first.RSS != 7 || first.MemTotal != 100 || first.MemFree != 30 || first.MemUsed != 70 || first.Load1 != 1 || first.Load5 != 2 || first.Load15 != 3 {
			t.Errorf("got %+v", first)
		}
		if first.Goroutines < 2 || first.GoMemAlloc == 0 || first.GoMemSys < first.GoMemAlloc {
			t.Errorf("Go runtime: %+v", first)
		}

		time.Sleep(6 * time.Second) // of the bubble's clock
		synctest.Wait()
		if got := s.System(); got.CPUPercent != 25 || got.At.Sub(start) != 5*time.Second {
			t.Errorf("one of four cores is %v %% at %s", got.CPUPercent, got.At.Sub(start))
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestReadOS checks the real machine for plausibility.
func TestReadOS(t *testing.T) {
	o := readOS()
	if runtime.GOOS != "linux" {
		if o != (osSample{}) {
			t.Errorf("got %+v", o)
		}
		return
	}
	if o.rss < 1<<20 || o.memTotal < o.rss || o.memFree > o.memTotal || o.cpu <= 0 {
		t.Errorf("implausible: %+v", o)
	}
}
