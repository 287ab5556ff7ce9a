package node

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// workOf makes a node say how much work its chain has.
func workOf(f *fakeNode, blocks int, tip bitcoin.Hash, work string) {
	f.on("getblockchaininfo", always(fakeAnswer{result: map[string]any{
		"chain": "regtest", "blocks": blocks, "headers": blocks, "bestblockhash": tip.String(), "chainwork": work}}))
}

// Among nodes that tell it, the chain with more work wins, be it the lower one:
// the pool follows, and comes back when its preferred node has caught up.
func TestMoreWorkWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 12), newFakeNode(bitcoin.Regtest, 10)
		less, more := strings.Repeat("0", 60)+"00aa", strings.Repeat("0", 60)+"00ab"
		workOf(a, 12, a.tip(), less)
		workOf(b, 10, b.tip(), less)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		time.Sleep(time.Minute)
		if got := n.Status(); got.Active != "a" || got.Nodes[1].State != StateReady {
			t.Errorf("with as much work: active %q, b %+v", got.Active, got.Nodes[1])
		}
		workOf(b, 10, b.tip(), more)
		time.Sleep(time.Minute)
		if got := n.Status(); got.Active != "b" || !strings.Contains(got.Nodes[0].Reason, "behind") {
			t.Errorf("with more work: active %q, a %+v", got.Active, got.Nodes[0])
		}
		workOf(a, 12, a.tip(), more)
		time.Sleep(2 * time.Minute)
		if got := n.Status().Active; got != "a" {
			t.Errorf("after it caught up: active %q", got)
		}
	})
}

// Nodes on different branches are told of, when that lasts, and when it is over.
func TestNodesDisagree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 10), newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		told := func() (times int) {
			for _, e := range n.Status().Errors {
				if strings.Contains(e.Message, "another branch of the chain than a") {
					times++
				}
			}
			return times
		}
		time.Sleep(time.Minute)
		if s := n.Status(); told() != 0 || !s.Nodes[1].Split.IsZero() {
			t.Fatalf("nodes that agree: %+v, events %v", s.Nodes[1], s.Errors)
		}

		b.reorganize(2, 2)
		time.Sleep(monitorInterval + time.Second)
		if s := n.Status(); told() != 0 || s.Nodes[1].Split.IsZero() {
			t.Errorf("a young split: %+v, told %d times", s.Nodes[1], told())
		}
		time.Sleep(time.Minute)
		s := n.Status()
		if told() != 1 || s.Active != "a" || s.Nodes[1].State != StateReady || !strings.Contains(s.Nodes[1].Reason, "another branch") {
			t.Errorf("a split that lasts: active %q, %+v, told %d times", s.Active, s.Nodes[1], told())
		}

		a.with(func(a *fakeNode) { b.with(func(b *fakeNode) { b.blocks = a.blocks }) })
		time.Sleep(30 * time.Second)
		if s := n.Status(); !s.Nodes[1].Split.IsZero() || s.Nodes[1].Reason != "" || !strings.Contains(s.Errors[0].Message, "same chain") {
			t.Errorf("after it: %+v, %v", s.Nodes[1], s.Errors[0])
		}
		b.mine(1) // ahead is no split
		time.Sleep(time.Second)
		if s := n.Status(); !s.Nodes[1].Split.IsZero() {
			t.Errorf("a node that is ahead: %+v", s.Nodes[1])
		}
	})
}

// A node that announces hashes alone has its header asked for, so that work
// begins before the template is there.
func TestTipOfAnnouncedHash(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:0")
	f := newFakeNode(bitcoin.Regtest, 10)
	f.forgetful = true
	n := newZMQNodes(t, NodeConfig{ZMQHashBlock: p.address}, f)
	run(t, n)
	next(t, n, 5*time.Second)
	<-n.Tips()
	p.subscribed(topicHashBlock)

	f.with(func(f *fakeNode) { f.delay["getblocktemplate"] = 300 * time.Millisecond })
	tip := f.mine(1)
	p.publish(topicHashBlock, display(tip))
	got := <-n.Tips()
	if got.Hash != tip || got.Height != 11 || got.Bits == 0 || got.Time.IsZero() || got.SeenAt.IsZero() {
		t.Errorf("tip %+v", got)
	}
	select {
	case <-n.Templates():
		t.Error("the template came before the tip")
	default:
	}
	if tmpl := next(t, n, 5*time.Second); tmpl.PrevHash != tip {
		t.Error("template of another tip")
	}
}
