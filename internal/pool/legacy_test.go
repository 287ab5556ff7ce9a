package pool

import (
	"encoding/json"
	"testing"
	"time"
)

// TestLegacy lets a miner go on at another pool, as after an upgrade, with its
// extranonce1 and its difficulty; who comes too late gets new ones.
func TestLegacy(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(m.user, "d=3e-7")
	if got := m.share(); got != "" {
		t.Fatal(got)
	}
	had := m.en1
	r.stop()
	text, err := json.Marshal(r.pool.Legacy())
	if err != nil {
		t.Fatal(err)
	}
	var legacy Legacy
	if err := json.Unmarshal(text, &legacy); err != nil || len(legacy.Connections) != 1 {
		t.Fatalf("legacy %s, %v", text, err)
	}

	resume := func() *testMiner {
		m := r.connect(t)
		m.call("mining.subscribe", "cgminer/4.11.1", had)
		m.call("mining.authorize", m.user, "x")
		m.nextJob()
		return m
	}
	r.start(false)
	r.pool.Inherit(legacy)
	r.newTip()
	again := resume()
	if again.en1 != had || again.job.difficulty != 3e-7 {
		t.Errorf("resumed with extranonce1 %s at difficulty %v, had %s", again.en1, again.job.difficulty, had)
	}
	if got := again.share(); got != "" {
		t.Errorf("a share of the resumed connection: %s", got)
	}
	r.stop()

	legacy.Connections[0].Ended = time.Now().Add(-time.Hour)
	r.start(false)
	r.pool.Inherit(legacy)
	r.newTip()
	if late := resume(); late.en1 == had {
		t.Error("an hour later it still has its extranonce1")
	}
}

// TestBlockAcrossAnUpgrade lets a miner find a block for the job that it had
// from the pool before.
func TestBlockAcrossAnUpgrade(t *testing.T) {
	r := newRig(t, false)
	r.newTip(withTransactions(5))
	m := r.connect(t)
	m.start(m.user, "x")
	block := m.solve(m.job, m.job.ofBlock(), "", 0)
	had := m.en1
	r.stop()
	text, err := json.Marshal(r.pool.Legacy())
	if err != nil {
		t.Fatal(err)
	}

	r.start(false)
	var legacy Legacy
	if err := json.Unmarshal(text, &legacy); err != nil {
		t.Fatal(err)
	}
	r.pool.Inherit(legacy)
	r.refresh(withTransactions(3)) // the same tip, another job
	m = r.connect(t)
	m.call("mining.subscribe", "cgminer/4.11.1", had)
	m.call("mining.authorize", m.user, "x")
	m.nextJob()
	if m.job.id == block.job || m.en1 != had {
		t.Fatalf("job %s after %s, extranonce1 %s after %s", m.job.id, block.job, m.en1, had)
	}
	if got := m.submit(block); got != "Stale" {
		t.Errorf("the block's share: %q", got)
	}
	eventually(t, "the block is submitted", func() bool { return len(r.node.submitted()) == 1 })
	if got := m.share(); got != "" {
		t.Errorf("a share of the new job: %s", got)
	}
}
