package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

func TestSubmitVerdicts(t *testing.T) {
	header := func(confirmations int64) fakeAnswer {
		return fakeAnswer{result: map[string]any{"confirmations": confirmations, "height": 7}}
	}
	unknown := fakeAnswer{err: &RPCError{Code: -5, Message: "Block not found"}}
	rpcError := func(code int) fakeAnswer { return fakeAnswer{err: &RPCError{Code: code, Message: "words"}} }
	late := 2 * submitTimeout
	for name, c := range map[string]struct {
		answer fakeAnswer
		delay  time.Duration
		header fakeAnswer
		want   SubmitVerdict
		reason string
		failed bool
	}{
		"accepted":                    {fakeAnswer{result: nullResult}, 0, unknown, Accepted, "", false},
		"accepted, empty text":        {fakeAnswer{result: ""}, 0, unknown, Accepted, "", false},
		"slow but accepted":           {fakeAnswer{result: nullResult}, 50 * time.Second, unknown, Accepted, "", false},
		"duplicate in the chain":      {fakeAnswer{result: "duplicate"}, 0, header(1), Duplicate, "duplicate", false},
		"duplicate beside the chain":  {fakeAnswer{result: "duplicate"}, 0, header(-1), Inconclusive, "duplicate (the node has the block, but not in its best chain)", false},
		"duplicate, no header call":   {fakeAnswer{result: "duplicate"}, 0, rpcError(-1), Duplicate, "duplicate", false},
		"duplicate-invalid":           {fakeAnswer{result: "duplicate-invalid"}, 0, header(-1), Rejected, "duplicate-invalid", false},
		"inconclusive, in the chain":  {fakeAnswer{result: "inconclusive"}, 0, header(3), Accepted, "the block is in the node's best chain", false},
		"inconclusive, beside":        {fakeAnswer{result: "inconclusive"}, 0, header(-1), Inconclusive, "inconclusive (the node has the block, but not in its best chain)", false},
		"inconclusive, unknown":       {fakeAnswer{result: "inconclusive"}, 0, unknown, Inconclusive, "inconclusive", false},
		"rejected":                    {fakeAnswer{result: "high-hash"}, 0, unknown, Rejected, "high-hash", false},
		"btcd has it already":         {fakeAnswer{result: "rejected: already have block x"}, 0, header(2), Duplicate, "rejected: already have block x", false},
		"btcd rejects":                {fakeAnswer{result: "rejected: block hash is higher"}, 0, unknown, Rejected, "rejected: block hash is higher", false},
		"parent is missing":           {fakeAnswer{result: "prev-blk-not-found"}, 0, unknown, Unreachable, "prev-blk-not-found", true},
		"parent came meanwhile":       {fakeAnswer{result: "prev-blk-not-found"}, 0, header(1), Duplicate, "prev-blk-not-found", false},
		"parent is invalid":           {fakeAnswer{result: "bad-prevblk"}, 0, unknown, Rejected, "bad-prevblk", false},
		"clock is behind":             {fakeAnswer{result: "time-too-new"}, 0, unknown, Unreachable, "time-too-new", true},
		"time is before the median":   {fakeAnswer{result: "time-too-old"}, 0, unknown, Rejected, "time-too-old", false},
		"btcd lacks the parent":       {fakeAnswer{result: "rejected: previous block 00ab is unknown"}, 0, unknown, Unreachable, "rejected: previous block 00ab is unknown", true},
		"btcd's clock is behind":      {fakeAnswer{result: "rejected: block timestamp of 2026-01-01 is too far in the future"}, 0, unknown, Unreachable, "rejected: block timestamp of 2026-01-01 is too far in the future", true},
		"node in trouble":             {rpcError(-25), 0, unknown, Unreachable, "The node answered with error -25: Words.", true},
		"does not decode":             {rpcError(-22), 0, unknown, Rejected, "words", false},
		"no coinbase":                 {rpcError(-8), 0, unknown, Rejected, "words", false},
		"warming up":                  {rpcError(-28), 0, unknown, Unreachable, "The node has just started: Words.", true},
		"answer lost, block in chain": {fakeAnswer{result: nullResult}, late, header(1), Accepted, "the answer was lost, but the block is in the node's best chain", false},
		"answer lost, block beside":   {fakeAnswer{result: nullResult}, late, header(-1), Inconclusive, "(the node has the block, but not in its best chain)", false},
		"answer lost, block unknown":  {fakeAnswer{result: nullResult}, late, unknown, Unreachable, "The node at a.example:8332 did not answer in time.", true},
		"unauthorized":                {fakeAnswer{status: 401}, 0, fakeAnswer{status: 401}, Unreachable, "The node refuses the user name and password, or the cookie (HTTP 401).", true},
		"garbage, but block in chain": {fakeAnswer{body: "<html>"}, 0, header(1), Accepted, "the answer was lost, but the block is in the node's best chain", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNode(bitcoin.Regtest, 3)
				f.on("submitblock", always(c.answer))
				f.on("getblockheader", always(c.header))
				f.with(func(f *fakeNode) { f.delay["submitblock"] = c.delay })
				n := newTestNodes(t, Config{}, f)
				got := n.SubmitBlock(t.Context(), []byte{0xab, 0xcd}, someHash)
				if len(got) != 1 || got[0].Node != "a" || got[0].Verdict != c.want || got[0].Reason != c.reason || (got[0].Err != nil) != c.failed {
					t.Errorf("got %+v, want %v %q", got, c.want, c.reason)
				}
				if c.failed && c.answer.result != nil && c.answer.result != nullResult && !errors.Is(got[0].Err, ErrNotYet) {
					t.Errorf("error %v", got[0].Err)
				}
				if calls := f.count("submitblock", time.Time{}); calls != 1 {
					t.Errorf("%d attempts", calls)
				}
				f.with(func(f *fakeNode) {
					if data := string(f.calls[0].params[0]); data != `"abcd"` {
						t.Errorf("sent %s", data)
					}
				})
			})
		})
	}
}

// All nodes get the block at the same time, usable or not.
func TestSubmitToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 3)
		a.delay["submitblock"] = 20 * time.Second
		b.dead = true
		c.on("submitblock", always(fakeAnswer{result: "bad-cb-amount"}))
		c.delay["submitblock"] = 5 * time.Second
		n := newTestNodes(t, Config{}, a, b, c)
		at := time.Now()
		var got []string
		for _, r := range n.SubmitBlock(t.Context(), []byte{1}, someHash) {
			got = append(got, fmt.Sprint(r.Node, " ", r.Verdict))
		}
		if diff := cmp.Diff([]string{"a accepted", "b unreachable", "c rejected"}, got); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(at); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
		if s := n.Status().RPC.Submit; s.Count != 2 || s.Last != 20*time.Second {
			t.Errorf("submit stats %+v", s)
		}
	})
}

// One node that has the block suffices: the others go on in the background.
func TestSubmitDoesNotWaitForSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 3)
		a.delay["submitblock"] = 20 * time.Second
		b.delay["submitblock"] = 2 * time.Second
		b.on("submitblock", always(fakeAnswer{result: "duplicate"}))
		c.on("submitblock", always(fakeAnswer{result: "bad-cb-amount"}))
		n := newTestNodes(t, Config{}, a, b, c)
		ctx, cancel := context.WithCancel(t.Context())
		at := time.Now()
		var got []string
		for _, r := range n.SubmitBlock(ctx, []byte{1}, someHash) {
			got = append(got, fmt.Sprint(r.Node, " ", r.Verdict))
		}
		cancel() // as a caller does that is done
		if diff := cmp.Diff([]string{"a pending", "b duplicate", "c rejected"}, got); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(at); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		drain(n.kick)
		time.Sleep(19 * time.Second)
		if s := n.Status().RPC; s.Submit.Count != 3 || s.Submit.Last != 20*time.Second {
			t.Errorf("stats %+v", s)
		}
		if len(n.kick) != 1 {
			t.Error("the late answer led to no new template")
		}
	})
}

// What goes on in the background ends by itself, and with Run.
func TestSubmitInBackgroundEnds(t *testing.T) {
	submit := func(t *testing.T, n *Nodes) {
		t.Helper()
		if got := n.SubmitBlock(t.Context(), []byte{1}, someHash); got[0].Verdict != Pending || got[1].Verdict != Accepted {
			t.Fatalf("got %+v", got)
		}
	}
	hung := func(t *testing.T) *Nodes {
		t.Helper()
		a, b := newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 3)
		a.hang("submitblock", "getblockheader")
		return newTestNodes(t, Config{}, a, b)
	}
	synctest.Test(t, func(t *testing.T) {
		n := hung(t)
		submit(t, n)
		at := time.Now()
		n.late.Wait()
		if took := time.Since(at); took != submitTimeout+resolveTimeout {
			t.Errorf("took %v", took)
		}
	})
	for name, wait := range map[string]time.Duration{
		"while it is sent":     time.Second,
		"while it is asked":    submitTimeout + time.Second,
		"when Run is over":     -1,
		"when nothing is left": submitTimeout + resolveTimeout + time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := hung(t)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- n.Run(ctx) }()
				synctest.Wait()
				if wait >= 0 {
					submit(t, n)
					time.Sleep(wait)
				}
				cancel()
				at := time.Now()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if wait < 0 {
					submit(t, n)
				}
				synctest.Wait()
				if took := time.Since(at); took != 0 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// When the caller's time is up the node is still asked what became of the
// block; when the program ends it is not.
func TestSubmitDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 3)
		f.delay["submitblock"] = time.Hour
		n := newTestNodes(t, Config{}, f)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if got := n.SubmitBlock(ctx, []byte{1}, f.tip())[0]; got.Verdict != Accepted {
			t.Errorf("got %+v", got)
		}

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		got := n.SubmitBlock(ctx, []byte{1}, f.tip())[0]
		if got.Verdict != Unreachable || !errors.Is(got.Err, context.Canceled) {
			t.Errorf("got %+v", got)
		}
	})
}

// A found block leads to a new template without waiting for anything else.
func TestSubmitRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		f.forgetful = true
		n := start(t, Config{}, f)
		next(t, n, time.Second)
		time.Sleep(1500 * time.Millisecond)
		tip := f.mine(1)
		n.SubmitBlock(t.Context(), []byte{1}, tip)
		if tmpl := next(t, n, time.Millisecond); tmpl.PrevHash != tip {
			t.Error("template of another tip")
		}
	})
}

func TestPropose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Signet, 10)
		n := newTestNodes(t, Config{}, f)
		if _, err := n.Propose(t.Context(), "", nil); !errors.Is(err, ErrNoNode) {
			t.Errorf("error %v", err)
		}
		run(t, n)
		next(t, n, time.Second)
		if reason, err := n.Propose(t.Context(), n.Status().Active, []byte{1, 2}); reason != "" || err != nil {
			t.Errorf("%q, %v", reason, err)
		}
		var sent struct {
			Mode, Data string
			Rules      []string
		}
		f.with(func(f *fakeNode) {
			for _, call := range f.calls {
				if call.method == "getblocktemplate" && strings.Contains(string(call.params[0]), "proposal") {
					_ = json.Unmarshal(call.params[0], &sent)
				}
			}
		})
		if sent.Mode != "proposal" || sent.Data != "0102" || !cmp.Equal(sent.Rules, []string{"segwit", "signet"}) {
			t.Errorf("sent %+v", sent)
		}
		if _, err := n.Propose(t.Context(), "another", nil); !errors.Is(err, ErrNoNode) {
			t.Errorf("a node that is not there: %v", err)
		}
		f.on("getblocktemplate", always(fakeAnswer{result: "bad-cb-amount"}))
		if reason, err := n.Propose(t.Context(), n.Status().Active, []byte{1, 2}); reason != "bad-cb-amount" || err != nil {
			t.Errorf("%q, %v", reason, err)
		}
		f.on("getblocktemplate", nil)
	})
}

func TestBlockStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 10)
		n := newTestNodes(t, Config{}, a, b)
		for i, want := range []BlockStatus{3: {true, 1, 3}, 0: {true, 4, 0}, 8: {true, 3, 8}} {
			if i != 0 && i != 3 && i != 8 {
				continue
			}
			if got, err := n.BlockStatus(t.Context(), b.blocks[i].hash); err != nil || got != want {
				t.Errorf("block %d: %+v, %v", i, got, err)
			}
		}
		if got, err := n.BlockStatus(t.Context(), someHash); err != nil || got != (BlockStatus{}) {
			t.Errorf("unknown block: %+v, %v", got, err)
		}

		// One node that answers suffices; none is an error.
		a.with(func(a *fakeNode) { a.dead = true })
		if got, err := n.BlockStatus(t.Context(), someHash); err != nil || got.Known {
			t.Errorf("one node left: %+v, %v", got, err)
		}
		b.with(func(b *fakeNode) { b.dead = true })
		if _, err := n.BlockStatus(t.Context(), someHash); err == nil {
			t.Error("no error without nodes")
		}

		// One that hangs takes no more than its share of the time, and does not
		// count as gone.
		b.with(func(b *fakeNode) { b.dead = false })
		a.with(func(a *fakeNode) { a.dead = false })
		a.hang("getblockheader")
		before := n.Status().RPC
		at := time.Now()
		if got, err := n.BlockStatus(t.Context(), b.blocks[8].hash); err != nil || got != (BlockStatus{true, 3, 8}) || time.Since(at) != statusTimeout {
			t.Errorf("first node hangs: %+v, %v, after %v", got, err, time.Since(at))
		}
		b.hang("getblockheader")
		at = time.Now()
		var late *timeoutError
		if _, err := n.BlockStatus(t.Context(), someHash); !errors.As(err, &late) || time.Since(at) != 2*statusTimeout {
			t.Errorf("both hang: %v after %v", err, time.Since(at))
		}
		if s := n.Status().RPC; s.Disconnects != before.Disconnects {
			t.Errorf("rpc %+v, before %+v", s, before)
		}
		a.with(func(a *fakeNode) { delete(a.delay, "getblockheader") })
		b.with(func(b *fakeNode) { b.dead = true })

		// btcd: an internal error for a block beside the chain.
		a.on("getblockheader", func(c fakeCall) fakeAnswer {
			if string(c.params[1]) == "true" {
				return fakeAnswer{err: &RPCError{Code: codeInternal, Message: "Failed to obtain block height"}}
			}
			return fakeAnswer{result: "00"}
		})
		if got, err := n.BlockStatus(t.Context(), someHash); err != nil || got != (BlockStatus{Known: true, Confirmations: -1}) {
			t.Errorf("beside the chain: %+v, %v", got, err)
		}
	})
}
