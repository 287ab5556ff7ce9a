package conformance

import (
	"encoding/binary"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"github.com/poolscope/poolscope/test/nodes"
)

// bitcoind is a network of a bitcoind on regtest.
type bitcoind struct{ *nodes.Bitcoind }

func (n bitcoind) section() string {
	return nodeSection(n.RPC, n.ZMQHashBlock, n.ZMQRawBlock)
}

func (n bitcoind) newBlock(t testing.TB) string {
	n.Generate(t, 1, addressOn(&chaincfg.RegressionNetParams, "somebody else"))
	return nodes.Ask[string](t, n.RPC, "getbestblockhash")
}

func (n bitcoind) inChain(t testing.TB, hash string) bool {
	var header struct{ Confirmations int }
	return n.Call(&header, "getblockheader", hash) == nil && header.Confirmations > 0
}

// case   C17 a block with a rolled version is accepted by the node
// device any ASIC that rolls versions
// source BIP310, BIP320; dvb-warppool lost a block to the version that was not rolled (dossier R-V6)
// proves R-V3 R-V4 R-V5 R-V6 R-U3
func TestC17RolledVersion(t *testing.T) {
	t.Parallel()
	t.Run("devnet", func(t *testing.T) {
		t.Parallel()
		rollVersions(t, onDevnet(t, nil, "--regtest"), func(p *place) nodes.RPC { return p.network.(devnet).Node() })
	})
	t.Run("bitcoind", func(t *testing.T) {
		t.Parallel()
		n := bitcoind{nodes.StartBitcoind(t)}
		rollVersions(t, newPlace(t, &chaincfg.RegressionNetParams, nil, n), func(*place) nodes.RPC { return n.RPC })
	})
}

func rollVersions(t *testing.T, p *place, node func(*place) nodes.RPC) {
	p.awaitWork(t)
	d := p.connect(t)
	user := p.addressOf("miner") + ".roller"
	d.start("cgminer/4.11.1", user, "x")
	for i, rolled := range []uint32{0x00002000, 0x1fffe000, 0x10000000, 0x083ac000} {
		old := d.newest
		b := d.mine(wish{block: true, rolled: rolled})
		if m := d.submit(10+i, user, b); string(m.Result) != "true" {
			d.fatalf("block with version bits %08x: %s", rolled, m.Error)
		}
		nodes.WaitFor(t, patience, "the block is in the chain", func() bool { return p.network.inChain(t, b.hash()) })
		header := nodes.Ask[struct{ Version int64 }](t, node(p), "getblockheader", b.hash())
		if want := binary.LittleEndian.Uint32(b.header[:4]); uint32(header.Version) != want || want&rolled != rolled {
			t.Errorf("the chain has version %08x, the miner hashed %08x", uint32(header.Version), want)
		}
		d.awaitTip(old)
	}
}
