package audit

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// tolerance is the rounding that is forgiven at a difficulty.
const tolerance = 0.001

const (
	shareBytes = 480
	seenBytes  = 40
	minReward  = 1e-12 // difficulty below which nothing is proven
)

// shareRecord is a mining.submit.
type shareRecord struct {
	n        uint64
	received time.Time
	worker   string
	replayed bool
	share    *capture.Share // as published: it is replaced, never changed
	job      *job           // nil when it is not known

	answered bool
	latency  time.Duration

	tip       uint64 // the session's, when it came
	key       uint64 // of its hash
	inSeen    bool   // it is what a duplicate would be found by
	ambiguous bool   // it meets one of the two difficulties that may count
	oddTime   bool   // a pool may refuse its time
	sameTip   bool   // it is stale because of clean_jobs alone
	stranger  bool   // its worker is not authorized
}

func (r *shareRecord) cost() int { return shareBytes + len(r.worker) + len(r.share.Reason) }

// submitted audits a share.
func (s *session) submitted(m *capture.Message) {
	r := shareRecord{
		n: m.N, received: m.Received, worker: m.Worker, replayed: m.Direction == capture.ScopeToPool,
		share: new(capture.Share), tip: s.tips,
	}
	m.Share = r.share
	proof := s.audit(&r, m)
	if !r.replayed {
		s.countSubmit(&r)
		s.checkWorker(m, &r)
	}
	if r.share.Difficulty > s.best && r.share.Audit != capture.AuditUnknown && r.share.Audit != capture.AuditMalformed {
		s.best, s.bestN = r.share.Difficulty, r.n
	}
	s.grow(r.cost())
	if gone, full := s.shares.add(r); full {
		s.a.dropped++
		s.grow(-gone.cost())
	}
	if proof != nil && proof.hash.Meets(&r.job.work.Target) && r.share.Audit != capture.AuditDuplicate {
		s.foundBlock(m, &r, proof)
	}
}

// countSubmit counts a share of the miner.
func (s *session) countSubmit(r *shareRecord) {
	s.counts.Submitted++
	*s.counts.Audit.of(r.share.Audit)++
	s.lastShareAt = r.received
	s.quiet.miner = false
	if s.waiting.count++; s.waiting.count == 1 {
		s.waiting.since, s.waiting.n = r.received, r.n
	}
	j := r.job
	if j == nil {
		return
	}
	j.shares.Submitted++
	j.shares.Best = max(j.shares.Best, r.share.Difficulty)
	if !s.freshAt.IsZero() && j.stale.IsZero() {
		add(&s.notifyToSubmit, r.received.Sub(s.freshAt))
		s.freshAt = time.Time{}
	}
}

// of is the counter of a verdict.
func (c *VerdictCounts) of(audit string) *uint64 {
	switch audit {
	case capture.AuditValid:
		return &c.Valid
	case capture.AuditLow:
		return &c.LowDifficulty
	case capture.AuditDuplicate:
		return &c.Duplicate
	case capture.AuditStale:
		return &c.Stale
	case capture.AuditUnknownJob:
		return &c.UnknownJob
	case capture.AuditMalformed:
		return &c.Malformed
	case capture.AuditBlock:
		return &c.Block
	}
	return &c.Unknown
}

// proof is the work of a share.
type proof struct {
	claim
	header bitcoin.Header
	hash   bitcoin.Hash
}

// audit says what a share is. Without a proof there is nothing to be hashed.
func (s *session) audit(r *shareRecord, m *capture.Message) *proof {
	share := r.share
	var c claim
	ok := c.read(m.Fields().Params)
	j := s.byID[string(c.job)]
	if r.job = j; j != nil {
		share.Job = j.shown.ID
	} else if d, _ := decode.ParseSubmit(m.Fields().Params); d != nil {
		share.Job = d.JobID
	}
	share.Target = s.difficulty
	switch {
	case j == nil && !ok:
		share.Audit = capture.AuditMalformed
		return nil
	case j == nil && (s.blind.jobs || s.gone.has(idKey(string(c.job)))):
		share.Audit = capture.AuditUnknown
		return nil
	case j == nil:
		share.Audit = capture.AuditUnknownJob
		return nil
	}
	harder := max(j.difficulty, s.difficulty)
	if share.Target = min(j.difficulty, s.difficulty); share.Target <= 0 {
		share.Target = harder
	}
	if !j.stale.IsZero() && !r.received.Before(j.stale) {
		share.StaleBy = r.received.Sub(j.stale)
		r.sameTip = !j.newTip
		share.Audit = capture.AuditStale
	}
	known := j.extranonce1 != nil && j.extranonce2Size > 0
	switch {
	case !ok, known && c.size != j.extranonce2Size:
		share.Audit = capture.AuditMalformed
		return nil
	case !known:
		if share.Audit == "" {
			share.Audit = capture.AuditUnknown
		}
		return nil
	}
	header, hash, odd := s.rebuild(j, &c, share.Target)
	share.Difficulty = bitcoin.HashDifficulty(&hash)
	share.Hash = hash.String()
	r.key = keyOf(&hash)
	r.ambiguous = share.Target != harder && share.Difficulty < harder*(1-tolerance)
	r.oddTime = oddTime(header.Time, j.work.Time, r.received)
	block := hash.Meets(&j.work.Target)
	enough := share.Target > 0 && share.Difficulty >= share.Target*(1-tolerance)
	switch {
	case share.Audit == capture.AuditStale:
	case s.seen.has(r.key):
		share.Audit = capture.AuditDuplicate
	case odd:
		share.Audit = capture.AuditMalformed // even if it is a block
	case block:
		share.Audit = capture.AuditBlock
	case share.Target <= 0, !enough && (s.blind.extranonce || s.blind.difficulty):
		share.Audit = capture.AuditUnknown
	case !enough:
		share.Audit = capture.AuditLow
	default:
		share.Audit = capture.AuditValid
	}
	if share.Audit == capture.AuditValid || share.Audit == capture.AuditBlock {
		r.inSeen = true
		s.checkRewritten(m, r)
		s.grow(seenBytes - seenBytes*s.seen.add(r.key))
		if enough && share.Target > minReward && j.n > s.blind.since {
			s.blind.extranonce = false
		}
	}
	return &proof{c, header, hash}
}

// rebuild makes the header of a share and hashes it. A block, and what is not
// good enough, is hashed again by other code, and the latter for other meanings
// of the version bits.
func (s *session) rebuild(j *job, c *claim, target float64) (header bitcoin.Header, hash bitcoin.Hash, odd bool) {
	mask := s.mask
	if !s.maskKnown {
		mask = decode.DefaultVersionMask
	}
	header, odd = c.header(j.work.Version, mask)
	header, hash = j.hash(s.a, c.extranonce2[:c.size], header)
	good := func(h *bitcoin.Hash) bool {
		return target > 0 && bitcoin.HashDifficulty(h) >= target*(1-tolerance) || h.Meets(&j.work.Target)
	}
	if good(&hash) && !hash.Meets(&j.work.Target) {
		return header, hash, odd
	}
	header.MerkleRoot = j.work.MerkleRoot(j.extranonce1, c.extranonce2[:c.size])
	if again := header.Hash(); again != hash {
		hash = again
		if s.a.engine.Distrust() {
			s.a.log.Error("a share was hashed wrongly: crypto/sha256 is used from now on", "session", s.info.ID)
		}
	}
	if !c.rolled || good(&hash) {
		return header, hash, odd
	}
	other := header
	for _, other.Version = range c.otherVersions(j.work.Version) {
		if h := other.Hash(); good(&h) {
			return other, h, odd
		}
	}
	return header, hash, odd
}

// maxFutureTime is how far ahead of the clock a block's time may be (consensus).
const maxFutureTime = 2 * time.Hour

// oddTime says whether a pool may refuse a share for its time.
func oddTime(shareTime, jobTime uint32, now time.Time) bool {
	latest := max(int64(jobTime), now.Unix()) + int64(maxFutureTime/time.Second)
	return shareTime < jobTime || int64(shareTime) > latest
}
