package conformance

import (
	"net/http"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// Blocks of these networks take about as many hashes as they have here: signet's
// own limit, and for the testnet something that a test can find.
const (
	signetBits       = 0x1e0377ae // four million hashes
	testnetBits      = 0x1f00ffff // 65,536 hashes, in place of the real network's
	testnetLeastBits = 0x1f7fffff // 512 hashes, in place of difficulty 1

	testnetPassword = "f=0.00000001" // 43 hashes a share
)

// case   C19 a signet whose challenge is OP_TRUE is mined, another one is not
// device any miner on a signet of one's own
// source BIP325; Bitcoin Core signet.cpp:100; a signet session recorded by p2poolv2 (dossier 2.5)
// proves R-U3 R-K1
func TestC19Signet(t *testing.T) {
	t.Parallel()
	t.Run("OP_TRUE", func(t *testing.T) {
		t.Parallel()
		f := newFakeNode(&chaincfg.SigNetParams, 250_000, signetBits, time.Minute)
		f.challenge = "51"
		p := newPlace(t, &chaincfg.SigNetParams, nil, f.start(t))
		p.awaitWork(t)
		d := p.connect(t)
		user := p.addressOf("miner") + ".signet"
		old := d.start("cpuminer/2.5.1", user, "x")
		b := d.mine(wish{block: true})
		if m := d.submit(10, user, b); string(m.Result) != "true" {
			d.fatalf("the block: %s", m.Error)
		}
		awaitAccepted(t, f, b)
		d.awaitTip(old)
	})
	t.Run("a challenge that needs a signature", func(t *testing.T) {
		t.Parallel()
		f := newFakeNode(&chaincfg.SigNetParams, 250_000, signetBits, time.Minute)
		f.challenge = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be43051ae"
		p := newPlace(t, &chaincfg.SigNetParams, nil, f.start(t))
		d := p.connect(t)
		d.allowed["client.show_message"] = true
		d.call(1, "mining.subscribe", "cpuminer/2.5.1")
		d.call(2, "mining.authorize", p.addressOf("miner"), "x")
		// No job rather than one whose block nobody accepts.
		d.silent(2 * time.Second)
		if status, text := p.readiness(t); status != http.StatusServiceUnavailable || !contains(text, "signet", "signature", "sign") {
			t.Errorf("/readyz says %d %s, and nothing of the signature that is missing", status, text)
		}
	})
}

// testnet4 with difficulties that a test can meet.
func testnet4() *chaincfg.Params {
	params := chaincfg.TestNet4Params
	params.PowLimit, params.PowLimitBits = chaincfg.RegressionNetParams.PowLimit, testnetLeastBits
	return &params
}

// case   C19 testnet4: after twenty minutes without a block the bits change, and no share may cross that line
// device any miner on testnet4 that rolls ntime
// source BIP94; Bitcoin Core pow.cpp; dossier 2.5
// proves R-U5 R-U3
func TestC19Testnet4(t *testing.T) {
	t.Parallel()
	t.Run("before twenty minutes", func(t *testing.T) {
		t.Parallel()
		// The line is nine minutes ahead, far within the two hours of R-U5.
		f := newFakeNode(testnet4(), 50_000, testnetBits, 11*time.Minute)
		d, user := onTestnet(t, f)
		across := d.mine(wish{later: 10 * 60})
		if m := d.submit(10, user, across); m.refusal() != "20 Ntime out of range" {
			d.fault("R-U5", "a share whose time asks for other bits: %s %s", m.Result, m.Error)
		}
		b := d.mine(wish{block: true, later: 8 * 60})
		if m := d.submit(11, user, b); string(m.Result) != "true" {
			d.fatalf("a block whose time is on this side: %s", m.Error)
		}
		awaitAccepted(t, f, b)
	})
	t.Run("after twenty minutes", func(t *testing.T) {
		t.Parallel()
		f := newFakeNode(testnet4(), 50_000, testnetBits, 21*time.Minute)
		d, user := onTestnet(t, f)
		if d.newest.bits != testnetLeastBits {
			d.fatalf("the job has bits %08x", d.newest.bits)
		}
		back := d.mine(wish{later: -5 * 60})
		if m := d.submit(10, user, back); m.refusal() != "20 Ntime out of range" {
			d.fault("R-U5", "a share whose time asks for other bits: %s %s", m.Result, m.Error)
		}
		old := d.newest
		b := d.mine(wish{block: true})
		if m := d.submit(11, user, b); string(m.Result) != "true" {
			d.fatalf("a block of the least difficulty: %s", m.Error)
		}
		awaitAccepted(t, f, b)
		if next := d.awaitTip(old); next.bits != testnetBits {
			d.fatalf("the next job has bits %08x, and the exception is over", next.bits)
		}
	})
	t.Run("the line is crossed while a job is out", func(t *testing.T) {
		t.Parallel()
		f := newFakeNode(testnet4(), 50_000, testnetBits, 20*time.Minute-3*time.Second)
		d, user := onTestnet(t, f)
		for d.newest.bits != testnetLeastBits {
			d.awaitJobWithin(3*time.Minute/4, "a job of the least difficulty, which the network allows now")
		}
		b := d.mine(wish{block: true})
		if m := d.submit(10, user, b); string(m.Result) != "true" {
			d.fatalf("a block of the least difficulty: %s", m.Error)
		}
		awaitAccepted(t, f, b)
	})
}

func onTestnet(t *testing.T, f *fakeNode) (d *device, user string) {
	t.Helper()
	p := newPlace(t, f.params, settings{"difficulty.min": "0.00000001"}, f.start(t))
	p.awaitWork(t)
	d = p.connect(t)
	user = p.addressOf("miner") + ".testnet"
	d.start("cpuminer/2.5.1", user, testnetPassword)
	return d, user
}

// awaitAccepted waits until a fake node has taken a block, and fails at once
// when it refused one.
func awaitAccepted(t *testing.T, f *fakeNode, b *share) {
	t.Helper()
	nodes.WaitFor(t, program.StartLimit, "the node has the block", func() bool {
		if refused := f.verdicts(); len(refused) > 0 {
			t.Fatalf("the node refuses the block: %q", refused)
		}
		return f.inChain(t, b.hash())
	})
}
