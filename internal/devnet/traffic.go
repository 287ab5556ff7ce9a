package devnet

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Bounds of the traffic. The wallet pays itself, in many sizes and scripts,
// so that it never runs dry and never owns more coins than it can handle.
const (
	maxPendingTxs = 4000 // the wallet waits while the mempool holds this many
	maxCoins      = 1500 // above it, transactions merge coins instead of splitting them
	maxChain      = 4    // unconfirmed wallet transactions that spend each other
	maxRecent     = 256  // unconfirmed outputs remembered for spending
	minFeeRate    = 1    // satoshis per virtual byte
	maxFeeRate    = 60
	minCoinValue  = 20_000 // satoshis; smaller outputs are not made
	trafficTick   = 20 * time.Millisecond
)

// traffic spends the wallet's coins at a steady rate.
type traffic struct {
	engine *engine
	wallet *wallet
	rate   float64 // transactions per second
	rng    *rand.Rand

	sent, failed atomic.Uint64

	ready  []coin    // confirmed, mature, not tried yet since the last refill
	recent []pending // outputs of own transactions that are not in a block yet
	at     chainhash.Hash
}

// pending is an unconfirmed coin of the wallet.
type pending struct {
	coin
	depth int // unconfirmed ancestors in a row, itself included
}

func newTraffic(e *engine, w *wallet, rate float64) *traffic {
	return &traffic{engine: e, wallet: w, rate: rate, rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
}

// run makes traffic until ctx ends.
func (t *traffic) run(ctx context.Context) error {
	if t.rate <= 0 {
		return nil
	}
	every := max(time.Duration(float64(time.Second)/t.rate), trafficTick)
	perTick := t.rate * every.Seconds()
	ticker := time.NewTicker(every)
	defer ticker.Stop()

	due, idle := 0.0, false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		due = min(due+perTick, 2*perTick+1)
		for ; due >= 1; due-- {
			err := t.send()
			if err != nil && !idle {
				t.engine.log.Info("no transaction sent", "reason", err)
			}
			idle = err != nil
			if idle {
				due = 0
				break
			}
		}
	}
}

// send makes one transaction and offers it to the mempool.
func (t *traffic) send() error {
	if t.engine.pool.Count() >= maxPendingTxs {
		return errMempoolFull
	}
	inputs := t.choose()
	if len(inputs) == 0 {
		return errNoCoins
	}
	tx, err := t.build(inputs)
	if err != nil {
		t.failed.Add(1)
		return err
	}
	if err := t.engine.acceptTx(tx); err != nil {
		// A reorganisation or a block in between; the coins come back with
		// the next refill if they are still there.
		t.failed.Add(1)
		t.engine.log.Debug("wallet transaction refused", "error", err)
		return nil
	}
	t.sent.Add(1)
	t.remember(tx, inputs)
	return nil
}

// choose picks the coins of the next transaction: one mostly, several when
// there are many, now and then one that is not confirmed itself.
func (t *traffic) choose() []pending {
	t.refill()
	want := 1
	switch {
	case len(t.ready) > maxCoins:
		want = 3 + t.rng.IntN(4)
	case t.rng.IntN(8) == 0:
		want = 2
	}

	var chosen []pending
	if t.rng.IntN(4) == 0 {
		if c, ok := t.takeRecent(); ok {
			chosen = append(chosen, c)
		}
	}
	for len(chosen) < want {
		c, ok := t.takeReady()
		if !ok {
			break
		}
		chosen = append(chosen, pending{coin: c})
	}
	if len(chosen) == 0 {
		if c, ok := t.takeRecent(); ok {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// refill reads the confirmed coins again after a new tip or when none is left.
func (t *traffic) refill() {
	best := t.engine.chain.BestSnapshot()
	if best.Hash == t.at && len(t.ready) > 0 {
		return
	}
	t.at = best.Hash
	t.ready = t.ready[:0]
	for _, c := range t.engine.coins.list() {
		if c.isSpendable(best.Height, t.engine.params) && c.value >= minCoinValue && t.engine.pool.CheckSpend(c.point) == nil {
			t.ready = append(t.ready, c)
		}
	}
	t.rng.Shuffle(len(t.ready), func(i, j int) { t.ready[i], t.ready[j] = t.ready[j], t.ready[i] })
}

// takeReady returns a confirmed coin that nothing in the mempool spends.
func (t *traffic) takeReady() (coin, bool) {
	for len(t.ready) > 0 {
		c := t.ready[len(t.ready)-1]
		t.ready = t.ready[:len(t.ready)-1]
		if t.engine.pool.CheckSpend(c.point) == nil {
			return c, true
		}
	}
	return coin{}, false
}

// takeRecent returns an unconfirmed coin whose transaction still waits.
func (t *traffic) takeRecent() (pending, bool) {
	for len(t.recent) > 0 {
		i := t.rng.IntN(len(t.recent))
		c := t.recent[i]
		t.recent[i] = t.recent[len(t.recent)-1]
		t.recent = t.recent[:len(t.recent)-1]
		if t.engine.pool.IsTransactionInPool(&c.point.Hash) && t.engine.pool.CheckSpend(c.point) == nil {
			return c, true
		}
	}
	return pending{}, false
}

// build makes and signs a transaction that spends inputs back to the wallet.
func (t *traffic) build(inputs []pending) (*btcutil.Tx, error) {
	tx := wire.NewMsgTx(2)
	var total int64
	coins := make([]coin, len(inputs))
	for i, in := range inputs {
		coins[i] = in.coin
		total += in.value
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: in.point, Sequence: wire.MaxTxInSequenceNum - 2})
	}

	outputs := 1 + t.rng.IntN(2)
	if len(t.ready) < maxCoins/4 {
		outputs = 2 + t.rng.IntN(3)
	} else if len(inputs) > 2 {
		outputs = 1
	}
	outputs = max(1, min(outputs, int(total/(3*minCoinValue))))
	for range outputs {
		tx.AddTxOut(wire.NewTxOut(0, t.wallet.scripts[t.rng.IntN(int(numKinds))]))
	}

	// Signed once to know the size; a signature's length varies by a byte,
	// which the margin covers.
	if err := t.wallet.sign(tx, coins); err != nil {
		return nil, err
	}
	rate := int64(minFeeRate + t.rng.IntN(maxFeeRate-minFeeRate))
	fee := (virtualSize(btcutil.NewTx(tx)) + int64(len(inputs))) * rate
	t.split(tx.TxOut, total-fee)
	if err := t.wallet.sign(tx, coins); err != nil {
		return nil, err
	}
	return btcutil.NewTx(tx), nil
}

// split shares an amount among outputs at random, each getting a fair part at
// least in half.
func (t *traffic) split(outs []*wire.TxOut, amount int64) {
	floor := amount / int64(2*len(outs))
	rest := amount
	for i, out := range outs {
		if i == len(outs)-1 {
			out.Value = rest
			return
		}
		spare := rest - floor*int64(len(outs)-i)
		out.Value = floor + t.rng.Int64N(max(1, spare))
		rest -= out.Value
	}
}

// remember keeps the outputs of an accepted transaction for spending before
// they confirm.
func (t *traffic) remember(tx *btcutil.Tx, inputs []pending) {
	depth := 1
	for _, in := range inputs {
		depth = max(depth, in.depth+1)
	}
	if depth >= maxChain {
		return
	}
	for i, out := range tx.MsgTx().TxOut {
		kind, ok := t.wallet.owns(out.PkScript)
		if !ok || out.Value < minCoinValue || len(t.recent) >= maxRecent {
			continue
		}
		point := wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)}
		t.recent = append(t.recent, pending{coin: coin{point: point, value: out.Value, kind: kind}, depth: depth})
	}
}
