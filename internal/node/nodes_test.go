package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

func TestFirstTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.txs = makeTxs(4, 0)
		n := start(t, Config{}, f)
		tmpl := next(t, n, time.Millisecond)
		if tmpl.Height != 11 || tmpl.PrevHash != f.tip() || tmpl.Node != "a" || tmpl.Network != bitcoin.Regtest || len(tmpl.Transactions) != 4 {
			t.Errorf("got %+v", tmpl)
		}

		synctest.Wait()
		s := n.Status()
		if s.Active != "a" || s.Network != bitcoin.Regtest || s.NetworkErr != "" || !s.RPC.Healthy || s.RPC.GBT.Count == 0 || s.LastTemplateAt.IsZero() {
			t.Errorf("status %+v", s)
		}
		node := s.Nodes[0]
		if node.State != StateReady || node.Reason != "" || !node.GenesisMatch || node.Subversion != "/Satoshi:29.1.0/" || node.Blocks != 10 || node.Address != "a.example:8332" || !node.Pruned || node.SizeOnDisk != 1234 {
			t.Errorf("node %+v", node)
		}
		if len(node.Peers) != 2 || node.Peers[0] != (Peer{Display: "[2001:db8::1]:8333", PingMS: 50, ConnectedAt: 100}) {
			t.Errorf("peers %+v", node.Peers)
		}
		if len(s.RecentBlockTimes) != 4 || !s.RecentBlockTimes[0].Before(s.RecentBlockTimes[3]) || s.RecentBlockTimes[3].Unix() != f.blocks[10].time {
			t.Errorf("recent block times %v", s.RecentBlockTimes)
		}
		want := Tip{Hash: f.tip(), Height: 10, Time: time.Unix(f.blocks[10].time, 0), Bits: 0x207fffff, Previous: f.blocks[10].previous}
		if s.Tip == nil || *s.Tip != want || s.ZMQ.Tip != s.Tip {
			t.Errorf("tip %+v, want %+v", s.Tip, want)
		}
		select {
		case tip := <-n.Tips():
			if tip != want {
				t.Errorf("emitted tip %+v", tip)
			}
		default:
			t.Error("no tip was emitted")
		}
	})
}

// Between a new tip and its template stands one call, whoever noticed the tip.
func TestOneCallPerTip(t *testing.T) {
	for name, notice := range map[string]func(*Nodes, bitcoin.Hash){
		"long poll": func(*Nodes, bitcoin.Hash) {},
		"zmq":       func(n *Nodes, tip bitcoin.Hash) { n.hint(n.members[0], tip); n.hint(n.members[0], tip) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNode(bitcoin.Regtest, 10)
				f.forgetful = name == "zmq"
				n := start(t, Config{}, f)
				next(t, n, time.Millisecond)
				time.Sleep(15*time.Second + 500*time.Millisecond) // between two looks of the monitor and the watch
				f.with(func(f *fakeNode) {
					f.delay[""] = 0
					f.delay["getblocktemplate"] = 40 * time.Millisecond
					f.delay["getblockheader"] = time.Second
				})

				at := time.Now()
				tip := f.mine(1)
				notice(n, tip)
				tmpl := next(t, n, 100*time.Millisecond)
				if tmpl.PrevHash != tip {
					t.Fatal("template of another tip")
				}
				took := time.Since(at)
				if took > 40*time.Millisecond {
					t.Errorf("took %v", took)
				}
				// What is asked afterwards is not counted. The long poll was
				// open already.
				calls := f.count("", at) - f.count("", tmpl.ReceivedAt)
				if want := map[string]int{"zmq": 1}[name]; calls != want {
					t.Errorf("%d calls before the template was there, want %d", calls, want)
				}
				time.Sleep(200 * time.Millisecond)
				none(t, n, 0)
				if got := f.count("getblocktemplate", at); got > 2 {
					t.Errorf("%d templates were fetched", got)
				}
			})
		})
	}
}

// Triggers that arrive together cause one call; one during a call causes one
// more.
func TestCoalescing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.forgetful = true
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		time.Sleep(2500 * time.Millisecond)
		f.with(func(f *fakeNode) { f.delay["getblocktemplate"] = 100 * time.Millisecond })

		at := time.Now()
		for range 5 {
			n.Refresh()
		}
		time.Sleep(50 * time.Millisecond)
		if got := f.count("getblocktemplate", at); got != 1 {
			t.Errorf("%d calls at once, want 1", got)
		}
		for range 5 {
			n.Refresh()
		}
		time.Sleep(400 * time.Millisecond)
		if got := f.count("getblocktemplate", at); got != 2 {
			t.Errorf("%d calls, want 2", got)
		}
	})
}

func TestHeartbeatAndRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, f)
		last := next(t, n, time.Second)
		for range 5 {
			tmpl := next(t, n, 31*time.Second)
			if gap := tmpl.ReceivedAt.Sub(last.ReceivedAt); gap > 30*time.Second || gap < 15*time.Second {
				t.Errorf("heartbeat after %v", gap)
			}
			last = tmpl
		}
		none(t, n, 5*time.Second)
		n.Refresh()
		next(t, n, time.Second)
		none(t, n, 5*time.Second)
	})
}

// A slow node is no dead node.
func TestSlowNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.delay["getblocktemplate"] = 12 * time.Second
		f.delay["getblockchaininfo"] = 6 * time.Second
		n := start(t, Config{}, f)
		last := next(t, n, 30*time.Second)
		for range 4 {
			tmpl := next(t, n, 35*time.Second)
			if gap := tmpl.ReceivedAt.Sub(last.ReceivedAt); gap > 33*time.Second {
				t.Errorf("template after %v", gap)
			}
			last = tmpl
		}
		if s := n.Status(); s.RPC.Errors != 0 || s.Nodes[0].State != StateReady || s.RPC.GBT.Last != 12*time.Second {
			t.Errorf("status %+v %+v", s.RPC, s.Nodes[0])
		}
		f.with(func(f *fakeNode) { f.txs = makeTxs(2, 0) })
		f.mine(1)
		if tmpl := next(t, n, 14*time.Second); tmpl.Height != 12 {
			t.Errorf("height %d", tmpl.Height)
		}
	})
}

// A channel that nobody reads holds the newest template.
func TestNewestTemplateWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, f)
		time.Sleep(time.Second)
		for range 5 {
			f.mine(1)
			time.Sleep(2 * time.Second)
		}
		if tmpl := next(t, n, 0); tmpl.Height != 16 {
			t.Errorf("height %d", tmpl.Height)
		}
		none(t, n, time.Millisecond)
	})
}

// Same work is no news, other work is.
func TestOnlyNewsIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.txs = makeTxs(3, 0)
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		n.fetchNow()
		none(t, n, 5*time.Second)

		for name, change := range map[string]func(map[string]any){
			"value":        func(m map[string]any) { m["coinbasevalue"] = 1 },
			"version":      func(m map[string]any) { m["version"] = 4 },
			"transactions": func(m map[string]any) { m["transactions"] = []any{}; delete(m, "default_witness_commitment") },
		} {
			f.with(func(f *fakeNode) { f.template = change })
			n.fetchNow()
			t.Log(name)
			next(t, n, time.Second)
			f.with(func(f *fakeNode) { f.template = nil })
			n.fetchNow()
			next(t, n, time.Second)
		}
	})
}

// The node's best chain is followed to a lower height, to another branch, and
// with a clock that went back.
func TestReorganization(t *testing.T) {
	for name, c := range map[string]struct{ drop, add int }{
		"same height":     {1, 1},
		"lower":           {5, 1},
		"invalidateblock": {3, 0},
	} {
		for _, forgetful := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, half-dead long poll %v", name, forgetful), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFakeNode(bitcoin.Regtest, 20)
					f.forgetful = forgetful
					n := start(t, Config{}, f)
					next(t, n, time.Second)
					time.Sleep(3 * time.Second)

					f.with(func(f *fakeNode) {
						f.template = func(m map[string]any) { m["curtime"] = 1_699_000_000; m["mintime"] = 1_699_000_000 }
					})
					tip := f.reorganize(c.drop, c.add)
					tmpl := next(t, n, 1100*time.Millisecond)
					if want := int64(20 - c.drop + c.add + 1); tmpl.PrevHash != tip || tmpl.Height != want || tmpl.CurTime != 1_699_000_000 {
						t.Errorf("height %d, curtime %d", tmpl.Height, tmpl.CurTime)
					}
					time.Sleep(100 * time.Millisecond)
					if s := n.Status(); s.Tip.Hash != tip || s.Tip.Height != tmpl.Height-1 || s.Nodes[0].Blocks != s.Tip.Height {
						t.Errorf("tip %+v", s.Tip)
					}
					// And back again.
					tip = f.mine(8)
					if tmpl := next(t, n, 1100*time.Millisecond); tmpl.PrevHash != tip {
						t.Errorf("height %d", tmpl.Height)
					}
				})
			})
		}
	}
}

// longPollOK reports whether the first node's long poll is relied on.
func (n *Nodes) longPollOK() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members[0].longPollOK
}

// A long poll whose connection is half dead is found out and made anew.
func TestHalfDeadLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		f.mine(1)
		next(t, n, time.Millisecond)
		synctest.Wait()
		if !n.longPollOK() {
			t.Fatal("the long poll did not prove itself")
		}

		// The answer to the open long poll gets lost; the watch finds the tip.
		f.with(func(f *fakeNode) { f.forgetful = true })
		f.mine(1)
		if tmpl := next(t, n, 1100*time.Millisecond); tmpl.Height != 13 {
			t.Fatalf("height %d", tmpl.Height)
		}
		time.Sleep(stallAfter + time.Second)
		if s := n.Status(); n.longPollOK() || !slices.ContainsFunc(s.Errors, func(e Event) bool { return e.Type == "longpoll" }) {
			t.Errorf("events %+v", s.Errors)
		}

		f.with(func(f *fakeNode) { f.forgetful = false })
		time.Sleep(stallAfter + time.Second)
		f.mine(1)
		next(t, n, time.Millisecond)
		synctest.Wait()
		if !n.longPollOK() {
			t.Error("the long poll did not recover")
		}
	})
}

// A long poll that returns at once must not become a busy loop.
func TestHastyLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.template = func(m map[string]any) { m["longpollid"] = "other" }
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		at := time.Now()
		time.Sleep(60 * time.Second)
		if got := f.count("getblocktemplate", at); got > 30 {
			t.Errorf("%d calls in a minute", got)
		}
	})
}

// Two calls that saw different tips: the later request decides.
func TestLateAnswerOfOldTip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		time.Sleep(time.Second)
		old := &n.Status().Nodes[0].BestBlockHash

		// The answer is made now, and travels for five seconds.
		f.on("getblocktemplate", func(c fakeCall) fakeAnswer {
			if strings.Contains(string(c.params[0]), "longpollid") {
				return fakeAnswer{}
			}
			f.mu.Lock()
			late := templateOf(f.network, int64(len(f.blocks)), f.tipLocked(), nil)
			f.mu.Unlock()
			time.Sleep(5 * time.Second)
			return fakeAnswer{result: late}
		})
		n.Refresh()
		time.Sleep(time.Second)
		tip := f.mine(1)
		if tmpl := next(t, n, time.Millisecond); tmpl.PrevHash != tip {
			t.Fatal("the long poll did not deliver")
		}
		for range 3 {
			select {
			case tmpl := <-n.Templates():
				if tmpl.PrevHash != tip {
					t.Fatalf("went back to %s", *old)
				}
			case <-time.After(6 * time.Second):
			}
		}
	})
}

// What a node may say instead of a template, in words, and the way back.
func TestNodeTroubles(t *testing.T) {
	rpcError := func(code int, message string) fakeAnswer {
		return fakeAnswer{err: &RPCError{Code: code, Message: message}}
	}
	const all = ""
	for name, c := range map[string]struct {
		method string
		answer fakeAnswer
		state  string
		words  string
	}{
		"warming up":       {all, rpcError(-28, "Loading block index…"), StateWarmingUp, "Loading block index…"},
		"no peers":         {"getblocktemplate", rpcError(-9, "Bitcoin Core is not connected!"), StateNoPeers, "no connection to other nodes"},
		"downloading":      {"getblocktemplate", rpcError(-10, "Bitcoin Core is in initial sync"), StateSyncing, "downloading"},
		"other rpc error":  {"getblocktemplate", rpcError(-8, "must be called with the x rule"), StateRefused, "error -8: Must be called with the x rule."},
		"200 with error":   {all, fakeAnswer{body: `{"result":null,"error":{"code":-28,"message":"Verifying blocks…"},"id":1}`}, StateWarmingUp, "Verifying"},
		"unauthorized":     {all, fakeAnswer{status: 401}, StateUnauthorized, "HTTP 401"},
		"forbidden":        {all, fakeAnswer{status: 403}, StateUnauthorized, "rpcallowip"},
		"wrong path":       {all, fakeAnswer{status: 404}, StateUnreachable, "HTTP 404"},
		"no method":        {"getblocktemplate", fakeAnswer{status: 404, err: &RPCError{Code: -32601, Message: "Method not found"}}, StateRefused, "does not know a method"},
		"overloaded":       {all, fakeAnswer{status: 503, body: "Work queue depth exceeded"}, StateUnreachable, "rpcworkqueue"},
		"html":             {all, fakeAnswer{body: "<!doctype html><title>router</title>"}, StateUnreachable, "not a Bitcoin node"},
		"html with status": {all, fakeAnswer{status: 405, body: "<html>no</html>"}, StateUnreachable, "web server"},
		"redirect":         {all, fakeAnswer{status: 302, header: map[string][]string{"Location": {"http://evil.example/"}}}, StateUnreachable, "redirects"},
		"cut off":          {all, fakeAnswer{body: `{"result":{"chain":"reg`}, StateUnreachable, "cut off"},
		"cut off template": {"getblocktemplate", fakeAnswer{body: `{"result":{"height":`}, StateUnreachable, "cut off"},
		"too large":        {"getblockchaininfo", fakeAnswer{body: "{" + strings.Repeat(" ", maxAnswer)}, StateUnreachable, "larger"},
		"empty template":   {"getblocktemplate", fakeAnswer{result: map[string]any{}}, StateRefused, "coinbasevalue"},
		"server error":     {all, fakeAnswer{status: 500, body: "oops"}, StateUnreachable, "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNode(bitcoin.Regtest, 10)
				f.on(c.method, always(c.answer))
				n := start(t, Config{}, f)
				none(t, n, 20*time.Second)
				s := n.Status()
				if s.Nodes[0].State != c.state || !strings.Contains(s.Nodes[0].Reason, c.words) {
					t.Errorf("state %q, reason %q", s.Nodes[0].State, s.Nodes[0].Reason)
				}
				if s.Active != "" || s.RPC.Healthy || s.RPC.LastError == "" || s.RPC.Errors == 0 {
					t.Errorf("active %q, rpc %+v", s.Active, s.RPC)
				}
				if got := f.count("getblockchaininfo", time.Now().Add(-10*time.Second)); got > 5 {
					t.Errorf("%d attempts in ten seconds", got)
				}

				f.on(c.method, nil)
				next(t, n, 7*time.Second)
				s = n.Status()
				if s.Nodes[0].State != StateReady || !s.RPC.Healthy || s.RPC.LastError != "" {
					t.Errorf("after recovery: %+v %+v", s.Nodes[0], s.RPC)
				}

				// The same again, from a node that was well.
				f.on(c.method, always(c.answer))
				time.Sleep(time.Minute)
				if s = n.Status(); s.Nodes[0].State != c.state || s.Active != "" || s.Feed.LastErrorAt.IsZero() || s.Feed.LastError == "" {
					t.Errorf("later: %+v %+v", s.Nodes[0], s.Feed)
				}
				f.on(c.method, nil)
				time.Sleep(6 * time.Second)
				if s = n.Status(); s.Nodes[0].State != StateReady || s.Feed.LastError != "" {
					t.Errorf("after the second recovery: %+v %+v", s.Nodes[0], s.Feed)
				}
			})
		})
	}
}

// A node that goes away and comes back is counted, and found within seconds.
func TestNodeRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		f.with(func(f *fakeNode) { f.dead = true })
		f.mine(1) // wakes the long poll, which then loses its connection
		time.Sleep(3 * time.Second)
		s := n.Status()
		if s.Nodes[0].State != StateUnreachable || !strings.Contains(s.Nodes[0].Reason, "Nothing listens at a.example:8332") {
			t.Errorf("node %+v", s.Nodes[0])
		}
		if s.RPC.Disconnects != 1 || s.RPC.Reconnects != 0 || s.RPC.Healthy || len(s.Feed.History) == 0 {
			t.Errorf("rpc %+v, feed %+v", s.RPC, s.Feed)
		}
		time.Sleep(time.Hour)
		if s := n.Status(); s.RPC.Disconnects != 1 || len(s.Errors) > maxEvents || len(s.Feed.History) > maxFeedHistory {
			t.Errorf("rpc %+v, %d events, %d lines", s.RPC, len(s.Errors), len(s.Feed.History))
		}

		f.with(func(f *fakeNode) { f.dead = false })
		if tmpl := next(t, n, 7*time.Second); tmpl.Height != 12 {
			t.Errorf("height %d", tmpl.Height)
		}
		if s := n.Status(); s.RPC.Disconnects != 1 || s.RPC.Reconnects != 1 || !s.RPC.Healthy {
			t.Errorf("rpc %+v", s.RPC)
		}
	})
}

func TestCookie(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ".cookie")
	write := func(cookie string) {
		if err := os.WriteFile(path, []byte("__cookie__:"+cookie+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.auth = "__cookie__:first"
		n := start(t, Config{Nodes: []NodeConfig{{CookieFile: dir}}}, f)
		none(t, n, 5*time.Second)
		if s := n.Status().Nodes[0]; s.State != StateUnauthorized || !strings.Contains(s.Reason, "cookie file is not there") {
			t.Errorf("node %+v", s)
		}
		if f.count("", time.Time{}) != 0 {
			t.Error("asked without a cookie")
		}
		write("first")
		next(t, n, 6*time.Second)

		// A new cookie of the same size and time, as a quick restart makes.
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		write("other")
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		f.with(func(f *fakeNode) { f.auth = "__cookie__:other" })
		tip := f.mine(1)
		if tmpl := next(t, n, 2*time.Second); tmpl.PrevHash != tip {
			t.Error("template of another tip")
		}
		if s := n.Status(); s.RPC.Errors > 10 {
			t.Errorf("rpc %+v", s.RPC)
		}

		f.with(func(f *fakeNode) { f.auth = "__cookie__:strange" })
		time.Sleep(time.Minute)
		if s := n.Status().Nodes[0]; s.State != StateUnauthorized || !strings.Contains(s.Reason, "HTTP 401") {
			t.Errorf("node %+v", s)
		}
		all := fmt.Sprintf("%+v %#v %v", n.Status(), n.Status().Errors, n.members[0].rpc.creds)
		for _, secret := range []string{"first", "strange", "__cookie__"} {
			if strings.Contains(all, secret) {
				t.Errorf("%q is shown", secret)
			}
		}
	})
}

func TestNetworks(t *testing.T) {
	other := bitcoin.DoubleSHA256([]byte("another genesis"))
	regtest := bitcoin.Regtest.Genesis()
	for name, c := range map[string]struct {
		cfg     Config
		network bitcoin.Network
		change  func(*fakeNode)
		state   string
		words   string
		match   bool
	}{
		"mainnet":                 {Config{}, bitcoin.Mainnet, nil, StateReady, "", true},
		"testnet3":                {Config{}, bitcoin.Testnet3, nil, StateReady, "", true},
		"testnet4":                {Config{}, bitcoin.Testnet4, nil, StateReady, "", true},
		"signet, with its rule":   {Config{}, bitcoin.Signet, nil, StateReady, "", true},
		"as configured":           {Config{Network: bitcoin.Signet}, bitcoin.Signet, nil, StateReady, "", true},
		"not as configured":       {Config{Network: bitcoin.Mainnet}, bitcoin.Testnet4, nil, StateWrongNetwork, `on "testnet4", the pool on "main"`, false},
		"unknown":                 {Config{}, "liquidv1", nil, StateWrongNetwork, `"liquidv1"`, false},
		"btcd's name for mainnet": {Config{}, bitcoin.Mainnet, renamed("mainnet"), StateReady, "", true},
		"btcd's name for testnet": {Config{}, bitcoin.Testnet3, renamed("testnet3"), StateReady, "", true},
		"other genesis":           {Config{}, bitcoin.Signet, genesis(other), StateWrongNetwork, "first block", false},
		"other genesis, regtest":  {Config{}, bitcoin.Regtest, genesis(other), StateReady, "not that of the usual regtest", false},
		"genesis as expected":     {Config{ExpectedGenesis: &other}, bitcoin.Regtest, genesis(other), StateReady, "", true},
		"genesis not as expected": {Config{ExpectedGenesis: &regtest}, bitcoin.Regtest, genesis(other), StateWrongNetwork, "first block", false},
		"bitcoin cash": {Config{}, bitcoin.Mainnet, func(f *fakeNode) {
			f.script["getnetworkinfo"] = always(fakeAnswer{result: map[string]any{"subversion": "/Bitcoin Cash Node:28.0.1(EB32.0)/"}})
		}, StateWrongNetwork, "Bitcoin Cash Node", true},
		"mainnet without segwit": {Config{}, bitcoin.Mainnet, func(f *fakeNode) {
			f.template = func(m map[string]any) { btcdTemplate(m) }
		}, StateWrongNetwork, "split off", true},
		"mainnet in download": {Config{}, bitcoin.Mainnet, func(f *fakeNode) { f.ibd = true }, StateSyncing, "block 10 of 10, 50.0 %", true},
		"regtest in download": {Config{}, bitcoin.Regtest, func(f *fakeNode) { f.ibd = true }, StateReady, "", true},
		"unknown rule": {Config{}, bitcoin.Mainnet, func(f *fakeNode) {
			f.template = func(m map[string]any) { m["rules"] = []string{"!segwit", "!quantum"} }
		}, StateRefused, "quantum", true},
		"signet with a signature": {Config{}, bitcoin.Signet, func(f *fakeNode) {
			f.template = func(m map[string]any) {
				m["signet_challenge"] = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae"
			}
		}, StateRefused, "have to be signed", true},
		"unknown rule that does not count": {Config{}, bitcoin.Mainnet, func(f *fakeNode) {
			f.template = func(m map[string]any) { m["rules"] = []string{"!segwit", "quantum"} }
		}, StateReady, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNode(c.network, 10)
				if c.change != nil {
					c.change(f)
				}
				n := start(t, c.cfg, f)
				time.Sleep(time.Second)
				s := n.Status()
				node := s.Nodes[0]
				if node.State != c.state || !strings.Contains(node.Reason, c.words) || c.words == "" && node.Reason != "" {
					t.Errorf("state %q, reason %q", node.State, node.Reason)
				}
				if node.GenesisMatch != c.match {
					t.Errorf("genesis %q, expected %q, match %v", node.GenesisHash, node.GenesisExpected, node.GenesisMatch)
				}
				if (s.NetworkErr != "") != (c.state == StateWrongNetwork) {
					t.Errorf("network error %q", s.NetworkErr)
				}
				switch c.state {
				case StateReady:
					if tmpl := next(t, n, 0); tmpl.Network != c.network || (tmpl.SignetChallenge != nil) != (c.network == bitcoin.Signet) {
						t.Errorf("template %+v", tmpl)
					}
				default:
					none(t, n, time.Minute)
				}
			})
		})
	}
}

// A template that exceeds its own limit is delivered, and the event says so
// once.
func TestOverweight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.txs = makeTxs(4, 0)
		n := start(t, Config{}, f)
		weight := next(t, n, time.Second).Weight()
		events := func() (count int) {
			synctest.Wait()
			for _, e := range n.Status().Errors {
				if e.Type == "node" && strings.Contains(e.Message, "weighs") {
					count++
				}
			}
			return count
		}
		limit := func(limit int64) *Template {
			f.with(func(f *fakeNode) { f.template = func(m map[string]any) { m["weightlimit"] = limit } })
			n.Refresh()
			return next(t, n, time.Second)
		}
		if tmpl := limit(weight + 320); tmpl.Overweight() || events() != 0 {
			t.Errorf("weight %d, limit %d: %d events", weight, tmpl.WeightLimit, events())
		}
		for range 3 {
			if tmpl := limit(weight + 319); !tmpl.Overweight() || events() != 1 {
				t.Errorf("weight %d, limit %d: %d events", weight, tmpl.WeightLimit, events())
			}
		}
		limit(4_000_000)
		events()
		if limit(100); events() != 2 {
			t.Errorf("%d events, want 2", events())
		}
		if s := n.Status().Nodes[0]; s.State != StateReady {
			t.Errorf("node %+v", s)
		}
	})
}

// renamed makes a node call its chain otherwise.
func renamed(chain string) func(*fakeNode) {
	return func(f *fakeNode) {
		f.script["getblockchaininfo"] = always(fakeAnswer{result: map[string]any{"chain": chain, "blocks": 10, "headers": 10}})
	}
}

// genesis gives a node another block 0.
func genesis(h bitcoin.Hash) func(*fakeNode) {
	return func(f *fakeNode) { f.blocks[0].hash = h }
}

// btcd has neither getnetworkinfo nor rules, and no commitment for an empty
// block; its list of soft forks says whether segwit is active.
func TestBtcd(t *testing.T) {
	for status, want := range map[string]bool{"active": true, "lockedin": false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeNode(bitcoin.Regtest, 10)
			f.template = func(m map[string]any) { btcdTemplate(m) }
			f.script["getnetworkinfo"] = always(fakeAnswer{err: &RPCError{Code: codeMisc, Message: "Command unimplemented"}})
			f.script["getblockchaininfo"] = always(fakeAnswer{result: map[string]any{
				"chain": "regtest", "blocks": 10, "headers": 10, "softforks": []any{},
				"bip9_softforks": map[string]any{"segwit": map[string]any{"status": status}},
			}})
			n := start(t, Config{}, f)
			tmpl := next(t, n, time.Second)
			if got := tmpl.WitnessCommitment != nil; got != want {
				t.Errorf("segwit %s: commitment %x", status, tmpl.WitnessCommitment)
			}
			time.Sleep(time.Second)
			if s := n.Status().Nodes[0]; s.State != StateReady || s.Connections != 2 || s.ConnectionsIn != 1 {
				t.Errorf("node %+v", s)
			}
			f.with(func(f *fakeNode) { f.txs = makeTxs(2, 0) })
			f.mine(1)
			if tmpl := next(t, n, time.Second); len(tmpl.Transactions) != 2 || tmpl.WitnessCommitment == nil {
				t.Errorf("template %+v", tmpl)
			}
		})
	}
}

func TestFailoverAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 10), newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		time.Sleep(15 * time.Second)

		a.with(func(a *fakeNode) { a.dead = true })
		if tmpl := next(t, n, 2*time.Second); tmpl.Node != "b" {
			t.Fatalf("template from %s", tmpl.Node)
		}
		s := n.Status()
		if s.Active != "b" || s.Nodes[0].State != StateUnreachable || s.Nodes[0].Reason == "" || s.Nodes[1].State != StateReady {
			t.Errorf("active %q, nodes %+v", s.Active, s.Nodes)
		}
		tip := b.mine(1)
		if tmpl := next(t, n, 1100*time.Millisecond); tmpl.Node != "b" || tmpl.PrevHash != tip {
			t.Errorf("template %+v", tmpl)
		}

		// Back, but behind: it has to catch up and stay well for a while.
		a.with(func(a *fakeNode) { a.dead = false })
		time.Sleep(7 * time.Second)
		if got := n.Status(); got.Active != "b" || got.Nodes[0].State != StateReady {
			t.Errorf("active %q, a %+v", got.Active, got.Nodes[0])
		}
		time.Sleep(40 * time.Second)
		if got := n.Status(); got.Active != "b" || got.Nodes[0].State != StateSyncing || !strings.Contains(got.Nodes[0].Reason, "1 blocks behind") {
			t.Errorf("active %q, a %+v", got.Active, got.Nodes[0])
		}
		a.mine(1)
		back := time.Now()
		for n.Status().Active != "a" {
			if time.Since(back) > 2*time.Minute {
				t.Fatalf("did not return; %+v", n.Status().Nodes)
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(back); took < returnAfter {
			t.Errorf("returned after %v", took)
		}
		nextFrom(t, n, "a", time.Second)
	})
}

// The active node gets stuck: the other one takes over.
func TestActiveFallsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 10), newFakeNode(bitcoin.Regtest, 10)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		tip := b.mine(2)
		time.Sleep(behindAfter - time.Second)
		if got := n.Status().Active; got != "a" {
			t.Errorf("active %q after %s", got, behindAfter)
		}
		time.Sleep(25 * time.Second)
		if got := n.Status(); got.Active != "b" || got.Tip.Hash != tip {
			t.Errorf("active %q, tip %+v", got.Active, got.Tip)
		}
	})
}

// A standby on another chain is refused, and said so.
func TestStandbyOnOtherNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Signet, 10), newFakeNode(bitcoin.Testnet4, 10)
		b.delay["getblockchaininfo"] = time.Second
		n := start(t, Config{}, a, b)
		next(t, n, time.Second)
		time.Sleep(5 * time.Second)
		s := n.Status()
		if s.Active != "a" || s.Nodes[1].State != StateWrongNetwork || !strings.HasPrefix(s.NetworkErr, "b: ") {
			t.Errorf("active %q, nodes %+v, error %q", s.Active, s.Nodes, s.NetworkErr)
		}
	})
}

// An active node that gives a template that must not be mined on is left.
func TestRefusedTemplateFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Mainnet, 10), newFakeNode(bitcoin.Mainnet, 10)
		n := start(t, Config{}, a, b)
		nextFrom(t, n, "a", time.Second)
		time.Sleep(5 * time.Second)
		a.with(func(a *fakeNode) {
			a.template = func(m map[string]any) { m["default_witness_commitment"] = strings.Repeat("00", 38) }
		})
		n.Refresh()
		if tmpl := next(t, n, time.Second); tmpl.Node != "b" {
			t.Errorf("template from %s", tmpl.Node)
		}
		if s := n.Status(); s.Nodes[0].State != StateRefused || !strings.Contains(s.Nodes[0].Reason, "default_witness_commitment") {
			t.Errorf("a %+v", s.Nodes[0])
		}
	})
}

func TestNewRefuses(t *testing.T) {
	_, err := New(Config{}, discard())
	if !errors.Is(err, ErrNoNodes) {
		t.Errorf("error %v", err)
	}
	_, err = New(Config{Nodes: []NodeConfig{
		{URL: "ftp://u:hunter2@h"},
		{URL: "http://u:hunter2@[::1"},
		{URL: ""},
		{Name: "x", URL: "http://h"}, {Name: "x", URL: "http://h"},
		{URL: "http://h", ZMQRawBlock: "127.0.0.1:28332"},
	}}, discard())
	for _, want := range []error{ErrURL, ErrDuplicateName, ErrZMQAddress} {
		if !errors.Is(err, want) {
			t.Errorf("%v is missing in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("error %v", err)
	}
}

// A Run that ends leaves nothing behind, whatever was going on.
func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.delay["getblocktemplate"] = 20 * time.Second
		n := newTestNodes(t, Config{Nodes: []NodeConfig{{ZMQHashBlock: "tcp://127.0.0.1:1"}}}, f)
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		if err := n.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}
