package load

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Report is what was measured. Parts that were not asked for are nil.
type Report struct {
	Pool        string         `json:"pool"`
	Connections int            `json:"connections"` // asked for
	Handshakes  Handshakes     `json:"handshakes"`
	Memory      *Memory        `json:"memory,omitempty"` // of the server
	Idle        *Idle          `json:"idle,omitempty"`
	Fanout      *Fanout        `json:"fanout,omitempty"`
	Prepared    *Prepared      `json:"prepared,omitempty"`
	Shares      *Shares        `json:"shares,omitempty"`
	Through     *Through       `json:"through,omitempty"`
	Alive       int            `json:"alive"`            // connections at the end
	Cut         string         `json:"cut,omitempty"`    // why the run ended before everything was done
	Errors      map[string]int `json:"errors,omitempty"` // connections that failed or ended, by reason
}

// Handshakes tells of the connections: TCP connect, subscribe, authorize, and
// the first job.
type Handshakes struct {
	Ready               int     `json:"ready"`
	Failed              int     `json:"failed"`
	Seconds             float64 `json:"seconds"`    // from the first connect to the last job
	PerSecond           float64 `json:"per_second"` // ready ones
	Latency             Latency `json:"latency"`    // from connect to job, of one connection
	CPUMicrosPerConnect float64 `json:"server_cpu_us_per_connection,omitempty"`
}

// Memory is the resident memory of the server, in KiB. The kernel's memory for
// sockets is not in it.
type Memory struct {
	BeforeKiB        int64   `json:"before_kib"`
	AfterKiB         int64   `json:"after_kib"` // connected and settled
	PerConnectionKiB float64 `json:"per_connection_kib"`
	EndKiB           int64   `json:"end_kib"`
}

// Idle tells what connections cost that do nothing.
type Idle struct {
	Seconds    float64 `json:"seconds"`
	CPUPercent float64 `json:"server_cpu_percent,omitempty"` // of one core
	Notifies   int     `json:"notifies"`                     // jobs received
	Closed     int     `json:"closed"`                       // connections that ended meanwhile
}

// Prepared tells of the search for shares.
type Prepared struct {
	Shares        int     `json:"shares"`
	Seconds       float64 `json:"seconds"`
	DifficultyMin float64 `json:"difficulty_min"`
	DifficultyMax float64 `json:"difficulty_max"`
	Rebuilt       int     `json:"rebuilt"` // searches of connections that were given other work
}

// Shares tells of the timed window.
type Shares struct {
	Mode              string         `json:"mode"` // closed or open
	Outstanding       int            `json:"outstanding,omitempty"`
	Rate              float64        `json:"rate,omitempty"` // asked for
	Sent              int            `json:"sent"`
	Accepted          int            `json:"accepted"`
	Rejected          int            `json:"rejected"`
	RejectedBy        map[string]int `json:"rejected_by,omitempty"` // by the pool's text
	Unanswered        int            `json:"unanswered"`
	Seconds           float64        `json:"seconds"`    // from the first submit to the last answer
	PerSecond         float64        `json:"per_second"` // answers
	AcceptedPerSecond float64        `json:"accepted_per_second"`
	Latency           Latency        `json:"latency"`
	Segments          int            `json:"segments"` // the clock stops while shares for other work are searched
	CPUSeconds        float64        `json:"server_cpu_seconds,omitempty"`
	CPUMicrosPerShare float64        `json:"server_cpu_us_per_accepted_share,omitempty"`
	ClientCPUSeconds  float64        `json:"client_cpu_seconds"`
	// LateMicros is by how much sends of the open loop came after their time,
	// 99th percentile: if it is large, the generator was the bottleneck.
	LateMicros float64 `json:"send_late_us_p99,omitempty"`
}

// Latency holds quantiles of times, in microseconds.
type Latency struct {
	P50  float64 `json:"p50_us"`
	P95  float64 `json:"p95_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}

// latencyOf sorts the times and returns their quantiles by the nearest rank.
func latencyOf(times []time.Duration) Latency {
	slices.Sort(times)
	return Latency{P50: quantile(times, 0.50), P95: quantile(times, 0.95), P99: quantile(times, 0.99), P999: quantile(times, 0.999), Max: quantile(times, 1)}
}

// quantile returns the nearest rank of sorted times, in microseconds.
func quantile(sorted []time.Duration, p float64) float64 { return micros(rank(sorted, p)) }

// rank returns the nearest rank of sorted times, 0 of nothing.
func rank(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(int(math.Ceil(p*float64(len(sorted))))-1, 0)]
}

// String renders the report for people, a few lines.
func (r *Report) String() string {
	var b strings.Builder
	h := &r.Handshakes
	fmt.Fprintf(&b, "handshakes  %d of %d ready in %.3f s = %.0f/s, %s\n", h.Ready, r.Connections, h.Seconds, h.PerSecond, h.Latency)
	if h.CPUMicrosPerConnect > 0 {
		fmt.Fprintf(&b, "            server %.0f µs of processor time per connection\n", h.CPUMicrosPerConnect)
	}
	if m := r.Memory; m != nil {
		fmt.Fprintf(&b, "memory      server %d KiB before, %d KiB connected = %.2f KiB per connection, %d KiB at the end\n", m.BeforeKiB, m.AfterKiB, m.PerConnectionKiB, m.EndKiB)
	}
	if i := r.Idle; i != nil {
		fmt.Fprintf(&b, "idle        %.1f s, server %.1f %% of a core, %d jobs received, %d connections ended\n", i.Seconds, i.CPUPercent, i.Notifies, i.Closed)
	}
	if f := r.Fanout; f != nil {
		f.print(&b)
	}
	if p := r.Prepared; p != nil {
		fmt.Fprintf(&b, "prepared    %d shares at difficulty %g to %g in %.1f s, for %d connections again after other work\n", p.Shares, p.DifficultyMin, p.DifficultyMax, p.Seconds, p.Rebuilt)
	}
	if s := r.Shares; s != nil {
		how := fmt.Sprintf("closed loop, %d outstanding", s.Outstanding)
		if s.Rate > 0 {
			how = fmt.Sprintf("open loop, %g/s asked", s.Rate)
		}
		fmt.Fprintf(&b, "shares      %d sent, %d accepted, %d rejected, %d unanswered in %.3f s = %.0f/s (%s)\n", s.Sent, s.Accepted, s.Rejected, s.Unanswered, s.Seconds, s.PerSecond, how)
		fmt.Fprintf(&b, "latency     %s\n", s.Latency)
		if s.LateMicros > 0 {
			fmt.Fprintf(&b, "            sends were up to %.0f µs late (p99)\n", s.LateMicros)
		}
		if s.CPUSeconds > 0 {
			fmt.Fprintf(&b, "processor   server %.2f s = %.2f µs per accepted share; client %.2f s\n", s.CPUSeconds, s.CPUMicrosPerShare, s.ClientCPUSeconds)
		}
		if s.Segments > 1 {
			fmt.Fprintf(&b, "            in %d pieces: the clock stood while shares for other work were searched\n", s.Segments)
		}
		for _, k := range byCount(s.RejectedBy) {
			fmt.Fprintf(&b, "rejected    %7d  %s\n", s.RejectedBy[k], k)
		}
	}
	if r.Through != nil {
		r.Through.print(&b)
	}
	for _, k := range byCount(r.Errors) {
		fmt.Fprintf(&b, "error       %7d  %s\n", r.Errors[k], k)
	}
	if r.Cut != "" {
		fmt.Fprintf(&b, "cut short   %s\n", r.Cut)
	}
	return b.String()
}

// String renders the quantiles.
func (l Latency) String() string {
	return fmt.Sprintf("p50 %.0f µs, p95 %.0f µs, p99 %.0f µs, p99.9 %.0f µs, max %.0f µs", l.P50, l.P95, l.P99, l.P999, l.Max)
}

// byCount returns the keys, the most frequent first.
func byCount(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(a, b)
	})
	return keys
}
