package audit

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// checkJob looks at a new job: whom it pays, and whether its block, nbits and
// ntime are right.
func (s *session) checkJob(m *capture.Message, j *job, d *decode.Job, before **job, newTip bool) {
	s.checkPayout(m, j, d.Coinbase)
	s.checkTime(m, j, before, newTip)
	s.checkBits(m, j, before, newTip)
	if newTip {
		s.quiet.empty, s.quiet.old = false, false
		s.checkLate(m, j)
	}
}

func (s *session) checkTime(m *capture.Message, j *job, before **job, newTip bool) {
	rules := &s.a.cfg.Rules
	at := time.Unix(int64(j.work.Time), 0)
	if skew := at.Sub(m.Received); skew > rules.TimeSkew || skew < -rules.TimeSkew {
		direction := "ahead of"
		if skew < 0 {
			direction, skew = "behind", -skew
		}
		s.raise(AlarmTime, SeverityWarning, m.Received, fmt.Sprintf(
			"The time of job %s is %s %s our clock.", quote(j.work.ID), skew.Round(time.Second), direction), m.N)
	}
	if newTip || before == nil {
		return
	}
	if back := time.Unix(int64((*before).work.Time), 0).Sub(at); back > rules.TimeBackwards {
		s.raise(AlarmTime, SeverityWarning, m.Received, fmt.Sprintf(
			"The time of job %s is %s before that of the job before it.", quote(j.work.ID), back), (*before).n, m.N)
	}
}

func (s *session) checkBits(m *capture.Message, j *job, before **job, newTip bool) {
	if !newTip && before != nil && (*before).work.Bits != j.work.Bits {
		s.raise(AlarmBits, SeverityCritical, m.Received, fmt.Sprintf(
			"The pool changed nbits from %s to %s for the same block: one of both makes blocks that nobody accepts.",
			(*before).shown.Bits, j.shown.Bits), (*before).n, m.N)
		return
	}
	tip, ok := s.chainTip()
	if ok && tip.Hash == j.work.PrevHash && tip.Bits != 0 && tip.Bits != j.work.Bits {
		s.raise(AlarmBits, SeverityCritical, m.Received, fmt.Sprintf(
			"The pool's job has nbits %s where our node has %08x: blocks of it would not be accepted.", j.shown.Bits, tip.Bits), m.N)
	}
}

// chainTip is our node's tip, if there is a node.
func (s *session) chainTip() (Tip, bool) {
	if s.a.cfg.Chain == nil {
		return Tip{}, false
	}
	return s.a.cfg.Chain.Tip()
}

// checkLate measures how long after our node the pool had a tip.
func (s *session) checkLate(m *capture.Message, j *job) {
	tip, ok := s.chainTip()
	if !ok || tip.Hash != j.work.PrevHash || tip.SeenAt.IsZero() || s.firstJobAt.After(tip.SeenAt) {
		return // the session began later than the tip
	}
	late := m.Received.Sub(tip.SeenAt)
	behind := milliseconds(late)
	j.behind = &behind
	if late > s.a.cfg.Rules.LateJob {
		s.raise(AlarmLateJob, SeverityWarning, m.Received, fmt.Sprintf(
			"The pool's first job on block %d came %d ms after our node had that block: the work until then was for nothing.",
			tip.Height, late.Milliseconds()), m.N)
	}
}

// checkRaise looks for a difficulty that is raised although the miner's shares
// do not call for it.
func (s *session) checkRaise(m *capture.Message, change Difficulty) {
	held := m.Received.Sub(s.difficultyAt)
	if change.Before <= 0 || change.Value < 1.5*change.Before || change.Asked || held < time.Minute || s.firstJobAt.IsZero() {
		return
	}
	proven := s.difficultyWork / held.Seconds() // difficulty per second
	if proven > 0 && change.Value/proven <= s.a.cfg.Rules.RaisedInterval.Seconds() {
		return
	}
	why := "no share was accepted before"
	if proven > 0 {
		why = fmt.Sprintf("at its pace the miner needs %s for a share now", seconds(change.Value/proven))
	}
	s.raise(AlarmDifficultyRaised, SeverityWarning, m.Received, fmt.Sprintf(
		"The pool raised the difficulty from %s to %s without evidence: %s.", number(change.Before), number(change.Value), why), s.difficultyN, m.N)
}

// seconds is a time for people; none is longer than a year.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 365*24*3600) * float64(time.Second)).Round(time.Second)
}

// checkWorker looks for shares of workers that were never authorized.
func (s *session) checkWorker(m *capture.Message, r *shareRecord) {
	i := s.worker(m.Worker)
	r.stranger = i < 0 || s.workers[i].refused
	if !r.stranger || s.partial() || len(s.workers) >= maxWorkers {
		return
	}
	who := "was never authorized"
	if i >= 0 {
		who = "the pool had refused"
	}
	proof := []uint64{m.N}
	if len(s.workers) > 0 {
		proof = []uint64{s.workers[0].n, m.N}
	}
	s.raise(AlarmUnknownWorker, SeverityWarning, m.Received, fmt.Sprintf("A share was submitted for worker %s, which %s in this session.", quote(m.Worker), who), proof...)
}

// setExtranonce takes new extranonces, and says so when nobody asked.
func (s *session) setExtranonce(m *capture.Message) {
	d := s.decode(m, nil)
	if d.Extranonce == nil {
		return
	}
	before := s.extranonce2Size
	length := len(s.extranonce1)
	s.setExtranonces(d.Extranonce.Extra, d.Extranonce.Extranonce2Size)
	s.blind.extranonce = false
	switch {
	case !s.xnSubscribed && !s.partial():
		s.raise(AlarmExtranonceChanged, SeverityWarning, m.Received, "The pool changed the extranonce of a miner that had not asked for mining.set_extranonce: firmware that ignores it mines for nothing.", m.N)
	case before > 0 && (before != s.extranonce2Size || length != len(s.extranonce1)):
		s.raise(AlarmExtranonceChanged, SeverityWarning, m.Received, fmt.Sprintf(
			"The pool changed the sizes of the extranonces from %d and %d bytes to %d and %d.", length, before, len(s.extranonce1), s.extranonce2Size), m.N)
	}
}

// reconnect looks at where a pool sends its miners.
func (s *session) reconnect(m *capture.Message) {
	d := s.decode(m, nil)
	if d.Reconnect == nil {
		return
	}
	host, port, err := net.SplitHostPort(s.info.Pool)
	if err != nil {
		host = s.info.Pool
	}
	where, severity := "to the same pool", SeverityWarning
	if to := d.Reconnect.Host; to != "" && !strings.EqualFold(to, host) {
		where, severity = "away, to "+quote(to), SeverityCritical
		if host != "" {
			where += " instead of " + quote(host)
		}
	} else if d.Reconnect.Port != 0 && port != fmt.Sprint(d.Reconnect.Port) {
		where = fmt.Sprintf("to port %d of the same pool", d.Reconnect.Port)
	}
	s.raise(AlarmReconnect, severity, m.Received, "The pool asked the miner to reconnect "+where+".", m.N)
}

// hashName is a block's hash, short enough for a sentence.
func hashName(h bitcoin.Hash) string {
	text := h.String()
	return "…" + text[len(text)-16:]
}
