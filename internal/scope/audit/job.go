package audit

import (
	"encoding/hex"
	"hash/maphash"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// job is a mining.notify, with what was in force when it was sent.
type job struct {
	n                   uint64 // number of its message
	received, forwarded time.Time
	tip                 uint64 // which of the session's tips it builds on
	work                *decode.Work
	shown               Job // without what may change

	witness bool // the coinbase commits to witnesses (BIP141)

	extranonce1     []byte  // nil while unknown
	extranonce2Size int     // 0 while unknown
	difficulty      float64 // 0 while unknown

	superseded time.Time // zero while it is the newest
	stale      time.Time // shares on it are stale since; zero while they are not
	newTip     bool      // it is stale since a job for another tip came, not just one with clean_jobs
	behind     *float64  // ms after our node's tip

	// Made for the first share.
	hashing  *sharehash.Job
	coinbase *sharehash.Coinbase

	shares JobShares
}

// firstJob is the first job on a block.
type firstJob struct {
	prevHash string
	height   int64 // of the block that is mined; -1 when not known
	at       time.Time
	n        uint64 // message
}

// height is that of the block that a job mines, -1 when it does not say.
func height(d *decode.Job) int64 {
	if d.Coinbase == nil {
		return -1
	}
	return d.Coinbase.Height
}

const (
	maxFirsts  = 200 // blocks whose first job is remembered
	firstBytes = 160

	jobBytes  = 900
	hashBytes = 32
)

// cost is about what a job takes in memory.
func (j *job) cost() int {
	if j.work == nil {
		return jobBytes
	}
	return jobBytes + 2*len(j.work.ID) + 3*(len(j.work.Coinbase1)+len(j.work.Coinbase2)) + hashBytes*len(j.work.Branches)
}

// release lets go of what only the audit of shares needs.
func (j *job) release() { j.hashing, j.coinbase = nil, nil }

// sentAt is when the miner was sent the job, as well as that is known.
func (j *job) sentAt() time.Time {
	if j.forwarded.IsZero() {
		return j.received
	}
	return j.forwarded
}

// notified takes a new job.
func (s *session) notified(m *capture.Message) {
	s.lastNotifyAt = m.Received
	s.quiet.pool = false
	d := decode.ParseJob(m.Fields().Params, decode.Context{
		Network: s.network(), Received: m.Received, Extranonce1: s.extranonce1, Extranonce2Size: s.extranonce2Size,
		Difficulty: s.difficulty, VersionMask: s.mask,
	})
	if d.Work == nil {
		// Whatever it was to be: shares on it cannot be judged.
		s.dropID(d.ID)
		return
	}
	newTip := s.jobCount == 0 || d.Work.PrevHash != s.tip
	j := &job{
		n: m.N, received: m.Received, forwarded: m.Forwarded, work: d.Work,
		extranonce1: s.extranonce1, extranonce2Size: s.extranonce2Size, difficulty: s.difficulty,
	}
	s.jobCount++
	if d.Empty {
		s.emptyJobs++
	}
	if d.Clean {
		s.cleanJobs++
	}
	before := s.jobs.last()
	if before != nil {
		(*before).superseded = m.Received
	}
	if newTip {
		s.tips++
		if _, full := s.firsts.add(firstJob{d.PrevHash, height(d), m.Received, m.N}); !full {
			s.grow(firstBytes)
		}
		s.tip, s.tipAt, s.tipN = d.Work.PrevHash, m.Received, m.N
	}
	j.tip = s.tips
	if newTip || d.Clean {
		s.endJobs(j.sentAt(), newTip)
		s.freshAt = j.sentAt()
		s.blind.jobs = false // older jobs do not count any more, seen or not
	}
	if s.firstJobAt.IsZero() {
		s.firstJobAt = m.Received
		s.work.begun = m.Received
	}
	j.show(s, d, newTip)
	s.keepJob(j)
	s.checkJob(m, j, d, before, newTip)
}

// endJobs makes all jobs stale.
func (s *session) endJobs(at time.Time, newTip bool) {
	for i := range s.jobs.len() {
		j := *s.jobs.at(i)
		switch {
		case j.stale.IsZero():
			j.stale, j.newTip = at, newTip
			j.release()
		case newTip && !j.newTip:
			// The pool had only taken it back; now it is worthless as well.
			j.stale, j.newTip = at, true
		}
	}
}

// keepJob enters a job. An id that is used again means the newer job.
func (s *session) keepJob(j *job) {
	s.byID[j.work.ID] = j
	s.grow(j.cost())
	if gone, full := s.jobs.add(j); full {
		s.a.dropped++
		s.dropJob(gone)
	}
}

// dropJob forgets a job but its id.
func (s *session) dropJob(j *job) {
	s.grow(-j.cost())
	if s.byID[j.work.ID] == j {
		delete(s.byID, j.work.ID)
		s.dropID(j.work.ID)
	}
}

// dropID notes that there was a job that nothing else is known of.
func (s *session) dropID(id string) { s.gone.add(idKey(id)) }

var idSeed = maphash.MakeSeed()

func idKey(id string) uint64 { return maphash.String(idSeed, id) }

// show fills in what the API gives.
func (j *job) show(s *session, d *decode.Job, newTip bool) {
	j.shown = Job{
		Message: s.id(j.n), N: j.n,
		ReceivedAt: stamp(j.received), ForwardedAt: stampOrZero(j.forwarded),
		ID: d.ID, PrevHash: d.PrevHash, Height: -1, Version: d.Version, Bits: d.Bits,
		NetworkDiff: d.Difficulty, Time: d.Work.Time, Clean: d.Clean, NewTip: newTip,
		Empty: d.Empty, Branches: len(d.Branches),
		Extranonce1: hex.EncodeToString(j.extranonce1), Difficulty: j.difficulty,
	}
	if d.Skew != nil {
		j.shown.SkewSeconds = *d.Skew
	}
	if c := d.Coinbase; c != nil {
		j.witness = c.WitnessCommitment != ""
		j.shown.Height, j.shown.Value, j.shown.Payouts = c.Height, c.Total, c.OutputCount
		j.shown.Tag = cut(strings.Join(c.Tags, " "), maxTag)
	}
}

const maxTag = 100

// view is the job as the API gives it.
func (j *job) view() Job {
	v := j.shown
	v.SupersededAt, v.StaleAt = stampOrZero(j.superseded), stampOrZero(j.stale)
	v.BehindTip, v.Shares = j.behind, j.shares
	return v
}

// hash completes a share's header and hashes it. extranonce2 has the size that
// the job wants.
func (j *job) hash(a *Auditor, extranonce2 []byte, header bitcoin.Header) (bitcoin.Header, bitcoin.Hash) {
	if j.hashing == nil {
		j.hashing = sharehash.NewJob(j.work.PrevHash, j.work.Bits, j.work.Branches)
		parts := bitcoin.CoinbaseParts{Prefix: j.work.Coinbase1, Suffix: j.work.Coinbase2}
		j.coinbase = sharehash.NewCoinbase(parts, len(j.extranonce1)+j.extranonce2Size)
	}
	extranonces := append(append(a.buffer[:0], j.extranonce1...), extranonce2...)
	share := sharehash.Share{Coinbase: j.coinbase, Extranonces: extranonces, Header: header}
	one := [1]*sharehash.Share{&share}
	a.engine.Hash(j.hashing, one[:], &a.scratch)
	return share.Header, share.Hash
}

// cut shortens a text to n bytes, on a character's boundary.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func stampOrZero(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return stamp(t)
}
