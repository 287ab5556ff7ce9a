package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// foundBlock is a share that meets the network's target, with its block when our
// node's templates have the transactions.
type foundBlock struct {
	session string
	share   uint64 // its message
	hash    bitcoin.Hash
	height  int64
	text    string // what was told
	block   []byte // serialized
}

// submitTime is how long our node may take for a block.
const submitTime = 90 * time.Second

// foundBlock tells of a block, and hands it to Run when it can be assembled.
// The pool has the share as well: whoever is first does no harm to the other.
func (s *session) foundBlock(m *capture.Message, r *shareRecord, p *proof) {
	j, hash := r.job, p.hash
	text := fmt.Sprintf("A share of %s is block %s", quote(m.Worker), hash)
	if j.shown.Height >= 0 {
		text = fmt.Sprintf("A share of %s is block %d, %s", quote(m.Worker), j.shown.Height, hash)
	}
	text += fmt.Sprintf(": its difficulty is %s, the network asks for %s", number(r.share.Difficulty), number(j.shown.NetworkDiff))
	if r.share.Audit == capture.AuditStale && j.newTip {
		text += fmt.Sprintf("; it came %d ms after another block", r.share.StaleBy.Milliseconds())
	}
	severity := SeverityCritical
	if s.ownPool() {
		severity = SeverityInfo // it submits the block itself
	} else {
		found := &foundBlock{session: s.info.ID, share: m.N, hash: hash, height: j.shown.Height, text: text}
		if why := s.assemble(found, j, p); why != "" {
			text += "; we could not send it ourselves, since " + why
		} else {
			text += "; it is sent to our node as well"
		}
	}
	s.raise(AlarmBlock, severity, m.Received, text+".", m.N, j.n)
}

// ownPool says whether the session's pool is that of this program.
func (s *session) ownPool() bool {
	own := s.a.cfg.OwnPool
	return s.info.Origin == capture.OriginTap || own != "" && (s.info.Pool == own || s.info.PoolPeer == own)
}

// assemble puts the block together and queues it. It says why it did not.
func (s *session) assemble(found *foundBlock, j *job, p *proof) (why string) {
	switch {
	case s.info.Origin == capture.OriginFile:
		return "it is of a capture"
	case s.a.cfg.Chain == nil:
		return "no node is configured"
	}
	transactions, ok := s.a.cfg.Chain.Body(j.work.PrevHash, j.work.Branches)
	if !ok {
		return "our node's templates have other transactions than the pool's job"
	}
	coinbase := slices.Concat(j.work.Coinbase1, j.extranonce1, p.extranonce2[:p.size], j.work.Coinbase2)
	if j.witness {
		coinbase = bitcoin.AppendWitness(nil, coinbase)
	}
	found.block = bitcoin.AppendBlock(nil, p.header.Bytes(), coinbase, transactions)
	select {
	case s.a.blocks <- found:
		return ""
	default:
		s.a.overflow++
		return "too many blocks wait already"
	}
}

// submit gives a block to our node and reports what became of it.
func (a *Auditor) submit(ctx context.Context, b *foundBlock) {
	ctx, cancel := context.WithTimeout(ctx, submitTime)
	defer cancel()
	verdict, accepted := a.cfg.Chain.Submit(ctx, b.block, b.hash)
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[b.session]
	if s == nil {
		return
	}
	if accepted {
		a.submitted++
		a.log.Info("block submitted to our node", "hash", b.hash.String(), "height", b.height, "verdict", verdict, "session", b.session)
		s.amend(AlarmBlock, b.text+"; our node has it: "+verdict+".")
		return
	}
	s.raise(AlarmBlockNotSubmitted, SeverityCritical, a.now(), fmt.Sprintf(
		"Our node did not take block %s: %s. Make sure that the pool submits it.", b.hash, verdict), b.share)
}
