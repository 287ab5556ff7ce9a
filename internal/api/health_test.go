package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
)

func TestHealthz(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{})
	if w := get(t, s, "/healthz"); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// A program without a pool is ready when nothing of its own is missing.
func TestReadyzWithoutPool(t *testing.T) {
	var faults []Fault
	s := New(Config{}, Sources{Faults: func() []Fault { return faults }}, nil)
	if w := get(t, s, "/readyz"); w.Code != http.StatusOK {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	faults = []Fault{{"upstream", "no pool can be reached"}}
	if w := get(t, s, "/readyz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "no pool can be reached") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// healthy returns models of a pool that is ready.
func healthy() *models {
	m := full()
	snap := *m.snapshot.Load()
	snap.Books = ledger.BooksStatus{}
	m.snapshot.Store(&snap)
	return m
}

func TestReadyz(t *testing.T) {
	change := func(f func(l *ledger.Snapshot, p *pool.Status, n *node.Status)) *models {
		m := healthy()
		l, p, n := *m.snapshot.Load(), *m.pool.Load(), *m.node.Load()
		n.Nodes = slices.Clone(n.Nodes)
		f(&l, &p, &n)
		m.snapshot.Store(&l)
		m.pool.Store(&p)
		m.node.Store(&n)
		return m
	}
	for _, tc := range []struct {
		name   string
		models *models
		want   []string // failed checks
	}{
		{"healthy", healthy(), nil},
		{"nothing", nil, []string{"node", "template", "ledger", "listener"}},
		{"not started", &models{}, []string{"node", "template", "ledger", "listener"}},
		{"no node", change(func(_ *ledger.Snapshot, _ *pool.Status, n *node.Status) { n.Active = "" }), []string{"node"}},
		{"node syncing", change(func(_ *ledger.Snapshot, _ *pool.Status, n *node.Status) { n.Nodes[1].State = node.StateSyncing }), []string{"node"}},
		{"no job", change(func(_ *ledger.Snapshot, p *pool.Status, _ *node.Status) { p.Job = nil }), []string{"template"}},
		{"old template", change(func(_ *ledger.Snapshot, p *pool.Status, _ *node.Status) {
			job := *p.Job
			job.TemplateAt = testNow.Add(-91 * time.Second)
			p.Job = &job
		}), []string{"template"}},
		{"disk full", change(func(l *ledger.Snapshot, _ *pool.Status, _ *node.Status) { l.Books.LastError = "disk full" }), []string{"store"}},
		{"ledger stuck", change(func(l *ledger.Snapshot, _ *pool.Status, _ *node.Status) { l.At = testNow.Add(-time.Minute) }), []string{"ledger"}},
		{"no listener", change(func(_ *ledger.Snapshot, p *pool.Status, _ *node.Status) { p.Listeners = nil }), []string{"listener"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := newTestServer(t, tc.models, Config{})
			w := get(t, s, "/readyz")
			var ready readiness
			if err := json.Unmarshal(w.Body.Bytes(), &ready); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range ready.Reasons {
				got = append(got, r.Check)
				if r.Reason == "" {
					t.Errorf("%s without words", r.Check)
				}
			}
			code := http.StatusOK
			if tc.want != nil {
				code = http.StatusServiceUnavailable
			}
			if !slices.Equal(got, tc.want) || w.Code != code || ready.Ready != (tc.want == nil) {
				t.Errorf("%d %s, want %v", w.Code, w.Body, tc.want)
			}
		})
	}
}

func TestReadyReasonFromNode(t *testing.T) {
	m := healthy()
	n := *m.node.Load()
	n.Active = ""
	n.Nodes = n.Nodes[:1]
	m.node.Store(&n)
	s, _ := newTestServer(t, m, Config{})
	body := get(t, s, "/readyz").Body.String()
	if !strings.Contains(body, "dial tcp [address]: connection refused") {
		t.Errorf("got %s", body)
	}
}
