package pool

import (
	"sync/atomic"

	"golang.org/x/time/rate"
)

// Bounds of the log lines about single miners: whoever connects can cause them.
const (
	notesPerSecond = 20
	notesAtOnce    = 200
)

// notes bounds what the log says about single miners.
type notes struct {
	limit   *rate.Limiter
	leftOut atomic.Uint64 // since start
	told    uint64        // of leftOut, in the log; publish's alone
}

// note logs something about one miner, unless there is too much of that.
func (s *session) note(message string, arguments ...any) {
	n := &s.pool.notes
	if !n.limit.Allow() {
		n.leftOut.Add(1)
		return
	}
	s.logger().Info(message, arguments...)
}

// tellLeftOut logs how many notes the log does not have.
func (p *Pool) tellLeftOut() {
	if left := p.notes.leftOut.Load(); left > p.notes.told {
		p.log.Warn("log lines about single miners left out", "lines", left-p.notes.told)
		p.notes.told = left
	}
}
