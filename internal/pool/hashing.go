package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
)

// hashing is the memory that hashing shares takes.
type hashing struct {
	scratch  sharehash.Scratch
	shares   [1]*sharehash.Share
	coinbase []byte
}

// one completes the header of a decoded share as the miner hashed it.
func (h *hashing) one(p *Pool, sh *share) {
	sh.Coinbase, sh.Extranonces = sh.work.hashing, sh.extranonces[:]
	h.shares[0] = &sh.Share
	p.hasher.Hash(sh.work.job.hashing, h.shares[:], &h.scratch)
	h.check(p, sh)
}

// check hashes a share again with crypto/sha256 when it is a block or would be
// refused for its hash. The hash that a broken kernel gives meets no target, so
// no share and no block are lost to one, and the first wrong hash is its last.
func (h *hashing) check(p *Pool, sh *share) {
	if sh.given && sh.Hash.Meets(&sh.target) && !sh.Hash.Meets(&sh.work.job.target) {
		return
	}
	fast := sh.Hash
	h.coinbase = sh.Reference(sh.work.job.hashing, h.coinbase)
	if sh.Hash != fast && p.hasher.Distrust() {
		p.reportHashing()
	}
}

// reportHashing says what shares are hashed with, and what was found wrong.
func (p *Pool) reportHashing() {
	failed := p.hasher.Failed()
	if failed == "" {
		p.log.Info("hashing of shares", "kernels", p.hasher.Names())
		return
	}
	p.log.Error("hashing of shares: this CPU computes wrong hashes", "failed", failed, "kernels", p.hasher.Names())
	p.events.add(time.Now(), "share", "wrong hashes by "+failed+"; shares are hashed by "+p.hasher.Names())
}
