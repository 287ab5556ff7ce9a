package devnet

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// spend makes a transaction that spends an anyone-can-spend output.
func spend(point wire.OutPoint, values ...int64) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&point, nil, nil))
	for _, v := range values {
		// Long enough for the mempool's lower bound on transactions.
		tx.AddTxOut(wire.NewTxOut(v, bytes.Repeat([]byte{0x51}, 34)))
	}
	return tx
}

// coinbasePoint returns the first output of a block's coinbase.
func coinbasePoint(t testing.TB, n *Node, height int64) wire.OutPoint {
	t.Helper()
	hash := call[string](t, n, "getblockhash", height)
	block := call[struct{ Tx []string }](t, n, "getblock", hash)
	id, err := chainhash.NewHashFromStr(block.Tx[0])
	if err != nil {
		t.Fatal(err)
	}
	return wire.OutPoint{Hash: *id}
}

func TestSubmitBlockVerdicts(t *testing.T) {
	n := start(t, regtest(t))
	mine(t, n, 105)
	mature, young := coinbasePoint(t, n, 1), coinbasePoint(t, n, 100)
	nowhere := wire.OutPoint{Hash: chainhash.Hash{7}}
	const value = 50e8

	with := func(txs ...*wire.MsgTx) func(*wire.MsgBlock) {
		return func(b *wire.MsgBlock) {
			b.Transactions = append(b.Transactions, txs...)
			commit(t, b)
		}
	}
	edit := func(tx *wire.MsgTx, change func(*wire.MsgTx)) *wire.MsgTx {
		change(tx)
		return tx
	}
	coinbase := func(change func(tx *wire.MsgTx)) func(*wire.MsgBlock) {
		return func(b *wire.MsgBlock) { change(b.Transactions[0]) }
	}
	twice := spend(mature, value)

	for _, c := range []struct {
		want   string
		change func(*wire.MsgBlock)
	}{
		{"", func(*wire.MsgBlock) {}},
		{"", with(spend(mature, value-1000))},
		{"bad-diffbits", func(b *wire.MsgBlock) { b.Header.Bits = 0x1f7fffff }},
		{"time-too-old", func(b *wire.MsgBlock) { b.Header.Timestamp = n.engine.chain.BestSnapshot().MedianTime }},
		{"time-too-new", func(b *wire.MsgBlock) { b.Header.Timestamp = b.Header.Timestamp.Add(3 * time.Hour) }},
		{"prev-blk-not-found", func(b *wire.MsgBlock) { b.Header.PrevBlock = chainhash.Hash{9} }},
		{"bad-version(0x00000001)", func(b *wire.MsgBlock) { b.Header.Version = 1 }},

		{"bad-cb-height", coinbase(func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript[1]++ })},
		{"bad-cb-amount", coinbase(func(tx *wire.MsgTx) { tx.TxOut[0].Value++ })},
		{"bad-cb-length", coinbase(func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript = make([]byte, 101) })},
		{"bad-cb-multiple", func(b *wire.MsgBlock) {
			second := b.Transactions[0].Copy()
			second.LockTime++
			with(second)(b)
		}},
		{"bad-witness-merkle-match", coinbase(func(tx *wire.MsgTx) { tx.TxOut[1].PkScript[10]++ })},
		{"bad-witness-nonce-size", coinbase(func(tx *wire.MsgTx) { tx.TxIn[0].Witness[0] = make([]byte, 31) })},
		{"unexpected-witness", coinbase(func(tx *wire.MsgTx) { tx.TxOut = tx.TxOut[:1] })},

		{"bad-blk-length", coinbase(func(tx *wire.MsgTx) {
			for range 30_000 {
				tx.TxOut = append(tx.TxOut, wire.NewTxOut(0, make([]byte, 34)))
			}
		})},
		{"bad-blk-weight", with(edit(spend(mature, 1), func(tx *wire.MsgTx) {
			tx.TxIn[0].Witness = wire.TxWitness{make([]byte, 3_999_900)}
		}))},
		{"bad-blk-sigops", coinbase(func(tx *wire.MsgTx) {
			tx.TxOut = append(tx.TxOut, wire.NewTxOut(0, bytes.Repeat([]byte{0xae}, 1001)))
		})},

		{"bad-txns-vout-empty", with(spend(mature))},
		{"bad-txns-vout-negative", with(spend(mature, -1))},
		{"bad-txns-vout-toolarge", with(spend(mature, 21e14+1))},
		{"bad-txns-txouttotal-toolarge", with(spend(mature, 21e14, 21e14))},
		{"bad-txns-inputs-duplicate", with(edit(spend(mature, 1), func(tx *wire.MsgTx) { tx.TxIn = append(tx.TxIn, tx.TxIn[0]) }))},
		{"bad-txns-prevout-null", with(edit(spend(mature, 1), func(tx *wire.MsgTx) {
			tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), nil, nil))
		}))},
		{"bad-txns-duplicate", with(twice, twice)},
		{"bad-txns-inputs-missingorspent", with(spend(nowhere, 1))},
		{"bad-txns-premature-spend-of-coinbase", with(spend(young, 1))},
		{"bad-txns-in-belowout", with(spend(coinbasePoint(t, n, 2), value+1))},
		{"bad-txns-nonfinal", with(edit(spend(mature, 1), func(tx *wire.MsgTx) { tx.LockTime, tx.TxIn[0].Sequence = 1_000_000, 0 }))},
		{"mandatory-script-verify-flag-failed", with(edit(spend(coinbasePoint(t, n, 2), 1), func(tx *wire.MsgTx) {
			tx.TxIn[0].SignatureScript = []byte{0x75} // OP_DROP of nothing
		}))},
	} {
		name := c.want
		if name == "" {
			name = "accepted"
		}
		t.Run(name, func(t *testing.T) {
			b := blockOf(t, getTemplate(t, n))
			c.change(b)
			seal(t, b)

			// A proposal is judged alike, apart from what depends on the tip.
			proposed, rerr := callRaw(t, n, "getblocktemplate", map[string]any{
				"mode": "proposal", "data": hex.EncodeToString(blockBytes(b)), "rules": []string{"segwit"}})
			switch {
			case rerr != nil:
				t.Errorf("proposal: %v", rerr)
			case c.want == "" && string(proposed) != "null":
				t.Errorf("proposal of a good block: %s", proposed)
			case c.want == "prev-blk-not-found":
				if string(proposed) != `"inconclusive-not-best-prevblk"` {
					t.Errorf("proposal: %s", proposed)
				}
			case c.want != "" && !strings.HasPrefix(string(proposed), `"`+c.want):
				t.Errorf("proposal: %s, want %s", proposed, c.want)
			}

			_, before := n.Tip()
			got := submit(t, n, b)
			if got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want+" (")) {
				t.Errorf("verdict %q, want %q", got, c.want)
			}
			_, after := n.Tip()
			if moved := after != before; moved != (c.want == "") {
				t.Errorf("height went from %d to %d", before, after)
			}
		})
	}
}

// What a changed nonce or root does cannot be tried on a resealed block.
func TestSubmitBlockProofOfWork(t *testing.T) {
	n := start(t, easy(t))
	good := seal(t, blockOf(t, getTemplate(t, n)))

	bad := *good
	bad.Header.Nonce++
	if v := submit(t, n, &bad); v != "high-hash" {
		t.Errorf("unsolved block: %q, want high-hash", v)
	}
	bad = *good
	bad.Header.MerkleRoot[0]++
	if _, err := solve(t.Context(), &bad.Header, 0); err != nil {
		t.Fatal(err)
	}
	if v := submit(t, n, &bad); v != "bad-txnmrklroot" {
		t.Errorf("wrong root: %q, want bad-txnmrklroot", v)
	}
	for _, bits := range []uint32{0x207fffff + 0x01000000, 0, 0x1d80ffff} {
		bad = *good
		bad.Header.Bits = bits
		if v := submit(t, n, &bad); v != "high-hash" {
			t.Errorf("bits %08x: %q, want high-hash", bits, v)
		}
	}

	// The easiest target of the network is for blocks mined in advance only.
	easiest := blockOf(t, getTemplate(t, n))
	easiest.Header.Bits = powLimitBits
	if v := submit(t, n, seal(t, easiest)); v != "bad-diffbits" {
		t.Errorf("minimum difficulty: %q, want bad-diffbits", v)
	}
	if v := submit(t, n, good); v != "" {
		t.Errorf("good block: %q", v)
	}
	if v := submit(t, n, good); v != "duplicate" {
		t.Errorf("again: %q, want duplicate", v)
	}
}

func TestSubmitBlockFillsWitness(t *testing.T) {
	n := start(t, easy(t))
	b := blockOf(t, getTemplate(t, n))
	b.Transactions[0].TxIn[0].Witness = nil
	if v := submit(t, n, seal(t, b)); v != "" {
		t.Errorf("block without the reserved value: %q", v)
	}
}

func TestReorganisation(t *testing.T) {
	n := start(t, easy(t))
	g := getTemplate(t, n)
	first, rival := seal(t, blockOf(t, g)), seal(t, blockOf(t, g))
	if v := submit(t, n, first); v != "" {
		t.Fatal(v)
	}
	if v := submit(t, n, rival); v != "inconclusive" {
		t.Errorf("rival: %q, want inconclusive", v)
	}
	if v := submit(t, n, rival); v != "duplicate" {
		t.Errorf("rival again: %q, want duplicate", v)
	}
	rivalHash, firstHash := rival.BlockHash(), first.BlockHash()
	header := call[blockHeader](t, n, "getblockheader", rivalHash.String())
	if header.Confirmations != -1 || header.Height != g.Height || header.NextHash != "" {
		t.Errorf("rival has %d confirmations at %d", header.Confirmations, header.Height)
	}

	// A block on the rival makes its branch the longer one.
	child := blockOf(t, g)
	child.Header.PrevBlock = rivalHash
	coinbase, err := newCoinbase(int32(g.Height)+1, btcutil.Amount(g.CoinbaseValue), anyone, child.Transactions[0].TxOut[1].PkScript)
	if err != nil {
		t.Fatal(err)
	}
	child.Transactions = []*wire.MsgTx{coinbase}
	if v := submit(t, n, seal(t, child)); v != "" {
		t.Fatalf("child of the rival: %q", v)
	}
	childHash := child.BlockHash()
	if got := call[string](t, n, "getbestblockhash"); got != childHash.String() {
		t.Errorf("best %s, want %s", got, childHash)
	}
	if h := call[blockHeader](t, n, "getblockheader", firstHash.String()); h.Confirmations != -1 {
		t.Errorf("the abandoned block has %d confirmations", h.Confirmations)
	}

	// By hand: back to the first branch, and forward again.
	call[any](t, n, "invalidateblock", rivalHash.String())
	if got := call[string](t, n, "getbestblockhash"); got != firstHash.String() {
		t.Errorf("best %s after invalidateblock, want %s", got, firstHash)
	}
	if v := submit(t, n, rival); v != "duplicate-invalid" {
		t.Errorf("the invalid block again: %q, want duplicate-invalid", v)
	}
	orphan := *child
	orphan.Header.Timestamp = orphan.Header.Timestamp.Add(time.Second)
	if v := submit(t, n, seal(t, &orphan)); v != "bad-prevblk" {
		t.Errorf("a child of it: %q, want bad-prevblk", v)
	}
	call[any](t, n, "reconsiderblock", rivalHash.String())
	if got := call[string](t, n, "getbestblockhash"); got != childHash.String() {
		t.Errorf("best %s after reconsiderblock, want %s", got, childHash)
	}
	tips := call[[]chainTip](t, n, "getchaintips")
	if len(tips) != 2 {
		t.Errorf("%d tips, want 2: %v", len(tips), tips)
	}
	mine(t, n, 2)
}

func TestTxRejectsOfTheMempool(t *testing.T) {
	n := start(t, regtest(t))
	mine(t, n, 101)
	point := coinbasePoint(t, n, 1)
	for _, c := range []struct {
		name string
		tx   *wire.MsgTx
		code int
		want string
	}{
		{"missing input", spend(wire.OutPoint{Hash: chainhash.Hash{1}}, 1), codeTransaction, "bad-txns-inputs-missingorspent"},
		{"young coinbase", spend(coinbasePoint(t, n, 50), 1), codeRejected, "bad-txns-premature-spend-of-coinbase"},
		{"more out than in", spend(point, 51e8), codeRejected, "bad-txns-in-belowout"},
		{"negative output", spend(point, -1), codeRejected, "bad-txns-vout-negative"},
	} {
		_, rerr := callRaw(t, n, "sendrawtransaction", hex.EncodeToString(txBytes(c.tx)))
		if rerr == nil || rerr.Code != c.code || rerr.Message != c.want {
			t.Errorf("%s: %v, want %s (%d)", c.name, rerr, c.want, c.code)
		}
	}
	for _, junk := range []string{"", "zz", "00", hex.EncodeToString(append(txBytes(spend(point, 1)), 0))} {
		if _, rerr := callRaw(t, n, "sendrawtransaction", junk); rerr == nil || rerr.Code != codeDeserialization {
			t.Errorf("junk %q: %v, want code %d", junk, rerr, codeDeserialization)
		}
	}
}
