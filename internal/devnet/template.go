package devnet

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/wire/v2"
)

// templateTries is how often a template is attempted while the tip moves or
// the mempool turns out to hold something that cannot be mined any more.
const templateTries = 5

// template is a set of transactions for the next block, without a coinbase.
type template struct {
	prev       chainhash.Hash
	height     int32
	version    int32
	minTime    time.Time // the earliest time that consensus allows
	txs        []templateTx
	value      btcutil.Amount // subsidy and fees
	commitment []byte         // the script of the witness commitment output
	txUpdates  uint64         // the mempool's state when it was made
	madeAt     time.Time
}

// templateTx is one transaction of a template.
type templateTx struct {
	tx      *btcutil.Tx
	fee     int64
	sigOps  int64
	depends []int // 1-based positions of its parents in the template, ascending
}

// templates makes templates and keeps the last one: it is made anew when the
// tip changed, or when the mempool changed and it is old enough, as in Core.
type templates struct {
	engine *engine
	maxAge time.Duration

	mu   sync.Mutex // guards last; held while a template is made, so it is made once
	last *template
}

// current returns a template for the best chain.
func (t *templates) current() (*template, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.engine.clock.now()
	if t.last != nil && t.last.prev == t.engine.chain.BestSnapshot().Hash &&
		(t.last.txUpdates == t.engine.txUpdates.Load() || now.Sub(t.last.madeAt) < t.maxAge) {
		return t.last, nil
	}
	made, err := t.engine.newTemplate(now)
	if err != nil {
		return nil, err
	}
	t.last = made
	return made, nil
}

// newTemplate asks btcd for the best set of transactions.
func (e *engine) newTemplate(now time.Time) (*template, error) {
	var last error
	for range templateTries {
		updates := e.txUpdates.Load()
		made, err := e.generator.NewBlockTemplate(nil)
		if err == nil {
			return e.wrapTemplate(made, updates, now)
		}
		last = err

		// The tip moved meanwhile: again. Any other broken rule comes from
		// the mempool, since there is nothing else in a template.
		var rule blockchain.RuleError
		if errors.As(err, &rule) && rule.ErrorCode != blockchain.ErrPrevBlockNotBest {
			e.log.Warn("template refused, checking the mempool again", "error", err)
			e.revalidate()
		}
	}
	return nil, fmt.Errorf("devnet: make template: %w", last)
}

// wrapTemplate takes from btcd's template what miners need.
func (e *engine) wrapTemplate(made *mining.BlockTemplate, updates uint64, now time.Time) (*template, error) {
	msg := made.Block
	prev, err := e.chain.HeaderByHash(&msg.Header.PrevBlock)
	if err != nil {
		return nil, fmt.Errorf("devnet: make template: %w", err)
	}
	median, err := e.medianTime(&prev)
	if err != nil {
		return nil, err
	}

	t := &template{
		prev:      msg.Header.PrevBlock,
		height:    made.Height,
		version:   msg.Header.Version,
		minTime:   median.Add(time.Second),
		value:     subsidy(made.Height, e.params) - btcutil.Amount(made.Fees[0]),
		txUpdates: updates,
		madeAt:    now,
	}

	position := make(map[chainhash.Hash]int, len(msg.Transactions))
	for i, tx := range msg.Transactions[1:] {
		wrapped := btcutil.NewTx(tx)
		position[*wrapped.Hash()] = i + 1
		t.txs = append(t.txs, templateTx{
			tx:      wrapped,
			fee:     made.Fees[i+1],
			sigOps:  made.SigOpCosts[i+1],
			depends: parents(tx, position),
		})
	}
	t.commitment = witnessCommitment(t.txs)
	return t, nil
}

// parents lists the positions of the transactions that tx spends from, each
// once, ascending.
func parents(tx *wire.MsgTx, position map[chainhash.Hash]int) []int {
	var found []int
	for _, in := range tx.TxIn {
		p, ok := position[in.PreviousOutPoint.Hash]
		if !ok {
			continue
		}
		i := 0
		for i < len(found) && found[i] < p {
			i++
		}
		if i < len(found) && found[i] == p {
			continue
		}
		found = append(found[:i], append([]int{p}, found[i:]...)...)
	}
	return found
}

// witnessCommitment returns the script of the coinbase output that commits to
// the witnesses (BIP141), for a reserved value of zeros. It is there even
// when no transaction has a witness, as in Core.
func witnessCommitment(txs []templateTx) []byte {
	placeholder := wire.NewMsgTx(2)
	placeholder.AddTxIn(&wire.TxIn{})
	all := []*btcutil.Tx{btcutil.NewTx(placeholder)} // its wtxid counts as zero
	for _, t := range txs {
		all = append(all, t.tx)
	}
	root := blockchain.CalcMerkleRoot(all, true)
	reserved := make([]byte, blockchain.CoinbaseWitnessDataLen)
	commitment := chainhash.DoubleHashB(slices.Concat(root[:], reserved))
	return slices.Concat(blockchain.WitnessMagicBytes, commitment)
}

// curTime returns the time to put into the header: now, but not earlier than
// consensus allows.
func (t *template) curTime(now time.Time) time.Time {
	now = time.Unix(now.Unix(), 0)
	if now.Before(t.minTime) {
		return t.minTime
	}
	return now
}

// block assembles a whole block from the template, paying script.
func (t *template) block(at time.Time, bits uint32, script []byte) (*wire.MsgBlock, error) {
	coinbase, err := newCoinbase(t.height, t.value, script, t.commitment)
	if err != nil {
		return nil, err
	}
	block := wire.NewMsgBlock(&wire.BlockHeader{Version: t.version, PrevBlock: t.prev, Timestamp: at, Bits: bits})
	txs := []*btcutil.Tx{btcutil.NewTx(coinbase)}
	for _, tx := range t.txs {
		txs = append(txs, tx.tx)
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(txs, false)
	for _, tx := range txs {
		if err := block.AddTransaction(tx.MsgTx()); err != nil {
			return nil, fmt.Errorf("devnet: build block: %w", err)
		}
	}
	return block, nil
}

// softFork is a row of the deployments as getblocktemplate tells them.
type softFork struct {
	id    int
	name  string // BIP9 name
	force bool   // "!" in rules: a miner must know it
}

// softForks lists the deployments in the order in which Core names them.
func softForks() []softFork {
	return []softFork{
		{chaincfg.DeploymentCSV, "csv", false},
		{chaincfg.DeploymentSegwit, "segwit", true},
		{chaincfg.DeploymentTaproot, "taproot", false},
		{chaincfg.DeploymentTestDummy, "testdummy", false},
	}
}

// forkState returns the rules in force in the next block, with "!" before
// those that a miner must know, and the version bits still voted on.
func (e *engine) forkState() (rules []string, voting map[string]int, err error) {
	rules, voting = []string{}, map[string]int{}
	for _, f := range softForks() {
		state, err := e.chain.ThresholdState(uint32(f.id))
		if err != nil {
			return nil, nil, fmt.Errorf("devnet: state of %s: %w", f.name, err)
		}
		switch state {
		case blockchain.ThresholdActive:
			name := f.name
			if f.force {
				name = "!" + name
			}
			rules = append(rules, name)
		case blockchain.ThresholdStarted, blockchain.ThresholdLockedIn:
			voting[f.name] = int(e.params.Deployments[f.id].BitNumber)
		}
	}
	return rules, voting, nil
}
