package conformance

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// btcd's consensus code asks these about the fake chain.
var (
	_ blockchain.HeaderCtx = (*header)(nil)
	_ blockchain.ChainCtx  = fakeChain{}
)

// header is a block of the fake chain; it is a blockchain.HeaderCtx.
type header struct {
	hash   chainhash.Hash
	height int32
	bits   uint32
	time   int64
	parent *header
}

func (h *header) Height() int32    { return h.height }
func (h *header) Bits() uint32     { return h.bits }
func (h *header) Timestamp() int64 { return h.time }

// Parent is nil, and not a nil *header, before the first one.
func (h *header) Parent() blockchain.HeaderCtx {
	if h.parent == nil {
		return nil
	}
	return h.parent
}

// RelativeAncestorCtx is for retargets, which the fake chain has none of.
func (h *header) RelativeAncestorCtx(distance int32) blockchain.HeaderCtx {
	for ; h != nil && distance > 0; distance-- {
		h = h.parent
	}
	if h == nil {
		return nil
	}
	return h
}

// fakeFee is what each transaction pays, in satoshis.
const fakeFee = 1000

// bitsAtLocked is what a block of a time must have: testnets allow the least
// difficulty when nothing was found for twenty minutes.
func (f *fakeNode) bitsAtLocked(at int64) uint32 {
	if f.params.ReduceMinDifficulty && !f.params.PoWNoRetargeting && at > f.tip.time+int64(f.params.MinDiffReductionTime.Seconds()) {
		return f.params.PowLimitBits
	}
	return f.bits
}

// commitment is the output script that commits to the witnesses (BIP141).
func (f *fakeNode) commitment() []byte {
	all := append([]*btcutil.Tx{btcutil.NewTx(wire.NewMsgTx(1))}, f.txs...) // a coinbase counts as zero
	root := blockchain.CalcMerkleRoot(all, true)
	hash := chainhash.DoubleHashB(append(root[:], make([]byte, 32)...))
	return append([]byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, hash...)
}

func readBlock(data string) (*btcutil.Block, error) {
	raw, err := hex.DecodeString(data)
	if err != nil {
		return nil, fmt.Errorf("decode block: %w", err)
	}
	return btcutil.NewBlockFromBytes(raw)
}

// judgeLocked says what is wrong with a block on the tip, by btcd's rules.
func (f *fakeNode) judgeLocked(block *btcutil.Block, work bool) error {
	m := block.MsgBlock()
	height := f.tip.height + 1
	if m.Header.PrevBlock != f.tip.hash {
		return fmt.Errorf("inconclusive-not-best-prevblk")
	}
	if err := blockchain.CheckBlockHeaderContext(&m.Header, f.tip, blockchain.BFNone, fakeChain{f.params}, true); err != nil {
		return err
	}
	if work {
		if err := blockchain.CheckBlockSanity(block, f.params.PowLimit, blockchain.NewMedianTime()); err != nil {
			return err
		}
	}
	if root := blockchain.CalcMerkleRoot(block.Transactions(), false); root != m.Header.MerkleRoot {
		return fmt.Errorf("bad-txnmrklroot")
	}
	if len(block.Transactions()) != len(f.txs)+1 {
		return fmt.Errorf("the block has %d transactions, the template had %d", len(block.Transactions())-1, len(f.txs))
	}
	coinbase := block.Transactions()[0]
	if err := blockchain.CheckSerializedHeight(coinbase, height); err != nil {
		return err
	}
	if err := blockchain.ValidateWitnessCommitment(block); err != nil {
		return err
	}
	if !coinbase.HasWitness() {
		return fmt.Errorf("unexpected: no witness commitment")
	}
	if !blockchain.IsFinalizedTransaction(coinbase, height, m.Header.Timestamp) {
		return fmt.Errorf("bad-txns-nonfinal")
	}
	var value int64
	for _, out := range coinbase.MsgTx().TxOut {
		value += out.Value
	}
	if want := blockchain.CalcBlockSubsidy(height, f.params) + fakeFee*int64(len(f.txs)); value != want {
		return fmt.Errorf("bad-cb-amount: %d, want %d", value, want)
	}
	return nil
}

// fakeChain is a blockchain.ChainCtx without checkpoints.
type fakeChain struct{ params *chaincfg.Params }

func (c fakeChain) ChainParams() *chaincfg.Params                { return c.params }
func (c fakeChain) BlocksPerRetarget() int32                     { return 2016 }
func (c fakeChain) MinRetargetTimespan() int64                   { return 1 }
func (c fakeChain) MaxRetargetTimespan() int64                   { return 1 << 40 }
func (c fakeChain) VerifyCheckpoint(int32, *chainhash.Hash) bool { return true }
func (c fakeChain) FindPreviousCheckpoint() (blockchain.HeaderCtx, error) {
	return nil, nil
}

// fakeTransactions are transactions that spend nothing that exists.
func fakeTransactions(n int) []*btcutil.Tx {
	txs := make([]*btcutil.Tx, n)
	for i := range txs {
		tx := wire.NewMsgTx(2)
		var seed [8]byte
		binary.LittleEndian.PutUint64(seed[:], uint64(i)+1)
		in := wire.NewTxIn(&wire.OutPoint{Hash: chainhash.HashH(seed[:])}, nil, nil)
		if i%2 == 0 {
			in.Witness = wire.TxWitness{seed[:]}
		} else {
			in.SignatureScript = []byte{0x51}
		}
		tx.AddTxIn(in)
		tx.AddTxOut(wire.NewTxOut(1000, []byte{0x51, 0x20, byte(i), byte(i >> 8)}))
		txs[i] = btcutil.NewTx(tx)
	}
	return txs
}
