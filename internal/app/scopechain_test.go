package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/devnet"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/stratum"
)

// A block that somebody else's pool gets from a miner behind the scope goes to
// our own node as well, which takes it by the rules of consensus.
func TestScopeSubmitsBlock(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	network, err := devnet.New(devnet.Config{
		DataDir: t.TempDir(), RPCListen: "127.0.0.1:0", ZMQListen: "127.0.0.1:0", Regtest: true, BlockInterval: time.Second, Hashrate: 1, TxRate: 20,
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = network.Close() }()
	o := DemoOptions{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", Stratum: "127.0.0.1:0", Miners: 1}
	cfg := demoConfig(o)
	useDevnet(cfg, network, demoDifficulty(1e6, o.Miners))
	chain, parts, err := scopeNodes(cfg, log)
	if err != nil || chain == nil {
		t.Fatal(chain, err)
	}
	a := audit.New(audit.Config{Chain: chain}, log)
	recorder := capture.New(capture.Config{Analyst: a}, log)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, p := range append(parts, part{"network", network.Run}, part{"audit", a.Run}, part{"capture", recorder.Run}) {
		running.Go(func() { _ = p.run(ctx) })
	}

	template := templateWithTransactions(ctx, t, chain)
	header, notify, submit := soleShare(t, template)
	tape := recorder.Open(capture.Opening{ID: "s", Origin: capture.OriginProxy, Pool: "pool.example:3333", At: time.Now()})
	say := func(d capture.Direction, line string) {
		tape.Chunk(d, []byte(line), time.Now()).Forwarded(time.Now())
	}
	say(capture.MinerToPool, `{"id":1,"method":"mining.subscribe","params":[]}`+"\n")
	say(capture.PoolToMiner, `{"id":1,"result":[[["mining.notify","1"]],"01020304",8],"error":null}`+"\n")
	say(capture.PoolToMiner, `{"id":null,"method":"mining.set_difficulty","params":[1]}`+"\n")
	say(capture.PoolToMiner, notify)
	say(capture.MinerToPool, submit)

	hash := header.Hash()
	for {
		if tip, _ := network.Tip(); tip == hash {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the node has no block %s; alarms %+v", hash, a.Alarms(audit.AlarmFilter{}).Alarms)
		case <-time.After(10 * time.Millisecond):
		}
	}
	for a.Status().Submitted == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	alarms := a.Alarms(audit.AlarmFilter{Kind: audit.AlarmBlock}).Alarms
	if len(alarms) != 1 || !strings.Contains(alarms[0].Text, "accepted") {
		t.Errorf("alarms %+v", alarms)
	}
	state, err := chain.Known(ctx, hash)
	if err != nil || !state.Known || !state.InBest || state.Height != template.Height {
		t.Errorf("the node knows %+v, %v", state, err)
	}
}

// templateWithTransactions waits until the node's traffic has begun.
func templateWithTransactions(ctx context.Context, t *testing.T, chain *scopeChain) *node.Template {
	t.Helper()
	for {
		chain.mu.Lock()
		for _, template := range chain.templates {
			if len(template.Transactions) > 0 && template.PrevHash == chain.tip.Hash {
				chain.mu.Unlock()
				return template
			}
		}
		chain.mu.Unlock()
		select {
		case <-ctx.Done():
			t.Fatal("no template with transactions")
		case <-time.After(100 * time.Millisecond):
			chain.nodes.(*node.Nodes).Refresh()
		}
	}
}

// soleShare makes the job of a pool on a template, and finds a block of it.
func soleShare(t *testing.T, template *node.Template) (h bitcoin.Header, notify, submit string) {
	t.Helper()
	script, err := bitcoin.PayoutScript(strings.TrimSuffix(demoUser(0), ".miner1"), template.Network)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := (&bitcoin.CoinbaseTemplate{
		Height: template.Height, Extranonce1Size: 4, Extranonce2Size: 8,
		Outputs: []bitcoin.TxOut{{Value: template.CoinbaseValue, Script: script}}, WitnessCommitment: template.WitnessCommitment,
	}).Build()
	if err != nil {
		t.Fatal(err)
	}
	txids := make([]bitcoin.Hash, len(template.Transactions))
	for i := range template.Transactions {
		txids[i] = template.Transactions[i].TxID
	}
	branches := bitcoin.MerkleBranches(txids)
	line := stratum.AppendNotifyHead(nil, &stratum.Notify{
		JobID: "1", PrevHash: template.PrevHash, Coinbase: parts, Branches: branches,
		Version: template.Version, Bits: template.Bits, Time: template.CurTime,
	})
	extranonce2 := []byte{9, 8, 7, 6, 5, 4, 3, 2}
	coinbase := append(append(append(append([]byte{}, parts.Prefix...), 1, 2, 3, 4), extranonce2...), parts.Suffix...)
	h = bitcoin.Header{
		Version: template.Version, PrevHash: template.PrevHash, Time: template.CurTime, Bits: template.Bits,
		MerkleRoot: bitcoin.MerkleRoot(bitcoin.DoubleSHA256(coinbase), branches),
	}
	target, err := bitcoin.TargetFromBits(template.Bits)
	if err != nil {
		t.Fatal(err)
	}
	for hash := h.Hash(); !hash.Meets(&target); hash = h.Hash() {
		h.Nonce++
	}
	submit = fmt.Sprintf(`{"id":4,"method":"mining.submit","params":["w","1",%q,"%08x","%08x"]}`+"\n", hex.EncodeToString(extranonce2), h.Time, h.Nonce)
	return h, string(line) + stratum.CleanTail, submit
}

// judge is a node client that says what it is told to say.
type judge struct{ results []node.SubmitResult }

func (j judge) BlockStatus(context.Context, bitcoin.Hash) (node.BlockStatus, error) {
	return node.BlockStatus{}, errors.New("down")
}

func (j judge) SubmitBlock(context.Context, []byte, bitcoin.Hash) []node.SubmitResult {
	return j.results
}

// The scope follows the node's tips: the time of the first is not known.
func TestScopeChainFollowsTips(t *testing.T) {
	c := newScopeChain(judge{[]node.SubmitResult{
		{Node: "a", Verdict: node.Rejected, Reason: "bad-txns"}, {Node: "b", Verdict: node.Unreachable, Err: errors.New("refused")},
	}})
	if _, ok := c.Tip(); ok {
		t.Error("a tip before the first template")
	}
	first, second := bitcoin.Hash{1}, bitcoin.Hash{2}
	at := time.Unix(1_700_000_000, 0)
	c.SetTemplate(&node.Template{Network: bitcoin.Regtest, PrevHash: first, Height: 8, Bits: 5, ReceivedAt: at, Transactions: make([]node.Tx, 3)})
	if tip, ok := c.Tip(); !ok || tip != (audit.Tip{Hash: first, Height: 7, Bits: 5, Transactions: 3}) || c.Network() != bitcoin.Regtest {
		t.Errorf("tip %+v", tip)
	}
	c.SetTip(node.Tip{Hash: second, Height: 8, SeenAt: at})
	if tip, _ := c.Tip(); tip != (audit.Tip{Hash: second, Height: 8, SeenAt: at, Transactions: -1}) {
		t.Errorf("tip %+v", tip)
	}
	c.SetTemplate(&node.Template{PrevHash: second, Height: 9, Bits: 6, ReceivedAt: at.Add(time.Second)})
	if tip, _ := c.Tip(); tip != (audit.Tip{Hash: second, Height: 8, SeenAt: at, Bits: 6}) {
		t.Errorf("tip %+v", tip)
	}
	if verdict, ok := c.Submit(t.Context(), nil, first); ok || verdict != "node a: rejected (bad-txns); node b: unreachable (refused)" {
		t.Errorf("verdict %q, %t", verdict, ok)
	}
	if _, err := c.Known(t.Context(), first); err == nil {
		t.Error("a node that is down knows blocks")
	}
	for range 3 * maxScopeTemplates {
		c.SetTemplate(&node.Template{PrevHash: second, Height: 9})
	}
	if len(c.templates) != maxScopeTemplates {
		t.Errorf("%d templates", len(c.templates))
	}
}
