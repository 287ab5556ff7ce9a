package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// sharesPerBlock is the least number of shares per block that a difficulty of
// the pool's own choice aims at.
const sharesPerBlock = 16

func (s *session) handleSuggestDifficulty(r *stratum.Request) {
	s.reply(r, "true")
	if d, ok := stratum.ParseSuggestDifficulty(r.Params); ok {
		s.suggest(d)
	}
}

func (s *session) handleSuggestTarget(r *stratum.Request) {
	s.reply(r, "true")
	if t, err := bitcoin.ParseTarget(stratum.ParseText(r.Params)); err == nil {
		s.suggest(t.Difficulty())
	}
}

// suggest takes a miner's proposal. The first one sets the start; the same
// again is a keep-alive; a different one counts at most once a minute.
func (s *session) suggest(d float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if d == s.wish.suggested || (s.wish.suggested > 0 && now.Sub(s.suggested) < time.Minute) {
		return
	}
	s.wish.suggested, s.suggested = d, now
	if s.lastJob == nil || s.wish.ordered > 0 || s.wish.hints.fixed > 0 || s.wish.hints.start > 0 {
		return
	}
	s.retargetLocked(now, d)
}

// startDifficulty is where a connection begins: what the miner asked for, by
// the precedence of requirement R-A3, else what its kind is known to need.
func (s *session) startDifficulty() float64 {
	for _, wish := range []float64{s.wish.ordered, s.wish.hints.fixed, s.wish.hints.start, s.wish.configured, s.wish.suggested} {
		if wish > 0 {
			return s.clamp(wish)
		}
	}
	start := s.port.limits(s.pool.config().Difficulty).Start
	switch {
	case s.recalled > 0:
		start = s.recalled
	case s.device.start > 0 && s.port.Start == 0:
		start = s.device.start
	}
	// On a test network, where any miner's usual difficulty is above the
	// network's, there should still be more shares than blocks.
	if j := s.pool.current(); j != nil {
		start = min(start, j.target.Difficulty()/sharesPerBlock)
	}
	return s.clamp(start)
}

func (s *session) clamp(d float64) float64 {
	limits := s.port.limits(s.pool.config().Difficulty)
	lowest := max(limits.Min, s.wish.configured)
	if s.wish.ordered == 0 {
		lowest = max(lowest, s.wish.hints.min)
	}
	if limits.Max > 0 {
		lowest = min(lowest, limits.Max)
	}
	network := 0.0
	if j := s.pool.current(); j != nil {
		network = j.target.Difficulty()
	}
	return clampDifficulty(d, lowest, limits.Max, network)
}

// retargetLocked changes the difficulty and pairs it with new work, since
// miners apply it with the next notify (requirement R-J4).
func (s *session) retargetLocked(now time.Time, d float64) {
	d = s.clamp(d)
	s.rememberLocked(now)
	s.vardiff.begin(now)
	if d == s.difficulty {
		return
	}
	s.difficulty = d
	// Without work the difficulty goes out with the next that there is.
	_ = s.sendWorkLocked(now, false)
}

// steerLocked goes where the difficulty control wants to go.
func (s *session) steerLocked(now time.Time, d float64) {
	d = max(d, min(s.device.least, s.difficulty))
	if d != s.difficulty {
		s.retargetLocked(now, d)
	}
}

// controlled says whether difficulty control is on for the connection.
func (s *session) controlled() bool {
	return s.pool.config().Difficulty.Vardiff && s.wish.hints.fixed == 0 && s.wish.ordered == 0
}

// sendWork gives the session the newest job, if it waits for one and does not
// have it already.
func (s *session) sendWork(now time.Time, clean bool) (sent bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started && s.payee.script == nil || s.lastJob != nil && s.lastJob == s.pool.current() {
		return false, nil
	}
	err = s.sendWorkLocked(now, clean)
	return err == nil, err
}

// sendWorkLocked sends the newest job's next unused variant, with the
// difficulty when that changed. It returns why it did not.
func (s *session) sendWorkLocked(now time.Time, clean bool) error {
	j := s.pool.current()
	if j == nil || !s.started && s.payee.script == nil {
		return errNoJob
	}
	if err := s.resolveLocked(j); err != nil {
		return err
	}
	variant := uint8(0)
	if s.worked && s.lastWork>>variantBits == j.number {
		if s.lastWork&maxVariant == maxVariant {
			s.pool.counters.skippedWork.Add(1)
			return errNoVariantLeft
		}
		variant = uint8(s.lastWork&maxVariant) + 1
	}
	w, err := j.work(s.payee, variant)
	if err != nil {
		s.pool.workFailed(s.address, err)
		return err
	}
	if s.lastJob == nil {
		s.vardiff.begin(now) // while it had no work, it was not silent
	}
	// A new tip, or a first job, makes earlier work worthless to the miner.
	clean = clean || s.lastJob == nil || s.lastJob.template.PrevHash != j.template.PrevHash
	s.difficulty = s.clamp(s.difficulty)
	if told := s.mask & j.mask; s.told != 0 && told != s.told && s.device.masks {
		// The node demands bits that the miner was allowed to roll, or no more.
		s.told = told
		s.queue(func(b []byte) []byte { return stratum.AppendSetVersionMask(b, told) })
	}
	var buf [96]byte
	difficulty := buf[:0]
	s.timeline.follow(w.id)
	if s.difficulty != s.announced {
		difficulty = stratum.AppendSetDifficulty(difficulty, s.difficulty)
		s.timeline.assign(w.id, s.difficulty)
		s.announced = s.difficulty
		for _, worker := range s.workers {
			worker.account.SetDifficulty(s.difficulty, s.difficulty)
		}
	}
	rest := j.rest.dirty
	if clean {
		s.awaited = now.UnixNano()
		rest = j.rest.clean
	}
	if s.conn.SendWork(difficulty, w.notify, rest) {
		s.pool.counters.replacedNotifies.Add(1)
	}
	s.lastJob, s.lastWork, s.worked, s.lastWorkAt = j, w.id, true, now
	return nil
}

// resolveLocked finds the payout script for the job's network. A worker that
// came before the network was known may turn out to belong to another one.
func (s *session) resolveLocked(j *job) error {
	if s.payee.script != nil {
		return nil
	}
	if s.lingering != nil {
		return errNotPayable
	}
	script, err := bitcoin.PayoutScript(s.address, j.network)
	if err != nil {
		s.note("worker refused", "address", s.address, "err", err)
		s.pool.counters.reject(stratum.RejectWrongNetwork)
		s.queue(func(b []byte) []byte { return stratum.AppendShowMessage(b, stratum.RejectWrongNetwork.Text()) })
		s.conn.Flush()
		s.lingerLocked(stratum.RejectWrongNetwork)
		return errNotPayable
	}
	s.payee = payee{s.address, script, s.device.coinbase}
	return nil
}
