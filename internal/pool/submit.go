package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// share is a submit on its way through the pool: opened, hashed, looked at as a
// block, judged, answered and booked.
type share struct {
	session *session
	request stratum.Request // id and method; points into the line that was read
	submit  stratum.Submit  // likewise

	work        *work // nil when the share could not be hashed
	current     *tip  // when the share came
	stale       bool  // its work is of the previous tip
	provisional bool  // its work pays the operator, since the miner had not authorized
	extranonces [extranonce1Size + extranonce2Size]byte
	versionOK   bool

	sharehash.Share // Header and Hash
	hashed          bool

	saved <-chan struct{} // closed when the share, being a block, is on disk
	why   stratum.Reject
	flood bool // the connection's shares fill its memory

	given    bool           // the connection was given work of this age
	assigned float64        // difficulty that the share was to have
	target   bitcoin.Target // of that difficulty
}

// handleSubmit takes a share. It is judged and answered together with what else
// is there already: at the end of a loop's turn, or when a stream has no further
// line to handle.
func (s *session) handleSubmit(r *stratum.Request) {
	if s.batch == nil {
		s.batch = batches.Get().(*batch)
	}
	s.batch.add(s, r)
}

// conclude judges a share, answers it and books it. Whether it is a block was
// looked at before.
func (s *session) conclude(sh *share, now time.Time, reply *[]byte) {
	if sh.work != nil {
		sh.why = s.verdict(sh, now)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.accountLocked(sh.submit.Worker)
	if sh.saved != nil {
		s.replyWhenSaved(sh)
	} else {
		s.replyTo(sh, reply)
	}
	if sh.flood {
		s.conn.CloseAfterFlush(stratum.CloseShareFlood)
	}
	if sh.why == stratum.NotRejected {
		s.acceptedLocked(now)
		s.creditLocked(account, sh, now)
		return
	}
	s.strikeLocked(costOf(sh.why), sh.why, now)
	s.pool.counters.reject(sh.why)
	s.pool.counters.shareErrors.Add(1)
	if account != nil {
		account.Reject(sh.why, ledger.Share{Credit: sh.assigned, Difficulty: sh.difficulty(), At: now})
	}
}

// difficulty is the share's true difficulty, 0 when it could not be hashed.
func (sh *share) difficulty() float64 {
	if sh.work == nil {
		return 0
	}
	return bitcoin.HashDifficulty(&sh.Hash)
}

// creditLocked books an accepted share and lets the difficulty follow.
func (s *session) creditLocked(account *ledger.Account, sh *share, now time.Time) {
	if account == nil {
		return
	}
	credit := sh.assigned
	if s.awaited != 0 {
		account.FirstShare(time.Duration(now.UnixNano() - s.awaited))
		s.awaited = 0
	}
	account.Accept(ledger.Share{Credit: credit, Difficulty: sh.difficulty(), Hash: sh.Hash, At: now})
	if !s.controlled() {
		return
	}
	// Replies to what was already read go out before new work does.
	s.steerLocked(now, s.vardiff.share(now, credit, s.difficulty))
}

// open decodes a share and finds its work, so that it can be hashed. One that
// cannot be hashed has no work, and sh.why says why.
func (s *session) open(sh *share) {
	sh.work, sh.why = nil, stratum.RejectMalformed
	sh.stale, sh.provisional, sh.hashed, sh.flood, sh.given, sh.assigned = false, false, false, false, false, 0
	sh.saved = nil
	if !stratum.ScanSubmit(sh.request.Params, &sh.submit) {
		return
	}
	id, ok := stratum.ParseHex32(sh.submit.JobID)
	s.mu.Lock()
	subscribed, payee, mask := s.subscribed, s.payee, s.mask
	if operator, is := s.provisionalPayeeLocked(id); is {
		payee, sh.provisional = operator, true
	}
	sh.assigned = s.announced
	s.mu.Unlock()
	switch {
	case !subscribed:
		sh.why = stratum.RejectNotSubscribed
		return
	case !s.authorized.Load() && !sh.provisional:
		sh.why = stratum.RejectUnauthorized
		return
	case payee.script == nil:
		sh.why = stratum.RejectNoWork
		return
	}
	sh.why = stratum.RejectUnknownJob
	if !ok {
		return
	}
	current, j, stale := s.pool.findJob(id)
	if j == nil {
		return
	}
	w := s.workOf(j, id, &payee)
	if w == nil {
		return
	}
	s.mu.Lock()
	held, given := s.timeline.at(w.id)
	s.mu.Unlock()
	if given {
		// A copy: the timeline may change as soon as the lock is gone.
		sh.given, sh.assigned, sh.target = true, held.difficulty, held.target
	}
	if sh.why = sh.decode(&sh.submit, w, mask); sh.why != stratum.NotRejected {
		return
	}
	sh.work, sh.current, sh.stale = w, current, stale
	copy(sh.extranonces[:], s.extranonce1[:])
	sh.Coinbase, sh.Extranonces = w.hashing, sh.extranonces[:]
}

// isBlock says whether a hashed share is a block, whatever else may be wrong
// with it (requirement R-U3).
func (sh *share) isBlock(poolMask uint32) bool {
	return sh.Hash.Meets(&sh.work.job.target) || !sh.versionOK && sh.blockByOtherVersion(&sh.submit, poolMask)
}

// verdict decides whether a hashed share counts.
func (s *session) verdict(sh *share, now time.Time) stratum.Reject {
	if sh.provisional {
		return s.provisionalVerdict()
	}
	return s.policy(sh.current, sh, now)
}

// workOf finds the work that a share is for. The last one that had to be made
// again is remembered.
func (s *session) workOf(j *job, id uint32, p *payee) *work {
	if w := s.oldWork; w != nil && w.id == id && w.job == j && string(w.payee.script) == string(p.script) {
		return w
	}
	w := j.found(p, uint8(id&maxVariant))
	if w != nil && j.forgets() {
		s.oldWork = w
	}
	return w
}

// blockByOtherVersion looks for the block in a share whose version bits break
// the rules. Which version the miner hashed is then a guess: firmware replaces,
// ORs or XORs the bits, within its own idea of the mask. The share stays
// refused; only a block must not be lost over it.
func (sh *share) blockByOtherVersion(in *stratum.Submit, poolMask uint32) bool {
	bits, ok := stratum.ParseHex32(in.Version)
	if !ok {
		return false
	}
	base := sh.work.job.version
	header := sh.Header
	for _, version := range [...]uint32{bits, base | bits, base ^ bits, base&^poolMask | bits&poolMask} {
		header.Version = version
		if hash := header.Hash(); hash.Meets(&sh.work.job.target) {
			sh.Header, sh.Hash = header, hash
			return true
		}
	}
	return false
}

// decode reads the fields of a submit that make the header. The version is
// completed even when it has bits that it must not have, so that the share can
// still be hashed.
func (sh *share) decode(in *stratum.Submit, w *work, mask uint32) stratum.Reject {
	if !stratum.DecodeHex(sh.extranonces[extranonce1Size:], in.Extranonce2) {
		return stratum.RejectExtranonce2
	}
	ntime, ok := stratum.ParseHex32(in.NTime)
	if !ok {
		return stratum.RejectNTime
	}
	nonce, ok := stratum.ParseHex32(in.Nonce)
	if !ok {
		return stratum.RejectNonce
	}
	version := w.job.version
	sh.versionOK = true
	mask &= w.job.mask
	if in.Version != nil {
		bits, ok := stratum.ParseHex32(in.Version)
		if !ok {
			return stratum.RejectVersionMask
		}
		// BIP310. Some proxies send the whole version instead of its rolled
		// bits, which differs only where it says the same.
		outside := bits &^ mask
		sh.versionOK = outside == 0 || outside == version&^mask
		version = version&^mask | bits&mask
	}
	sh.Header = bitcoin.Header{Version: version, Time: ntime, Nonce: nonce}
	return stratum.NotRejected
}

// policy is the verdict on a share of an authorized miner.
func (s *session) policy(current *tip, sh *share, now time.Time) stratum.Reject {
	t := sh.work.job.template
	latest := max(int64(t.CurTime), now.Unix()) + maxFutureTime
	switch {
	case sh.stale:
		return stratum.RejectStale
	case !sh.given:
		return stratum.RejectUnknownJob
	case sh.Header.Time < t.MinTime || int64(sh.Header.Time) > latest, !sh.work.job.sameBits(sh.Header.Time):
		return stratum.RejectNTime
	case !sh.versionOK:
		return stratum.RejectVersionMask
	}
	// The network's target may be easier than the share's where the network's
	// difficulty is lower than any share difficulty.
	if !sh.Hash.Meets(&sh.target) && !sh.Hash.Meets(&sh.work.job.target) {
		return stratum.RejectLowDifficulty
	}
	if s.tipOf != current.number {
		s.shares.reset()
		s.tipOf = current.number
		s.oldWork = nil // keeps no template alive
	}
	fresh, room := s.shares.add(&sh.Hash)
	if !room {
		sh.flood = true
		return stratum.RejectInternal
	}
	if !fresh {
		return stratum.RejectDuplicate
	}
	return stratum.NotRejected
}

// accountLocked finds whom a share is booked for. Proxies submit in names that
// differ from the authorized one (requirement R-U6); the payout is the
// connection's in any case.
func (s *session) accountLocked(name []byte) *ledger.Account {
	if len(s.workers) == 0 {
		return nil
	}
	if w := s.workerLocked(name); w != nil {
		return w.account
	}
	s.pool.counters.otherNames.Add(1)
	return s.workers[0].account
}

// appendReply encodes the answer to a share.
func (sh *share) appendReply(dst []byte) []byte {
	if sh.why == stratum.NotRejected {
		return stratum.AppendTrue(dst, sh.request.ID)
	}
	return stratum.AppendReject(dst, sh.request.ID, sh.why)
}

func (s *session) replyTo(sh *share, buf *[]byte) {
	if !sh.request.WantsReply() {
		return
	}
	*buf = sh.appendReply((*buf)[:0])
	s.conn.Queue(*buf)
}

// replyWhenSaved answers a block when it is on disk: a miner that was told of
// its block must find it in the books, even if the process is killed in the
// next moment. That takes the disk some milliseconds, for which neither the
// reader nor the other miners wait; only the later answers of the connection
// do, since they must not overtake this one (requirement R-U7).
func (s *session) replyWhenSaved(sh *share) {
	if !sh.request.WantsReply() {
		return
	}
	release, saved := s.conn.Hold(sh.appendReply(nil)), sh.saved
	s.pool.blocks.wg.Go(func() {
		<-saved
		s.pool.guard(s, release)
	})
}
