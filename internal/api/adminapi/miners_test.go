package adminapi_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/pool"
)

// fakePool has the connections that it is told to have.
type fakePool struct {
	miners []pool.Miner
	asked  int
	gone   []string
	banned []netip.Prefix
	full   bool
}

func (p *fakePool) Miners() []pool.Miner { p.asked++; return p.miners }

func (p *fakePool) find(id string) *pool.Miner {
	for i := range p.miners {
		if p.miners[i].ID == id {
			return &p.miners[i]
		}
	}
	return nil
}

func (p *fakePool) Remote(id string) (netip.Addr, bool) {
	if m := p.find(id); m != nil {
		return m.Remote.Addr(), true
	}
	return netip.Addr{}, false
}

func (p *fakePool) Disconnect(id string) bool {
	p.gone = append(p.gone, id)
	return p.find(id) != nil
}

func (p *fakePool) BanAddress(block netip.Prefix, d time.Duration, reason string) (abuse.Ban, error) {
	if p.full {
		return abuse.Ban{}, abuse.ErrTooManyBans
	}
	p.banned = append(p.banned, block)
	b := abuse.Ban{Block: block, Since: now(), Reason: reason, Manual: true}
	if d > 0 {
		b.Until = now().Add(d)
	}
	return b, nil
}

func now() time.Time { return time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC) }

func twoMiners() []pool.Miner {
	return []pool.Miner{
		{ID: "0000000a", Worker: "addr.rig1", Workers: 1, Address: "addr", Remote: netip.MustParseAddrPort("203.0.113.7:5000"), UserAgent: "bitaxe/1",
			TLS: true, ConnectedAt: now().Add(-time.Hour), Hashrate: 1.23456789e12, Difficulty: 1024, Accepted: 10, Rejected: 1, Strikes: 0.123, TapSession: "s9"},
		{ID: "0000000b", Remote: netip.MustParseAddrPort("[2001:db8::5]:6000"), ConnectedAt: now()},
	}
}

// page is what a client reads of the list.
type page struct {
	UpdatedAt                  time.Time `json:"updated_at"`
	Total, Matching, Truncated int
	StrikeLimit                float64 `json:"strike_limit"`
	Miners                     []struct {
		ID, Worker, Address, Remote, Note string
		WorkerHash                        string    `json:"worker_hash"`
		UserAgent                         string    `json:"user_agent"`
		ConnectedAt                       time.Time `json:"connected_at"`
		ScopeSession                      string    `json:"scope_session"`
		TLS                               bool
		Hashrate, Difficulty, Strikes     float64
		Accepted, Rejected                uint64
	}
}

func TestMiners(t *testing.T) {
	p := &fakePool{miners: twoMiners()}
	clock := now()
	r := newRig(t, adminapi.Sources{Pool: p, Notes: newNotes(), Now: func() time.Time { return clock }, StrikeLimit: func() float64 { return 100 }})
	var got page
	r.get("/api/admin/miners", &got)
	if got.Total != 2 || got.Matching != 2 || got.StrikeLimit != 100 || len(got.Miners) != 2 {
		t.Fatalf("%+v", got)
	}
	m := got.Miners[0]
	if m.ID != "0000000a" || m.Worker != "addr.rig1" || m.Address != "addr" || m.Remote != "203.0.113.7" || m.UserAgent != "bitaxe/1" || !m.TLS ||
		!m.ConnectedAt.Equal(now().Add(-time.Hour)) || m.Hashrate != 1.23457e12 || m.Difficulty != 1024 || m.Accepted != 10 || m.Rejected != 1 ||
		m.Strikes != 0.12 || m.ScopeSession != "s9" || m.WorkerHash != adminapi.HashOf("addr.rig1") {
		t.Errorf("%+v", m)
	}
	if m := got.Miners[1]; m.Remote != "2001:db8::5" || m.Worker != "" || m.WorkerHash != "" {
		t.Errorf("one that has not signed in: %+v", m)
	}

	// The list stands for two seconds, and a search in it asks nobody again.
	r.get("/api/admin/miners?q=BITAXE", &got)
	if p.asked != 1 || got.Total != 2 || got.Matching != 1 || got.Miners[0].ID != "0000000a" {
		t.Errorf("asked %d times; %+v", p.asked, got)
	}
	clock = clock.Add(2 * time.Second)
	r.get("/api/admin/miners", &got)
	if p.asked != 2 || !got.UpdatedAt.Equal(clock) {
		t.Errorf("asked %d times, as of %v", p.asked, got.UpdatedAt)
	}
	clock = clock.Add(-time.Hour) // set back
	r.get("/api/admin/miners", &got)
	if p.asked != 3 {
		t.Error("a list from the future stands")
	}
}

func TestNoMiners(t *testing.T) {
	r := newRig(t, adminapi.Sources{Pool: &fakePool{}})
	if w := r.do(signedIn, http.MethodGet, "/api/admin/miners", ""); !strings.Contains(w.Body.String(), `"miners":[]`) {
		t.Errorf("%s", w.Body)
	}
}

// TestManyMiners lists a large pool, compressed.
func TestManyMiners(t *testing.T) {
	p := &fakePool{}
	for i := range 25_000 {
		p.miners = append(p.miners, pool.Miner{ID: fmt.Sprintf("%08x", i), Worker: fmt.Sprintf("bcrt1qexampleexampleexampleexample.%d", i), ConnectedAt: now()})
	}
	r := newRig(t, adminapi.Sources{Pool: p})
	req := r.request(signedIn, http.MethodGet, "/api/admin/miners", "")
	req.Header.Set("Accept-Encoding", "br, gzip;q=0.8")
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v", w.Header())
	}
	compressed := w.Body.Len()
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var got page
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Total != 25_000 || len(got.Miners) != 20_000 || got.Truncated != 5_000 || compressed > len(text)/4 {
		t.Errorf("%d of %d rows, %d left out, %d bytes of %d", len(got.Miners), got.Total, got.Truncated, compressed, len(text))
	}
	// What the list leaves out, a search finds.
	r.get("/api/admin/miners?q=.24999", &got)
	if got.Matching != 1 || got.Miners[0].ID != fmt.Sprintf("%08x", 24_999) {
		t.Errorf("%d found", got.Matching)
	}
	req.Header.Set("Accept-Encoding", "gzip;q=0")
	w = httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	if w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for who does not want it")
	}
}

func TestDisconnect(t *testing.T) {
	p := &fakePool{miners: twoMiners()}
	r := newRig(t, adminapi.Sources{Pool: p})
	r.want(signedIn, http.MethodDelete, "/api/admin/miners/0000000a", "", http.StatusNoContent, "")
	if a := r.trail.last(); len(p.gone) != 1 || a.Name != "miner.disconnect" || a.Target != "0000000a" || a.User != "ada" || a.Failed || a.Address != "198.51.100.9" || a.At.IsZero() {
		t.Errorf("%v, %+v", p.gone, a)
	}
	r.want(signedIn, http.MethodDelete, "/api/admin/miners/"+strings.Repeat("f", 500), "", http.StatusNotFound, "not connected")
	if a := r.trail.last(); !a.Failed || len(a.Target) > 100 {
		t.Errorf("%+v", a)
	}
}

func TestBan(t *testing.T) {
	p := &fakePool{miners: append(twoMiners(), pool.Miner{ID: "0000000c", Remote: netip.MustParseAddrPort("192.168.1.4:7000")})}
	r := newRig(t, adminapi.Sources{Pool: p})
	r.want(signedIn, http.MethodPost, "/api/admin/miners/0000000b/ban", `{"duration_sec":3600,"reason":"junk\u202e\n "}`, http.StatusCreated,
		`{"address":"2001:db8::/64","since":"2026-11-22T14:00:00Z","until":"2026-11-22T15:00:00Z","reason":"junk"}`)
	if a := r.trail.last(); a.Name != "ban.add" || a.Target != "2001:db8::/64" || a.Detail != "until 2026-11-22T15:00:00Z: junk" || a.Failed {
		t.Errorf("%+v", a)
	}
	r.want(token, http.MethodPost, "/api/admin/miners/0000000a/ban", `{"duration_sec":0,"reason":""}`, http.StatusCreated, `{"address":"203.0.113.7","since":"2026-11-22T14:00:00Z","reason":"by an operator"}`)
	r.want(signedIn, http.MethodPost, "/api/admin/miners/0000000c/ban", `{"duration_sec":60}`, http.StatusConflict, "192.168.1.4 is an address of this machine or of a private network")
	r.want(signedIn, http.MethodPost, "/api/admin/miners/0000000c/ban", `{"duration_sec":60,"private":true}`, http.StatusCreated, `{"address":"192.168.1.4"`)
	p.banned = p.banned[:2]
	r.want(signedIn, http.MethodPost, "/api/admin/miners/0000000c/ban", `{"duration_sec":60,"private":false}`, http.StatusConflict, "disconnect the miner instead")
	if len(p.banned) != 2 || !r.trail.last().Failed {
		t.Errorf("banned %v, %+v", p.banned, r.trail.last())
	}
	for body, status := range map[string]int{`{"duration_sec":-1}`: 400, `{"duration_sec":315360001}`: 400, `{"duration_sec":1e300}`: 400, `{"minutes":1}`: 400, `[]`: 400, `{"duration_sec":1}{}`: 400} {
		r.want(signedIn, http.MethodPost, "/api/admin/miners/0000000a/ban", body, status, "")
	}
	r.want(signedIn, http.MethodPost, "/api/admin/miners/00000000/ban", `{}`, http.StatusNotFound, "not connected")
	p.full = true
	r.want(signedIn, http.MethodPost, "/api/admin/miners/0000000a/ban", `{}`, http.StatusInsufficientStorage, "lift some")
}

// memoryNotes are notes without a database.
type memoryNotes struct {
	mu   sync.Mutex
	m    map[string]string
	read int
	err  error
}

func newNotes() *memoryNotes { return &memoryNotes{m: map[string]string{}} }

func (n *memoryNotes) Notes(context.Context) (map[string]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.read++
	all := make(map[string]string)
	for k, v := range n.m {
		all[k] = v
	}
	return all, n.err
}

func (n *memoryNotes) SetNote(_ context.Context, hash, note string, _ time.Time, most int) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil || len(n.m) >= most {
		return false, n.err
	}
	n.m[hash] = note
	return true, nil
}

func TestNotes(t *testing.T) {
	store := newNotes()
	r := newRig(t, adminapi.Sources{Pool: &fakePool{miners: twoMiners()}, Notes: store})
	hash := adminapi.HashOf("addr.rig1")
	var got page
	r.get("/api/admin/miners", &got)
	r.want(signedIn, http.MethodPut, "/api/admin/notes/"+strings.ToUpper(hash), `{"note":" the old one\nin the <b>shed</b>\u202e\u0007 "}`, http.StatusOK, `"the old one in the \u003cb\u003eshed\u003c/b\u003e"`)
	r.get("/api/admin/miners", &got)
	if got.Miners[0].Note != "the old one in the <b>shed</b>" || got.Miners[1].Note != "" {
		t.Errorf("the list has %q", got.Miners[0].Note)
	}
	if note := r.api.Note(t.Context(), "addr.rig1"); note != got.Miners[0].Note || store.read != 1 {
		t.Errorf("%q after %d reads", note, store.read)
	}
	if a := r.trail.last(); a.Name != "worker.note" || a.Target != hash || a.Failed {
		t.Errorf("%+v", a)
	}
	r.want(signedIn, http.MethodPut, "/api/admin/notes/"+hash, `{"note":"`+strings.Repeat("ä", 500)+`"}`, http.StatusOK, "")
	r.want(signedIn, http.MethodPut, "/api/admin/notes/"+hash, `{"note":"`+strings.Repeat("ä", 501)+`"}`, http.StatusBadRequest, "500 characters")
	r.want(signedIn, http.MethodPut, "/api/admin/notes/abcd", `{"note":"x"}`, http.StatusBadRequest, "64 hex digits")
	r.want(signedIn, http.MethodPut, "/api/admin/notes/"+hash, `{"note":""}`, http.StatusOK, "")
	if note := r.api.Note(t.Context(), "addr.rig1"); note != "" {
		t.Errorf("%q is still there", note)
	}
	store.err = context.DeadlineExceeded
	r.want(signedIn, http.MethodPut, "/api/admin/notes/"+hash, `{"note":"x"}`, http.StatusInternalServerError, "could not be kept")
	if !r.trail.last().Failed {
		t.Error("the trail says that it was kept")
	}
}

// BenchmarkMiners is one list of ten thousand connections, made, encoded and
// compressed.
func BenchmarkMiners(b *testing.B) {
	p := &fakePool{}
	for i := range 10_000 {
		m := twoMiners()[0]
		m.ID, m.Worker = fmt.Sprintf("%08x", i), fmt.Sprintf("bcrt1qexampleexampleexampleexample.%d", i)
		p.miners = append(p.miners, m)
	}
	clock := now()
	gate := access.NewGate(sessions{})
	gate.SetTokens(adminSecret, "")
	a := adminapi.New(adminapi.Sources{Gate: gate, Pool: p, Now: func() time.Time { clock = clock.Add(time.Minute); return clock }})
	req := httptest.NewRequest(http.MethodGet, "/api/admin/miners", nil)
	req.Header.Set("Authorization", "Bearer "+adminSecret)
	req.Header.Set("Accept-Encoding", "gzip")
	size := 0
	for b.Loop() {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, req)
		size = w.Body.Len()
	}
	b.ReportMetric(float64(size), "B/answer")
}
