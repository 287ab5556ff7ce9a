package node

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// hang makes a node take an hour for each of the methods.
func (f *fakeNode) hang(methods ...string) {
	f.with(func(f *fakeNode) {
		for _, m := range methods {
			f.delay[m] = time.Hour
		}
	})
}

// isLongPoll reports whether a call for a template waits for a better one.
func isLongPoll(c fakeCall) bool { return strings.Contains(string(c.params[0]), "longpollid") }

// A node that hangs in the middle of a call does not hold up the one that
// takes its place.
func TestHungNodeIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 10), newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		time.Sleep(12 * time.Second)
		a.hang("getblocktemplate", "getblockchaininfo", "getbestblockhash", "getblockheader", "getnetworkinfo", "getpeerinfo")
		// A heartbeat is due before the monitor has given up on the node.
		at := time.Now()
		for n.Status().Active != "b" {
			if time.Sleep(10 * time.Millisecond); time.Since(at) > time.Minute {
				t.Fatalf("a is still active; %+v", n.Status().Nodes)
			}
		}
		if tmpl := next(t, n, 20*time.Millisecond); tmpl.Node != "b" {
			t.Errorf("template from %s", tmpl.Node)
		}
		tip := b.mine(1)
		if tmpl := next(t, n, 1100*time.Millisecond); tmpl.PrevHash != tip {
			t.Errorf("template of %s, height %d", tmpl.Node, tmpl.Height)
		}
	})
}

// A node that answers all but getblocktemplate is left sooner when another one
// could take over than when there is none.
func TestHungTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 10), newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		time.Sleep(5 * time.Second)
		a.hang("getblocktemplate")
		n.Refresh()
		if tmpl := next(t, n, spareTimeout+time.Second); tmpl.Node != "b" {
			t.Errorf("template from %s", tmpl.Node)
		}
		// It cannot come back without a template.
		time.Sleep(5 * time.Minute)
		if got := n.Status().Active; got != "b" {
			t.Errorf("active %q", got)
		}
	})
}

// A single call that hangs does not hide a new tip: once it is old, an
// announcement makes another one. Without an announcement it is waited for.
func TestHungCall(t *testing.T) {
	for name, c := range map[string]struct {
		notice func(*Nodes, bitcoin.Hash)
		after  time.Duration // from the start of the hung call to the new block
		limit  time.Duration // from there to the template
	}{
		"watch, young call": {nil, time.Second, patience},
		"watch, old call":   {nil, 20 * time.Second, watchInterval},
		"zmq, young call":   {func(n *Nodes, h bitcoin.Hash) { n.hint(n.members[0], h) }, time.Second, patience - time.Second},
		"zmq, old call":     {func(n *Nodes, h bitcoin.Hash) { n.hint(n.members[0], h) }, 20 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNode(bitcoin.Regtest, 10)
				f.forgetful = true
				n := start(t, Config{}, f)
				next(t, n, time.Second)
				time.Sleep(3500 * time.Millisecond)
				f.with(func(f *fakeNode) { f.hangs = 1 })
				at := time.Now()
				n.Refresh()
				time.Sleep(c.after)
				if f.count("getblocktemplate", at) != 1 {
					t.Fatalf("%d calls", f.count("getblocktemplate", at))
				}
				tip := f.mine(1)
				if c.notice != nil {
					c.notice(n, tip)
					c.notice(n, tip)
				}
				if tmpl := next(t, n, c.limit+time.Millisecond); tmpl.PrevHash != tip {
					t.Error("template of another tip")
				}
				synctest.Wait()
				if got := f.count("getblocktemplate", at); got > 2 {
					t.Errorf("%d calls", got)
				}
				if s := n.Status(); s.RPC.Errors != 0 || s.Nodes[0].State != StateReady {
					t.Errorf("status %+v %+v", s.RPC, s.Nodes[0])
				}
			})
		})
	}
}

// A call that is not old yet is waited for: it may well bring the new tip.
func TestYoungCallIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.forgetful = true
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		time.Sleep(3500 * time.Millisecond)
		f.with(func(f *fakeNode) { f.delay["getblocktemplate"] = patience - time.Second })
		n.Refresh()
		time.Sleep(time.Second)
		tip := f.mine(1)
		n.hint(n.members[0], tip)
		if tmpl := next(t, n, patience-1900*time.Millisecond); tmpl.PrevHash != tip {
			t.Error("template of another tip")
		}
	})
}

// A Refresh whose call is given up is not forgotten.
func TestRefreshSurvivesHungCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.forgetful = true
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		time.Sleep(3500 * time.Millisecond)
		f.with(func(f *fakeNode) { f.hangs = 1 })
		n.Refresh()
		time.Sleep(10 * time.Second)
		// An announcement of a block that the node then does not build on.
		n.hint(n.members[0], someHash)
		if tmpl := next(t, n, time.Millisecond); tmpl.PrevHash != f.tip() {
			t.Error("template of another tip")
		}
	})
}

// A template that was asked for before its node announced a tip does not take
// the pool back to the tip before, whether it is a heartbeat, was forced, or
// comes from a long poll.
func TestTemplateOlderThanAnnouncedTip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.forgetful = true
		n := start(t, Config{}, f)
		old := next(t, n, time.Second)
		time.Sleep(3500 * time.Millisecond)
		<-n.Tips()

		// Templates are made at once, and travel for two seconds.
		f.on("getblocktemplate", func(c fakeCall) fakeAnswer {
			if isLongPoll(c) {
				return fakeAnswer{}
			}
			f.mu.Lock()
			late := templateOf(f.network, int64(len(f.blocks)), f.tipLocked(), nil)
			f.mu.Unlock()
			time.Sleep(2 * time.Second)
			return fakeAnswer{result: late}
		})
		n.Refresh()
		time.Sleep(time.Second)
		m, tip := n.members[0], f.mine(1)
		announced := rawBlock{hash: tip, header: bitcoin.Header{PrevHash: old.PrevHash, Bits: 0x207fffff, Time: 1_700_000_123}, height: 11}
		n.hint(m, tip)
		n.rawTip(m, announced, 1000, time.Now())
		if got := <-n.Tips(); got.Hash != tip || got.Height != 11 {
			t.Errorf("tip %+v", got)
		}
		// The answer of a long poll that began before, with other transactions.
		stale := *old
		stale.CoinbaseValue++
		stale.ReceivedAt = time.Now()
		n.accept(m, &stale, false)

		if tmpl := next(t, n, 4*time.Second); tmpl.PrevHash != tip {
			t.Fatal("a template of the old tip was delivered")
		}
		time.Sleep(5 * time.Second)
		if len(n.templates) > 0 && (<-n.Templates()).PrevHash != tip {
			t.Error("back to the old tip")
		}

		// A raw block that comes after its template delays nothing.
		f.on("getblocktemplate", nil)
		f.with(func(f *fakeNode) { f.forgetful = false })
		time.Sleep(stallAfter)
		f.mine(1)
		if tmpl := next(t, n, 2*time.Second); tmpl.Height != 13 {
			t.Errorf("height %d", tmpl.Height)
		}
		synctest.Wait()
		n.rawTip(m, rawBlock{hash: f.tip(), header: bitcoin.Header{PrevHash: tip}, height: 12}, 1000, time.Now().Add(time.Millisecond))
		time.Sleep(2700 * time.Millisecond) // between two looks of the watch
		at := time.Now()
		f.mine(1)
		if tmpl := next(t, n, time.Millisecond); tmpl.Height != 14 || f.count("getblocktemplate", at) > 1 {
			t.Errorf("height %d, %d calls", tmpl.Height, f.count("getblocktemplate", at))
		}
	})
}

// The node may go back to the old tip itself: what is asked for after the
// announcement counts.
func TestAnnouncedTipIsReorganizedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, f)
		old := next(t, n, time.Second)
		time.Sleep(time.Second)
		n.rawTip(n.members[0], rawBlock{hash: someHash, header: bitcoin.Header{PrevHash: old.PrevHash}, height: 11}, 1000, time.Now())
		n.Refresh()
		if tmpl := next(t, n, time.Second); tmpl.PrevHash != old.PrevHash {
			t.Error("template of another tip")
		}
		if i := slices.IndexFunc(n.Status().Errors, func(e Event) bool { return e.Type == "rpc" }); i >= 0 {
			t.Errorf("event %+v", n.Status().Errors[i])
		}
	})
}
