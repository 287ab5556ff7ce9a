package pool

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
)

// subscribe returns the session id and the extranonce1 that the pool gives.
func (m *testMiner) subscribe(params ...any) (sid, extranonce1 string) {
	m.t.Helper()
	var result []json.RawMessage
	var subscriptions [][2]string
	reply := m.call("mining.subscribe", params...)
	if err := json.Unmarshal(reply.Result, &result); err != nil || len(result) != 3 {
		m.t.Fatalf("subscribe: %s, %v", reply.Result, err)
	}
	if err := json.Unmarshal(result[0], &subscriptions); err != nil {
		m.t.Fatal(err)
	}
	if err := json.Unmarshal(result[1], &extranonce1); err != nil {
		m.t.Fatal(err)
	}
	m.en1 = extranonce1
	return subscriptions[0][1], extranonce1
}

func (m *testMiner) leave() {
	m.t.Helper()
	m.conn.Close()
	synctest.Wait()
}

// A miner that comes back within ten minutes and names its session has the same
// extranonce1 and difficulty, so what it found meanwhile still counts, once;
// and its new work is new (R-S4).
func TestSessionResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *Config) { c.Difficulty.Max = 1 })
		r.newTip()
		m := r.connect(t)
		m.user = alice + ".rig"
		sid, extranonce1 := m.subscribe("cgminer/4.11.1")
		m.call("mining.authorize", m.user, "d=2e-7")
		old := m.nextJob()
		sent, unsent := m.solve(old, old.ofShare(), "", 0), m.solve(old, old.ofShare(), "", 0)
		m.wantVerdict(sent, "")
		m.leave()
		time.Sleep(9 * time.Minute)

		n := r.connect(t)
		n.user = m.user
		if again, en1 := n.subscribe("cgminer/4.11.1", sid); again != sid || en1 != extranonce1 {
			t.Fatalf("session %s with %s, want %s with %s", again, en1, sid, extranonce1)
		}
		n.call("mining.authorize", n.user, "x")
		now := n.nextJob()
		if n.difficulty != 2e-7 {
			t.Errorf("difficulty %v", n.difficulty)
		}
		if now.id == old.id || now.coinb1 == old.coinb1 {
			t.Error("the same work again: the miner will find its old shares")
		}
		n.wantVerdict(unsent, "")
		n.wantVerdict(unsent, "Duplicate")
		n.wantVerdict(sent, "Duplicate")
		n.wantVerdict(n.solve(now, now.ofShare(), "", 0), "")

		// While it lives, nobody else gets its extranonce1.
		thief := r.connect(t)
		if got, en1 := thief.subscribe("cgminer/4.11.1", sid); got == sid || en1 == extranonce1 {
			t.Errorf("two live sessions with extranonce1 %s", en1)
		}
		thief.leave()

		n.leave()
		time.Sleep(resumeFor + time.Second)
		late := r.connect(t)
		if _, en1 := late.subscribe("cgminer/4.11.1", sid); en1 == extranonce1 {
			t.Error("a session is resumed after more than ten minutes")
		}
		for _, nonsense := range []string{"ffffffff", "", "x", sid + "00", "0x123456"} {
			other := r.connect(t)
			if got, _ := other.subscribe("cgminer/4.11.1", nonsense); got == nonsense {
				t.Errorf("session %q was never given out", nonsense)
			}
			other.leave()
		}
		r.stop()
		if n := len(r.pool.sessions); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// What is kept of ended sessions is bounded.
func TestResumablesAreBounded(t *testing.T) {
	var r resumables
	now := time.Now()
	for i := range uint32(3 * maxResumable) {
		r.addLocked(i, &resumable{ended: now})
	}
	if n := len(r.byExtranonce); n != maxResumable {
		t.Errorf("%d sessions are kept", n)
	}
	if r.byExtranonce[3*maxResumable-1] == nil || r.byExtranonce[0] != nil {
		t.Error("the wrong ones are kept")
	}
	r.pruneLocked(now.Add(resumeFor + time.Second))
	if len(r.byExtranonce) != 0 || len(r.order) != 0 {
		t.Error("they are kept for ever")
	}
}

// Who comes and goes keeps nobody else's session from growing old.
func TestResumablesGrowOld(t *testing.T) {
	var r resumables
	now := time.Now()
	r.addLocked(1, &resumable{ended: now})
	r.addLocked(2, &resumable{ended: now})
	for range 20 {
		r.takeLocked(1)
		now = now.Add(time.Minute)
		r.addLocked(1, &resumable{ended: now})
	}
	if r.byExtranonce[2] != nil || r.byExtranonce[1] == nil || len(r.order) != 1 {
		t.Errorf("%d sessions, %d in order", len(r.byExtranonce), len(r.order))
	}
}
