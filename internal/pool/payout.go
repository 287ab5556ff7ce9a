package pool

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// payee is somebody whom a coinbase pays.
type payee struct {
	address string
	script  []byte
	room    int // bytes of coinbase that its device takes; 0 takes what the pool makes
}

// payoutRules divides a block's value. The zero value pays the miner all.
type payoutRules struct {
	feePPM, donationPPM int64 // millionths: of the value, of the fee
	fee, donation       payee
	operator            payee // the fee address, also where there is no fee; script is nil without
}

// newPayoutRules resolves the operator's addresses for a network.
func newPayoutRules(c PayoutConfig, n bitcoin.Network) (payoutRules, error) {
	var r payoutRules
	var err error
	r.operator, err = resolveOperator(c, n)
	if c.FeePercent <= 0 {
		return r, nil // an address that is not needed stops nobody
	}
	if err != nil {
		return r, fmt.Errorf("fee address: %w", err)
	}
	if r.operator.script == nil {
		return r, errors.New("there is a fee, but no fee address")
	}
	r.feePPM = int64(math.Round(c.FeePercent * 1e4))
	r.fee = r.operator
	if c.DonationPercent <= 0 {
		return r, nil
	}
	r.donationPPM = int64(math.Round(c.DonationPercent * 1e4))
	script, err := bitcoin.PayoutScript(c.DonationAddress, n)
	if err != nil {
		return r, fmt.Errorf("donation address: %w", err)
	}
	r.donation = payee{address: c.DonationAddress, script: script}
	return r, nil
}

// split is what one block pays, in satoshis. The parts add up to the value.
type split struct{ miner, fee, donation int64 }

// divide splits a value; what rounding leaves is the miner's. The donation is
// taken from the fee. A miner who is the operator gets one output.
func (r *payoutRules) divide(value int64, miner payee) split {
	if r.feePPM == 0 || string(r.fee.script) == string(miner.script) {
		return split{miner: value}
	}
	fee := mulPPM(value, r.feePPM)
	donation := mulPPM(fee, r.donationPPM)
	return split{miner: value - fee, fee: fee - donation, donation: donation}
}

// mulPPM is value·ppm/10^6 without overflow for any amount of bitcoin.
func mulPPM(value, ppm int64) int64 {
	return value/1e6*ppm + value%1e6*ppm/1e6
}

// longestScript is as long as the scripts of P2TR and P2WSH addresses.
var longestScript = make([]byte, 34)

// lastHeight is the highest block height that BIP34 writes in three bytes; the
// chain needs more than a hundred years for it.
const lastHeight = 1<<23 - 1

// fit says whether the coinbase has room to pay a miner.
func (r *payoutRules) fit(cfg *Config, miner payee) error {
	outputs, _ := r.outputs(r.divide(50e8, miner), miner)
	_, err := buildCoinbase(bitcoin.CoinbaseTemplate{
		Height:            lastHeight,
		Extranonce1Size:   extranonce1Size,
		Extranonce2Size:   extranonce2Size,
		Tag:               cfg.Tag,
		Outputs:           outputs,
		WitnessCommitment: bitcoin.WitnessCommitment(nil),
		MaxSize:           cfg.MaxCoinbase,
	}, miner.room)
	return err
}

// buildCoinbase makes a coinbase within the operator's limit. Where a device
// has less room than that, the pool's tag gives way: it is the only part that
// nobody is paid by.
func buildCoinbase(c bitcoin.CoinbaseTemplate, room int) (bitcoin.CoinbaseParts, error) {
	parts, err := c.Build()
	if err != nil || room == 0 || room >= c.MaxSize {
		return parts, err
	}
	for {
		excess := len(parts.Prefix) + c.Extranonce1Size + c.Extranonce2Size + len(parts.Suffix) - room
		if excess <= 0 {
			return parts, nil
		}
		if c.Tag == "" {
			return parts, fmt.Errorf("%w: %d bytes more than the device can take", bitcoin.ErrCoinbaseTooLarge, excess)
		}
		c.Tag = c.Tag[:max(0, len(c.Tag)-excess)]
		if parts, err = c.Build(); err != nil {
			return parts, err
		}
	}
}

// outputs lists the coinbase outputs of a split: the miner first, then fee and
// donation by value. Parts of nothing are left out.
func (r *payoutRules) outputs(s split, miner payee) ([]bitcoin.TxOut, []bitcoin.AuditPayout) {
	type part struct {
		payee
		value int64
	}
	parts := []part{{miner, s.miner}}
	if s.fee > 0 {
		parts = append(parts, part{r.fee, s.fee})
	}
	if s.donation > 0 {
		parts = append(parts, part{r.donation, s.donation})
	}
	slices.SortStableFunc(parts[1:], func(a, b part) int { return int(min(1, max(-1, b.value-a.value))) })

	outs := make([]bitcoin.TxOut, len(parts))
	audit := make([]bitcoin.AuditPayout, len(parts))
	for i, p := range parts {
		outs[i] = bitcoin.TxOut{Value: p.value, Script: p.script}
		audit[i] = bitcoin.AuditPayout{Address: p.address, Value: p.value}
	}
	return outs, audit
}
