package load

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// grace is how long answers are waited for after the last submit.
const grace = 5 * time.Second

// submit is the timed window: it sends the prepared shares and measures the
// answers. When the pool has other work for a connection (another tip, a higher
// difficulty, another extranonce), the clock stops until new shares are found
// for it, and goes on with those.
func (r *runner) submit(ctx context.Context) error {
	for i := range r.conns {
		if c := &r.conns[i]; c.state == stateReady {
			c.sentAt = make([]time.Duration, r.cfg.Shares)
		}
	}
	w := &Shares{Mode: "closed", Outstanding: r.cfg.Outstanding, RejectedBy: map[string]int{}}
	if r.cfg.Rate > 0 {
		w.Mode, w.Rate, w.Outstanding = "open", r.cfg.Rate, 0
	}
	r.report.Shares = w
	r.latency = make([]time.Duration, 0, r.alive*r.cfg.Shares)

	var err error
	for {
		if err = r.segment(ctx, w); err != nil || !r.anyWanting() {
			break
		}
		if err = r.prepare(ctx); err != nil {
			if errors.Is(err, ErrTooHard) {
				r.report.Cut, err = "the pool's new work: "+err.Error(), nil
			}
			break
		}
	}
	w.finish(r)
	return err
}

// anyWanting says whether shares are left that nobody has prepared.
func (r *runner) anyWanting() bool {
	for i := range r.conns {
		if r.wanting(&r.conns[i]) {
			return true
		}
	}
	return false
}

// segment is a part of the timed window without other work.
func (r *runner) segment(ctx context.Context, w *Shares) error {
	r.left = 0
	for i := range r.conns {
		r.left += r.conns[i].unsent()
	}
	runtime.GC() // not while the clock runs
	w.Segments++
	cpu, proxyCPU, own := r.process.cpu(), r.proxy.cpu(), ownCPU()
	start := r.now()
	r.lastAt, r.window = start, w
	var err error
	if r.cfg.Rate > 0 {
		err = r.openLoop(ctx, start)
	} else {
		err = r.closedLoop(ctx)
	}
	r.window = nil
	w.ClientCPUSeconds += (ownCPU() - own).Seconds()
	w.CPUSeconds += (r.process.cpu() - cpu).Seconds()
	r.proxyCPU += r.proxy.cpu() - proxyCPU
	w.Seconds += (r.lastAt - start).Seconds()
	return err
}

// finish works out what follows from the sums.
func (w *Shares) finish(r *runner) {
	if r.process != nil && w.Accepted > 0 {
		w.CPUMicrosPerShare = w.CPUSeconds * 1e6 / float64(w.Accepted)
		r.report.Memory.EndKiB = r.process.rss()
	}
	if w.Seconds > 0 {
		w.PerSecond = float64(r.answers) / w.Seconds
		w.AcceptedPerSecond = float64(w.Accepted) / w.Seconds
	}
	w.Unanswered = w.Sent - r.answers
	w.Latency = latencyOf(r.latency)
	w.LateMicros = latencyOf(r.late).P99
	r.compare(w)
}

// closedLoop keeps every connection at its number of outstanding submits.
func (r *runner) closedLoop(ctx context.Context) error {
	for i := range r.conns {
		r.pump(i)
	}
	for r.left+r.waiting > 0 && r.now()-r.lastAt < grace {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.net.wait(step)
	}
	return nil
}

// pump sends what the window of a connection allows, in one write.
func (r *runner) pump(i int) {
	c := &r.conns[i]
	if n := min(r.cfg.Outstanding-c.waiting, c.unsent()); n > 0 {
		r.send(i, n, r.now())
	}
}

// send submits the next n shares of a connection; latency counts from at.
func (r *runner) send(i, n int, at time.Duration) {
	c := &r.conns[i]
	b := c.prepared.cut(c.sent, n)
	for k := c.sent; k < c.sent+n; k++ {
		c.sentAt[k] = at
	}
	c.sent += n
	c.waiting += n
	r.waiting += n
	r.left -= n
	r.window.Sent += n
	r.net.write(i, b)
}

// openLoop sends at fixed times, to one connection after the other.
func (r *runner) openLoop(ctx context.Context, start time.Duration) error {
	gap := float64(time.Second) / r.cfg.Rate
	next := 0
	for k := 0; r.left > 0; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := r.now()
		// A few at a time, so that answers are read meanwhile.
		for range 8 {
			due := start + time.Duration(float64(k)*gap)
			if due > now {
				break
			}
			i, ok := r.nextToSend(&next)
			if !ok {
				break
			}
			k++
			r.late = append(r.late, now-due)
			r.send(i, 1, due)
		}
		r.net.wait(min(step, max(0, start+time.Duration(float64(k)*gap)-r.now())))
	}
	for end := r.now() + grace; r.waiting > 0 && r.now() < end; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.net.wait(step)
	}
	return nil
}

// nextToSend finds the next connection that has a share left.
func (r *runner) nextToSend(next *int) (int, bool) {
	for range r.conns {
		i := *next
		*next = (*next + 1) % len(r.conns)
		if r.conns[i].unsent() > 0 {
			return i, true
		}
	}
	return 0, false
}

// answer counts the answer to submit k; reason is empty if it was accepted.
func (r *runner) answer(c *conn, k int, at time.Duration, reason string) {
	if k >= c.sent || c.sentAt[k] == 0 {
		r.note("answer to no submit")
		return
	}
	took := at - c.sentAt[k]
	c.sentAt[k] = 0
	c.waiting--
	r.waiting--
	if r.window == nil {
		r.note("answer after the clock had stopped")
		return
	}
	r.latency = append(r.latency, took)
	r.noteThrough(c, took)
	r.answers++
	r.lastAt = at
	if reason == "" {
		r.window.Accepted++
		return
	}
	r.window.Rejected++
	count(r.window.RejectedBy, reason)
}
