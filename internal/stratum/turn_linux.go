package stratum

import (
	"math"
	"time"
)

// What a turn takes at most of connections that are not trusted, so that a
// trusted one waits for a bounded piece of work, however many others there are.
// Both are per turn of one loop; turns follow each other without a break.
const (
	newcomerBytes = 8 << 10 // read of all newcomers
	suspectBytes  = 4 << 10 // read of all suspects
	morsel        = 512     // read of one of them, or as much as it has of a line
	leastCost     = 512     // of a read, in bytes: a system call or two
	maxRounds     = 64      // looks for trusted ones before the others are served
)

// queue is a first-in first-out queue that reuses its memory.
type queue struct {
	members []*Member
	head    int // of members: what comes before was taken
}

func (q *queue) len() int { return len(q.members) - q.head }

func (q *queue) push(m *Member) {
	if q.head > 0 && len(q.members) == cap(q.members) {
		n := copy(q.members, q.members[q.head:])
		clear(q.members[n:])
		q.members, q.head = q.members[:n], 0
	}
	q.members = append(q.members, m)
}

func (q *queue) pop() *Member {
	m := q.members[q.head]
	q.members[q.head] = nil
	if q.head++; q.head == len(q.members) {
		q.members, q.head = q.members[:0], 0
	}
	return m
}

// SetStanding says how much of a turn the connection gets from its next event
// on. It may be called by any goroutine.
func (m *Member) SetStanding(s Standing) { m.standing.Store(uint32(s)) }

func (l *Loop) markWaiting(m *Member) {
	if !m.waiting {
		m.waiting = true
		l.queues[m.standing.Load()].push(m)
	}
}

// backlog reports whether somebody waits for the next turn.
func (l *Loop) backlog() bool { return l.queues[Trusted].len() > 0 || l.others() }

// others reports whether somebody waits who is not trusted.
func (l *Loop) others() bool { return l.queues[Newcomer].len()+l.queues[Suspect].len() > 0 }

// turn handles what is ready: every trusted connection, then some of the
// others. The kernel tells in the order in which things happened, so a trusted
// connection may stand behind thousands of others there; before any of those is
// read the loop therefore asks for everything that is ready. Whoever is not
// served in this turn stays in its queue, as epoll will not tell again.
func (l *Loop) turn() error {
	served := 0
	for round := 1; ; round++ {
		all := l.ready < len(l.events)
		l.sort()
		if n := l.serveQueue(Trusted, MaxLine, math.MaxInt); n > 0 {
			// They get their answers before anybody else is read.
			l.flush()
			served += n
		}
		if all || !l.others() || served >= maxEvents || round == maxRounds {
			break
		}
		if l.poll(0); l.pollErr != nil {
			return l.pollErr
		}
	}
	l.serveQueue(Newcomer, morsel, newcomerBytes)
	l.serveQueue(Suspect, morsel, suspectBytes)
	l.flush()
	if !l.scanAt.IsZero() {
		if now := time.Now(); !now.Before(l.scanAt) {
			l.scan(now)
		}
	}
	return nil
}

// sort puts those whom the kernel named into their queues.
func (l *Loop) sort() {
	for i := range l.events[:l.ready] {
		e := &l.events[i]
		slot, age := slotOf(e)
		if slot == noSlot || l.members[slot] == nil || l.ages[slot] != age {
			continue
		}
		m := l.members[slot]
		l.protect(m, func() { l.notice(m, e.Events) })
	}
	l.ready = 0
}

// serveQueue serves those who wait in a queue now, each once, until they cost as
// much as they may. It returns how many were served.
func (l *Loop) serveQueue(of Standing, each, budget int) (served int) {
	q := &l.queues[of]
	for n := q.len(); n > 0 && budget > 0; n-- {
		m := q.pop()
		m.waiting = false
		// Long lines are read in growing pieces, or they would be copied often.
		limit := max(each, len(m.partial))
		cost := leastCost // if it panics
		l.protect(m, func() { cost = l.serve(m, limit) })
		if cost > 0 {
			budget -= cost
			served++
		}
	}
	return served
}
