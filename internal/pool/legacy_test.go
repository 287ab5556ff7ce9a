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
	var legacy []LeftConnection
	if err := json.Unmarshal(text, &legacy); err != nil || len(legacy) != 1 {
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

	legacy[0].Ended = time.Now().Add(-time.Hour)
	r.start(false)
	r.pool.Inherit(legacy)
	r.newTip()
	if late := resume(); late.en1 == had {
		t.Error("an hour later it still has its extranonce1")
	}
}
