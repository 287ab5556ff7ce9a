package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
)

// momentOf returns a moment at testNow with empty models, to be filled.
func momentOf() moment {
	return moment{now: testNow, started: testNow, ledger: &ledger.Snapshot{}, pool: &pool.Status{}, node: &node.Status{}}
}

func TestRecentWorkersNewestFirst(t *testing.T) {
	for _, n := range []int{0, 1, 14, 15, 16, 500} {
		m := momentOf()
		m.ledger.Workers = manyWorkers(n)
		got := buildOverview(m).Workers
		if len(got) != min(n, 15) {
			t.Fatalf("%d workers: %d listed, want %d", n, len(got), min(n, 15))
		}
		for i, w := range got {
			if want := fmt.Sprintf("1A1zP1eP...v7DivfNa.rig%d", i); w.Name != want {
				t.Errorf("%d workers: number %d is %s, want %s", n, i, w.Name, want)
			}
		}
	}
}

func TestRecentWorkersWindowAndBans(t *testing.T) {
	m := momentOf()
	m.ledger.Workers = []ledger.WorkerView{
		{Name: "edge", LastShare: testNow.Add(-30 * time.Minute)},
		{Name: "old", LastShare: testNow.Add(-30*time.Minute - time.Nanosecond)},
		{Name: "never"},
		{Name: "banned", LastShare: testNow},
		{Name: "pardoned", LastShare: testNow.Add(-time.Minute)},
	}
	m.pool.Bans = []pool.Ban{{Worker: "banned", Until: testNow.Add(time.Second)}, {Worker: "pardoned", Until: testNow}}
	got := buildOverview(m).Workers
	if len(got) != 2 || got[0].Name != "pardoned" || got[1].Name != "edge" {
		t.Errorf("got %+v, want pardoned and edge", got)
	}
}

func TestBannedWorkersBounded(t *testing.T) {
	m := momentOf()
	for i := range 60 {
		m.pool.Bans = append(m.pool.Bans, pool.Ban{Worker: fmt.Sprint("w", i), Until: testNow.Add(time.Duration(i) * time.Minute)})
	}
	m.pool.Bans = append(m.pool.Bans, pool.Ban{Worker: "forever", Reason: "  a reason\nthat " + fmt.Sprintf("%0200d", 0)})
	got := buildOverview(m).BannedWorkers
	if len(got) != 25 || got[0].Name != "forever" || got[1].Name != "w59" || got[24].Name != "w36" {
		t.Fatalf("got %d: %+v", len(got), got)
	}
	if !got[0].BannedUntil.IsZero() || len(got[0].BanReason) > maxBanReason {
		t.Errorf("ban without end: %+v", got[0])
	}
}

func TestBestSharesOrder(t *testing.T) {
	var list []ledger.BestShare
	for i := range 20 {
		list = append(list, ledger.BestShare{Worker: fmt.Sprint("w", i), Difficulty: float64(i / 2), At: testNow.Add(time.Duration(i) * time.Second)})
	}
	got := bestShares(list)
	if len(got) != 12 {
		t.Fatalf("%d listed, want 12", len(got))
	}
	for i, s := range got {
		// Pairs are of equal difficulty; the later one comes first.
		if want := fmt.Sprint("w", 19-i); s.Worker != want {
			t.Errorf("number %d is %s, want %s", i, s.Worker, want)
		}
	}
}

func TestMinerTypesBounded(t *testing.T) {
	var types []ledger.MinerType
	for i := range 200 {
		types = append(types, ledger.MinerType{Name: fmt.Sprintf("type%03d", i), Total: 1 + i%3})
	}
	types = append(types, ledger.MinerType{Total: 9, Versions: []ledger.MinerVersion{{Version: string(make([]byte, 500)), Total: 9}}})
	got := minerTypes(types)
	if len(got) != maxMinerTypes || got[0].Name != "(unknown)" || got[1].Name != "type002" || got[2].Name != "type005" {
		t.Fatalf("got %d: %+v", len(got), got[:3])
	}
	if n := len(got[0].Versions[0].Version); n > maxUserAgent {
		t.Errorf("a version of %d bytes", n)
	}
}

func BenchmarkOverview10kWorkers(b *testing.B) {
	m := full()
	snap := *m.snapshot.Load()
	snap.Workers = manyWorkers(10_000)
	m.snapshot.Store(&snap)
	s, c := newTestServer(b, m, Config{})
	b.Run("build and encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.advance(periodOverview)
			snap := *m.snapshot.Load()
			snap.At = c.now()
			if _, err := s.overview.get(c.now()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("recent workers", func(b *testing.B) {
		b.ReportAllocs()
		mo := momentOf()
		mo.ledger = m.snapshot.Load()
		for b.Loop() {
			if got := recentWorkers(mo, nil); len(got) != maxWorkers {
				b.Fatal(len(got))
			}
		}
	})
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.overview.get(c.now()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
