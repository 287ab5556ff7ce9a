package devnet

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // registers the database driver
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
)

// Sizes of btcd's caches. A devnet is small.
const (
	utxoCacheBytes = 32 << 20
	sigCacheSize   = 50_000 // signatures
	hashCacheSize  = 10_000 // transactions
)

// engine is the chain, its mempool, and whatever moves together with them.
type engine struct {
	dir    string // of the database
	params *chaincfg.Params
	clock  clock
	log    *slog.Logger

	db        database.DB
	chain     *blockchain.BlockChain
	pool      *mempool.TxPool
	generator *mining.BlkTmplGenerator
	sigCache  *txscript.SigCache
	hashCache *txscript.HashCache
	coins     *coinIndex
	journal   *journal

	tip       *tipWatch
	txUpdates atomic.Uint64 // changes of the mempool so far; long polls compare it

	work workCache

	// mu serialises everything that moves the tip or changes the mempool.
	// btcd gives up its own lock in the middle of a reorganisation to notify
	// us, and expects that nobody else steps in.
	mu           sync.Mutex
	announcer    announcer
	mempoolSeq   uint64 // of the sequence topic
	connected    bool   // a block was connected since the last settle
	disconnected bool   // a block was disconnected since the last settle
}

// openEngine opens the database in dir, or creates it, and the chain in it.
func openEngine(dir string, params *chaincfg.Params, w *wallet, now func() time.Time, log *slog.Logger) (*engine, error) {
	db, err := openDatabase(dir, params)
	if err != nil {
		return nil, err
	}
	e := &engine{
		dir:       dir,
		params:    params,
		clock:     clock{now: now},
		log:       log,
		db:        db,
		sigCache:  txscript.NewSigCache(sigCacheSize),
		hashCache: txscript.NewHashCache(hashCacheSize),
		coins:     newCoinIndex(w),
		tip:       newTipWatch(),
		announcer: silent{},
	}
	if err := e.openChain(dir); err != nil {
		_ = db.Close()
		return nil, err
	}
	e.openMempool()
	e.chain.Subscribe(e.notifiedLocked)
	return e, nil
}

// openDatabase opens or creates the block database.
func openDatabase(dir string, params *chaincfg.Params) (database.DB, error) {
	db, err := database.Open("ffldb", dir, params.Net)
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.ErrorCode == database.ErrDbDoesNotExist {
		db, err = database.Create("ffldb", dir, params.Net)
		if err != nil {
			return nil, fmt.Errorf("devnet: create chain database %s: %w", dir, err)
		}
		return db, nil
	}
	if err == nil {
		return db, nil
	}

	cause := err
	if dbErr.Err != nil {
		cause = dbErr.Err
	}
	switch {
	case errors.Is(cause, fs.ErrPermission):
		return nil, fmt.Errorf("devnet: open chain database %s: %w", dir, cause)
	case strings.Contains(cause.Error(), "resource temporarily unavailable"):
		return nil, fmt.Errorf("%w: %s: %w", ErrLocked, dir, cause)
	}
	return nil, corrupt(dir, err)
}

// corrupt says that what is stored in dir is damaged and what to do about it.
func corrupt(dir string, cause any) error {
	return fmt.Errorf("%w: %s: %v; the files were left as they are, move the data directory away to start over", ErrCorrupt, dir, cause)
}

// openChain reads the chain. btcd panics on some kinds of damage.
func (e *engine) openChain(dir string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = corrupt(dir, p)
		}
	}()

	if err := e.coins.create(e.db); err != nil {
		return corrupt(dir, err)
	}
	e.chain, err = blockchain.New(&blockchain.Config{
		DB:               e.db,
		UtxoCacheMaxSize: utxoCacheBytes,
		ChainParams:      e.params,
		TimeSource:       e.clock,
		SigCache:         e.sigCache,
		HashCache:        e.hashCache,
		IndexManager:     e.coins,
	})
	if err != nil {
		return corrupt(dir, err)
	}
	genesis, err := e.chain.BlockHashByHeight(0)
	if err != nil {
		return corrupt(dir, err)
	}
	if *genesis != *e.params.GenesisHash {
		return corrupt(dir, fmt.Sprintf("%s describes another chain than the stored one (genesis %s, stored %s)", specName, e.params.GenesisHash, genesis))
	}
	if err := e.coins.load(e.db); err != nil {
		return corrupt(dir, err)
	}
	return nil
}

// process offers a block to the chain. main tells whether it is on the best
// chain now.
func (e *engine) process(block *btcutil.Block) (main bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	main, orphan, err := e.chain.ProcessBlock(block, blockchain.BFNone)
	e.settleLocked()
	if err != nil {
		return false, err
	}
	if orphan {
		// Callers look for the parent first; there is no second node that
		// would deliver it later.
		return false, blockchain.RuleError{ErrorCode: blockchain.ErrPreviousBlockUnknown, Description: "previous block is unknown"}
	}
	e.recordLocked(opBlock, blockBytes(block.MsgBlock()))
	return main, nil
}

// invalidate marks a block and all after it as invalid and moves the tip to
// the best chain without it.
func (e *engine) invalidate(hash *chainhash.Hash) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.chain.InvalidateBlock(hash)
	e.settleLocked()
	if err == nil {
		e.recordLocked(opInvalidate, hash[:])
	}
	return err
}

// reconsider takes back an invalidate.
func (e *engine) reconsider(hash *chainhash.Hash) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.chain.ReconsiderBlock(hash)
	e.settleLocked()
	if err == nil {
		e.recordLocked(opReconsider, hash[:])
	}
	return err
}

// recordLocked writes to the journal, if there is one already: the blocks
// mined in advance need none, they come out the same again.
func (e *engine) recordLocked(op journalOp, body []byte) {
	if e.journal == nil {
		return
	}
	if err := e.journal.append(op, body); err != nil {
		e.log.Error("journal not written, a crash now would lose the last minutes", "error", err)
	}
}

// recover repeats what the journal holds, then keeps it open for more.
func (e *engine) recover(j *journal) error {
	before := e.chain.BestSnapshot().Height
	n, err := j.replay(func(op journalOp, body []byte) {
		var err error
		switch op {
		case opBlock:
			var block *btcutil.Block
			if block, err = btcutil.NewBlockFromBytes(body); err == nil {
				_, err = e.process(block)
			}
		case opInvalidate, opReconsider:
			var hash *chainhash.Hash
			if hash, err = chainhash.NewHash(body); err != nil {
				break
			}
			if op == opInvalidate {
				err = e.invalidate(hash)
			} else {
				err = e.reconsider(hash)
			}
		}
		if err != nil {
			e.log.Debug("journal entry not needed", "op", string(rune(op)), "error", err)
		}
	})
	if err != nil {
		return err
	}
	e.journal = j
	if n > 0 {
		e.log.Info("chain recovered after an unclean end", "entries", n,
			"height_before", before, "height", e.chain.BestSnapshot().Height)
	}
	return nil
}

// notifiedLocked is called by btcd from within process, invalidate and
// reconsider, once per block.
func (e *engine) notifiedLocked(n *blockchain.Notification) {
	block, ok := n.Data.(*btcutil.Block)
	if !ok {
		return
	}
	switch n.Type {
	case blockchain.NTBlockConnected:
		e.connected = true
		e.txUpdates.Add(1)
		for _, tx := range block.Transactions()[1:] {
			e.pool.RemoveTransaction(tx, false)
			e.removeConflictsLocked(tx)
		}
		for _, tx := range block.Transactions() {
			announceTx(e.announcer, tx)
		}
		e.announcer.announce(topicSequence, sequenceBody(block.Hash(), 'C', 0))

	case blockchain.NTBlockDisconnected:
		e.disconnected = true
		e.txUpdates.Add(1)
		for _, tx := range block.Transactions() {
			announceTx(e.announcer, tx)
		}
		e.announcer.announce(topicSequence, sequenceBody(block.Hash(), 'D', 0))
		for _, tx := range block.Transactions()[1:] {
			// Refused ones are sorted out when the tip has settled.
			if _, _, err := e.pool.MaybeAcceptTransaction(tx, false, false); err == nil {
				e.announceMempoolLocked(tx.Hash(), 'A')
			}
		}
	}
}

// settleLocked ends an operation that may have moved the tip: it cleans the
// mempool up, wakes the long polls and tells the world.
func (e *engine) settleLocked() {
	connected, disconnected := e.connected, e.disconnected
	e.connected, e.disconnected = false, false
	if !connected && !disconnected {
		return
	}
	if disconnected {
		e.revalidateLocked()
	}

	e.tip.fire()

	// Like Core, a tip that only went back is not announced.
	if !connected {
		return
	}
	best := e.chain.BestSnapshot()
	e.announcer.announce(topicHashBlock, displayBytes(&best.Hash))
	if block, err := e.block(&best.Hash); err == nil {
		e.announcer.announce(topicRawBlock, blockBytes(block.MsgBlock()))
	}
}

// nextBits returns the compact target of a block with the given time on top
// of the best chain.
func (e *engine) nextBits(at time.Time) (uint32, error) {
	bits, err := e.chain.CalcNextRequiredDifficulty(at)
	if err != nil {
		return 0, fmt.Errorf("devnet: next difficulty: %w", err)
	}
	return bits, nil
}

// close writes everything to disk.
func (e *engine) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.chain.FlushUtxoCache(blockchain.FlushRequired)
	if cerr := e.db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("devnet: close chain database: %w", err)
	}
	if e.journal != nil {
		return e.journal.clear()
	}
	return nil
}
