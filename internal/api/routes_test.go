package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// apiPaths are the JSON endpoints.
var apiPaths = []string{
	"/api/overview", "/api/pool-page", "/api/node", "/api/server", "/api/pool-hashrate", "/api/blocks", "/api/status", "/api/history?range=6m",
}

func TestMethods(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	for _, path := range append(apiPaths, "/api/live", "/healthz", "/metrics", "/", "/api/unknown") {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
			w := do(t, s, method, path)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || w.Body.String() != "method not allowed\n" {
				t.Errorf("%s %s: %d, Allow %q, %q", method, path, w.Code, w.Header().Get("Allow"), w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("%s %s: an error of type %s", method, path, got)
			}
		}
	}
}

// TestHead checks that HEAD has GET's header.
func TestHead(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	for _, path := range apiPaths {
		want, got := get(t, s, path), do(t, s, http.MethodHead, path)
		if got.Code != http.StatusOK {
			t.Errorf("%s: %d", path, got.Code)
		}
		for name := range want.Header() {
			if got.Header().Get(name) != want.Header().Get(name) {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Header().Get(name), want.Header().Get(name))
			}
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	for _, path := range []string{"/api", "/api/", "/api/pool", "/api/overview/", "/api/overview/x", "/api/saved-workers", "/debug/", "/missing.js"} {
		w := do(t, s, http.MethodGet, path)
		if strings.HasPrefix(path, "/debug") {
			if w.Code != http.StatusForbidden {
				t.Errorf("%s: %d from elsewhere, want 403", path, w.Code)
			}
			continue
		}
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || w.Body.String() != "not found\n" {
			t.Errorf("%s: %d %q %q", path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestBlocksLimit(t *testing.T) {
	m := full()
	snap := *m.snapshot.Load()
	snap.Blocks = nil
	for i := range 100 {
		snap.Blocks = append(snap.Blocks, ledger.Block{Height: int64(1000 - i), FoundAt: testNow.Add(-time.Duration(i) * time.Minute), State: ledger.BlockConfirmed, Confirmations: int64(6 + i)})
	}
	m.snapshot.Store(&snap)
	s, _ := newTestServer(t, m, Config{})

	for query, want := range map[string]int{"": 10, "?limit=1": 1, "?limit=10": 10, "?limit=25": 25, "?limit=99": 99, "?limit=100": 100, "?limit=007": 7, "?other=3": 10} {
		w := get(t, s, "/api/blocks"+query)
		var blocks []foundBlock
		if err := json.Unmarshal(w.Body.Bytes(), &blocks); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d, %v", query, w.Code, err)
		}
		if len(blocks) != want || blocks[0].Height != 1000 || blocks[len(blocks)-1].Height != int64(1001-want) {
			t.Errorf("%s: %d blocks, want the newest %d", query, len(blocks), want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=101", "?limit=-1", "?limit=x", "?limit=", "?limit=1.5", "?limit=99999999999999999999", "?limit=10%20"} {
		w := get(t, s, "/api/blocks"+query)
		if w.Code != http.StatusBadRequest || w.Body.String() != "limit must be a number from 1 to 100\n" {
			t.Errorf("%s: %d %q", query, w.Code, w.Body)
		}
	}
}

// TestNewBlockShowsAtOnce lets a block be found right after somebody asked for
// the list, in the time that an answer stands otherwise.
func TestNewBlockShowsAtOnce(t *testing.T) {
	m := full()
	snap := *m.snapshot.Load()
	snap.Blocks = []ledger.Block{{Height: 1, State: ledger.BlockAccepted}}
	m.snapshot.Store(&snap)
	s, _ := newTestServer(t, m, Config{})
	first := get(t, s, "/api/blocks?limit=100").Body.String()

	unchanged := snap
	m.snapshot.Store(&unchanged)
	if again := get(t, s, "/api/blocks?limit=100").Body.String(); again != first || s.blocks[100].built.Load() != 1 {
		t.Errorf("built %d times for the same blocks", s.blocks[100].built.Load())
	}

	next := snap
	next.Blocks = []ledger.Block{{Height: 2, State: ledger.BlockAccepted}, snap.Blocks[0]}
	m.snapshot.Store(&next)
	var blocks []foundBlock
	if err := json.Unmarshal(get(t, s, "/api/blocks?limit=100").Body.Bytes(), &blocks); err != nil || len(blocks) != 2 || blocks[0].Height != 2 {
		t.Errorf("got %+v, %v; want the new block first", blocks, err)
	}
}

// TestRefusedBlocksDoNotCount checks that blocks which every node refused do
// not take the place of others in the list.
func TestRefusedBlocksDoNotCount(t *testing.T) {
	m := momentOf()
	for i := range 6 {
		state := ledger.BlockConfirmed
		if i%2 == 0 {
			state = ledger.BlockRejected
		}
		m.ledger.Blocks = append(m.ledger.Blocks, ledger.Block{Height: int64(10 - i), State: state})
	}
	got := buildBlocks(m, 2)
	if len(got) != 2 || got[0].Height != 9 || got[1].Height != 7 {
		t.Errorf("got %+v, want the heights 9 and 7", got)
	}
}

// TestCacheBounded sends many different query strings and checks that they are
// answered from the same few encodings.
func TestCacheBounded(t *testing.T) {
	m := full()
	s, _ := newTestServer(t, m, Config{})
	for i := range 500 {
		for _, path := range []string{"/api/overview?x=%d", "/api/pool-hashrate?include_history=1%d", "/api/blocks?x=%d&limit=5", "/api/history?range=24h&x=%d", "/api/status?%d=1"} {
			if w := get(t, s, fmt.Sprintf(path, i)); w.Code != http.StatusOK {
				t.Fatalf("%s: %d", fmt.Sprintf(path, i), w.Code)
			}
		}
	}
	for name, v := range map[string]*view{"overview": s.overview, "hashrate": s.hashrate, "blocks": s.blocks[5], "history": s.history["24h"], "status": s.status} {
		if n := v.built.Load(); n != 1 {
			t.Errorf("%s: encoded %d times, want once", name, n)
		}
	}
	if n := s.hashrateHistory.built.Load(); n != 0 {
		t.Errorf("include_history=1… is not include_history=1, yet the history was encoded %d times", n)
	}
	if n := m.asked.Load(); n != 1 {
		t.Errorf("the books were asked %d times, want once", n)
	}
	if len(s.history) != 3 {
		t.Errorf("%d histories kept", len(s.history))
	}
}

func TestHistory(t *testing.T) {
	m := full()
	s, clock := newTestServer(t, m, Config{})
	var page historyPage
	if err := json.Unmarshal(get(t, s, "/api/history?range=30d").Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if page.Range != "30d" || page.StepSeconds != 3600 || len(page.Points) != 3 {
		t.Errorf("got %+v", page)
	}
	if m.resolution != ledger.Hour || !m.to.Equal(testNow) || m.to.Sub(m.from) != 30*24*time.Hour {
		t.Errorf("asked for %s from %s to %s", m.resolution, m.from, m.to)
	}
	get(t, s, "/api/history?range=24h")
	if m.resolution != ledger.Minute || m.to.Sub(m.from) != 24*time.Hour {
		t.Errorf("asked for %s from %s to %s", m.resolution, m.from, m.to)
	}

	asked := m.asked.Load()
	if err := json.Unmarshal(get(t, s, "/api/history?range=6m").Body.Bytes(), &page); err != nil || len(page.Points) != 2 || m.asked.Load() != asked {
		t.Errorf("six minutes come from memory: %+v, %v", page, err)
	}

	for _, query := range []string{"", "?range=", "?range=1y", "?range=24H"} {
		if w := get(t, s, "/api/history"+query); w.Code != http.StatusBadRequest || w.Body.String() != "range must be 6m, 24h or 30d\n" {
			t.Errorf("%s: %d %q", query, w.Code, w.Body)
		}
	}

	m.historyErr = errors.New("secret path /var/lib")
	clock.advance(time.Hour)
	w := get(t, s, "/api/history?range=24h")
	if w.Code != http.StatusInternalServerError || w.Body.String() != "internal error\n" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestTokenHidesAddresses checks that a pool that is open to others does not
// show the operator's network.
func TestTokenHidesAddresses(t *testing.T) {
	open, _ := newTestServer(t, full(), Config{Token: "t"})
	if body := get(t, open, "/api/status").Body.String(); strings.Contains(body, "10.0.0.9") || strings.Contains(body, "127.0.0.1:8332") {
		t.Errorf("addresses of nodes are shown: %s", body)
	}
	for _, path := range apiPaths[:6] {
		if body := get(t, open, path).Body.String(); strings.Contains(body, "10.0.0.9") || strings.Contains(body, "secret") || strings.Contains(body, satoshi) {
			t.Errorf("%s shows what it should not: %s", path, body)
		}
	}
}
