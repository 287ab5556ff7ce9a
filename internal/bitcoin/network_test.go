package bitcoin

import (
	"errors"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"pgregory.net/rapid"
)

// genesisHashes are those of Bitcoin Core's chainparams.
var genesisHashes = map[Network]string{
	Mainnet:  "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
	Testnet3: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
	Testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
	Signet:   "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
	Regtest:  "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}

func TestNetworks(t *testing.T) {
	for network, genesis := range genesisHashes {
		got, err := ParseNetwork(string(network))
		if err != nil || got != network {
			t.Errorf("ParseNetwork(%q) = %q, %v", network, got, err)
		}
		if got.Genesis().String() != genesis {
			t.Errorf("genesis of %s is %s, want %s", network, got.Genesis(), genesis)
		}
	}
	for _, bad := range []string{"", "mainnet", "Main", "testnet", "bch", "simnet"} {
		if got, err := ParseNetwork(bad); !errors.Is(err, ErrUnknownNetwork) || got != "" {
			t.Errorf("ParseNetwork(%q) = %q, %v", bad, got, err)
		}
		if got := Network(bad).Genesis(); got != (Hash{}) {
			t.Errorf("genesis of %q is %s", bad, got)
		}
	}
}

func TestSubsidy(t *testing.T) {
	tests := []struct {
		height int64
		n      Network
		want   int64
	}{
		{0, Mainnet, 50_0000_0000},
		{209_999, Mainnet, 50_0000_0000},
		{210_000, Mainnet, 25_0000_0000},
		{840_000, Mainnet, 3_1250_0000},
		{6_929_999, Mainnet, 1},
		{6_930_000, Mainnet, 0},
		{210_000 * 64, Mainnet, 0},
		{1 << 62, Mainnet, 0},
		{-1, Mainnet, 0},
		{149, Regtest, 50_0000_0000},
		{150, Regtest, 25_0000_0000},
		{150 * 64, Regtest, 0},
	}
	for _, tt := range tests {
		if got := Subsidy(tt.height, tt.n); got != tt.want {
			t.Errorf("Subsidy(%d, %s) = %d, want %d", tt.height, tt.n, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := drawNetwork(t)
		height := rapid.Int32Range(0, 20_000_000).Draw(t, "height")
		if got, want := Subsidy(int64(height), n), blockchain.CalcBlockSubsidy(height, n.params()); got != want {
			t.Errorf("Subsidy(%d, %s) = %d, btcd has %d", height, n, got, want)
		}
	})
}

func drawNetwork(t *rapid.T) Network {
	return rapid.SampledFrom([]Network{Mainnet, Testnet3, Testnet4, Signet, Regtest}).Draw(t, "network")
}
