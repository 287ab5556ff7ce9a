package ledger_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// detail finds a worker.
func (h *harness) detail(name string) ledger.WorkerDetail {
	h.t.Helper()
	d, ok := h.Worker(name)
	if !ok {
		h.t.Fatalf("worker %q is not known", name)
	}
	return d
}

func TestWorkerDetail(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	first := h.Connect(ledger.ConnInfo{ConnectionID: "c1", Worker: "w", Address: "addr", UserAgent: "old/1", Remote: "192.0.2.1:1", ConnectedAt: h.now})
	first.SetDifficulty(1000, 1000)
	h.pass(time.Second)
	second := h.Connect(ledger.ConnInfo{ConnectionID: "c2", Worker: "w", Address: "addr", UserAgent: "new/2", Remote: "192.0.2.2:2", TLS: true, ConnectedAt: h.now})
	second.SetDifficulty(2000, 2000)
	second.Ping(12500 * time.Microsecond)
	for _, took := range []time.Duration{700 * time.Millisecond, 50 * time.Millisecond, 900 * time.Millisecond} {
		second.FirstShare(took)
	}
	h.now = h.now.Add(250 * time.Millisecond)
	second.Accept(h.share(2000, 123456))
	h.now = h.now.Add(250 * time.Millisecond)
	first.Reject(stratum.RejectLowDifficulty, ledger.Share{Credit: 1000, Difficulty: 700, At: h.now})
	h.now = h.now.Add(250 * time.Millisecond)
	second.Reject(stratum.RejectMalformed, ledger.Share{Credit: 2000, At: h.now})
	h.pass(time.Second)
	first.SetDifficulty(1000, 1000) // the same again is no change
	first.SetDifficulty(500, 500)
	h.pass(time.Second)

	d := h.detail("w")
	at := noon.Add(time.Second)
	equal(t, "connections", d.Open, []ledger.ConnectionView{
		{ID: "c2", UserAgent: "new/2", TLS: true, Remote: "192.0.2.2:2", ConnectedAt: at, Difficulty: 2000, PingP50: 12.5, PingP95: 12.5,
			Hashrate: 2000 * (1 << 32) / 10.0, Accuracy: "~", ShareRate: 6, Accepted: 1, Rejected: 1, LastShare: at.Add(250 * time.Millisecond),
			FirstShare: ledger.FirstShare{Last: 900 * time.Millisecond, P50: 700 * time.Millisecond, P95: 900 * time.Millisecond, Samples: 3}},
		{ID: "c1", UserAgent: "old/1", Remote: "192.0.2.1:1", ConnectedAt: noon, Difficulty: 500, Accuracy: "~", Rejected: 1},
	})
	equal(t, "difficulties", d.Difficulties, []ledger.DifficultyChange{
		{At: noon, Difficulty: 1000, ConnectionID: "c1"},
		{At: at, Difficulty: 2000, ConnectionID: "c2"},
		{At: at.Add(1750 * time.Millisecond), Difficulty: 500, ConnectionID: "c1"},
	})
	equal(t, "shares", d.Shares, []ledger.RecentShare{
		{At: at.Add(250 * time.Millisecond), Assigned: 2000, Difficulty: 123456},
		{At: at.Add(500 * time.Millisecond), Assigned: 1000, Difficulty: 700, Reject: stratum.RejectLowDifficulty},
		{At: at.Add(750 * time.Millisecond), Assigned: 2000, Reject: stratum.RejectMalformed},
	})
	if d.Name != "w" || d.Accepted != 1 || d.Rejected != 2 || d.Connections != 2 || !d.Online {
		t.Errorf("view %+v", d.WorkerView)
	}
	if len(d.Best) != 3 || d.Best[0].Difficulty != 123456 || d.Best[2] != d.Best[0] {
		t.Errorf("best shares %+v", d.Best)
	}

	// What was seen outlives the connections.
	first.Close(h.now)
	second.Accept(h.share(2000, 5000))
	second.Close(h.now)
	second.Reject(stratum.RejectStale, ledger.Share{Credit: 2000, At: h.now}) // it was on its way
	d = h.detail("w")
	if len(d.Open) != 0 || d.Online || len(d.Difficulties) != 3 || len(d.Shares) != 5 || d.Shares[4].Reject != stratum.RejectStale {
		t.Errorf("after the end: %+v", d)
	}
	if _, ok := h.Worker("nobody"); ok {
		t.Error("a worker that never was is known")
	}
	if _, ok := h.Worker(ledger.PoolName); ok {
		t.Error("the pool is no worker")
	}
}

// TestTrailIsBounded has more shares, changes and connections than are kept, in
// one second and in many.
func TestTrailIsBounded(t *testing.T) {
	for _, perTick := range []int{1, 10, 64, 150, 1000} {
		t.Run(fmt.Sprint(perTick), func(t *testing.T) {
			h := newHarness(t, ledger.Options{})
			a := h.connect("w", "agent", "10.0.0.1:1")
			const total = 1000
			for i := 1; i <= total; i++ {
				a.Accept(ledger.Share{Credit: 1, Difficulty: float64(i), At: noon.Add(time.Duration(i) * time.Millisecond)})
				if i%perTick == 0 {
					h.Tick(h.now)
				}
			}
			h.Tick(h.now)
			shares := h.detail("w").Shares
			if len(shares) != ledger.MaxRecentShares {
				t.Fatalf("%d shares", len(shares))
			}
			for i, s := range shares {
				if want := total - len(shares) + 1 + i; s.Difficulty != float32(want) || !s.At.Equal(noon.Add(time.Duration(want)*time.Millisecond)) {
					t.Fatalf("share %d is %+v, want number %d", i, s, want)
				}
			}
		})
	}

	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1")
	for i := range 300 {
		a.SetDifficulty(float64(i+1), 1)
		if i < 200 || i%50 == 49 {
			h.Tick(h.now)
		}
	}
	changes := h.detail("w").Difficulties
	if len(changes) != ledger.MaxDifficultyChanges || changes[len(changes)-1].Difficulty != 300 {
		t.Errorf("%d changes, the last %+v", len(changes), changes[len(changes)-1])
	}

	for i := range 150 {
		h.connect("w", "agent", fmt.Sprint("10.0.0.1:", 1000+i))
	}
	h.Tick(h.now)
	d := h.detail("w")
	if len(d.Open) != ledger.MaxDetailConnections || d.Connections != 151 || d.Open[0].Remote != "10.0.0.1:1149" {
		t.Errorf("%d connections are listed of %d, the first %s", len(d.Open), d.Connections, d.Open[0].Remote)
	}
}

// TestTrailOfAbsurdShares has numbers that are none.
func TestTrailOfAbsurdShares(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1")
	for _, d := range []float64{math.NaN(), math.Inf(1), -1, math.MaxFloat64} {
		a.Accept(ledger.Share{Credit: d, Difficulty: d, At: h.now})
		a.Reject(stratum.RejectStale, ledger.Share{Credit: d, Difficulty: d, At: h.now})
	}
	h.Tick(h.now)
	for _, s := range h.detail("w").Shares {
		if d := float64(s.Difficulty); math.IsNaN(d) || math.IsInf(d, 0) || d < 0 || s.Assigned < 0 || s.Assigned > math.MaxFloat32 {
			t.Errorf("got %+v", s)
		}
	}
}

// TestTrailOfForgottenWorker has shares that come after their worker was
// forgotten.
func TestTrailOfForgottenWorker(t *testing.T) {
	h := newHarness(t, ledger.Options{IdleFor: time.Minute})
	a := h.connect("w", "agent", "10.0.0.1:1")
	a.Close(h.now)
	h.pass(2 * time.Minute)
	if _, ok := h.Worker("w"); ok {
		t.Fatal("the worker was not forgotten")
	}
	a.Accept(h.share(1, 2))
	if d := h.detail("w"); len(d.Shares) != 1 || d.Accepted != 1 {
		t.Errorf("got %+v", d)
	}
}
