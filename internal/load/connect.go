package load

import (
	"context"
	"fmt"
	"time"
)

// step is the longest wait for events, so that deadlines and ctx are seen.
const step = 20 * time.Millisecond

// connect makes all connections, a bounded number at a time, and measures how
// long they take until they have work.
func (r *runner) connect(ctx context.Context) error {
	var memory *Memory
	if r.process != nil {
		memory = &Memory{BeforeKiB: r.process.rss()}
		r.report.Memory = memory
	}
	cpu := r.process.cpu()
	start := r.now()
	started := 0
	for started < len(r.conns) || r.underWay > 0 {
		for r.underWay < r.cfg.InFlight && started < len(r.conns) {
			c := &r.conns[started]
			c.state, c.started = stateConnecting, r.now()
			c.announced = 1
			r.underWay++
			started++
			r.net.dial(started - 1)
		}
		r.net.wait(5 * time.Millisecond)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.now()-start > r.cfg.HandshakeTimeout {
			r.giveUpHandshakes(started)
			break
		}
	}

	h := &r.report.Handshakes
	h.Ready, h.Failed = r.readyN, len(r.conns)-r.readyN
	var took []time.Duration
	last := start
	for i := range r.conns {
		if c := &r.conns[i]; c.ready > 0 {
			took = append(took, c.ready-c.started)
			last = max(last, c.ready)
		}
	}
	h.Latency = latencyOf(took)
	h.Seconds = (last - start).Seconds()
	if h.Seconds > 0 {
		h.PerSecond = float64(h.Ready) / h.Seconds
	}
	if h.Ready > 0 {
		h.CPUMicrosPerConnect = micros(r.process.cpu()-cpu) / float64(h.Ready)
	}
	r.say("%d of %d connections ready, %.0f/s", h.Ready, len(r.conns), h.PerSecond)
	if r.alive == 0 {
		for _, reason := range byCount(r.report.Errors) {
			return fmt.Errorf("%w: %s", ErrNoConnections, reason)
		}
		return ErrNoConnections
	}
	return nil
}

// giveUpHandshakes ends what is not ready when time is up.
func (r *runner) giveUpHandshakes(started int) {
	for i := range r.conns[:started] {
		if s := r.conns[i].state; s != stateReady && s != stateDead {
			r.fail(i, fmt.Errorf("not ready after %v, %s", r.cfg.HandshakeTimeout, s))
		}
	}
	if left := len(r.conns) - started; left > 0 {
		r.report.Errors["not started before the handshake timeout"] += left
	}
}

// String says what a connection was waiting for.
func (s connState) String() string {
	switch s {
	case stateConnecting:
		return "connecting"
	case stateSubscribing:
		return "subscribe not answered"
	case stateAuthorizing:
		return "authorize not answered or no job"
	case stateReady:
		return "ready"
	case stateDead:
		return "ended"
	}
	return "not started"
}

// settle lets the server come to rest and measures its memory, and what idle
// connections cost.
func (r *runner) settle(ctx context.Context) error {
	if err := r.idle(ctx, r.cfg.Settle); err != nil {
		return err
	}
	if m := r.report.Memory; m != nil {
		m.AfterKiB = r.process.rss()
		m.EndKiB = m.AfterKiB
		m.PerConnectionKiB = float64(m.AfterKiB-m.BeforeKiB) / float64(max(r.alive, 1))
	}
	if r.cfg.Hold == 0 {
		return nil
	}

	r.net.timestamps(true) // of tips that come meanwhile
	defer r.net.timestamps(false)
	cpu, notifies, alive, start := r.process.cpu(), r.notifies, r.alive, r.now()
	err := r.idle(ctx, r.cfg.Hold)
	seconds := (r.now() - start).Seconds()
	r.report.Idle = &Idle{
		Seconds:    seconds,
		CPUPercent: 100 * (r.process.cpu() - cpu).Seconds() / seconds,
		Notifies:   r.notifies - notifies,
		Closed:     alive - r.alive,
	}
	if m := r.report.Memory; m != nil {
		m.EndKiB = r.process.rss()
	}
	return err
}

// idle handles what comes for a while.
func (r *runner) idle(ctx context.Context, d time.Duration) error {
	for end := r.now() + d; r.now() < end; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.net.wait(min(step, end-r.now()))
	}
	return nil
}

// say tells people about progress.
func (r *runner) say(format string, args ...any) {
	// Whoever listens to progress may have gone; the measurement goes on.
	_, _ = fmt.Fprintf(r.progress, format+"\n", args...)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
