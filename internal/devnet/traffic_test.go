package devnet

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Traffic, templates and blocks together: what the wallet sends is accepted
// by the mempool, served in a valid order, and mined.
func TestTrafficIsMined(t *testing.T) {
	n := start(t, easy(t))
	n.api.templates.maxAge = 0
	kinds := map[scriptKind]bool{}
	rates := map[int64]bool{}
	depends := 0
	mined := 0
	for range 12 {
		for range 40 {
			if err := n.traffic.send(); err != nil {
				t.Fatal(err)
			}
		}
		g := getTemplate(t, n)
		position := map[string]int{}
		var fees int64
		for i, tx := range g.Transactions {
			fees += tx.Fee
			rates[tx.Fee/(tx.Weight/4)] = true
			depends += len(tx.Depends)
			for _, d := range tx.Depends {
				if d < 1 || d > i {
					t.Fatalf("transaction %d depends on %d", i+1, d)
				}
			}
			// Every input is either in the chain or earlier in the template.
			raw, err := hex.DecodeString(tx.Data)
			if err != nil {
				t.Fatal(err)
			}
			var msg wire.MsgTx
			if err := msg.Deserialize(bytes.NewReader(raw)); err != nil {
				t.Fatal(err)
			}
			if got := msg.TxHash().String(); got != tx.TxID {
				t.Errorf("txid %s, want %s", tx.TxID, got)
			}
			if got := msg.WitnessHash().String(); got != tx.Hash {
				t.Errorf("hash %s, want %s", tx.Hash, got)
			}
			if got := int64(3*msg.SerializeSizeStripped() + msg.SerializeSize()); got != tx.Weight {
				t.Errorf("weight %d, want %d", tx.Weight, got)
			}
			position[tx.TxID] = i + 1
			for _, in := range msg.TxIn {
				entry, err := n.engine.unspent(in.PreviousOutPoint)
				if err != nil {
					t.Fatal(err)
				}
				if entry == nil && position[in.PreviousOutPoint.Hash.String()] == 0 {
					t.Fatalf("transaction %d spends %v, which is nowhere", i+1, in.PreviousOutPoint)
				}
			}
			for _, out := range msg.TxOut {
				kind, ok := n.wallet.owns(out.PkScript)
				if !ok {
					t.Fatalf("the wallet pays to a stranger: %x", out.PkScript)
				}
				kinds[kind] = true
			}
		}
		if want := int64(50e8) + fees; g.CoinbaseValue != want {
			t.Errorf("coinbasevalue %d, want %d", g.CoinbaseValue, want)
		}
		mined += len(g.Transactions)
		if v := submit(t, n, seal(t, blockOf(t, g))); v != "" {
			t.Fatalf("block with %d transactions: %s", len(g.Transactions), v)
		}
		if left := n.engine.pool.Count(); left != 0 {
			t.Errorf("%d transactions are left in the mempool", left)
		}
	}

	s := n.Status()
	if s.TxSent != uint64(mined) || s.TxErrors != 0 {
		t.Errorf("%d sent, %d refused, %d mined", s.TxSent, s.TxErrors, mined)
	}
	if len(kinds) != int(numKinds) || len(rates) < 20 || depends == 0 {
		t.Errorf("%d kinds of script, %d fee rates, %d dependencies", len(kinds), len(rates), depends)
	}
}

// What the miner earned is never spent, although it matures like the rest.
func TestWalletLeavesMinersCoins(t *testing.T) {
	cfg := regtest(t)
	cfg.TxRate = 0.001 // gives the classic network coins to spend
	n := start(t, cfg)
	if _, height := n.Tip(); height != premineBlocks {
		t.Fatalf("height %d, want %d", height, premineBlocks)
	}
	theirs := mine(t, n, 3)
	mine(t, n, 100)
	for range 200 {
		if err := n.traffic.send(); err != nil {
			t.Fatal(err)
		}
	}
	mine(t, n, 1)
	for _, hash := range theirs {
		id := call[struct{ Tx []string }](t, n, "getblock", hash).Tx[0]
		if out := call[map[string]any](t, n, "gettxout", id, 0); out == nil {
			t.Errorf("the coinbase of %s is spent", hash)
		}
	}
}

func TestTrafficGoesOnAfterRestart(t *testing.T) {
	cfg := easy(t)
	n := start(t, cfg)
	for range 100 {
		if err := n.traffic.send(); err != nil {
			t.Fatal(err)
		}
	}
	n.api.templates.maxAge = 0
	mine(t, n, 1)
	before, err := os.ReadFile(filepath.Join(cfg.DataDir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	cfg.TxRate = 50
	n = start(t, cfg)
	after, err := os.ReadFile(filepath.Join(cfg.DataDir, keyName))
	if err != nil || !bytes.Equal(before, after) {
		t.Fatalf("the wallet has another key (%v)", err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for n.Status().TxSent < 20 {
		if time.Now().After(deadline) {
			t.Fatalf("status %+v", n.Status())
		}
		time.Sleep(5 * time.Millisecond)
	}
	if s := n.Status(); s.TxErrors != 0 {
		t.Errorf("%d transactions were refused", s.TxErrors)
	}
}

func TestReorganisationReturnsTransactions(t *testing.T) {
	n := start(t, easy(t))
	n.api.templates.maxAge = 0
	for range 30 {
		if err := n.traffic.send(); err != nil {
			t.Fatal(err)
		}
	}
	first := mine(t, n, 1)[0]
	// One coinbase is mature on this tip but not on the one before it; what
	// spends it could not come back.
	n.traffic.refill()
	n.traffic.ready = slices.DeleteFunc(n.traffic.ready, func(c coin) bool {
		return !c.isSpendable(premineBlocks, n.Params())
	})
	for range 30 {
		if err := n.traffic.send(); err != nil {
			t.Fatal(err)
		}
	}
	mine(t, n, 1)
	if s := n.Status(); s.TxErrors != 0 || s.MempoolTxs != 0 {
		t.Fatalf("%d wallet transactions refused, %d not mined", s.TxErrors, s.MempoolTxs)
	}
	call[any](t, n, "invalidateblock", first)
	if got := n.engine.pool.Count(); got != 60 {
		t.Errorf("%d transactions in the mempool after the reorganisation, want 60", got)
	}
	g := getTemplate(t, n)
	if len(g.Transactions) != 60 {
		t.Errorf("%d transactions in the template, want 60", len(g.Transactions))
	}
	mine(t, n, 1)

	// Coinbases that are immature again take what spends them out of the
	// mempool: templates must not break.
	for range 30 {
		if err := n.traffic.send(); err != nil {
			t.Fatal(err)
		}
	}
	deep := call[string](t, n, "getblockhash", 120)
	call[any](t, n, "invalidateblock", deep)
	mine(t, n, 2)
}

func TestSplitGivesAllAway(t *testing.T) {
	tr := newTraffic(nil, nil, 1)
	for _, amount := range []int64{20_000, 60_001, 50e8} {
		for outs := 1; outs <= 4; outs++ {
			outputs := make([]*wire.TxOut, outs)
			for i := range outputs {
				outputs[i] = &wire.TxOut{}
			}
			tr.split(outputs, amount)
			var sum int64
			for _, o := range outputs {
				sum += o.Value
				if o.Value < amount/int64(2*outs) {
					t.Errorf("%d among %d: an output of %d", amount, outs, o.Value)
				}
			}
			if sum != amount {
				t.Errorf("%d among %d: sum %d", amount, outs, sum)
			}
		}
	}
}

func TestWalletScripts(t *testing.T) {
	n := open(t, easy(t))
	want := map[scriptKind]txscript.ScriptClass{
		kindP2WPKH: txscript.WitnessV0PubKeyHashTy,
		kindP2TR:   txscript.WitnessV1TaprootTy,
		kindP2PKH:  txscript.PubKeyHashTy,
	}
	for kind, class := range want {
		if got := txscript.GetScriptClass(n.wallet.scripts[kind]); got != class {
			t.Errorf("kind %d: %v, want %v", kind, got, class)
		}
	}
}

// What the wallet index says must be what the chain says.
func TestCoinIndexAgreesWithChain(t *testing.T) {
	n := start(t, easy(t))
	n.api.templates.maxAge = 0
	for range 5 {
		for range 20 {
			if err := n.traffic.send(); err != nil {
				t.Fatal(err)
			}
		}
		mine(t, n, 1)
	}
	for _, height := range []int64{212, 214, 213} {
		call[any](t, n, "invalidateblock", call[string](t, n, "getblockhash", min(height, int64(n.engine.chain.BestSnapshot().Height))))
		var listed int64
		for _, c := range n.engine.coins.list() {
			entry, err := n.engine.unspent(c.point)
			if err != nil {
				t.Fatal(err)
			}
			if entry == nil || entry.Amount() != c.value || entry.BlockHeight() != c.height || entry.IsCoinBase() != c.coinbase {
				t.Fatalf("coin %+v is not in the chain: %+v", c, entry)
			}
			listed += c.value
		}
		// Nothing is missing: the wallet owns all coins but the miner's.
		best := n.engine.chain.BestSnapshot()
		total := int64(0)
		for h := int32(1); h <= best.Height; h++ {
			total += int64(subsidy(h, n.Params()))
		}
		theirs := int64(0)
		for h := int64(premineBlocks) + 1; h <= int64(best.Height); h++ {
			point := coinbasePoint(t, n, h)
			entry, err := n.engine.unspent(point)
			if err != nil || entry == nil {
				t.Fatalf("no coinbase at %d: %v", h, err)
			}
			theirs += entry.Amount()
		}
		if listed+theirs != total {
			t.Errorf("height %d: the wallet has %d, miners %d, together not %d", best.Height, listed, theirs, total)
		}
		mine(t, n, 2)
	}
}
