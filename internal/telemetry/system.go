package telemetry

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// System is one sample of what the process uses and what the machine has.
// Numbers that the operating system does not tell are 0.
type System struct {
	At         time.Time // zero before the first sample
	Goroutines int

	// CPUPercent is the processor time used since the sample before, in
	// percent of the whole machine: 100 means that every core was busy with
	// this process.
	CPUPercent float64

	GoMemAlloc uint64 // bytes of live and not yet swept Go objects
	GoMemSys   uint64 // bytes that the Go runtime obtained from the system
	RSS        uint64 // bytes of the process in physical memory

	MemTotal uint64 // bytes of the machine
	MemFree  uint64 // bytes that could be had without swapping
	MemUsed  uint64 // MemTotal - MemFree

	Load1, Load5, Load15 float64 // run queue length, averaged over 1, 5, 15 minutes
}

// osSample is what only the operating system can tell.
type osSample struct {
	cpu                  time.Duration // processor time of the process so far, user and system
	rss                  uint64
	memTotal, memFree    uint64
	load1, load5, load15 float64
}

// Sampler measures the process in the background, so that no request ever
// waits for a measurement.
type Sampler struct {
	every  time.Duration
	cores  int
	read   func() osSample
	latest atomic.Pointer[System]
}

// NewSampler returns a sampler that measures every d once it runs.
func NewSampler(d time.Duration) *Sampler {
	s := &Sampler{every: d, cores: runtime.NumCPU(), read: readOS}
	s.latest.Store(&System{})
	return s
}

// Run samples until ctx ends. It always returns nil.
func (s *Sampler) Run(ctx context.Context) error {
	tick := time.NewTicker(s.every)
	defer tick.Stop()

	prev := s.sample(time.Now(), time.Time{}, 0)
	prevAt := s.System().At
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			prev = s.sample(now, prevAt, prev)
			prevAt = now
		}
	}
}

// System returns the latest sample.
func (s *Sampler) System() System { return *s.latest.Load() }

// sample measures once and publishes it. prevAt and prevCPU are those of the
// measurement before; it returns the new processor time.
func (s *Sampler) sample(now, prevAt time.Time, prevCPU time.Duration) time.Duration {
	o := s.read()
	sys := &System{
		At:         now,
		Goroutines: runtime.NumGoroutine(),
		RSS:        o.rss,
		MemTotal:   o.memTotal,
		MemFree:    o.memFree,
		Load1:      o.load1,
		Load5:      o.load5,
		Load15:     o.load15,
	}
	if o.memTotal > o.memFree {
		sys.MemUsed = o.memTotal - o.memFree
	}
	if wall := now.Sub(prevAt); !prevAt.IsZero() && wall > 0 && o.cpu >= prevCPU {
		sys.CPUPercent = min(100, 100*float64(o.cpu-prevCPU)/(float64(wall)*float64(s.cores)))
	}

	// runtime/metrics, unlike runtime.ReadMemStats, does not stop the world.
	m := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
	}
	metrics.Read(m)
	if m[0].Value.Kind() == metrics.KindUint64 {
		sys.GoMemAlloc = m[0].Value.Uint64()
	}
	if m[1].Value.Kind() == metrics.KindUint64 {
		sys.GoMemSys = m[1].Value.Uint64()
	}

	s.latest.Store(sys)
	return o.cpu
}
