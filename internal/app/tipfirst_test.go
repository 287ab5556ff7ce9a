package app

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/devnet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// A block that is mined on an announced tip, before the node gave a template
// for it, is accepted by a node with the rules of consensus.
func TestBlockOnAnnouncedTipIsAccepted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	chain, err := devnet.New(devnet.Config{
		DataDir: t.TempDir(), RPCListen: "127.0.0.1:0", ZMQListen: "127.0.0.1:0", Regtest: true, BlockInterval: time.Second, Hashrate: 1,
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = chain.Close() }()
	o := DemoOptions{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", Stratum: "127.0.0.1:0", Miners: 1}
	cfg := demoConfig(o)
	useDevnet(cfg, chain, demoDifficulty(1e6, o.Miners))
	p := &poolParts{cfg: cfg, log: log}
	err = p.bind(ctx, telemetry.Build{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	// All parts end before what they use is closed.
	var parts sync.WaitGroup
	defer parts.Wait()
	defer cancel()
	run := func(do func(context.Context) error) { parts.Go(func() { _ = do(ctx) }) }
	run(chain.Run)
	run(p.nodes.Run)
	run(p.ledger.Run)
	run(p.pool.Run)
	run(func(ctx context.Context) error { return p.pool.Serve(ctx, p.stratum[0], pool.ListenerOptions{}) })

	// One template for the pool; from here on it hears of tips only.
	p.pool.SetTemplate(<-p.nodes.Templates())
	address := strings.TrimSuffix(demoUser(0), ".miner1")
	rpc(t, chain, "generatetoaddress", 1, address)
	announced, height := chain.Tip()
	for {
		tip := <-p.nodes.Tips()
		if tip.Hash == announced {
			p.pool.SetTip(tip)
			break
		}
	}

	m, err := miner.New(miner.Config{Pool: p.ports().Stratum, User: demoUser(0), Threads: 1, MaxHashrate: 1000}, log)
	if err != nil {
		t.Fatal(err)
	}
	run(m.Run)
	for {
		if _, now := chain.Tip(); now > height {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal("no block was accepted on the announced tip")
		case <-time.After(10 * time.Millisecond):
		}
	}
	var hash string
	if err := json.Unmarshal(rpc(t, chain, "getblockhash", height+1), &hash); err != nil {
		t.Fatal(err)
	}
	var block struct {
		Tx       []string `json:"tx"`
		Previous string   `json:"previousblockhash"`
	}
	if err := json.Unmarshal(rpc(t, chain, "getblock", hash), &block); err != nil {
		t.Fatal(err)
	}
	if block.Previous != announced.String() || len(block.Tx) != 1 {
		t.Errorf("block on %s with %d transactions, want on %s with the coinbase alone", block.Previous, len(block.Tx), announced)
	}
}

// rpc calls a method of the node with its cookie.
func rpc(t *testing.T, chain *devnet.Node, method string, params ...any) json.RawMessage {
	t.Helper()
	cookie, err := os.ReadFile(chain.CookieFile())
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(cookie), ":")
	body, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+chain.RPCAddr(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Result json.RawMessage
		Error  any
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Error != nil {
		t.Fatalf("%s: %v %v", method, err, answer.Error)
	}
	return answer.Result
}
