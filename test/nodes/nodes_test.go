package nodes

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// chainInfo is what these tests ask of getblockchaininfo.
type chainInfo struct {
	Chain  string `json:"chain"`
	Blocks int64  `json:"blocks"`
}

func TestBtcd(t *testing.T) {
	t.Parallel()
	b := StartBtcd(t)

	if info := Ask[chainInfo](t, b.RPC, "getblockchaininfo"); info != (chainInfo{Chain: "regtest"}) {
		t.Errorf("a new btcd says %+v", info)
	}
	b.Generate(t, 2)
	if got := b.BlockAt(t, 2); got.Height != 2 || len(got.Tx) != 1 {
		t.Errorf("block 2 is %+v", got)
	}

	b.Stop(t, 20*time.Second)
	if b.Running() {
		t.Error("it still runs")
	}
}

func TestBitcoind(t *testing.T) {
	t.Parallel()
	b := StartBitcoind(t)
	version, err := BitcoindVersion()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(version)

	if info := Ask[chainInfo](t, b.RPC, "getblockchaininfo"); info != (chainInfo{Chain: "regtest"}) {
		t.Errorf("a new bitcoind says %+v", info)
	}
	hashes := b.Generate(t, 2, rewardAddress)
	got := b.BlockAt(t, 2)
	if len(hashes) != 2 || got.Hash != hashes[1] || got.Tx[0].Vout[0].ScriptPubKey.Address != rewardAddress {
		t.Errorf("block 2 is %+v, mined %v", got, hashes)
	}
	if publishers := Ask[[]map[string]any](t, b.RPC, "getzmqnotifications"); len(publishers) != 2 {
		t.Errorf("publishers: %v", publishers)
	}

	b.Stop(t, 60*time.Second)
	b.Restart(t)
	if h := b.Height(t); h != 2 {
		t.Errorf("after a restart the chain is %d high, want 2", h)
	}
}

func TestReleaseCodename(t *testing.T) {
	path := filepath.Join(t.TempDir(), "os-release")
	if err := os.WriteFile(path, []byte("ID=debian\nVERSION_CODENAME=\"bookworm\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := releaseCodename(path); err != nil || got != "bookworm" {
		t.Errorf("codename %q, %v", got, err)
	}
}
