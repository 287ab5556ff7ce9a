package pool

import (
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/stratum"
)

// maxBatch is the number of shares that a batch takes: a few times what the
// widest kernel hashes at once, and no more than fits into the caches.
const maxBatch = 64

// batch is shares of one connection or of several that are hashed side by side
// and then judged and answered in the order in which they came. Each event loop
// has one; a connection with a goroutine of its own borrows one for the lines
// that it has read. It serves one goroutine at a time.
type batch struct {
	shares   [maxBatch]share
	n        int
	group    [maxBatch]*sharehash.Share // shares of one job
	scratch  sharehash.Scratch
	coinbase []byte
	reply    []byte
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// add opens a share. The line that the request is of must stay as it is until
// the batch is settled.
func (b *batch) add(s *session, r *stratum.Request) {
	if b.n == maxBatch {
		b.settle(s.pool)
	}
	sh := &b.shares[b.n]
	sh.session, sh.request = s, *r
	s.open(sh)
	b.n++
}

// has says whether any share is a session's.
func (b *batch) has(s *session) bool {
	for i := range b.shares[:b.n] {
		if b.shares[i].session == s {
			return true
		}
	}
	return false
}

// settle has the shares of this connection judged that wait for company, if there
// are any: whatever comes after them is answered after them.
func (s *session) settle() {
	if s.batch == nil || !s.batch.has(s) {
		return
	}
	s.batch.settle(s.pool)
	if s.stream != nil {
		batches.Put(s.batch)
		s.batch = nil
	}
}

// settle hashes, judges and answers the shares. Blocks are on their way before
// anything else is done. A panic costs the one session whose share it meets.
func (b *batch) settle(p *Pool) {
	if b.n == 0 {
		return
	}
	now := time.Now()
	p.guardHashing(func() { b.hash(p) })
	for i := range b.shares[:b.n] {
		if sh := &b.shares[i]; sh.work != nil {
			p.guard(sh.session, func() { b.lookForBlock(p, sh, now) })
		}
	}
	for i := range b.shares[:b.n] {
		sh := &b.shares[i]
		p.guard(sh.session, func() { sh.session.conclude(sh, now, &b.reply) })
		// Keeps no session, no template and no line alive.
		sh.session, sh.work, sh.current, sh.Coinbase, sh.saved = nil, nil, nil, nil, nil
		sh.request, sh.submit = stratum.Request{}, stratum.Submit{}
	}
	b.n = 0
}

// hash hashes the shares that can be, those of one job side by side.
func (b *batch) hash(p *Pool) {
	for i := range b.shares[:b.n] {
		first := &b.shares[i]
		if first.work == nil || first.hashed {
			continue
		}
		j, n := first.work.job, 0
		for k := i; k < b.n; k++ {
			if sh := &b.shares[k]; sh.work != nil && sh.work.job == j {
				b.group[n] = &sh.Share
				n++
			}
		}
		p.hasher.Hash(j.hashing, b.group[:n], &b.scratch)
		for k := i; k < b.n; k++ {
			if sh := &b.shares[k]; sh.work != nil && sh.work.job == j {
				sh.hashed = true
			}
		}
	}
}

// lookForBlock sends a share that is a block on its way.
func (b *batch) lookForBlock(p *Pool, sh *share, now time.Time) {
	b.check(p, sh)
	if sh.isBlock(p.config().VersionMask) {
		sh.saved = p.blockFound(sh, now)
	}
}

// check hashes a share again with crypto/sha256 when it is a block or would be
// refused for its hash. The hash that a broken kernel gives meets no target, so
// no share and no block are lost to one, and the first wrong hash is its last.
func (b *batch) check(p *Pool, sh *share) {
	if sh.hashed && sh.given && sh.Hash.Meets(&sh.target) && !sh.Hash.Meets(&sh.work.job.target) {
		return
	}
	fast := sh.Hash
	b.coinbase = sh.Reference(sh.work.job.hashing, b.coinbase)
	if sh.hashed && sh.Hash != fast && p.hasher.Distrust() {
		p.reportHashing()
	}
}
