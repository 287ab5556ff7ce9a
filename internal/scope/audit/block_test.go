package audit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	btcd "github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// transaction makes up a transaction with a witness.
func transaction(t testing.TB, n uint64) (raw []byte, txid, wtxid bitcoin.Hash) {
	t.Helper()
	tx := btcd.NewMsgTx(2)
	var prev btcd.OutPoint
	binary.LittleEndian.PutUint64(prev.Hash[:], n)
	in := btcd.NewTxIn(&prev, nil, nil)
	in.Witness = btcd.TxWitness{[]byte{1, 2, byte(n)}}
	tx.AddTxIn(in)
	tx.AddTxOut(btcd.NewTxOut(int64(n), []byte{0x51}))
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), bitcoin.Hash(tx.TxHash()), bitcoin.Hash(tx.WitnessHash())
}

// A share that is a block is told at once, and its block, when our node's
// templates have the transactions, is one that btcd's code finds whole.
func TestBlockIsSubmitted(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(c *chain)
		blocks  int
		says    string
		another string // kind of a further alarm
	}{
		{"the node takes it", func(*chain) {}, 1, "; our node has it: a: accepted.", ""},
		{"the node refuses it", func(c *chain) { c.refuse = "not " }, 1, "it is sent to our node as well", AlarmBlockNotSubmitted},
		{"other transactions", func(c *chain) { c.branch = []bitcoin.Hash{tipOf(77)} }, 0, "other transactions than", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var txids, wtxids []bitcoin.Hash
			c := &chain{}
			for n := range 5 {
				raw, txid, wtxid := transaction(t, uint64(n+1))
				c.body, txids, wtxids = append(c.body, raw), append(txids, txid), append(wtxids, wtxid)
			}
			c.branch = bitcoin.MerkleBranches(txids)
			branches := slices.Clone(c.branch)
			test.change(c)
			var share testShare
			var request, job uint64
			a, _ := play(t, Config{Chain: c}, func(w *wire) {
				c.set(Tip{Hash: tipOf(1), Height: 199, SeenAt: time.Now(), Bits: easyBits, Transactions: 5})
				s := newStage(w)
				j := s.job(1, true, func(j *testJob) {
					j.bits, j.branches = easyBits, branches
					parts, err := (&bitcoin.CoinbaseTemplate{
						Height: 200, Extranonce1Size: 4, Extranonce2Size: 8,
						Outputs:           []bitcoin.TxOut{{Value: 50_0000_0000, Script: script(t, alice)}},
						WitnessCommitment: bitcoin.WitnessCommitment(wtxids),
					}).Build()
					if err != nil {
						t.Fatal(err)
					}
					j.parts = parts
				})
				share = s.find(j, 1.0/65536, 1e9)
				request, _ = s.submit(share, yes)
				s.submit(share, rejection(22, "Duplicate"))
				job = j.n
			})
			if len(c.blocks) != test.blocks {
				t.Fatalf("%d blocks", len(c.blocks))
			}
			told, _ := alarm(a, AlarmBlock)
			if told.Severity != SeverityCritical || told.Count != 1 || !slices.Contains(told.Messages, ids(request)[0]) || !slices.Contains(told.Messages, ids(job)[0]) || !strings.Contains(told.Text, test.says) || !strings.Contains(told.Text, share.hash.String()) {
				t.Errorf("alarm %+v", told)
			}
			if _, ok := alarm(a, AlarmBlockNotSubmitted); ok != (test.another != "") {
				t.Errorf("told that the block was not submitted: %t", ok)
			}
			for _, raw := range c.blocks {
				checkBlock(t, raw, share, wtxids)
			}
			if found := shares(t, a); found[0].Audit != capture.AuditBlock || found[1].Audit != capture.AuditDuplicate {
				t.Errorf("shares %+v", found)
			}
		})
	}
}

// checkBlock reads a block with btcd's code.
func checkBlock(t *testing.T, raw []byte, share testShare, wtxids []bitcoin.Hash) {
	t.Helper()
	var block btcd.MsgBlock
	r := bytes.NewReader(raw)
	if err := block.Deserialize(r); err != nil || r.Len() > 0 {
		t.Fatalf("%v, %d bytes left", err, r.Len())
	}
	if hash := bitcoin.Hash(block.BlockHash()); hash != share.hash {
		t.Errorf("block %s, share %s", hash, share.hash)
	}
	var txids []bitcoin.Hash
	for _, tx := range block.Transactions[1:] {
		txids = append(txids, bitcoin.Hash(tx.TxHash()))
	}
	coinbase := block.Transactions[0]
	root := bitcoin.MerkleRoot(bitcoin.Hash(coinbase.TxHash()), bitcoin.MerkleBranches(txids))
	if root != bitcoin.Hash(block.Header.MerkleRoot) {
		t.Errorf("merkle root %s, header has %s", root, block.Header.MerkleRoot)
	}
	if w := coinbase.TxIn[0].Witness; len(w) != 1 || !bytes.Equal(w[0], make([]byte, 32)) {
		t.Errorf("witness of the coinbase %x", w)
	}
	last := coinbase.TxOut[len(coinbase.TxOut)-1]
	if !bytes.Equal(last.PkScript, bitcoin.WitnessCommitment(wtxids)) {
		t.Errorf("commitment %x", last.PkScript)
	}
}

// A block of our own pool is news, no emergency: the pool submits it itself.
func TestBlockOfOurPool(t *testing.T) {
	c := &chain{branch: []bitcoin.Hash{tipOf(200), tipOf(201)}}
	a, _ := play(t, Config{Chain: c, OwnPool: "127.0.0.1:3333"}, func(w *wire) {
		for i, o := range []capture.Opening{{Origin: capture.OriginTap}, {Origin: capture.OriginProxy, Pool: "127.0.0.1:3333"}} {
			o.ID, o.At = fmt.Sprint(i), time.Now()
			w.tape = w.recorder.Open(o)
			s := newStage(w)
			j := s.job(1, true, func(j *testJob) { j.bits = easyBits })
			s.submit(s.find(j, 1.0/65536, 1e9), yes)
		}
	})
	all := a.Alarms(AlarmFilter{Kind: AlarmBlock}).Alarms
	if len(all) != 2 || all[0].Severity != SeverityInfo || all[1].Severity != SeverityInfo || len(c.blocks) != 0 {
		t.Errorf("alarms %+v, %d blocks", all, len(c.blocks))
	}
}
