package pool

import (
	"math"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Who wants a connection to be closed. Either way its miner may come back at
// once, and nothing counts against its address.
const (
	ByOperator = stratum.CloseOperatorRequest
	ByOwner    = stratum.CloseOwnerRequest
)

// DropConnection tells a miner that its connection will be closed, if it shows
// messages, and closes it. It returns false when no connection has the id.
func (p *Pool) DropConnection(id string, by stratum.CloseReason) bool {
	s := p.sessionByID(id)
	if s == nil {
		return false
	}
	p.guard(s, func() { s.drop(by) })
	return true
}

// DropWorker does with all connections of a worker, by its full name, what
// DropConnection does with one, in its owner's name. A connection that carries
// several workers ends for all of them: they share one payout address. It
// returns the number of connections.
func (p *Pool) DropWorker(name string) (connections int) {
	for _, s := range p.sessionsOf(name) {
		p.guard(s, func() { s.drop(ByOwner) })
		connections++
	}
	return connections
}

// sessionsOf lists the open sessions that a worker is signed in on.
func (p *Pool) sessionsOf(name string) (its []*session) {
	for _, s := range p.snapshotSessions() {
		if s.carries(name) {
			its = append(its, s)
		}
	}
	return its
}

func (s *session) carries(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn.Closed() {
		return false
	}
	w := s.workerLocked([]byte(name))
	return w != nil && w.name == name
}

func (s *session) drop(by stratum.CloseReason) {
	who := "owner"
	if by == ByOperator {
		who = "pool's operator"
	}
	s.mu.Lock()
	s.showLocked("The " + who + " asked for a new connection. Mining goes on with it.")
	s.mu.Unlock()
	s.note("connection closed on request", "by", by)
	s.conn.CloseAfterFlush(by)
}

// maxOrders bounds the workers whose owners' difficulties are remembered; the
// one that was ordered first is forgotten first.
const maxOrders = 4096

// orders are the difficulties that owners of workers want, by the workers' full
// names.
type orders struct {
	mu           sync.Mutex
	byName       map[string]float64
	oldest       []string // names, in the order in which they came
	forgottenFor uint64   // orders that had to make room
}

// set notes an order; 0 takes one back.
func (o *orders) set(name string, d float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.byName[name]; known {
		for i := range o.oldest {
			if o.oldest[i] == name {
				o.oldest = append(o.oldest[:i], o.oldest[i+1:]...)
				break
			}
		}
		delete(o.byName, name)
	}
	if d == 0 {
		return
	}
	if len(o.oldest) == maxOrders {
		delete(o.byName, o.oldest[0])
		o.oldest = o.oldest[1:]
		o.forgottenFor++
	}
	if o.byName == nil {
		o.byName = make(map[string]float64)
	}
	o.byName[name] = d
	o.oldest = append(o.oldest, name)
}

// of is the order for a worker, 0 without one.
func (o *orders) of(name string) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.byName[name]
}

func (o *orders) forgotten() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.forgottenFor
}

// SetWorkerDifficulty fixes the difficulty of a worker, by its full name: of its
// open connections at once, with new work, and of those to come. It holds before
// whatever the miner asks for, within the limits of the pool, its listeners, the
// network, and of what the miner says it can do at least. A connection with
// several workers has one difficulty: that of the latest order for any of them.
// 0, or what is no difficulty, leaves it to the pool again. It returns the number
// of open connections.
//
// Orders are kept in memory for the latest 4096 workers.
func (p *Pool) SetWorkerDifficulty(name string, d float64) (connections int) {
	if !(d > 0) || math.IsInf(d, 0) {
		d = 0
	}
	p.orders.set(name, d)
	now := time.Now()
	for _, s := range p.sessionsOf(name) {
		p.guard(s, func() { s.obey(now, d) })
		connections++
	}
	return connections
}

// obey follows an owner's order while the connection is open.
func (s *session) obey(now time.Time, d float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wish.ordered == d {
		return
	}
	s.wish.ordered = d
	if !s.started {
		return // it begins with it
	}
	switch {
	case d > 0:
		s.retargetLocked(now, d)
	case s.wish.hints.fixed > 0:
		s.retargetLocked(now, s.wish.hints.fixed)
	default:
		// From here on the difficulty control finds the way by itself.
		s.vardiff.begin(now)
	}
}

// recallOrderLocked follows an order that was given before the worker signed in.
func (s *session) recallOrderLocked(now time.Time, name string) {
	d := s.pool.orders.of(name)
	if d == 0 || s.wish.ordered == d {
		return
	}
	s.wish.ordered = d
	if s.started {
		s.retargetLocked(now, d)
	}
}

// DifficultyLimits are those of every miner, whatever it or its owner asks for; a
// most of 0 is none.
func (p *Pool) DifficultyLimits() (least, most float64) {
	d := p.config().Difficulty
	return d.Min, d.Max
}
