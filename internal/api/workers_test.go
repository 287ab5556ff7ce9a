package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
)

// keyOf is what a page computes of a full name to ask for its own worker.
func keyOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// idOf is a worker's public id, computed from its description in docs/api.md.
func idOf(name string) string {
	sum := sha256.Sum256([]byte("poolscope worker\n" + name))
	return hex.EncodeToString(sum[:])[:16]
}

func fetch[T any](t testing.TB, s *Server, target string, header ...string) T {
	t.Helper()
	w := get(t, s, target, header...)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	var page T
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return page
}

func TestWorkersList(t *testing.T) {
	m := full()
	snap := *m.snapshot.Load()
	for i, ago := range []time.Duration{20 * time.Minute, time.Minute} {
		snap.Workers = append(snap.Workers, ledger.WorkerView{Name: fmt.Sprint(satoshi, ".left", i), FirstSeen: testNow.Add(-time.Hour), LastSeen: testNow.Add(-ago)})
	}
	m.snapshot.Store(&snap)
	s, clock := withScope(t, m, Config{})

	page := fetch[workersPage](t, s, "/api/workers")
	if page.Operator || page.Total != 6 || page.Online != 3 || page.Truncated != 0 || len(page.Workers) != 6 {
		t.Fatalf("got %+v", page)
	}
	var names []string
	for _, w := range page.Workers {
		names = append(names, w.Name)
	}
	if got, want := strings.Join(names, " "), "1A1zP1eP...v7DivfNa.rigA tb1qexam...eexample 1A1zP1eP...v7DivfNa.idle 1A1zP1eP...v7DivfNa.left1 1A1zP1eP...v7DivfNa.left0 1A1zP1eP...v7DivfNa.gone"; got != want {
		t.Errorf("names %s, want the connected ones and then those that left last: %s", got, want)
	}
	rig := page.Workers[0]
	if rig.ID != idOf(satoshi+".rigA") || !rig.Online || rig.Connections != 2 || !rig.TLS || rig.UserAgent != "bitaxe/BM1370/v2.4" || rig.Hashrate != 1.2e12 ||
		rig.HashrateAccuracy != "≈" || rig.PingP50MS != 12.5 || rig.Accepted != 4242 || rig.Rejected != 7 || !rig.LastShare.Equal(testNow.Add(-3*time.Second)) {
		t.Errorf("got %+v", rig)
	}

	full := fetch[workersPage](t, s, "/api/workers", bearer(scopeToken)...)
	if !full.Operator || full.Workers[0].Name != satoshi+".rigA" || full.Workers[0].ID != rig.ID {
		t.Errorf("the operator gets %+v", full.Workers[0])
	}
	if again := fetch[workersPage](t, s, "/api/workers"); again.Operator || again.Workers[0].Name != rig.Name {
		t.Errorf("after the operator, the public gets %+v", again.Workers[0])
	}
	clock.advance(4999 * time.Millisecond)
	fetch[workersPage](t, s, "/api/workers")
	if n := s.workers.public.built.Load(); n != 1 {
		t.Errorf("built %d times in five seconds", n)
	}
}

// TestWorkersEncoding compares the encoding that is made by hand with the one of
// encoding/json, whatever a row holds.
func TestWorkersEncoding(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1e-7, 1e-9, 1e21, 5e-324, 123456.789}))
	when := rapid.Custom(func(t *rapid.T) time.Time {
		return access.Stamp(time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "ms")))
	})
	rapid.Check(t, func(t *rapid.T) {
		page := &workersPage{APIVersion: apiVersion, UpdatedAt: when.Draw(t, "at"), Operator: rapid.Bool().Draw(t, "op"), Workers: []WorkerRow{}}
		for i := range rapid.IntRange(0, 3).Draw(t, "n") {
			w := ledger.WorkerView{
				Name: rapid.String().Draw(t, "name"), UserAgents: []string{rapid.String().Draw(t, "agent")}, Hashrate: number.Draw(t, "hashrate"),
				Accuracy: rapid.SampledFrom([]string{"", "~", "≈"}).Draw(t, "accuracy"), ShareRate: number.Draw(t, "rate"), Difficulty: number.Draw(t, "d"),
				Vardiff: number.Draw(t, "v"), Accepted: rapid.Uint64().Draw(t, "ok"), Rejected: rapid.Uint64().Draw(t, "bad"), PingP50: number.Draw(t, "ping"),
				BestEver: ledger.Best{Difficulty: number.Draw(t, "best")}, Connections: i, TLS: i == 1, Online: i == 2, FirstSeen: when.Draw(t, "first"), LastSeen: when.Draw(t, "seen"),
			}
			if i > 0 {
				w.LastShare = when.Draw(t, "share")
			}
			page.Workers = append(page.Workers, rowOf(&w, page.Operator, testNow))
		}
		want, err := json.Marshal(page)
		if err != nil {
			t.Fatal(err)
		}
		if got := page.appendJSON(nil); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func TestSignificant(t *testing.T) {
	for f, want := range map[float64]float64{
		0: 0, 1: 1, 1234567: 1234570, 1.2345678901e12: 1.23457e12, 0.00012345678: 0.000123457, -7654321: -7654320,
		5e-324: 5e-324, math.MaxFloat64: 1.79769e308, math.Inf(1): 0, math.NaN(): 0,
	} {
		got := significant(f)
		if !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
			t.Errorf("%g: %g, want %g", f, got, want)
		}
	}
}

// TestWorkersTruncated has more workers than a list shows.
func TestWorkersTruncated(t *testing.T) {
	m := empty()
	snap := *m.snapshot.Load()
	snap.Workers = manyWorkers(maxWorkerRows + 3)
	for i := range 5 {
		snap.Workers[i*1000].Online = false
	}
	m.snapshot.Store(&snap)
	s, _ := newTestServer(t, m, Config{})
	page := fetch[workersPage](t, s, "/api/workers")
	if page.Total != maxWorkerRows+3 || page.Online != maxWorkerRows-2 || page.Truncated != 3 || len(page.Workers) != maxWorkerRows {
		t.Errorf("total %d, online %d, truncated %d, %d rows", page.Total, page.Online, page.Truncated, len(page.Workers))
	}
	if page.Workers[maxWorkerRows-3].Online == page.Workers[maxWorkerRows-2].Online {
		t.Error("those that are gone do not come last")
	}
}

// TestTenThousandWorkers lists the workers of a real ledger and asks for some.
func TestTenThousandWorkers(t *testing.T) {
	const n = 10_000
	books := ledger.New(ledgertest.NewMemory(), ledger.Options{Now: func() time.Time { return testNow }}, slog.New(slog.DiscardHandler))
	if err := books.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	name := func(i int) string { return fmt.Sprintf("%s.rig%d", satoshi, i) }
	for i := range n {
		account := books.Connect(ledger.ConnInfo{ConnectionID: fmt.Sprintf("%08x", i), Worker: name(i), Address: satoshi, UserAgent: "bitaxe/BM1370", ConnectedAt: testNow})
		account.Accept(ledger.Share{Credit: 1, Difficulty: 2, At: testNow})
		if i%2 == 0 {
			account.Close(testNow) // collects what it counted
		}
	}
	src := Sources{Ledger: books}
	s := New(Config{Now: func() time.Time { return testNow }}, src, nil)

	w := get(t, s, "/api/workers", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 1<<20 {
		t.Errorf("%d bytes, encoded as %q", w.Body.Len(), w.Header().Get("Content-Encoding"))
	}
	page := fetch[workersPage](t, s, "/api/workers")
	ids := map[string]bool{}
	for _, row := range page.Workers {
		ids[row.ID] = true
	}
	if len(ids) != n || page.Total != n || page.Online != n/2 || page.Truncated != 0 {
		t.Errorf("%d ids, total %d, online %d, truncated %d", len(ids), page.Total, page.Online, page.Truncated)
	}
	for i := 0; i < n; i += 997 {
		worker := fetch[workerPage](t, s, "/api/workers/"+keyOf(name(i)))
		if worker.Name != name(i) || !ids[worker.ID] || worker.Online != (i%2 == 1) || len(worker.ConnectionList) != i%2 || len(worker.Shares) != 1-i%2 {
			t.Errorf("worker %d: %+v", i, worker)
		}
	}
}

// crowd are models with n workers that all have something to show.
func crowd(n int) *models {
	m := empty()
	snap := *m.snapshot.Load()
	snap.Workers = manyWorkers(n)
	for i := range snap.Workers {
		w := &snap.Workers[i]
		w.UserAgents, w.Hashrate = []string{"bitaxe/BM1370/v2.4.1"}, 1.2345678901e12+float64(i)*1e9
		w.BestEver, w.BestNow = ledger.Best{Difficulty: 123456.789 + float64(i)}, ledger.Best{Difficulty: 1234.5 + float64(i)}
		w.PingP50, w.FirstSeen, w.LastSeen = 12.34+float64(i%100), testNow.Add(-time.Duration(i)*time.Second), testNow
	}
	m.snapshot.Store(&snap)
	return m
}

// BenchmarkWorkers builds and encodes the list of ten thousand workers.
func BenchmarkWorkers(b *testing.B) {
	m := crowd(10_000)
	s, clock := newTestServer(b, m, Config{})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			clock.advance(periodWorkers)
			get(b, s, "/api/workers")
		}
	})
	b.Run("gzip", func(b *testing.B) {
		size := 0
		for b.Loop() {
			clock.advance(periodWorkers)
			size = get(b, s, "/api/workers", "Accept-Encoding", "gzip").Body.Len()
		}
		b.ReportMetric(float64(size), "bytes")
	})
}
