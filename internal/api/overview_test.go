package api

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
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

func TestRecentWorkersWindow(t *testing.T) {
	m := momentOf()
	m.ledger.Workers = []ledger.WorkerView{
		{Name: "edge", LastShare: testNow.Add(-30 * time.Minute)},
		{Name: "old", LastShare: testNow.Add(-30*time.Minute - time.Nanosecond)},
		{Name: "never"},
		{Name: "newer", LastShare: testNow.Add(-time.Minute)},
	}
	got := buildOverview(m).Workers
	if len(got) != 2 || got[0].Name != "newer" || got[1].Name != "edge" {
		t.Errorf("got %+v, want newer and edge", got)
	}
}

// Bans are listed without the addresses that they are of, and name nobody.
func TestBannedWorkersBounded(t *testing.T) {
	m := momentOf()
	block := netip.MustParsePrefix("203.0.113.7/32")
	m.pool.Abuse.Bans = []abuse.Ban{{Block: block, Reason: "  a reason\nthat 203.0.113.7:99 " + fmt.Sprintf("%0200d", 0)}}
	for i := range 60 {
		m.pool.Abuse.Bans = append(m.pool.Abuse.Bans, abuse.Ban{Block: block, Until: testNow.Add(time.Duration(60-i) * time.Minute)})
	}
	page := buildOverview(m)
	got := page.BannedWorkers
	if len(got) != 25 || !got[1].BannedUntil.Equal(testNow.Add(time.Hour)) || !got[24].BannedUntil.Equal(testNow.Add(37*time.Minute)) {
		t.Fatalf("got %d: %+v", len(got), got)
	}
	if !got[0].BannedUntil.IsZero() || len(got[0].BanReason) > maxBanReason {
		t.Errorf("ban without end: %+v", got[0])
	}
	if body, err := json.Marshal(page); err != nil || strings.Contains(string(body), "203.0.113") {
		t.Errorf("the address is public: %s, %v", body, err)
	}
	m.pool.Abuse.Bans = []abuse.Ban{{Block: block, Until: testNow}}
	if got := buildOverview(m).BannedWorkers; len(got) != 0 {
		t.Errorf("over, but listed: %+v", got)
	}
}

func TestBestSharesOrder(t *testing.T) {
	var list []ledger.BestShare
	for i := range 20 {
		list = append(list, ledger.BestShare{Worker: fmt.Sprint("w", i), Difficulty: float64(i / 2), At: testNow.Add(time.Duration(i) * time.Second)})
	}
	got := bestShares(list, false)
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
			if got := recentWorkers(mo); len(got) != maxWorkers {
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
