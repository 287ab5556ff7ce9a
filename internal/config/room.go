package config

import (
	"fmt"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Lengths of payout scripts, in bytes.
const (
	shortScript = 22 // P2WPKH, what most miners use
	longScript  = 34 // P2WSH and P2TR
)

// coinbaseRoom checks that the coinbase has room for the tag, the fee and the
// donation besides the miner's payout. It returns an error when not even
// miners with short addresses could be paid, and a warning when only those
// could.
func (c *Config) coinbaseRoom() (warning string, err error) {
	var others []bitcoin.TxOut
	for _, p := range []struct {
		percent float64
		address string
	}{{c.Payout.FeePercent, c.Payout.FeeAddress}, {c.Payout.DonationPercent, c.Payout.DonationAddress}} {
		if p.percent > 0 {
			others = append(others, bitcoin.TxOut{Value: 1, Script: make([]byte, scriptLength(p.address))})
		}
	}
	fits := func(script int) error {
		template := bitcoin.CoinbaseTemplate{
			Height:            1<<23 - 1, // the highest of three bytes
			Extranonce1Size:   4,
			Extranonce2Size:   8,
			Tag:               c.Coinbase.Tag,
			Outputs:           append([]bitcoin.TxOut{{Value: 1, Script: make([]byte, script)}}, others...),
			WitnessCommitment: bitcoin.WitnessCommitment(nil),
			MaxSize:           c.Coinbase.MaxSize,
		}
		_, err := template.Build()
		return err
	}
	if err := fits(shortScript); err != nil {
		return "", err
	}
	if err := fits(longScript); err != nil {
		warning = fmt.Sprintf("miners with long addresses (bc1p…, or bc1q… of 62 characters) will be refused: %v; a shorter coinbase.tag or a larger coinbase.max_size helps", err)
	}
	return warning, nil
}

// scriptLength is the length of an address's payout script on whatever network
// it belongs to; addresses are checked elsewhere.
func scriptLength(address string) int {
	for _, n := range []bitcoin.Network{bitcoin.Mainnet, bitcoin.Testnet3, bitcoin.Regtest} {
		if script, err := bitcoin.PayoutScript(address, n); err == nil {
			return len(script)
		}
	}
	return longScript
}
