package load

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestTargets(t *testing.T) {
	small := Config{Connections: 1000, InFlight: 64, Shares: 100}
	large := Config{Connections: 1001, InFlight: 64, Shares: 100}
	far := Config{Connections: 500, InFlight: 8, Shares: 100, Rate: 500}
	yes := func(c Config) Config { c.Confirmed = true; return c }
	change := func(c Config, f func(*Config)) Config { f(&c); return c }
	for _, c := range []struct {
		ip   string
		cfg  Config
		want error
	}{
		{"127.0.0.1", large, nil},
		{"127.9.9.9", large, nil},
		{"::1", large, nil},
		{"192.168.1.5", small, nil},
		{"10.0.0.1", large, ErrNotConfirmed},
		{"10.0.0.1", yes(large), nil},
		{"fd00::1", large, ErrNotConfirmed},
		{"fe80::1", yes(large), nil},
		{"203.0.113.9", change(small, func(c *Config) { c.Connections = 1 }), ErrNotConfirmed},
		{"203.0.113.9", yes(small), ErrTooMuch},
		{"203.0.113.9", yes(far), nil},
		{"2001:db8::1", far, ErrNotConfirmed},
		{"203.0.113.9", yes(change(far, func(c *Config) { c.InFlight = 9 })), ErrTooMuch},
		{"203.0.113.9", yes(change(far, func(c *Config) { c.Shares = 101 })), ErrTooMuch},
		{"203.0.113.9", yes(change(far, func(c *Config) { c.Rate = 0 })), ErrTooMuch},
		{"203.0.113.9", yes(change(far, func(c *Config) { c.Rate = 501 })), ErrTooMuch},
		{"203.0.113.9", yes(change(far, func(c *Config) { c.Rate, c.Shares = 0, 0 })), nil},
	} {
		if err := c.cfg.checkTarget(net.ParseIP(c.ip)); !errors.Is(err, c.want) {
			t.Errorf("%s, %+v: %v, want %v", c.ip, c.cfg, err, c.want)
		}
	}
}

// Nothing is sent before the address is checked.
func TestPublicAddressIsRefused(t *testing.T) {
	r, err := Run(t.Context(), Config{Pool: "203.0.113.9:3333", User: "u"}, nil, nil)
	if r != nil || !errors.Is(err, ErrNotConfirmed) || !strings.Contains(err.Error(), "203.0.113.9") {
		t.Errorf("%v, %v", r, err)
	}
}

// Connections come from several addresses, and go to several if that is wanted.
func TestSourcesAndTargets(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems have one loopback address only")
	}
	for _, secure := range []bool{false, true} {
		l, err := net.Listen("tcp4", "0.0.0.0:0") // every loopback address
		if err != nil {
			t.Fatal(err)
		}
		p := &testPool{listener: l}
		scheme := "stratum+tcp://"
		if secure {
			_ = l.Close()
			p.secureOn(t, "0.0.0.0:0")
			scheme = "stratum+ssl://"
		}
		_, port, _ := net.SplitHostPort(startPool(t, p))
		cfg := quick(scheme + net.JoinHostPort("127.0.0.1", port))
		cfg.Sources, cfg.Targets, cfg.Connections, cfg.Shares, cfg.InsecureTLS = 3, 2, 12, 2, true
		cfg.Duration = 10 * time.Second
		r, err := run(t, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if r.Shares.Accepted != 24 {
			t.Errorf("%+v", r.Shares)
		}
		p.mu.Lock()
		for _, want := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
			if !p.sources[want] || len(p.sources) != 3 {
				t.Errorf("TLS %v: connections from %v", secure, p.sources)
			}
		}
		if !p.targets["127.0.0.1"] || !p.targets["127.0.0.2"] || len(p.targets) != 2 {
			t.Errorf("TLS %v: connections to %v", secure, p.targets)
		}
		p.mu.Unlock()
	}
}
