package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
)

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

// signedIn are people by what their requests carry in place of a cookie.
type signedIn map[string]string

func (s signedIn) Session(r *http.Request) *account.Session {
	if id := s[r.Header.Get("Test-Person")]; id != "" {
		return &account.Session{User: account.User{ID: id, Role: account.RoleViewer}}
	}
	return nil
}

// Who has proven to own a worker sees it as who knows its name does, other people
// as the public.
func TestWorkerPageOfOwner(t *testing.T) {
	m := full()
	name := satoshi + ".rigA"
	src := m.sources()
	src.Gate = access.NewGate(signedIn{"alice": "a1", "bob": "b1"})
	src.Gate.SetTokens("secret", "")
	src.Owns = func(user, worker string) bool { return user == "a1" && worker == name }
	s := New(Config{Token: "secret"}, src, nil)
	for person, owner := range map[string]bool{"alice": true, "bob": false, "": false} {
		page := fetch[workerPage](t, s, "/api/workers/"+idOf(name), "Test-Person", person)
		if page.Owner != owner || page.Operator || (page.Name == name) != owner || (page.Coinbase != nil) != owner {
			t.Errorf("%q: owner %v, operator %v, name %s, coinbase %v", person, page.Owner, page.Operator, page.Name, page.Coinbase != nil)
		}
	}
	if page := fetch[workerPage](t, s, "/api/workers/"+idOf(name), "Test-Person", "alice", "Origin", "https://elsewhere.example"); page.Owner || page.Name == name {
		t.Error("a page of another site asks in the owner's name, and is told")
	}
}
