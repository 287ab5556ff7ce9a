package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/api/scopeapi"
	"github.com/poolscope/poolscope/internal/ledger"
)

// scopeToken is the scope's token of these tests.
const scopeToken = "a token of the scope's own"

// withScope returns a server that has a scope.
func withScope(t testing.TB, m *models, cfg Config) (*Server, *clock) {
	t.Helper()
	c := newClock(testNow)
	cfg.Now = c.now
	src := m.sources()
	src.Scope = scopeapi.New(scopeapi.Config{Token: scopeToken}, scopeapi.Sources{}, nil, nil)
	return New(cfg, src, nil), c
}

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

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

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
		return stamp(time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "ms")))
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

func TestWorkerPage(t *testing.T) {
	m := full()
	s, _ := withScope(t, m, Config{})
	name := satoshi + ".rigA"

	for _, ask := range []struct {
		what            string
		ref             string
		header          []string
		operator, owner bool
	}{
		{"the public", idOf(name), nil, false, false},
		{"who knows the name", keyOf(name), nil, false, true},
		{"who knows the name, in capitals", strings.ToUpper(keyOf(name)), nil, false, true},
		{"the operator", idOf(name), bearer(scopeToken), true, false},
		{"the operator, by name", keyOf(name), bearer(scopeToken), true, true},
		{"a wrong token", idOf(name), bearer("x"), false, false},
	} {
		t.Run(ask.what, func(t *testing.T) {
			page := fetch[workerPage](t, s, "/api/workers/"+ask.ref, ask.header...)
			full := ask.operator || ask.owner
			if page.Operator != ask.operator || page.Owner != ask.owner || page.ID != idOf(name) {
				t.Errorf("operator %v, owner %v, id %s", page.Operator, page.Owner, page.ID)
			}
			if got := get(t, s, "/api/workers/"+ask.ref, ask.header...).Body.String(); strings.Contains(got, satoshi) != full {
				t.Errorf("the address is there or not: %s", got)
			}
			if (page.Name == name) != full || (page.Address == satoshi) != full {
				t.Errorf("name %s, address %s", page.Name, page.Address)
			}
			first, second := page.ConnectionList[0], page.ConnectionList[1]
			if first.ID != "c2" || first.Extranonce1 != "0a0b0c0e" || first.ScopeSession != "" || (first.Remote != "") != ask.operator || (second.ScopeSession != "") != ask.operator {
				t.Errorf("connections %+v", page.ConnectionList)
			}
			if len(page.Shares) != 3 || !page.Shares[0].Accepted || page.Shares[1].Reason != "low_difficulty" || page.Shares[1].ShareDifficulty != 700 ||
				len(page.Difficulties) != 2 || page.Difficulties[1].Difficulty != 1024 {
				t.Errorf("shares %+v, difficulties %+v", page.Shares, page.Difficulties)
			}
			if (page.Coinbase != nil) != full || full && (page.Coinbase.ConnectionID != "c1" || page.Coinbase.Tx[8:16] != "0a0b0c0d") {
				t.Errorf("coinbase %+v", page.Coinbase)
			}
			if len(page.BestShares) != 2 || page.BestShares[0].Difficulty != 987654.25 || (page.BestShares[0].Hash == blockHash) != full {
				t.Errorf("best shares %+v", page.BestShares)
			}
		})
	}
}

// TestWorkersKeepAddresses has miners that write their address wherever they can,
// and lets the public ask for everything.
func TestWorkersKeepAddresses(t *testing.T) {
	const bech32 = "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ"
	m := full()
	snap := *m.snapshot.Load()
	snap.Workers = []ledger.WorkerView{
		{Name: satoshi + "." + satoshi, Address: satoshi, UserAgents: []string{satoshi}, Online: true},
		{Name: bech32 + ".rig", Address: strings.ToLower(bech32), UserAgents: []string{"miner/" + strings.ToLower(bech32) + " " + bech32}},
		{Name: satoshi + "+extra.rig", Address: satoshi, UserAgents: []string{"a/1 (" + satoshi + ")"}},
		{Name: satoshi, Address: satoshi},
	}
	m.snapshot.Store(&snap)
	s, _ := withScope(t, m, Config{})
	answers := map[string]string{"the list": get(t, s, "/api/workers").Body.String()}
	for _, w := range snap.Workers {
		for _, rest := range []string{"", "/history?range=24h"} {
			answers[idOf(w.Name)+rest] = get(t, s, "/api/workers/"+idOf(w.Name)+rest).Body.String()
		}
	}
	for what, body := range answers {
		for _, secret := range []string{satoshi, bech32, strings.ToLower(bech32), "192.0.2.7", "d3b07384"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells %s: %s", what, secret, body)
			}
		}
	}
	// Who knows one name sees that one only.
	own := get(t, s, "/api/workers/"+keyOf(bech32+".rig")).Body.String()
	if !strings.Contains(own, bech32) || strings.Contains(own, "192.0.2.7") {
		t.Errorf("the owner gets %s", own)
	}
}

// TestWorkerUnknown asks for what is no worker.
func TestWorkerUnknown(t *testing.T) {
	for _, m := range []*models{full(), {}, nil} {
		s, _ := newTestServer(t, m, Config{})
		for ref, code := range map[string]int{
			idOf("nobody"): 404, keyOf("nobody"): 404, keyOf(""): 404, idOf(""): 404,
			keyOf(satoshi): 404, strings.Repeat("0", 16): 404, strings.Repeat("f", 64): 404,
			"x": 400, strings.Repeat("g", 16): 400, strings.Repeat("0", 15): 400, strings.Repeat("0", 17): 400,
			strings.Repeat("0", 63): 400, strings.Repeat("0", 65): 400, satoshi: 400, "%00": 400, "..%2f..": 400,
		} {
			for _, rest := range []string{"", "/history?range=24h"} {
				w := get(t, s, "/api/workers/"+ref+rest)
				if w.Code != code || code == 404 && w.Body.String() != "not found\n" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
					t.Errorf("%s%s: %d %q, want %d", ref, rest, w.Code, w.Body, code)
				}
			}
		}
	}
}

// TestWorkerHistory reads charts of workers, more than are kept.
func TestWorkerHistory(t *testing.T) {
	m := full()
	snap := *m.snapshot.Load()
	snap.Workers = manyWorkers(100)
	m.snapshot.Store(&snap)
	s, clock := newTestServer(t, m, Config{})
	path := func(i int, query string) string {
		return "/api/workers/" + idOf(fmt.Sprint(satoshi, ".rig", i)) + "/history" + query
	}

	page := fetch[historyPage](t, s, path(7, "?range=30d"))
	if page.Range != "30d" || page.StepSeconds != 3600 || len(page.Points) != 3 || page.Points[1].Accepted != 10 {
		t.Errorf("got %+v", page)
	}
	if m.worker != satoshi+".rig7" || m.resolution != ledger.Hour || m.to.Sub(m.from) != 30*24*time.Hour {
		t.Errorf("asked for %s of %s from %s to %s", m.resolution, m.worker, m.from, m.to)
	}
	fetch[historyPage](t, s, path(7, "?range=24h"))
	fetch[historyPage](t, s, "/api/workers/"+keyOf(satoshi+".rig7")+"/history?range=24h")
	if n := m.asked.Load(); n != 2 || m.resolution != ledger.Minute {
		t.Errorf("the books were asked %d times, the last time for %ss", n, m.resolution)
	}
	for i := range 100 {
		fetch[historyPage](t, s, path(i, "?range=24h"))
		fetch[historyPage](t, s, path(7, "?range=30d")) // somebody looks at this one all the time
	}
	if n := m.asked.Load(); n != 101 || len(s.shelf.books) != maxShelf {
		t.Errorf("the books were asked %d times, %d charts are kept", n, len(s.shelf.books))
	}
	clock.advance(time.Minute)
	fetch[historyPage](t, s, path(7, "?range=30d"))
	if n := m.asked.Load(); n != 102 {
		t.Errorf("the books were asked %d times", n)
	}
	for _, query := range []string{"", "?range=6m", "?range=1y", "?range="} {
		if w := get(t, s, path(7, query)); w.Code != http.StatusBadRequest || w.Body.String() != "range must be 24h or 30d\n" {
			t.Errorf("%s: %d %q", query, w.Code, w.Body)
		}
	}
}

// TestWorkerHistoryBusy asks while as many charts are being read as may be.
func TestWorkerHistoryBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestServer(t, full(), Config{})
		for range maxReadings {
			s.shelf.readings <- struct{}{}
		}
		began := time.Now()
		w := get(t, s, "/api/workers/"+idOf(satoshi+".rigA")+"/history?range=24h")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || time.Since(began) != historyTimeout {
			t.Errorf("%d %q after %v", w.Code, w.Body, time.Since(began))
		}
		<-s.shelf.readings
		fetch[historyPage](t, s, "/api/workers/"+idOf(satoshi+".rigA")+"/history?range=24h")
		if len(s.shelf.readings) != maxReadings-1 {
			t.Error("a reading did not end")
		}
	})
}

// TestDirectory looks a worker up that came after others were looked up, and
// counts what it costs to guess.
func TestDirectory(t *testing.T) {
	m := empty()
	s, clock := newTestServer(t, m, Config{})
	reads := 0
	names := []string{"a", "b"}
	list := func(yield func(string) bool) {
		reads++
		for _, n := range names {
			if !yield(n) {
				return
			}
		}
	}
	look := func(ref, want string, wantReads int) {
		t.Helper()
		name, owner, ok := s.directory.find(ref, clock.now(), list)
		if name != want || ok != (want != "") || owner != (len(ref) == 64) || reads != wantReads {
			t.Errorf("%s: %q, owner %v, ok %v, %d readings; want %q and %d", ref, name, owner, ok, reads, want, wantReads)
		}
	}
	look(idOf("a"), "a", 1)
	look(keyOf("b"), "b", 1)
	names = []string{"b", "c"}
	look(idOf("c"), "", 1)
	for i := range 100 {
		look(idOf(fmt.Sprint(i)), "", 1)
	}
	clock.advance(directoryAge)
	look(idOf("c"), "c", 2)
	look(keyOf("a"), "", 2)
	clock.advance(-time.Hour) // the clock was set back
	look(keyOf("a"), "", 3)
}

// TestOperator checks who is the operator, on a guarded path and on one that
// only shows more to the operator.
func TestOperator(t *testing.T) {
	for _, test := range []struct {
		what, configured, remote, host, token string
		via                                   bool
		want                                  bool
	}{
		{"this machine", "", "127.0.0.1:1", "localhost:8000", "", false, true},
		{"this machine under another name", "", "127.0.0.1:1", "pool.example", "", false, false},
		{"this machine through a proxy", "", "127.0.0.1:1", "localhost:8000", "", true, false},
		{"elsewhere", "", "192.0.2.1:1", "localhost:8000", "", false, false},
		{"elsewhere with the scope's token", "", "192.0.2.1:1", "pool.example", scopeToken, false, true},
		{"through a proxy with the scope's token", "", "127.0.0.1:1", "pool.example", scopeToken, true, true},
		{"elsewhere with a wrong token", "", "192.0.2.1:1", "pool.example", scopeToken + "x", false, false},
		{"this machine, where a token is configured", "secret", "127.0.0.1:1", "localhost:8000", "", false, false},
		{"with the configured token", "secret", "192.0.2.1:1", "pool.example", "secret", false, true},
		{"with the scope's, where another is configured", "secret", "192.0.2.1:1", "pool.example", scopeToken, false, true},
		{"with a wrong one", "secret", "192.0.2.1:1", "pool.example", "secre", false, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			s, _ := withScope(t, full(), Config{Token: test.configured})
			ask := func(path string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr, r.Host = test.remote, test.host
				if test.token != "" {
					r.Header.Set("Authorization", "Bearer "+test.token)
				}
				if test.via {
					r.Header.Set("Via", "1.1 proxy")
				}
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, r)
				return w
			}
			if got := ask("/metrics").Code == http.StatusOK; got != test.want {
				t.Errorf("may see the metrics: %v", got)
			}
			list := ask("/api/workers").Body.String()
			if got := strings.Contains(list, `"operator":true`); got != test.want || strings.Contains(list, satoshi) != test.want {
				t.Errorf("sees names in full: %v", got)
			}
		})
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

// BenchmarkWorker builds one worker's page among ten thousand.
func BenchmarkWorker(b *testing.B) {
	m := crowd(10_000)
	s, _ := newTestServer(b, m, Config{})
	ref := idOf(satoshi + ".rig5000")
	for b.Loop() {
		if get(b, s, "/api/workers/"+ref).Code != http.StatusOK {
			b.Fatal("not found")
		}
	}
}
