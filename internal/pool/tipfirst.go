package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// retargetInterval is the number of blocks between two changes of the bits.
const retargetInterval = 2016

// SetTip starts work on a new tip before the node has a template for it: nodes
// announce a block tens of milliseconds before they can hand one out. The work
// is a block without transactions, valid as it stands; the full template
// replaces it when it comes. SetTip must not run beside itself or SetTemplate.
//
// It does nothing when the work could be worth less or invalid: then waiting
// for the template is right.
func (p *Pool) SetTip(t node.Tip) {
	p.waits.announced(t)
	tips := p.tips.Load()
	p.trials.noteTip(tips, t)
	if !t.Time.IsZero() {
		p.tipTime.hash, p.tipTime.at = t.Hash, uint32(t.Time.Unix())
		if tips != nil && tips.current.prevHash == t.Hash {
			// Without ZMQ the template comes first, and the tip's header after it.
			for _, j := range tips.current.jobs {
				j.tipTime.Store(p.tipTime.at)
			}
		}
	}
	if !p.config().TipFirst || tips == nil {
		return
	}
	if empty, ok := emptyTemplate(tips.current.current.template, t, time.Now()); ok {
		p.counters.tipFirst.Add(1)
		p.early = true
		defer func() { p.early = false }() // also when it panics
		p.SetTemplate(empty)
		if j := p.current(); j.template == empty {
			p.trials.early.Store(j)
		}
	}
}

// emptyTemplate derives a template without transactions for the block after t
// from the last template, by the rules of consensus that need nothing but the
// header of t. It reports false where they need more.
func emptyTemplate(last *node.Template, t node.Tip, now time.Time) (*node.Template, bool) {
	height := t.Height + 1
	subsidy := last.CoinbaseValue - last.Fees()
	elapsed := max(0, now.Sub(last.ReceivedAt))
	switch {
	case t.Height != last.Height || t.Hash == last.PrevHash:
		// Not the block that the last template was for: a reorganisation, or
		// one that was seen already.
		return nil, false
	case t.Time.IsZero() || t.Bits != last.Bits:
		return nil, false
	case height%retargetInterval == 0 && last.Network != bitcoin.Regtest:
		return nil, false // new bits, from times that we do not know
	case last.Network == bitcoin.Testnet3 || last.Network == bitcoin.Testnet4:
		return nil, false // bits depend on the block's own time
	case len(last.SignetChallenge) > 0:
		return nil, false // the block would need a signature
	case bitcoin.Subsidy(height, last.Network) != bitcoin.Subsidy(last.Height, last.Network):
		return nil, false // private networks halve at heights of their own
	case !last.FeesKnown || last.Network != bitcoin.Regtest && subsidy != bitcoin.Subsidy(height, last.Network):
		return nil, false // the node did not say every fee, so what is subsidy is not known
	}
	// A block must be later than the median of the last eleven times, which is
	// never later than the tip's own: the tip itself had to pass the median.
	earliest := uint32(t.Time.Unix()) + 1
	empty := *last
	empty.Height = height
	empty.PrevHash = t.Hash
	empty.MinTime = earliest
	// The node's clock, not ours.
	empty.CurTime = max(earliest, last.CurTime+uint32(elapsed/time.Second))
	empty.CoinbaseValue = subsidy
	empty.Transactions, empty.FeesKnown = nil, true
	if last.WitnessCommitment != nil {
		empty.WitnessCommitment = bitcoin.WitnessCommitment(nil)
	}
	empty.RequestedAt, empty.ReceivedAt = now, now
	return &empty, true
}
