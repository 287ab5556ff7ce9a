package pool

import (
	"bytes"
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// TestReconfigureCoinbase changes tag and fee under a miner at work: the job
// that it has stays as it is and its shares count, the next one is made anew.
func TestReconfigureCoinbase(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(m.user, "x")
	old := m.job
	if !tagged(t, old, "/poolscope/") {
		t.Fatal("the first job has no tag")
	}

	cfg := testConfig(r.dir)
	cfg.Tag = "/renamed/"
	cfg.Payout = PayoutConfig{FeePercent: 2, FeeAddress: operator}
	if err := r.pool.Reconfigure(cfg); err != nil {
		t.Fatal(err)
	}
	r.node.mu.Lock()
	if r.node.refreshed == 0 {
		t.Error("no new template was asked for: miners stay on the old coinbase for long")
	}
	r.node.mu.Unlock()
	m.wantVerdict(m.solve(old, old.ofShare(), "", 0), "")

	r.refresh()
	fresh := m.nextJob()
	script, err := bitcoin.PayoutScript(operator, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	if !tagged(t, fresh, "/renamed/") || !strings.Contains(fresh.coinb2, hex.EncodeToString(script)) {
		t.Errorf("the new job has neither the new tag nor the fee: %s … %s", fresh.coinb1, fresh.coinb2)
	}
	m.wantVerdict(m.solve(fresh, fresh.ofShare(), "", 0), "")
	r.pool.publish(time.Now())
	if s := r.pool.Status(); s.Tag != "/renamed/" || s.FeePercent != 2 || s.FeeAddress != operator {
		t.Errorf("the status says tag %q, fee %v to %q", s.Tag, s.FeePercent, s.FeeAddress)
	}
}

func tagged(t *testing.T, j testJob, tag string) bool {
	t.Helper()
	coinbase, err := hex.DecodeString(j.coinb1 + j.coinb2)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(coinbase, []byte(tag))
}

// TestReconfigureRefuses tries settings that cannot pay the operator: nothing
// of them comes into force.
func TestReconfigureRefuses(t *testing.T) {
	r := newRig(t, false)
	cfg := testConfig(r.dir)
	cfg.Tag = "/renamed/"
	cfg.Payout = PayoutConfig{FeePercent: 2, FeeAddress: mainnet}
	err := r.pool.Reconfigure(cfg)
	if err == nil || !strings.Contains(err.Error(), "fee address") {
		t.Errorf("a fee address of another network: %v", err)
	}
	if got := r.pool.config(); got.Tag != "/poolscope/" || got.Payout != (PayoutConfig{}) {
		t.Errorf("in force afterwards: %+v", got)
	}
}

// TestReconfigureKeepsWhatIsFixed gives values that miners or files already
// depend on.
func TestReconfigureKeepsWhatIsFixed(t *testing.T) {
	r := newRig(t, false)
	cfg := testConfig(t.TempDir())
	cfg.VersionMask = 0
	if err := r.pool.Reconfigure(cfg); err != nil {
		t.Fatal(err)
	}
	if got := r.pool.config(); got.VersionMask != 0x1fffe000 || got.BlockDir != r.dir {
		t.Errorf("mask %x, block folder %s", got.VersionMask, got.BlockDir)
	}
}

// TestReconfigureDifficulty raises the least difficulty over what a connected
// miner has: its next work comes with the new one.
func TestReconfigureDifficulty(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(m.user, "x")
	if m.job.difficulty >= 2e-6 {
		t.Fatalf("it starts at %v", m.job.difficulty)
	}
	cfg := testConfig(r.dir)
	cfg.Difficulty.Min, cfg.Difficulty.Start = 2e-6, 2e-6
	if err := r.pool.Reconfigure(cfg); err != nil {
		t.Fatal(err)
	}
	r.refresh()
	if j := m.nextJob(); j.difficulty != 2e-6 {
		t.Errorf("the next job has difficulty %v", j.difficulty)
	}
	if got := m.share(); got != "" {
		t.Errorf("a share at the new difficulty: %s", got)
	}
}

// TestReconfigureShareRate changes the aim of the difficulty control for a
// miner that is connected.
func TestReconfigureShareRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		m := r.connect(t)
		m.start(m.user, "x")
		cfg := testConfig(r.dir)
		cfg.Difficulty.SharesPerMinute = 1
		if err := r.pool.Reconfigure(cfg); err != nil {
			t.Fatal(err)
		}
		m.wait(5 * time.Second) // each session has its turn
		for _, s := range r.pool.snapshotSessions() {
			s.mu.Lock()
			if s.vardiff.interval != time.Minute {
				t.Errorf("the control aims at a share every %s", s.vardiff.interval)
			}
			s.mu.Unlock()
		}
		r.stop()
	})
}

// TestReconfigureLimits lowers the limit of connections below what is open:
// nobody is thrown out, nobody new comes in.
func TestReconfigureLimits(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	first, second := r.connect(t), r.connect(t)
	first.start(first.user, "x")
	second.start(second.user, "x")
	cfg := testConfig(r.dir)
	cfg.MaxConnections = 1
	if err := r.pool.Reconfigure(cfg); err != nil {
		t.Fatal(err)
	}
	third, err := net.Dial("tcp", r.listen)
	if err != nil {
		t.Fatal(err)
	}
	newTestMiner(t, third).wantEnd()
	if got := r.closes("too_many_connections"); got != 1 {
		t.Errorf("%d connections were turned away", got)
	}
	if got := second.share(); got != "" {
		t.Errorf("a miner from before the change: %s", got)
	}
}
