package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// Proposer is a Node that says whether it would accept a block before anybody
// has done the work for it (BIP23). A Node that is none is not asked.
type Proposer interface {
	// Propose asks the node of a name. The reason is empty when it would
	// accept the block. An error that is a *node.RPCError is the node's own.
	Propose(ctx context.Context, name string, block []byte) (reason string, err error)
}

var _ Proposer = (*node.Nodes)(nil)

// Times of proposals. They wait until a tip has settled: the node must not be
// kept from giving out the template that miners wait for.
const (
	proposalDelay   = 2 * time.Second
	proposalSpacing = time.Second
	proposalTimeout = 30 * time.Second
	refusedAgain    = time.Minute // after which a refused shape is proposed again
	maxShapes       = 256         // that are remembered
	maxTrials       = 16          // of one round
)

// shape is what makes one block differ from another in a way that could make a
// node refuse it. A shape that a node has judged well is not proposed again,
// until the chain is reorganised.
type shape struct {
	node       string
	version    uint32
	rules      string // soft forks in force and in progress
	commitment bool   // there is a witness commitment
	early      bool   // derived from an announcement, see SetTip
	outputs    string // kinds of the scripts that are paid
	tag        string
	size       int // of the coinbase in bytes
}

// proposer has nodes judge blocks like those that miners work on, so that a
// mistake in them shows before one is found. It runs aside: no job waits for it.
type proposer struct {
	pool *Pool
	node Proposer // nil: nobody is asked

	due         chan struct{}       // capacity 1: there is a job to look at
	early       atomic.Pointer[job] // the last job that was derived from an announcement
	reorganised atomic.Bool

	// Of run's goroutine alone.
	passed  map[shape]struct{}
	refused map[shape]refusal

	mu sync.Mutex // guards st
	st ProposalStatus
}

// refusal is a node's no.
type refusal struct {
	reason string
	at     time.Time
}

func newProposer(p *Pool, n Node) *proposer {
	out := &proposer{pool: p, due: make(chan struct{}, 1), passed: map[shape]struct{}{}, refused: map[shape]refusal{}}
	out.node, _ = n.(Proposer)
	return out
}

// status is the proposer's part of the read model.
func (p *proposer) status() ProposalStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.st
	st.Unable = slices.Clone(st.Unable)
	return st
}

// consider takes note of a job that miners have just been given. It waits for
// nothing.
func (p *proposer) consider(before *tips, j *job) {
	if before != nil {
		last, now := before.current.current.template, j.template
		if last.PrevHash != now.PrevHash && now.Height != last.Height+1 {
			p.reorganised.Store(true)
		}
	}
	p.wake()
}

// noteTip finds out whether a tip continues the chain that miners worked on. Its
// header may come before its template or after.
func (p *proposer) noteTip(before *tips, t node.Tip) {
	if before == nil || t.Previous == (bitcoin.Hash{}) {
		return
	}
	last := before.current
	if last.prevHash == t.Hash {
		if len(before.earlier) == 0 {
			return
		}
		last = before.earlier[0]
	}
	if last.prevHash != t.Previous {
		p.reorganised.Store(true)
		p.wake()
	}
}

func (p *proposer) wake() {
	select {
	case p.due <- struct{}{}:
	default:
	}
}

// run proposes until ctx ends.
func (p *proposer) run(ctx context.Context) {
	if p.node == nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.due:
		}
		if !pause(ctx, proposalDelay) {
			return
		}
		p.pool.blocks.guard("proposal", func() { p.round(ctx) })
	}
}

// round proposes what is new about the current job.
func (p *proposer) round(ctx context.Context) {
	if p.reorganised.Swap(false) || len(p.passed) > maxShapes {
		clear(p.passed)
	}
	j := p.pool.current()
	if j == nil {
		return
	}
	trials := p.trials(j)
	p.forget(trials)
	for _, w := range trials {
		s := shapeOf(w, p.early.Load() == w.job)
		if _, ok := p.passed[s]; ok {
			continue
		}
		if no, ok := p.refused[s]; ok && time.Since(no.at) < refusedAgain {
			continue
		}
		if p.unable(s.node) {
			continue
		}
		p.propose(ctx, w, s)
		if !pause(ctx, proposalSpacing) {
			return
		}
	}
}

// trials are works of a job, one for each kind of script that is to be paid,
// and the last one that was made before the node had a template, while its tip
// stands. Without miners a block is tried that pays the operator, or nobody.
func (p *proposer) trials(j *job) []*work {
	payees := map[string]payee{}
	for _, s := range p.pool.snapshotSessions() {
		s.mu.Lock()
		payee := s.payee
		s.mu.Unlock()
		if payee.script != nil && len(payees) < maxTrials {
			payees[scriptKind(payee.script)] = payee
		}
	}
	if len(payees) == 0 {
		nobody := j.rules.fee
		if nobody.script == nil {
			nobody.script = append([]byte{0x00, 20}, make([]byte, 20)...)
			nobody.address, _ = bitcoin.AddressOf(nobody.script, j.network)
		}
		payees[""] = nobody
	}

	var list []*work
	for _, of := range []*job{j, p.early.Load()} {
		if of == nil || of.template.PrevHash != j.template.PrevHash || len(list) > 0 && of == j {
			continue
		}
		for _, who := range payees {
			// Work that cannot be made is told of by whoever wants it.
			if w, err := of.work(who, 0); err == nil {
				list = append(list, w)
			}
		}
	}
	return list
}

// forget drops refusals of shapes that miners do not work on any more.
func (p *proposer) forget(trials []*work) {
	now := map[shape]bool{}
	for _, w := range trials {
		now[shapeOf(w, p.early.Load() == w.job)] = true
	}
	for s := range p.refused {
		if !now[s] && !s.early {
			delete(p.refused, s)
		}
	}
	p.publishFault()
}

// propose has a node judge one work.
func (p *proposer) propose(ctx context.Context, w *work, s shape) {
	ctx, cancel := context.WithTimeout(ctx, proposalTimeout)
	defer cancel()
	began := time.Now()
	reason, err := p.node.Propose(ctx, s.node, w.unsolved())
	log := p.pool.log.With("node", s.node, "height", w.job.template.Height, "coinbase_bytes", s.size, "took", time.Since(began).Round(time.Millisecond))

	var rpc *node.RPCError
	if errors.As(err, &rpc) && rpc.Code == codeDecodeFailed {
		reason, err = rpc.Message, nil
	}
	switch {
	case err != nil && ctx.Err() == nil && errors.As(err, &rpc) && cannotPropose(rpc.Code):
		log.Info("node does not judge proposals (BIP23), so its blocks are not tried in advance", "err", err)
		p.pool.events.add(time.Now(), "proposal", s.node+" does not judge proposed blocks: "+rpc.Message)
		p.update(func(st *ProposalStatus) { st.Unable = append(st.Unable, s.node) })
	case err != nil:
		// The node is gone or busy; that is shown elsewhere.
		log.Debug("proposal not judged", "err", err)
		p.unasked()
	case reason == "" || strings.HasPrefix(reason, "duplicate") && reason != "duplicate-invalid":
		log.Info("the node would accept our block", "transactions", len(w.job.template.Transactions), "early", s.early)
		p.passed[s] = struct{}{}
		delete(p.refused, s)
		p.update(func(st *ProposalStatus) { st.Passed++; st.LastAt = time.Now() })
		p.publishFault()
	case overtaken(reason) || p.pool.current().template.PrevHash != w.job.template.PrevHash:
		log.Debug("proposal was overtaken by another tip", "reason", reason)
		p.unasked()
		p.wake()
	default:
		log.Error("the node would refuse our block", "reason", reason, "outputs", s.outputs, "early", s.early)
		p.refused[s] = refusal{fmt.Sprintf("%s would refuse our blocks: %s", s.node, reason), time.Now()}
		p.pool.events.add(time.Now(), "proposal", p.refused[s].reason)
		p.update(func(st *ProposalStatus) { st.Refused++; st.LastAt = time.Now() })
		p.publishFault()
	}
}

// RPC error codes of Bitcoin Core (src/rpc/protocol.h) that matter here.
const (
	codeDecodeFailed   = -22    // the block cannot even be parsed
	codeInvalidParam   = -8     // "Invalid mode"
	codeMethodNotFound = -32601 // not with this method at all
	codeInvalidParams  = -32602
)

func cannotPropose(code int) bool {
	return code == codeInvalidParam || code == codeMethodNotFound || code == codeInvalidParams
}

// overtaken reports whether a node says that the proposed block is not on its
// tip, in the words of Core and of btcd.
func overtaken(reason string) bool {
	return strings.HasPrefix(reason, "inconclusive") || reason == "bad-prevblk"
}

func (p *proposer) unable(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.st.Unable, name)
}

func (p *proposer) unasked() { p.update(func(st *ProposalStatus) { st.Unasked++ }) }

func (p *proposer) update(change func(*ProposalStatus)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.st)
}

// publishFault shows the latest of the refusals that stand.
func (p *proposer) publishFault() {
	var latest refusal
	for _, r := range p.refused {
		if r.at.After(latest.at) {
			latest = r
		}
	}
	p.update(func(st *ProposalStatus) { st.Fault = latest.reason })
}

// shapeOf reduces a work to what a node could dislike about it.
func shapeOf(w *work, early bool) shape {
	t := w.job.template
	var deployments []string
	for name, bit := range t.VBAvailable {
		deployments = append(deployments, fmt.Sprintf("%s=%d", name, bit))
	}
	slices.Sort(deployments)
	outputs, _ := w.job.rules.outputs(w.split, w.payee)
	kinds := make([]string, len(outputs))
	for i, o := range outputs {
		kinds[i] = scriptKind(o.Script)
	}
	return shape{
		node:       t.Node,
		version:    w.job.version,
		rules:      fmt.Sprintf("%s|%s|%x", strings.Join(t.Rules, ","), strings.Join(deployments, ","), t.VBRequired),
		commitment: t.WitnessCommitment != nil,
		early:      early,
		outputs:    strings.Join(kinds, " "),
		tag:        w.job.tag,
		size:       len(w.coinbase.Prefix) + extranonce1Size + extranonce2Size + len(w.coinbase.Suffix),
	}
}

// scriptKind names the form of an output script: its length and first opcodes
// tell the address types apart.
func scriptKind(script []byte) string {
	return fmt.Sprintf("%x/%d", script[:min(2, len(script))], len(script))
}

// unsolved is the whole block of a work with zeros for what a miner chooses,
// written as a found one is.
func (w *work) unsolved() []byte {
	t := w.job.template
	extranonces := make([]byte, extranonce1Size+extranonce2Size)
	coinbase := w.appendCoinbase(nil, extranonces)
	header := bitcoin.Header{
		Version:    w.job.version,
		PrevHash:   t.PrevHash,
		MerkleRoot: bitcoin.MerkleRoot(bitcoin.DoubleSHA256(coinbase), w.job.branches),
		Time:       t.CurTime,
		Bits:       t.Bits,
	}
	return w.block(&header, extranonces)
}
