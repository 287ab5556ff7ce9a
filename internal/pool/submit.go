package pool

import (
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// scratch is the memory of one share's validation.
type scratch struct {
	submit  stratum.Submit
	reply   []byte
	share   share
	hashing hashing
}

var scratches = sync.Pool{New: func() any {
	return &scratch{reply: make([]byte, 0, 256)}
}}

// share is a submit, decoded.
type share struct {
	work        *work
	stale       bool // its work is of the previous tip
	provisional bool // its work pays the operator, since the miner had not authorized
	extranonces [extranonce1Size + extranonce2Size]byte
	versionOK   bool

	sharehash.Share // Header and Hash

	flood    bool           // the connection's shares fill its memory
	given    bool           // the connection was given work of this age
	assigned float64        // difficulty that the share was to have
	target   bitcoin.Target // of that difficulty
}

// handleSubmit judges a share and answers it. Whether it is a block is looked
// at first, before any policy could refuse it (requirement R-U3).
func (s *session) handleSubmit(r *stratum.Request) {
	sc := scratches.Get().(*scratch)
	defer func() {
		sc.share.work = nil // keeps no template alive
		scratches.Put(sc)
	}()
	now := time.Now()

	why, isBlock := s.judge(r, sc, now)
	var saved <-chan struct{}
	if isBlock {
		saved = s.pool.blockFound(&sc.share, s, sc.submit.Worker, now)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.accountLocked(sc.submit.Worker)
	if saved != nil {
		s.replyWhenSaved(r, why, saved)
	} else {
		s.replyTo(r, sc, why)
	}
	if sc.share.flood {
		s.conn.CloseAfterFlush(stratum.CloseShareFlood)
	}
	if why == stratum.NotRejected {
		s.conduct.good(now)
		s.creditLocked(account, sc, now)
		return
	}
	s.strikeLocked(costOf(why), why, now)
	s.pool.counters.reject(why)
	s.pool.counters.shareErrors.Add(1)
	if account != nil {
		account.Reject(why, sc.share.assigned, now)
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
func (s *session) creditLocked(account *ledger.Account, sc *scratch, now time.Time) {
	if account == nil {
		return
	}
	credit := sc.share.assigned
	account.Accept(ledger.Share{Credit: credit, Difficulty: sc.share.difficulty(), Hash: sc.share.Hash, At: now})
	if !s.controlled() {
		return
	}
	// Replies to what was already read go out before new work does.
	s.steerLocked(now, s.vardiff.share(now, credit, s.difficulty))
}

// judge decodes and hashes a share. sc.share.work is nil when the share could
// not be hashed. A block is reported whatever else is wrong with the share.
func (s *session) judge(r *stratum.Request, sc *scratch, now time.Time) (why stratum.Reject, isBlock bool) {
	sh := &sc.share
	sh.work, sh.stale, sh.provisional, sh.flood, sh.given, sh.assigned = nil, false, false, false, false, 0
	if !stratum.ScanSubmit(r.Params, &sc.submit) {
		return stratum.RejectMalformed, false
	}
	id, ok := stratum.ParseHex32(sc.submit.JobID)
	s.mu.Lock()
	subscribed, payee, mask := s.subscribed, s.payee, s.mask
	if operator, is := s.provisionalPayeeLocked(id); is {
		payee, sh.provisional = operator, true
	}
	sh.assigned = s.announced
	s.mu.Unlock()
	switch {
	case !subscribed:
		return stratum.RejectNotSubscribed, false
	case !s.authorized.Load() && !sh.provisional:
		return stratum.RejectUnauthorized, false
	case payee.script == nil:
		return stratum.RejectNoWork, false
	case !ok:
		return stratum.RejectUnknownJob, false
	}
	current, j, stale := s.pool.findJob(id)
	if j == nil {
		return stratum.RejectUnknownJob, false
	}
	w := s.workOf(j, id, &payee)
	if w == nil {
		return stratum.RejectUnknownJob, false
	}
	s.mu.Lock()
	held, given := s.timeline.at(w.id)
	s.mu.Unlock()
	if given {
		// A copy: the timeline may change as soon as the lock is gone.
		sh.given, sh.assigned, sh.target = true, held.difficulty, held.target
	}
	if why := sh.decode(&sc.submit, w, mask); why != stratum.NotRejected {
		return why, false
	}
	sh.work, sh.stale = w, stale
	copy(sh.extranonces[:], s.extranonce1[:])
	sc.hashing.one(s.pool, sh)
	isBlock = sh.Hash.Meets(&w.job.target)
	if sh.provisional {
		why = s.provisionalVerdict()
	} else {
		why = s.policy(current, sh, now)
	}
	if !sh.versionOK && !isBlock {
		isBlock = sh.blockByOtherVersion(&sc.submit, s.pool.config().VersionMask)
	}
	return why, isBlock
}

// workOf finds the work that a share is for. The last one that had to be made
// again is remembered.
func (s *session) workOf(j *job, id uint32, p *payee) *work {
	if w := s.oldWork; w != nil && w.id == id && w.job == j && string(w.payee.script) == string(p.script) {
		return w
	}
	w := j.found(p, uint8(id&maxVariant))
	if w != nil && j.isRetired() {
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

// policy decides whether a hashed share counts.
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

func (s *session) replyTo(r *stratum.Request, sc *scratch, why stratum.Reject) {
	if !r.WantsReply() {
		return
	}
	if why == stratum.NotRejected {
		sc.reply = stratum.AppendTrue(sc.reply[:0], r.ID)
	} else {
		sc.reply = stratum.AppendReject(sc.reply[:0], r.ID, why)
	}
	s.conn.Queue(sc.reply)
}

// replyWhenSaved answers a block when it is on disk: a miner that was told of
// its block must find it in the books, even if the process is killed in the
// next moment. That takes the disk some milliseconds, for which neither the
// reader nor the other miners wait.
func (s *session) replyWhenSaved(r *stratum.Request, why stratum.Reject, saved <-chan struct{}) {
	if !r.WantsReply() {
		return
	}
	var reply []byte
	if why == stratum.NotRejected {
		reply = stratum.AppendTrue(nil, r.ID)
	} else {
		reply = stratum.AppendReject(nil, r.ID, why)
	}
	s.pool.blocks.wg.Go(func() {
		<-saved
		s.pool.guard(s, func() { s.conn.Send(reply) })
	})
}
