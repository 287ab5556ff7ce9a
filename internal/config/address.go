package config

import (
	"errors"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// knownChain reports whether name is one of Bitcoin Core's chain names.
func knownChain(name string) bool {
	_, err := bitcoin.ParseNetwork(name)
	return err == nil
}

// checkAddress says why an address cannot be paid on a chain. While the chain
// is unknown, because the node will tell it or its name is a mistake with a
// complaint of its own, an address of any network passes: the pool compares
// again before it pays.
func checkAddress(address, chain string) error {
	known := knownChain(chain)
	network := bitcoin.Mainnet
	if known {
		network = bitcoin.Network(chain)
	}

	_, err := bitcoin.PayoutScript(address, network)
	if !known && errors.Is(err, bitcoin.ErrWrongNetwork) {
		return nil
	}
	return err
}
