package e2e

import (
	"bytes"
	"crypto/tls"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// TestDemo is the promise of the README: one command, and within 90 seconds of
// a cold start at least two blocks were found, by a miner, through the pool,
// accepted by the node, paid to the miner, and shown truthfully.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	begin := time.Now()
	p := start(t, dir, demoFlags()...)
	nodes.WaitFor(t, 90*time.Second-time.Since(begin), "two blocks found", func() bool { return len(p.blocks(t)) >= 2 })
	t.Logf("two blocks %s after the start", time.Since(begin).Round(time.Second))

	t.Run("the chain contains the blocks and they pay the miner", func(t *testing.T) {
		for _, b := range settledBlocks(t, p, p.Node()) {
			wantDemoBlock(t, p.Node(), b)
		}
	})

	t.Run("the overview agrees with itself and the chain", func(t *testing.T) {
		nodes.WaitFor(t, 60*time.Second, "the overview shows both miners at work", func() bool {
			o := get[overview](t, p, "/api/overview")
			return o.ActiveMiners == 2 && len(o.Workers) == 2 && o.PoolHashrate > 0 && o.accepted() > 0
		})
		nodes.WaitFor(t, 20*time.Second, "the API shows the height of the chain's tip", func() bool {
			height := get[struct {
				Height int64 `json:"block_height"`
			}](t, p, "/api/pool-hashrate").Height
			return height == p.Node().Height(t)
		})
		nodes.WaitFor(t, 20*time.Second, "every block that the API lists and that is not stale counts as accepted", func() bool {
			inChain := 0
			for _, b := range p.blocks(t) {
				if b.Result != "stale" {
					inChain++
				}
			}
			return get[poolPage](t, p, "/api/pool-page").BlocksAccepted >= uint64(inChain)
		})
	})

	t.Run("the workers' pages agree with what was on their wires", func(t *testing.T) { wantWorkers(t, p) })

	t.Run("the node would take our blocks", func(t *testing.T) { wantProposalsPassed(t, p) })

	t.Run("the page is served", func(t *testing.T) {
		status, body := fetch(t, p, "/")
		if status != http.StatusOK || !bytes.Contains(body, []byte("<title>")) {
			t.Errorf("GET /: %d %s", status, body)
		}
	})

	t.Run("junk on every port harms nobody", func(t *testing.T) { junkEverywhere(t, p) })

	t.Run("ends in time with miners connected", func(t *testing.T) {
		dialStratum(t, p.Stratum).call(1, "mining.subscribe", "e2e/1.0")
		dialStratum(t, p.StratumTLS) // and never begins its handshake
		p.stop(t)
	})

	t.Run("continues where it was", func(t *testing.T) {
		books := readBooks(t, dir)
		restarted := time.Now()
		again := start(t, dir, demoFlags()...)
		nodes.WaitFor(t, startLimit, "the old blocks are shown again", func() bool {
			return len(again.blocks(t)) >= min(len(books), 100)
		})
		for _, b := range books {
			if b.state == "stale" || b.state == "rejected" {
				continue
			}
			if got := again.Node().BlockAt(t, b.height); got.Hash != b.hash {
				t.Errorf("after the restart, block %d of the chain is %s; the books say %s", b.height, got.Hash, b.hash)
			}
		}
		nodes.WaitFor(t, 60*time.Second, "a new block after the restart", func() bool {
			return again.blocks(t)[0].Timestamp.After(restarted)
		})
		again.stop(t)
	})
}

// wantDemoBlock compares a block of the API with the node's own view of it.
func wantDemoBlock(t *testing.T, node nodes.RPC, b foundBlock) {
	t.Helper()
	onChain := node.BlockAt(t, b.Height)
	if !sameHash(b.Hash, onChain.Hash) {
		t.Errorf("block %d is shown as %s, the chain has %s", b.Height, b.Hash, onChain.Hash)
		return
	}

	coinbase := onChain.Tx[0]
	payout := coinbase.Vout[0]
	if sats(payout.Value) != b.WorkerPayoutSats || b.PoolFeeSats != 0 {
		t.Errorf("block %d pays %d in its first output, the API says %d and a fee of %d",
			b.Height, sats(payout.Value), b.WorkerPayoutSats, b.PoolFeeSats)
	}
	for i, out := range coinbase.Vout[1:] {
		if out.Value != 0 {
			t.Errorf("block %d pays %v to output %d; the whole value is the miner's", b.Height, out.Value, i+1)
		}
	}
	// A name is shown as the first and last eight characters of its address.
	address := payout.ScriptPubKey.Address
	if !strings.HasPrefix(b.Worker, address[:8]+"..."+address[len(address)-8:]+".") {
		t.Errorf("block %d pays %s, and the API says that %s found it", b.Height, address, b.Worker)
	}
}

// sats turns the RPC's bitcoin into satoshis.
func sats(bitcoin float64) int64 { return int64(math.Round(bitcoin * 1e8)) }

// junkEverywhere sends things to every port that do not belong there, and then
// wants honest work to go on.
func junkEverywhere(t *testing.T, p *running) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 128<<10)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	junk := map[string][]byte{
		"noise":           noise,
		"nothing":         {},
		"a web browser":   []byte("GET / HTTP/1.1\r\nHost: pool\r\n\r\n"),
		"an endless line": bytes.Repeat([]byte("{"), 256<<10),
		"half a line":     []byte(`{"id": 1, "method": "mining.sub`),
		"deep JSON":       append(bytes.Repeat([]byte(`[`), 20_000), '\n'),
		"wrong types":     []byte("{\"id\":1,\"method\":7,\"params\":{}}\n[]\nnull\n\"x\"\n{\"method\":\"mining.submit\",\"params\":[1,2,3,4,5],\"id\":{}}\n"),
		"a TLS hello":     tlsHello(t),
	}
	for name, address := range map[string]string{
		"http": p.HTTP, "stratum": p.Stratum, "stratum_tls": p.StratumTLS, "node_rpc": p.NodeRPC, "node_zmq": p.NodeZMQ,
	} {
		for what, data := range junk {
			conn, err := net.DialTimeout("tcp", address, 5*time.Second)
			if err != nil {
				t.Errorf("%s no longer takes connections: %v", name, err)
				break
			}
			// Writes may fail: being thrown out is a good answer to this.
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = conn.Write(data)
			if what == "half a line" {
				t.Cleanup(func() { conn.Close() }) // stays, saying nothing more
				continue
			}
			conn.Close()
		}
	}

	before := get[overview](t, p, "/api/overview").accepted()
	height := p.Node().Height(t)
	nodes.WaitFor(t, 60*time.Second, "shares and a block after the junk", func() bool {
		return get[overview](t, p, "/api/overview").accepted() > before && p.Node().Height(t) > height
	})
	if !p.ready(t) {
		t.Error("it is not ready any more")
	}
	if strings.Contains(p.Output(), "panic") {
		t.Error("something panicked")
	}
}

// tlsHello is the first that a TLS client says.
func tlsHello(t *testing.T) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		// It never gets an answer; the pipe is closed under it.
		_ = tls.Client(client, &tls.Config{ServerName: "pool", MinVersion: tls.VersionTLS12}).Handshake()
	}()
	hello := make([]byte, 4096)
	n, err := server.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	return hello[:n]
}
