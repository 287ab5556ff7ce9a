package pool

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// judge is a fakeNode that judges proposals.
type judge struct {
	*fakeNode
	mu       sync.Mutex
	proposed [][]byte
	say      func(block []byte) (string, error)
}

func (n *judge) Propose(_ context.Context, _ string, block []byte) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.proposed = append(n.proposed, bytes.Clone(block))
	if n.say == nil {
		return "", nil
	}
	return n.say(block)
}

func (n *judge) saying(say func([]byte) (string, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.say = say
}

func (n *judge) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.proposed)
}

func (n *judge) last() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proposed[len(n.proposed)-1]
}

// newJudgedRig is a rig in a bubble whose node judges proposals.
func newJudgedRig(t *testing.T, change ...func(*Config)) (*rig, *judge) {
	t.Helper()
	n := &judge{fakeNode: newFakeNode()}
	r := newRigOn(t, n, n.fakeNode, change...)
	return r, n
}

// settleProposals lets the proposer do what is due, while miners read.
func (r *rig) settleProposals(miners ...*testMiner) {
	var reading sync.WaitGroup
	for _, m := range miners {
		reading.Go(func() { m.wait(proposalDelay + 5*proposalSpacing) })
	}
	time.Sleep(proposalDelay + 5*proposalSpacing)
	reading.Wait()
	synctest.Wait()
}

// A block like those that miners work on is proposed at the start, whole and
// valid but for its proof of work, and again only when something about it is
// new: not for another tip, nor for other transactions.
func TestProposals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := newJudgedRig(t)
		template := r.newTip(withTransactions(5))
		if n.count() != 0 {
			t.Error("a proposal was made on the way to the miners")
		}
		r.settleProposals()
		if n.count() != 1 {
			t.Fatalf("%d proposals at the start", n.count())
		}
		var block wire.MsgBlock
		if err := block.Deserialize(bytes.NewReader(n.last())); err != nil {
			t.Fatal(err)
		}
		parsed := btcutil.NewBlock(&block)
		easy := chaincfg.RegressionNetParams
		if err := blockchain.CheckBlockSanity(parsed, easy.PowLimit, blockchain.NewMedianTime()); err != nil && !isRule(err, blockchain.ErrHighHash) {
			t.Errorf("the proposed block: %v", err)
		}
		if err := blockchain.ValidateWitnessCommitment(parsed); err != nil || !block.Transactions[0].HasWitness() {
			t.Errorf("its witness: %v", err)
		}
		if block.Header.Nonce != 0 || len(block.Transactions) != 6 || block.Transactions[0].TxOut[0].Value != template.CoinbaseValue {
			t.Errorf("nonce %d, %d transactions", block.Header.Nonce, len(block.Transactions))
		}

		var miners []*testMiner
		again := func(what string, want int) {
			t.Helper()
			before := n.count()
			r.settleProposals(miners...)
			if got := n.count() - before; got != want {
				t.Errorf("%s: %d proposals, want %d", what, got, want)
			}
		}
		r.newTip(withTransactions(3))
		again("another tip", 0)
		join := func(user string) {
			m := r.connect(t)
			m.start(user, "x")
			miners = append(miners, m)
		}
		join(alice)
		r.refresh()
		again("a miner of the kind of address that was tried without one", 0)
		join(bob)
		r.refresh()
		again("another kind of address", 1)
		r.refresh(func(t *node.Template) { t.VBAvailable = map[string]int{"newfork": 5} })
		again("another soft fork", 2)
		r.refresh(func(t *node.Template) { t.WitnessCommitment = nil; t.Transactions = nil })
		again("no witness commitment", 2)
		if err := r.pool.Reconfigure(testConfigWith(r.dir, func(c *Config) { c.Tag = "/other/" })); err != nil {
			t.Fatal(err)
		}
		r.refresh()
		again("another tag", 2)
		r.refresh()
		again("nothing new", 0)
		r.height -= 2
		r.refresh()
		again("a reorganisation", 2)
		r.height++
		r.pool.SetTip(node.Tip{Hash: prevHash(r.height), Height: r.height - 1, Previous: prevHash(r.height - 1)})
		r.refresh()
		again("a tip that continues the chain", 0)
		r.height++
		r.refresh()
		r.pool.SetTip(node.Tip{Hash: prevHash(r.height), Height: r.height - 1, Previous: bitcoin.Hash{7}})
		again("a tip of the next height that does not", 2)
		st := r.pool.Status().Proposals
		if st.Fault != "" || st.Refused != 0 || st.Passed != uint64(n.count()) || st.LastAt.IsZero() {
			t.Errorf("status %+v", st)
		}
		r.stop()
	})
}

func isRule(err error, code blockchain.ErrorCode) bool {
	var rule blockchain.RuleError
	return errors.As(err, &rule) && rule.ErrorCode == code
}

// A node that would refuse a block raises the alarm, which ends when the reason
// does; miners keep their work.
func TestRefusedProposal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := newJudgedRig(t)
		n.saying(func([]byte) (string, error) { return "bad-cb-amount", nil })
		r.newTip()
		r.settleProposals()
		time.Sleep(2 * time.Second)
		st := r.pool.Status()
		if !strings.Contains(st.Proposals.Fault, "bad-cb-amount") || st.Proposals.Refused != 1 || !strings.Contains(st.Reason, "bad-cb-amount") {
			t.Errorf("status %+v, reason %q", st.Proposals, st.Reason)
		}
		if st.State != StateMining || len(st.Errors) == 0 || st.Errors[0].Type != "proposal" {
			t.Errorf("state %s, events %v", st.State, st.Errors)
		}

		// It is not asked all the time, but again after a while.
		r.refresh()
		r.settleProposals()
		if n.count() != 1 {
			t.Errorf("%d proposals", n.count())
		}
		n.saying(nil)
		time.Sleep(refusedAgain)
		r.refresh()
		r.settleProposals()
		time.Sleep(2 * time.Second)
		if st := r.pool.Status(); st.Proposals.Fault != "" || st.Reason != "" {
			t.Errorf("after it passed: %+v, %q", st.Proposals, st.Reason)
		}
		r.stop()
	})
}

// What is no verdict on the block raises no alarm.
func TestProposalWithoutVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := newJudgedRig(t)
		asked := 0
		n.saying(func([]byte) (string, error) {
			switch asked++; asked {
			case 1:
				return "inconclusive-not-best-prevblk", nil
			case 2:
				return "", errors.New("connection refused")
			}
			return "", &node.RPCError{Code: -8, Message: "Invalid mode"}
		})
		r.newTip()
		r.settleProposals() // the race; it is tried again by itself
		for range 3 {
			r.refresh()
			r.settleProposals()
		}
		st := r.pool.Status().Proposals
		if n.count() != 3 || st.Fault != "" || st.Unasked != 2 || len(st.Unable) != 1 || st.Unable[0] != "a" {
			t.Errorf("%d proposals, status %+v", n.count(), st)
		}
		told := 0
		for _, e := range r.pool.Status().Errors {
			if e.Type == "proposal" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}

		// The tip went on while the node thought about it.
		n.saying(func([]byte) (string, error) { time.Sleep(time.Second); return "bad-cb-height", nil })
		r.newTip(func(t *node.Template) { t.Node = "b" })
		time.Sleep(proposalDelay + time.Second/2)
		r.newTip(func(t *node.Template) { t.Node = "b" })
		time.Sleep(time.Second)
		synctest.Wait()
		if st := r.pool.Status().Proposals; st.Refused != 0 {
			t.Errorf("a block of yesterday raised the alarm: %+v", st)
		}
		r.stop()
	})
}

// Work that is derived from an announcement is proposed, too.
func TestEarlyWorkIsProposed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := newJudgedRig(t, func(c *Config) { c.TipFirst = true })
		last := r.newTip(withTransactions(2), func(t *node.Template) { t.FeesKnown = true })
		r.settleProposals()
		before := n.count()
		r.height++
		r.pool.SetTip(node.Tip{Hash: prevHash(r.height), Height: last.Height, Time: time.Now(), Bits: last.Bits})
		r.refresh(withTransactions(4)) // the full one, at once
		r.settleProposals()
		if got := n.count() - before; got != 1 {
			t.Fatalf("%d proposals", got)
		}
		var block wire.MsgBlock
		if err := block.Deserialize(bytes.NewReader(n.last())); err != nil || len(block.Transactions) != 1 {
			t.Errorf("%d transactions, %v", len(block.Transactions), err)
		}
		if block.Transactions[0].TxOut[0].Value != bitcoin.Subsidy(r.height, bitcoin.Regtest) {
			t.Errorf("it pays %d", block.Transactions[0].TxOut[0].Value)
		}
		r.stop()
	})
}
