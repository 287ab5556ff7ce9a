package bitcoin

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

// TestBlocksAgreeWithBtcd assembles blocks for random templates the way the
// pool does, solves them, and has btcd's consensus code look at them.
func TestBlocksAgreeWithBtcd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, audit := drawCoinbase(t)
		segwit := c.WitnessCommitment != nil
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		txs := randomTxs(t, rng, rapid.IntRange(0, 200).Draw(t, "txs"), segwit)

		// What a node's template holds of them.
		var (
			raw            [][]byte
			txids, wtxids  []Hash
			wantWeight     int64
			fullSerialized = func(tx *wire.MsgTx) []byte {
				var b bytes.Buffer
				if err := tx.Serialize(&b); err != nil {
					t.Fatal(err)
				}
				return b.Bytes()
			}
		)
		for _, tx := range txs {
			raw = append(raw, fullSerialized(tx))
			txids = append(txids, Hash(tx.TxHash()))
			wtxids = append(wtxids, Hash(tx.WitnessHash()))
			wantWeight += int64(3*tx.SerializeSizeStripped() + tx.SerializeSize())
		}

		// Coinbase.
		if segwit {
			c.WitnessCommitment = WitnessCommitment(wtxids)
			audit.WitnessCommitment = c.WitnessCommitment
		}
		parts, err := c.Build()
		if err != nil {
			t.Fatal(err)
		}
		stripped := append([]byte(nil), parts.Prefix...)
		stripped = append(stripped, make([]byte, c.Extranonce1Size+c.Extranonce2Size)...)
		stripped = append(stripped, parts.Suffix...)
		if err := AuditCoinbase(stripped, audit); err != nil {
			t.Fatal(err)
		}
		full := stripped
		if segwit {
			full = AppendWitness(nil, stripped)
		}

		// Header, solved for the easiest target.
		header := Header{
			Version:    0x20000000,
			PrevHash:   randomHashes(rng, 1)[0],
			MerkleRoot: MerkleRoot(DoubleSHA256(stripped), MerkleBranches(txids)),
			Time:       1_700_000_000,
			Bits:       0x207fffff,
		}
		hash := solve(t, &header)
		block := AppendBlock(nil, header.Bytes(), full, raw)

		// btcd's view.
		parsed, err := btcutil.NewBlockFromBytes(block)
		if err != nil {
			t.Fatalf("block does not parse: %v", err)
		}
		if again, err := parsed.Bytes(); err != nil || !bytes.Equal(again, block) {
			t.Errorf("block serializes differently, %v", err)
		}
		if got := Hash(*parsed.Hash()); got != hash {
			t.Errorf("block hash %s, btcd has %s", hash, got)
		}
		if got := Hash(blockchain.CalcMerkleRoot(parsed.Transactions(), false)); got != header.MerkleRoot {
			t.Errorf("merkle root %s, btcd has %s", header.MerkleRoot, got)
		}
		store := blockchain.BuildMerkleTreeStore(parsed.Transactions(), false)
		if got := Hash(*store[len(store)-1]); got != header.MerkleRoot {
			t.Errorf("merkle root %s, btcd's tree has %s", header.MerkleRoot, got)
		}
		if err := blockchain.ValidateWitnessCommitment(parsed); err != nil {
			t.Errorf("witness commitment: %v", err)
		}
		wantWeight += int64(4*(HeaderSize+wire.VarIntSerializeSize(uint64(len(txs)+1))) + 3*len(stripped) + len(full))
		if got := blockchain.GetBlockWeight(parsed); got != wantWeight {
			t.Errorf("weight %d, btcd has %d", wantWeight, got)
		}
		var sum int64
		for _, out := range parsed.Transactions()[0].MsgTx().TxOut {
			sum += out.Value
		}
		if sum != audit.Value {
			t.Errorf("coinbase pays %d of %d", sum, audit.Value)
		}
		if height, err := blockchain.ExtractCoinbaseHeight(parsed.Transactions()[0]); err != nil || int64(height) != c.Height {
			t.Errorf("height %d, %v, want %d", height, err, c.Height)
		}
		limit := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(1))
		if err := blockchain.CheckBlockSanity(parsed, limit, fixedTime{}); err != nil {
			t.Errorf("block is not sane: %v", err)
		}
		if !blockchain.IsFinalizedTransaction(parsed.Transactions()[0], int32(c.Height), time.Unix(1_700_000_000, 0)) && c.Height > 0 {
			t.Error("coinbase is not final in its own block")
		}
	})
}

// TestWrongCommitmentIsNoticed proves that btcd's check can fail.
func TestWrongCommitmentIsNoticed(t *testing.T) {
	c := exampleTemplate(t)
	c.WitnessCommitment = WitnessCommitment([]Hash{{1}})
	full := AppendWitness(nil, assemble(t, c, exampleExtranonces))
	header := Header{Version: 1}
	parsed, err := btcutil.NewBlockFromBytes(AppendBlock(nil, header.Bytes(), full, nil))
	if err != nil {
		t.Fatal(err)
	}
	var rule blockchain.RuleError
	if err := blockchain.ValidateWitnessCommitment(parsed); !errors.As(err, &rule) {
		t.Errorf("got %v", err)
	}
}

func TestCompactSizes(t *testing.T) {
	for _, n := range []uint64{0, 1, 0xfc, 0xfd, 0xfe, 0xffff, 0x10000, 0xffffffff, 0x100000000, 1<<64 - 1} {
		var want bytes.Buffer
		if err := wire.WriteVarInt(&want, 0, n); err != nil {
			t.Fatal(err)
		}
		if got := appendCompactSize(nil, n); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d became %x, want %x", n, got, want.Bytes())
		}
	}
}

// TestEmptyCommitment compares with the commitment that every empty segwit
// block carries.
func TestEmptyCommitment(t *testing.T) {
	if got := WitnessCommitment(nil); !bytes.Equal(got, unhex(t, emptyCommitment)) {
		t.Errorf("got %x", got)
	}
}

// solve searches a nonce for the header's own bits.
func solve(t *rapid.T, h *Header) Hash {
	target, err := TargetFromBits(h.Bits)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if hash := h.Hash(); hash.Meets(&target) {
			return hash
		}
		h.Nonce++
	}
	t.Fatal("no nonce found")
	return Hash{}
}

// randomTxs makes sane transactions, some of them with witnesses.
func randomTxs(t *rapid.T, rng *rand.Rand, n int, segwit bool) []*wire.MsgTx {
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	txs := make([]*wire.MsgTx, n)
	for i := range txs {
		tx := wire.NewMsgTx(int32(1 + rng.IntN(2)))
		for range 1 + rng.IntN(3) {
			in := wire.NewTxIn(&wire.OutPoint{Hash: [32]byte(randomHashes(rng, 1)[0]), Index: rng.Uint32N(4)}, nil, nil)
			in.Sequence = rng.Uint32()
			if segwit && rng.IntN(2) == 0 {
				for range 1 + rng.IntN(3) {
					in.Witness = append(in.Witness, bytesOf(rng.IntN(300)))
				}
			} else {
				// A push, so that no random opcode counts as signatures.
				in.SignatureScript = append([]byte{70}, bytesOf(70)...)
			}
			tx.AddTxIn(in)
		}
		for range 1 + rng.IntN(3) {
			tx.AddTxOut(wire.NewTxOut(rng.Int64N(maxMoney/4), p2shScript(bytesOf(20))))
		}
		tx.LockTime = rng.Uint32()
		if err := blockchain.CheckTransactionSanity(btcutil.NewTx(tx)); err != nil {
			t.Fatal(err)
		}
		txs[i] = tx
	}
	return txs
}

// fixedTime is a clock for btcd's checks that stands still.
type fixedTime struct{}

func (fixedTime) AdjustedTime() time.Time         { return time.Unix(1_700_000_000, 0) }
func (fixedTime) AddTimeSample(string, time.Time) {}
func (fixedTime) Offset() time.Duration           { return 0 }

var _ blockchain.MedianTimeSource = fixedTime{}
