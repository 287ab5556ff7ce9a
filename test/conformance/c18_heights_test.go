package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"github.com/poolscope/poolscope/test/nodes"
)

// case   C18 every height is pushed as the rules want it: 1 to 16, and where a byte is added
// device any miner on a young chain, and every one on mainnet in a few decades
// source BIP34; Bitcoin Core pushes CScript() << height; dossier 2.4
// proves R-U3 R-K1
func TestC18Heights(t *testing.T) {
	t.Parallel()
	t.Run("from the genesis block on", func(t *testing.T) {
		t.Parallel()
		p := onDevnet(t, nil, "--regtest")
		p.awaitWork(t)
		d := p.connect(t)
		user := p.addressOf("miner")
		d.start("cpuminer/2.5.1", user, "x")
		for height := 1; height <= 18; height++ {
			mineHeight(t, d, user, height)
		}
	})
	t.Run("where a byte is added", func(t *testing.T) {
		t.Parallel()
		f := newFakeNode(&chaincfg.RegressionNetParams, 126, chaincfg.RegressionNetParams.PowLimitBits, time.Minute).start(t)
		p := newPlace(t, &chaincfg.RegressionNetParams, nil, f)
		p.awaitWork(t)
		d := p.connect(t)
		user := p.addressOf("miner")
		d.start("cpuminer/2.5.1", user, "x")
		for _, boundary := range []int{128, 256, 32_768, 65_536, 8_388_608} {
			if boundary > 128 {
				old := d.newest
				f.jump(int32(boundary - 2))
				d.awaitTip(old)
			}
			for height := boundary - 1; height <= boundary+1; height++ {
				mineHeight(t, d, user, height)
			}
		}
		if refused := f.verdicts(); len(refused) > 0 {
			t.Errorf("the node refused blocks: %q", refused)
		}
	})
}

// mineHeight finds the block of a height, which the newest job must be for.
func mineHeight(t *testing.T, d *device, user string, height int) {
	t.Helper()
	old := d.newest
	tx, err := old.coinbaseTx(d.extranonce1, make([]byte, d.extranonce2Size))
	if err != nil {
		t.Fatal(err)
	}
	if int(tx.LockTime) != height-1 {
		d.fatalf("the job is for height %d, want %d", tx.LockTime+1, height)
	}
	b := d.mine(wish{block: true})
	if m := d.submit(10_000+height, user, b); string(m.Result) != "true" {
		d.fatalf("the block of height %d: %s", height, m.Error)
	}
	nodes.WaitFor(t, patience, fmt.Sprintf("the block of height %d is in the chain", height), func() bool { return d.p.network.inChain(t, b.hash()) })
	d.awaitTip(old)
}
