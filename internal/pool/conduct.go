package pool

import (
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Points that a connection gets for what is wrong, out of the limit of its
// strikes (abuse.Config).
const (
	// junkCost is for what no miner sends that works: a share whose fields
	// cannot be right.
	junkCost = 1
	// slipCost is for what honest miners do at times: late, repeated and weak
	// shares, shares of an earlier connection, wrong names. Only a flood of
	// them, without accepted shares in between, adds up.
	slipCost = 0.1
	// oddCost is for methods that nobody knows. Rental proxies send some.
	oddCost = 0.25
	// messageCost is for a line that is no share. A proxy may sign a thousand
	// workers in.
	messageCost = 0.02
	// shareWorth is what an accepted share makes up for.
	shareWorth = 1
	// suspectAt is when a connection without accepted shares waits behind those
	// that are new: half a hundred messages, or one share that is junk.
	suspectAt = 1
)

// A connection speaks for its address when it had some accepted shares, the
// last of them not long ago.
const (
	honestShares = 8
	vouchEvery   = time.Minute
)

// costOf is what a reject costs.
func costOf(why stratum.Reject) float64 {
	switch why {
	case stratum.RejectMalformed, stratum.RejectExtranonce2, stratum.RejectNTime, stratum.RejectNonce, stratum.RejectVersionMask:
		return junkCost
	case stratum.RejectUnknownMethod:
		return oddCost
	case stratum.NotRejected, stratum.RejectNoWork, stratum.RejectInternal:
		return 0 // not the miner's fault
	}
	return slipCost
}

// conduct is how a connection behaves. It is guarded by the session's lock.
type conduct struct {
	strikes abuse.Strikes
	shares  uint32         // accepted in good standing
	last    stratum.Reject // what was wrong last
	rank    stratum.Standing
	// Of the last accepted share of a connection in good standing, and of the
	// last one that the watch heard of; in Unix nanoseconds, 0 for none.
	honest, vouched int64
}

// good notes an accepted share.
func (c *conduct) good(now time.Time) {
	c.strikes.Forgive(shareWorth)
	if c.shares++; c.shares >= honestShares {
		c.honest = now.UnixNano()
	}
}

// acceptedLocked notes an accepted share.
func (s *session) acceptedLocked(now time.Time) {
	s.conduct.good(now)
	if s.conduct.rank != stratum.Trusted {
		s.rankLocked()
	}
}

// rankLocked tells the connection's loop whom to read first.
func (s *session) rankLocked() {
	if s.member == nil {
		return
	}
	c := &s.conduct
	rank := stratum.Newcomer
	switch {
	case c.shares > 0 && c.strikes.Clean(s.pool.watch.StrikeLimit()):
		rank = stratum.Trusted
	case c.strikes.Points() >= suspectAt:
		rank = stratum.Suspect
	}
	if c.rank != rank {
		c.rank = rank
		s.member.SetStanding(rank)
	}
}

// strike charges the connection for something, and does what is due then.
func (s *session) strike(cost float64, why stratum.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strikeLocked(cost, why, time.Now())
}

func (s *session) strikeLocked(cost float64, why stratum.Reject, now time.Time) {
	limit := s.pool.watch.StrikeLimit()
	c := &s.conduct
	if why != stratum.NotRejected {
		c.last = why
	}
	step := c.strikes.Add(cost, limit, now)
	if step != abuse.Nothing {
		// From here on it has to earn its standing again.
		c.shares, c.honest = 0, 0
	}
	s.rankLocked()
	switch step {
	case abuse.Resend:
		if s.lastJob != nil {
			// It may be lost in old work. Without new work it stays there.
			_ = s.sendWorkLocked(now, true)
		}
	case abuse.Warn:
		s.note("miner sends too much that is wrong", "last", c.last)
		s.showLocked("Too much that is wrong, lately: " + c.words() + ". The pool will disconnect.")
	case abuse.Drop:
		s.note("miner dropped", "last", c.last)
		s.showLocked("Disconnected: too much that is wrong, lately: " + c.words() + ".")
		s.conn.CloseAfterFlush(stratum.CloseMisbehaved)
	}
}

// showLocked shows a message to a miner that can take one (requirement R-F8).
func (s *session) showLocked(message string) {
	if s.device.messages && s.lastJob != nil {
		s.queue(func(b []byte) []byte { return stratum.AppendShowMessage(b, message) })
	}
}

// words says what was wrong last.
func (c *conduct) words() string {
	if c.last == stratum.NotRejected {
		return "too many messages"
	}
	return c.last.Text()
}

// vouchLocked tells the watch now and then that the connection does honest
// work. It is called by the tick alone, never for a share.
func (s *session) vouchLocked() {
	c := &s.conduct
	if c.honest == 0 || c.honest-c.vouched < int64(vouchEvery) {
		return
	}
	c.vouched = c.honest
	s.pool.watch.Vouch(&s.visit, time.Unix(0, c.honest))
}

// maxLastWords is how many lines are heard from a miner that is to be
// disconnected: there may be a block among them.
const maxLastWords = 64

// hearOut reports whether one more line is heard although the connection waits
// only for its replies to be sent. Who goes on for long does not read them.
func (s *session) hearOut(reason stratum.CloseReason) bool {
	if s.lastWords++; s.lastWords > maxLastWords {
		s.conn.Close(reason)
		return false
	}
	return true
}

// misbehaved reports whether the end of a connection counts against its
// address. Slow readers, half-open and silent ones have bad links, not bad
// intentions.
func misbehaved(reason stratum.CloseReason) bool {
	switch reason {
	case stratum.CloseMisbehaved, stratum.CloseBadJSON, stratum.CloseLineTooLong:
		return true
	}
	return false
}

// offence says for people what a connection was dropped for.
func (s *session) offence(reason stratum.CloseReason) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reason != stratum.CloseMisbehaved {
		return fmt.Sprintf("connections dropped, the last for %s", reason)
	}
	return fmt.Sprintf("connections dropped, the last for: %s", s.conduct.words())
}
