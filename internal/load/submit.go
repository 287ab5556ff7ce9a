package load

import (
	"context"
	"time"
)

// grace is how long the open loop waits for answers after its last submit.
const grace = 5 * time.Second

// submit is the timed window: it sends the prepared shares and measures the
// answers.
func (r *runner) submit(ctx context.Context) error {
	total := 0
	for i := range r.conns {
		c := &r.conns[i]
		if c.state == stateReady {
			c.sentAt = make([]time.Duration, c.prepared.count())
			total += c.prepared.count()
		}
	}
	w := &Shares{Mode: "closed", Outstanding: r.cfg.Outstanding, RejectedBy: map[string]int{}}
	if r.cfg.Rate > 0 {
		w.Mode, w.Rate, w.Outstanding = "open", r.cfg.Rate, 0
	}
	r.report.Shares = w
	r.latency = make([]time.Duration, 0, total)
	r.pending = total

	cpu, own := r.process.cpu(), ownCPU()
	start := r.now()
	r.lastAt, r.window = start, w
	var err error
	if r.cfg.Rate > 0 {
		err = r.openLoop(ctx, start, total)
	} else {
		err = r.closedLoop(ctx, start)
	}
	r.window = nil

	w.ClientCPUSeconds = (ownCPU() - own).Seconds()
	if r.process != nil {
		used := r.process.cpu() - cpu
		w.CPUSeconds = used.Seconds()
		if w.Accepted > 0 {
			w.CPUMicrosPerShare = micros(used) / float64(w.Accepted)
		}
		r.report.Memory.EndKiB = r.process.rss()
	}
	w.Seconds = (r.lastAt - start).Seconds()
	if w.Seconds > 0 {
		w.PerSecond = float64(r.answers) / w.Seconds
		w.AcceptedPerSecond = float64(w.Accepted) / w.Seconds
	}
	w.Unanswered = w.Sent - r.answers
	w.Latency = latencyOf(r.latency)
	w.LateMicros = latencyOf(r.late).P99
	for i := range r.conns {
		if c := &r.conns[i]; c.prepared.count() > 0 && c.onAnotherTip() {
			w.TipChanged++
		}
	}
	return err
}

// closedLoop keeps every connection at its number of outstanding submits.
func (r *runner) closedLoop(ctx context.Context, start time.Duration) error {
	for i := range r.conns {
		r.pump(i)
	}
	for r.pending > 0 && r.now()-start < r.cfg.Duration {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.net.wait(step)
	}
	return nil
}

// pump sends what the window of a connection allows, in one write.
func (r *runner) pump(i int) {
	c := &r.conns[i]
	if c.state != stateReady {
		return
	}
	n := min(r.cfg.Outstanding-(c.sent-c.answered), c.prepared.count()-c.sent)
	if n > 0 {
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
	r.window.Sent += n
	r.net.write(i, b)
}

// openLoop sends at fixed times, to one connection after the other.
func (r *runner) openLoop(ctx context.Context, start time.Duration, total int) error {
	gap := float64(time.Second) / r.cfg.Rate
	r.late = make([]time.Duration, 0, total)
	next := 0
	for k := 0; k < total; {
		now := r.now()
		if now-start > r.cfg.Duration {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// A few at a time, so that answers are read meanwhile.
		for range 8 {
			due := start + time.Duration(float64(k)*gap)
			if due > now || k == total {
				break
			}
			k++
			i, ok := r.nextToSend(&next)
			if !ok {
				return nil // all ended
			}
			r.late = append(r.late, now-due)
			r.send(i, 1, due)
		}
		r.net.wait(min(step, max(0, start+time.Duration(float64(k)*gap)-r.now())))
	}
	for end := r.now() + grace; r.pending > 0 && r.now() < end && r.now()-start < r.cfg.Duration; {
		if err := ctx.Err(); err != nil {
			return err
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
		if c := &r.conns[i]; c.state == stateReady && c.sent < c.prepared.count() {
			return i, true
		}
	}
	return 0, false
}

// answer counts the answer to submit k; reason is empty if it was accepted.
func (r *runner) answer(c *conn, k int, at time.Duration, reason string) {
	if r.window == nil || k >= c.sent || c.sentAt[k] == 0 {
		r.report.Errors["answer to no submit"]++
		return
	}
	r.latency = append(r.latency, at-c.sentAt[k])
	c.sentAt[k] = 0
	c.answered++
	r.answers++
	r.pending--
	r.lastAt = at
	if reason == "" {
		r.window.Accepted++
		return
	}
	r.window.Rejected++
	if _, known := r.window.RejectedBy[reason]; !known && len(r.window.RejectedBy) >= maxRejectText {
		reason = "other"
	}
	r.window.RejectedBy[reason]++
}

// outstanding is how many submits of a connection could still be answered.
func (c *conn) outstanding(r *runner) int {
	if r.window == nil {
		return 0
	}
	return c.prepared.count() - c.answered
}
