package pool

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Limits of mining.get_transactions, whose answer is a thousand times as long as
// its question.
const (
	transactionsEvery = 5 * time.Second
	maxTransactionIDs = 3000
)

// version is the answer to client.get_version, as JSON.
func (c *Config) version() string {
	return string(stratum.AppendString(nil, "poolscope/"+cmp.Or(c.Version, "dev")))
}

// handleGetTransactions answers with the transaction ids of a job, in the order
// of the block and as block explorers write them: of the job that is named, or
// of the miner's last. bfgminer takes an empty list for a pool that does not
// tell, so that is what a miner gets that may not ask, or asks too often.
func (s *session) handleGetTransactions(r *stratum.Request) {
	now := time.Now()
	j := s.jobAskedFor(stratum.ParseText(r.Params))
	if !s.authorized.Load() || j == nil || len(j.template.Transactions) > maxTransactionIDs ||
		now.Sub(s.toldTransactions) < transactionsEvery || !r.WantsReply() {
		s.reply(r, "[]")
		return
	}
	s.toldTransactions = now
	ids := make([]string, len(j.template.Transactions))
	for i := range j.template.Transactions {
		ids[i] = j.template.Transactions[i].TxID.String()
	}
	text, err := json.Marshal(ids)
	if err != nil {
		text = []byte("[]") // strings always have a JSON form
	}
	s.reply(r, string(text))
}

// jobAskedFor finds a job by the id on the wire, "" meaning the newest that the
// miner has.
func (s *session) jobAskedFor(id string) *job {
	if id == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.lastJob
	}
	n, ok := stratum.ParseHex32([]byte(id))
	if !ok {
		return nil
	}
	_, j, _ := s.pool.findJob(n)
	return j
}

// rollable are the version bits that the newest job lets miners roll.
func (p *Pool) rollable() uint32 {
	if j := p.current(); j != nil {
		return j.mask
	}
	return p.config().VersionMask
}

// easiestBits is the lowest difficulty of the test networks.
const easiestBits = 0x1d00ffff

// lateBlock is the time after a block, in seconds, from which the test networks
// let the next one have the lowest difficulty.
const lateBlock = 20 * 60

// sameBits says whether the block would still have the job's bits at a time. On
// the test networks a block that comes late may, and must, have the lowest
// difficulty: a time on the other side of that moment makes it invalid.
func (j *job) sameBits(ntime uint32) bool {
	if j.network != bitcoin.Testnet3 && j.network != bitcoin.Testnet4 {
		return true
	}
	tipTime := int64(j.tipTime.Load())
	switch {
	case j.template.Bits == easiestBits && tipTime == 0:
		return ntime >= j.template.CurTime
	case tipTime == 0:
		return true
	}
	late := int64(ntime) > tipTime+lateBlock
	lateFromStart := int64(j.template.CurTime) > tipTime+lateBlock
	return late == lateFromStart
}
