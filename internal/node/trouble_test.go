package node

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// A node that is gone, or not where the network is, says so; one that is some
// block behind a header does not.
func TestTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Mainnet, 10)
		chain := func(headers int) {
			f.on("getblockchaininfo", always(fakeAnswer{result: map[string]any{"chain": "main", "blocks": 10, "headers": headers}}))
		}
		peers := func(n int) {
			f.on("getnetworkinfo", always(fakeAnswer{result: map[string]any{"connections": n, "connections_in": 0, "connections_out": n, "subversion": "/Satoshi:29.0.0/"}}))
			f.on("getpeerinfo", always(fakeAnswer{result: []any{}}))
		}
		chain(10)
		peers(8)
		n := newTestNodes(t, Config{}, f)
		want := func(words string) {
			t.Helper()
			time.Sleep(2 * monitorInterval)
			synctest.Wait()
			got := n.Trouble()
			if words == "" && got != "" || !strings.Contains(got, words) {
				t.Errorf("trouble %q, want %q", got, words)
			}
		}
		if got := n.Trouble(); !strings.Contains(got, "No answer from the node yet") {
			t.Errorf("before the first answer: %q", got)
		}
		run(t, n)
		want("")
		chain(10 + muchBehind)
		want("")
		chain(10 + muchBehind + 1)
		want("lacks the last 4 blocks")
		chain(10)
		want("")
		peers(0)
		want("no connection to other nodes")
		peers(8)
		want("")
		f.with(func(f *fakeNode) { f.dead = true })
		want("Nothing listens")
		f.with(func(f *fakeNode) { f.dead = false })
		time.Sleep(time.Minute)
		want("")
	})
}
