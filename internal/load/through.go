package load

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/miner"
)

// Through compares shares that went through a proxy with shares that went to
// the same pool directly, in the same moments: connections take turns.
type Through struct {
	Proxy   string  `json:"proxy"`
	Shares  int     `json:"shares"` // answered, of those through the proxy
	Direct  Latency `json:"direct"`
	Through Latency `json:"through"`
	// Added is each quantile through the proxy minus the direct one's.
	Added Latency `json:"added"`

	// Lines are the submits and answers that the proxy relayed in the timed
	// window.
	Lines          int     `json:"lines"`
	LinesPerSecond float64 `json:"lines_per_second"`
	// The rest needs the proxy's process.
	CPUSeconds       float64 `json:"proxy_cpu_seconds,omitempty"`
	CPUMicrosPerLine float64 `json:"proxy_cpu_us_per_line,omitempty"`
	ProxyKiB         int64   `json:"proxy_kib,omitempty"` // resident, at the end
}

// openThrough finds the proxy that every second connection goes through.
func (c *Config) openThrough(ctx context.Context, pool miner.Endpoint) error {
	if c.Through == "" {
		return nil
	}
	e, err := miner.ParseEndpoint(c.Through)
	if err != nil {
		return err
	}
	if e.TLS != pool.TLS {
		return fmt.Errorf("%w: TLS with the pool and with the proxy, or with neither", ErrBadConfig)
	}
	if c.proxy, err = resolve(ctx, e); err != nil {
		return err
	}
	return c.checkTarget(c.proxy.IP)
}

// isThrough says whether a connection goes through the proxy.
func (c *Config) isThrough(i int) bool { return c.proxy != nil && i%2 == 1 }

// addresses returns where connection i comes from and goes to. The source is
// nil where the system chooses it.
func (c *Config) addresses(i int, pool *net.TCPAddr) (source net.IP, target *net.TCPAddr) {
	through := c.isThrough(i)
	if c.proxy != nil {
		i /= 2
	}
	if through {
		pool = c.proxy
	}
	ip := pool.IP.To4()
	if ip == nil || !ip.IsLoopback() {
		return nil, pool
	}
	target = &net.TCPAddr{IP: net.IPv4(ip[0], ip[1], ip[2], ip[3]+byte(i%c.Targets)).To4(), Port: pool.Port}
	if c.Sources > 1 {
		source = net.IPv4(127, 0, 0, byte(1+i/c.Targets%c.Sources)).To4()
	}
	return source, target
}

// noteThrough takes the time of an answer for the comparison.
func (r *runner) noteThrough(c *conn, took time.Duration) {
	switch {
	case r.cfg.proxy == nil:
	case c.through:
		r.latencyThrough = append(r.latencyThrough, took)
	default:
		r.latencyDirect = append(r.latencyDirect, took)
	}
}

// compare works out what the proxy costs.
func (r *runner) compare(w *Shares) {
	if r.cfg.proxy == nil {
		return
	}
	t := &Through{
		Proxy: r.cfg.Through, Shares: len(r.latencyThrough), Direct: latencyOf(r.latencyDirect), Through: latencyOf(r.latencyThrough),
		Lines: 2 * len(r.latencyThrough), CPUSeconds: r.proxyCPU.Seconds(), ProxyKiB: r.proxy.rss(),
	}
	t.Added = t.Through.minus(t.Direct)
	if w.Seconds > 0 {
		t.LinesPerSecond = float64(t.Lines) / w.Seconds
	}
	if t.Lines > 0 {
		t.CPUMicrosPerLine = t.CPUSeconds * 1e6 / float64(t.Lines)
	}
	r.report.Through = t
}

func (l Latency) minus(m Latency) Latency {
	return Latency{P50: l.P50 - m.P50, P95: l.P95 - m.P95, P99: l.P99 - m.P99, P999: l.P999 - m.P999, Max: l.Max - m.Max}
}

// print renders the comparison for people.
func (t *Through) print(b *strings.Builder) {
	fmt.Fprintf(b, "direct      %s\nthrough     %s\nadded       %s\n", t.Direct, t.Through, t.Added)
	fmt.Fprintf(b, "            %d lines through %s = %.0f/s\n", t.Lines, t.Proxy, t.LinesPerSecond)
	if t.CPUSeconds > 0 {
		fmt.Fprintf(b, "            proxy %.2f s = %.2f µs of processor time per line, %d KiB\n", t.CPUSeconds, t.CPUMicrosPerLine, t.ProxyKiB)
	}
}
