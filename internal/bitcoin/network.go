package bitcoin

import (
	"fmt"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// Network is a Bitcoin network, by the name that Bitcoin Core's
// getblockchaininfo gives it as its chain.
type Network string

// The networks that can be mined on.
const (
	Mainnet  Network = "main"
	Testnet3 Network = "test"
	Testnet4 Network = "testnet4"
	Signet   Network = "signet"
	Regtest  Network = "regtest"
)

// Amounts are in satoshis.
const (
	satoshisPerBitcoin = 100_000_000
	maxMoney           = 21_000_000 * satoshisPerBitcoin
	firstSubsidy       = 50 * satoshisPerBitcoin
)

// ParseNetwork returns the network of a chain name of Bitcoin Core. It fails
// with ErrUnknownNetwork.
func ParseNetwork(chain string) (Network, error) {
	n := Network(chain)
	if n.params() == nil {
		return "", fmt.Errorf("%w: chain %q is none of main, test, testnet4, signet, regtest", ErrUnknownNetwork, chain)
	}
	return n, nil
}

// Genesis returns the hash of the network's first block, or a zero hash for
// an unknown network.
func (n Network) Genesis() Hash {
	p := n.params()
	if p == nil {
		return Hash{}
	}
	return Hash(*p.GenesisHash)
}

// Subsidy returns the new coins, in satoshis, that a block at a height may
// create besides its fees. They halve every 210,000 blocks, on regtest every
// 150. A negative height has none.
func Subsidy(height int64, n Network) int64 {
	interval := int64(210_000)
	if n == Regtest {
		interval = 150
	}
	halvings := height / interval
	if height < 0 || halvings >= 64 {
		return 0
	}
	return firstSubsidy >> halvings
}

// params returns btcd's parameters of the network, nil for an unknown one.
// Networks that share an address format have entries of their own.
func (n Network) params() *chaincfg.Params {
	switch n {
	case Mainnet:
		return &chaincfg.MainNetParams
	case Testnet3:
		return &chaincfg.TestNet3Params
	case Testnet4:
		return &chaincfg.TestNet4Params
	case Signet:
		return &chaincfg.SigNetParams
	case Regtest:
		return &chaincfg.RegressionNetParams
	default:
		return nil
	}
}
