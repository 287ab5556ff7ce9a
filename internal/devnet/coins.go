package devnet

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/wire/v2"
)

// coin is an unspent output of the wallet.
type coin struct {
	point    wire.OutPoint
	value    int64 // satoshis
	kind     scriptKind
	height   int32 // of its block
	coinbase bool
}

// coinIndex keeps the wallet's confirmed coins in the chain's own database,
// in the same transactions that connect and disconnect blocks. So it is
// consistent with the chain after any crash, and a start needs no scan.
//
// A row is outpoint hash ‖ index (4, LE) → value (8, LE) ‖ height (4, LE) ‖
// kind (1) ‖ coinbase (1).
type coinIndex struct {
	wallet *wallet

	mu    sync.Mutex // guards what follows
	coins map[wire.OutPoint]coin
}

var _ blockchain.IndexManager = (*coinIndex)(nil)

// coinBucket is a bucket of ours beside the chain's in the database.
func coinBucket() []byte { return []byte("devnet-wallet-coins") }

var errCoinBucket = errors.New("devnet: wallet coin index is missing")

func newCoinIndex(w *wallet) *coinIndex {
	return &coinIndex{wallet: w, coins: make(map[wire.OutPoint]coin)}
}

// create makes the bucket when the database has none yet. It must run before
// the first block is connected.
func (x *coinIndex) create(db database.DB) error {
	return db.Update(func(tx database.Tx) error {
		_, err := tx.Metadata().CreateBucketIfNotExists(coinBucket())
		return err
	})
}

// load reads the rows into memory.
func (x *coinIndex) load(db database.DB) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return db.View(func(tx database.Tx) error {
		bucket := tx.Metadata().Bucket(coinBucket())
		if bucket == nil {
			return errCoinBucket
		}
		return bucket.ForEach(func(k, v []byte) error {
			if c, ok := decodeCoin(k, v); ok {
				x.coins[c.point] = c
			}
			return nil
		})
	})
}

// Init implements blockchain.IndexManager.
func (x *coinIndex) Init(*blockchain.BlockChain, <-chan struct{}) error { return nil }

// ConnectBlock implements blockchain.IndexManager.
func (x *coinIndex) ConnectBlock(tx database.Tx, block *btcutil.Block, _ []blockchain.SpentTxOut) error {
	var spent []wire.OutPoint
	var made []coin
	for i, t := range block.Transactions() {
		if i > 0 {
			for _, in := range t.MsgTx().TxIn {
				spent = append(spent, in.PreviousOutPoint)
			}
		}
		made = append(made, x.outputs(t, block.Height(), i == 0)...)
	}
	return x.apply(tx, made, spent)
}

// DisconnectBlock implements blockchain.IndexManager.
func (x *coinIndex) DisconnectBlock(tx database.Tx, block *btcutil.Block, stxos []blockchain.SpentTxOut) error {
	var spent []wire.OutPoint
	var made []coin
	next := 0 // stxos follow the order of the inputs
	for i, t := range block.Transactions() {
		for _, c := range x.outputs(t, block.Height(), i == 0) {
			spent = append(spent, c.point)
		}
		if i == 0 {
			continue
		}
		for _, in := range t.MsgTx().TxIn {
			if next >= len(stxos) {
				break
			}
			out := stxos[next]
			next++
			if kind, ok := x.wallet.owns(out.PkScript); ok {
				made = append(made, coin{point: in.PreviousOutPoint, value: out.Amount, kind: kind, height: out.Height, coinbase: out.IsCoinBase})
			}
		}
	}
	// A coin made and spent in the block itself must end up gone, so what
	// the block made is removed last.
	return x.apply(tx, made, spent)
}

// outputs lists the wallet's outputs of a transaction.
func (x *coinIndex) outputs(t *btcutil.Tx, height int32, coinbase bool) []coin {
	var own []coin
	for i, out := range t.MsgTx().TxOut {
		if kind, ok := x.wallet.owns(out.PkScript); ok {
			point := wire.OutPoint{Hash: *t.Hash(), Index: uint32(i)}
			own = append(own, coin{point: point, value: out.Value, kind: kind, height: height, coinbase: coinbase})
		}
	}
	return own
}

// apply adds coins, then removes others, on disk and in memory.
func (x *coinIndex) apply(tx database.Tx, made []coin, spent []wire.OutPoint) error {
	bucket := tx.Metadata().Bucket(coinBucket())
	if bucket == nil {
		return errCoinBucket
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range made {
		k, v := c.encode()
		if err := bucket.Put(k, v); err != nil {
			return err
		}
		x.coins[c.point] = c
	}
	for _, point := range spent {
		if _, own := x.coins[point]; !own {
			continue
		}
		if err := bucket.Delete(encodePoint(point)); err != nil {
			return err
		}
		delete(x.coins, point)
	}
	return nil
}

// list returns a copy of the confirmed coins, in no particular order.
func (x *coinIndex) list() []coin {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]coin, 0, len(x.coins))
	for _, c := range x.coins {
		all = append(all, c)
	}
	return all
}

func encodePoint(p wire.OutPoint) []byte {
	return binary.LittleEndian.AppendUint32(append([]byte(nil), p.Hash[:]...), p.Index)
}

func (c coin) encode() (key, value []byte) {
	value = binary.LittleEndian.AppendUint64(nil, uint64(c.value))
	value = binary.LittleEndian.AppendUint32(value, uint32(c.height))
	flag := byte(0)
	if c.coinbase {
		flag = 1
	}
	return encodePoint(c.point), append(value, byte(c.kind), flag)
}

func decodeCoin(k, v []byte) (coin, bool) {
	if len(k) != chainhash.HashSize+4 || len(v) != 14 || v[12] >= byte(numKinds) {
		return coin{}, false
	}
	c := coin{
		value:    int64(binary.LittleEndian.Uint64(v)),
		height:   int32(binary.LittleEndian.Uint32(v[8:])),
		kind:     scriptKind(v[12]),
		coinbase: v[13] == 1,
	}
	copy(c.point.Hash[:], k)
	c.point.Index = binary.LittleEndian.Uint32(k[chainhash.HashSize:])
	return c, true
}
