package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Diagnosable is a Node that knows what is wrong with itself. Of a Node that is
// none, the age of its last template has to tell.
type Diagnosable interface {
	// Trouble says in words why blocks on the node's work are likely to be
	// worth nothing; "" when all is well.
	Trouble() string
}

var _ Diagnosable = (*node.Nodes)(nil)

// gate decides whether miners are better off elsewhere: work from a node that
// is not well earns nobody anything, and most miners have a backup pool that
// they turn to only when they are disconnected (docs/decisions/0009).
type gate struct {
	closed atomic.Bool // miners are turned away

	mu      sync.Mutex // guards the rest
	trouble string     // "" while all is well
	since   time.Time  // when the trouble began; zero while all is well
	sent    uint64     // miners that were disconnected
	closes  uint64     // times that the gate was closed
}

// status is the gate's part of the read model.
func (g *gate) status() HealthStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	return HealthStatus{Trouble: g.trouble, Since: g.since, TurningAway: g.closed.Load(), SentAway: g.sent, Gates: g.closes}
}

// note takes in what is wrong now, "" for nothing, and says whether the gate
// has just been closed or opened. Trouble that passes within patience, as while
// a node has a block's header but not yet the block, changes nothing.
func (g *gate) note(trouble string, now time.Time, patience time.Duration) (closing, opening bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trouble = trouble
	switch {
	case trouble == "":
		g.since = time.Time{}
	case g.since.IsZero():
		g.since = now
	}
	shut := trouble != "" && patience > 0 && now.Sub(g.since) >= patience
	switch was := g.closed.Swap(shut); {
	case shut && !was:
		g.closes++
		return true, false
	case was && !shut:
		return false, true
	}
	return false, false
}

// guardGate looks at the node's health, once a second. It waits for nobody.
func (p *Pool) guardGate(now time.Time) {
	trouble := p.trouble(now)
	closing, opening := p.gate.note(trouble, now, p.config().FailoverAfter)
	switch {
	case closing:
		p.log.Warn("miners are turned away until the node is well", "trouble", trouble, "miners", p.authorized.Load())
		p.events.add(now, "health", "miners are sent to their backup pools: "+trouble)
		// In a goroutine: who is slow to be told must not stop the clock.
		p.wg.Go(func() { p.sendAway(trouble) })
	case opening:
		p.log.Info("miners are welcome again")
		p.events.add(now, "health", "the node is well, miners are welcome again")
	}
}

// trouble says why miners' work is worth nothing, "" when it is.
func (p *Pool) trouble(now time.Time) string {
	templateAt := time.Unix(0, p.templateAt.Load())
	if fault := p.fault.Load(); fault != nil {
		return "no work can be made: " + *fault
	}
	if d, ok := p.blocks.node.(Diagnosable); ok {
		if text := d.Trouble(); text != "" {
			return text
		}
	}
	switch {
	case p.current() == nil:
		return "no block template from any node yet"
	case now.Sub(templateAt) > staleTemplate:
		return "no new block template for " + now.Sub(templateAt).Round(time.Minute).String()
	}
	return ""
}

// sendAway tells every miner why and closes its connection. No write blocks:
// one that does not read is closed by its connection's own limits.
func (p *Pool) sendAway(trouble string) {
	text := "The pool's Bitcoin node is not well; please use your backup pool. You are welcome again when it is."
	message := stratum.AppendShowMessage(nil, text)
	all := p.snapshotSessions()
	for _, s := range all {
		p.guard(s, func() {
			s.mu.Lock()
			tell := s.device.messages
			s.mu.Unlock()
			if tell {
				s.conn.Queue(message)
			}
			s.conn.CloseAfterFlush(stratum.CloseNodeDown)
		})
	}
	p.gate.mu.Lock()
	p.gate.sent += uint64(len(all))
	p.gate.mu.Unlock()
	p.log.Info("miners sent away", "connections", len(all), "trouble", trouble)
}
