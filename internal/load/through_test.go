package load

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// slowProxy relays to a pool, and holds every answer back for a while.
func slowProxy(t *testing.T, pool string, delay time.Duration) (address string, sessions *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sessions = new(atomic.Int64)
	serve := func(miner net.Conn) {
		defer miner.Close()
		upstream, err := net.Dial("tcp", pool)
		if err != nil {
			return
		}
		defer upstream.Close()
		go func() {
			defer upstream.Close()
			_, _ = io.Copy(upstream, miner)
		}()
		buffer := make([]byte, 4096)
		for {
			n, err := upstream.Read(buffer)
			time.Sleep(delay)
			if _, failed := miner.Write(buffer[:n]); err != nil || failed != nil {
				return
			}
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Add(1)
			go serve(nc)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String(), sessions
}

// TestThrough finds the delay of a proxy that is known to have one.
func TestThrough(t *testing.T) {
	pool := startPool(t, &testPool{})
	const delay = 20 * time.Millisecond
	proxy, sessions := slowProxy(t, pool, delay)
	for _, rate := range []float64{0, 500} {
		cfg := quick("stratum+tcp://" + pool)
		cfg.Through, cfg.Rate = proxy, rate
		r, err := run(t, cfg)
		if err != nil {
			t.Fatal(err)
		}
		c := r.Through
		if c == nil || c.Shares != 100 || c.Lines != 200 || c.LinesPerSecond <= 0 || r.Shares.Accepted != 200 {
			t.Fatalf("%+v, %+v", c, r.Shares)
		}
		least := float64(delay.Microseconds())
		if c.Through.P50 < least || c.Added.P50 != c.Through.P50-c.Direct.P50 || c.Added.P99 != c.Through.P99-c.Direct.P99 {
			t.Errorf("%+v", c)
		}
	}
	if got := sessions.Load(); got != 10 {
		t.Errorf("%d connections of two runs of ten went through the proxy", got)
	}
}

func TestThroughRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"TLS on one side":        func(c *Config) { c.Through = "stratum+ssl://127.0.0.1:1" },
		"one connection":         func(c *Config) { c.Through, c.Connections = "127.0.0.1:1", 1 },
		"a process and no proxy": func(c *Config) { c.ThroughPID = 1 },
		"no such process":        func(c *Config) { c.Through, c.ThroughPID = "127.0.0.1:1", 1<<30 },
		"no address":             func(c *Config) { c.Through = "://" },
		"somebody else's proxy":  func(c *Config) { c.Through = "203.0.113.9:1" },
	} {
		cfg := quick("stratum+tcp://127.0.0.1:1")
		change(&cfg)
		if r, err := Run(t.Context(), cfg, nil, nil); err == nil || errors.Is(err, ErrNoConnections) || r != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
