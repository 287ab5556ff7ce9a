package api

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/stratum"
)

// scrape returns the metrics as a client on this machine sees them.
func scrape(t *testing.T, s *Server) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8000/metrics", nil)
	r.RemoteAddr = "127.0.0.1:40000"
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetricsValues(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	get(t, s, "/api/overview")
	get(t, s, "/api/blocks?limit=0")
	text := scrape(t, s)
	for _, line := range []string{
		`poolscope_build_info{commit="abc",go="go1.26.0",version="v0.1.0"} 1`,
		`poolscope_connections 5`,
		`poolscope_connections_tls 1`,
		`poolscope_miner_ping_seconds{quantile="0.95"} 0.04`,
		`poolscope_connections_authorized 4`,
		`poolscope_workers 3`,
		`poolscope_shares_accepted_total 254`,
		`poolscope_shares_refused_total 5`,
		`poolscope_hashrate 1.25e+12`,
		`poolscope_rejects_total{reason="stale"} 2`,
		`poolscope_rejects_total{reason="duplicate"} 0`,
		`poolscope_connections_closed_total{reason="slow_reader"} 9`,
		`poolscope_connections_closed_total{reason="idle"} 0`,
		`poolscope_messages_dropped_total{reason="stale_notify"} 4`,
		`poolscope_blocks_accepted_total 3`,
		`poolscope_tip_first_total 8`,
		`poolscope_bans 2`,
		`poolscope_bans_made_total 12`,
		`poolscope_bans_spared_total 3`,
		`poolscope_ban_write_errors_total 2`,
		`poolscope_bans_unsaved_total 1`,
		`poolscope_address_blocks 7`,
		`poolscope_panics_total{part="templates"} 6`,
		`poolscope_job_height 840004`,
		`poolscope_tip_height 840003`,
		`poolscope_template_age_seconds 7`,
		`poolscope_node_ready{node="core"} 1`,
		`poolscope_node_ready{node="spare"} 0`,
		`poolscope_node_active{node="core"} 1`,
		`poolscope_rpc_calls_total{call="getblocktemplate"} 77`,
		`poolscope_ready{check="store"} 0`,
		`poolscope_ready{check="node"} 1`,
		`poolscope_books_errors_total 2`,
		`poolscope_http_requests_total{code="2xx",route="/api/overview"} 1`,
		`poolscope_http_requests_total{code="4xx",route="/api/blocks"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if strings.Contains(text, satoshi) {
		t.Error("an address is in the metrics")
	}
}

// TestMetricsAtZero checks that counters are there before anything happened.
func TestMetricsAtZero(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{})
	text := scrape(t, s)
	var want []string
	for _, r := range stratum.Rejects() {
		want = append(want, `poolscope_rejects_total{reason="`+r.Name()+`"} 0`)
	}
	for end := range numLiveEnds {
		want = append(want, `poolscope_live_ended_total{reason="`+end.String()+`"} 0`)
	}
	for _, check := range checks() {
		want = append(want, `poolscope_ready{check="`+check+`"} `)
	}
	want = append(want, `poolscope_panics_total{part="http"} 0`, `poolscope_panics_total{part="live"} 0`, `poolscope_http_requests_total{code="2xx",route="/api/blocks"} 0`)
	for _, line := range want {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no line %q", line)
		}
	}
}

// TestMetricLabelsBounded checks that requests cannot invent labels.
func TestMetricLabelsBounded(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{UI: page()})
	before := strings.Count(scrape(t, s), "\n")
	for _, path := range []string{"/a", "/b/c", "/api/x", "/api/y", "/debug/z", "//x", "/a/../b", "/%2e%2e"} {
		get(t, s, path)
		do(t, s, "BREW", path)
	}
	// Each route of the table may add one line per class of status code and
	// its histogram; paths must not.
	lines := regexp.MustCompile(`route="([^"]*)"`).FindAllStringSubmatch(scrape(t, s), -1)
	known := map[string]bool{otherRoute: true}
	for _, rt := range s.table() {
		known[rt.pattern] = true
	}
	for _, l := range lines {
		if !known[l[1]] {
			t.Errorf("label %q", l[1])
		}
	}
	if after := strings.Count(scrape(t, s), "\n"); after > before+80 {
		t.Errorf("%d lines became %d", before, after)
	}
}

func TestGuard(t *testing.T) {
	const token = "s3cret"
	for _, tc := range []struct {
		name, token, remote, host, auth string
		want                            int
	}{
		{"this machine", "", "127.0.0.1:1", "localhost:8000", "", 200},
		{"this machine, IPv6", "", "[::1]:1", "[::1]:8000", "", 200},
		{"mapped", "", "[::ffff:127.0.0.1]:1", "127.0.0.1", "", 200},
		{"elsewhere", "", "192.0.2.1:1", "127.0.0.1:8000", "", 403},
		{"rebound name", "", "127.0.0.1:1", "evil.example:8000", "", 403},
		{"token ignored when none is set", "", "192.0.2.1:1", "x", "Bearer ", 403},
		{"right token", token, "192.0.2.1:1", "pool.example", "Bearer s3cret", 200},
		{"case of the scheme", token, "192.0.2.1:1", "pool.example", "bearer s3cret", 200},
		{"wrong token", token, "127.0.0.1:1", "127.0.0.1", "Bearer s3cre", 401},
		{"no token", token, "127.0.0.1:1", "127.0.0.1", "", 401},
		{"empty token", token, "127.0.0.1:1", "127.0.0.1", "Bearer ", 401},
		{"other scheme", token, "127.0.0.1:1", "127.0.0.1", "Basic s3cret", 401},
	} {
		for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/symbol"} {
			s, _ := newTestServer(t, nil, Config{Token: tc.token})
			r := httptest.NewRequest(http.MethodGet, "http://"+tc.host+path, nil)
			r.RemoteAddr = tc.remote
			if tc.auth != "" {
				r.Header.Set("Authorization", tc.auth)
			}
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Errorf("%s, %s: %d, want %d", tc.name, path, w.Code, tc.want)
			}
		}
	}
	// What is public stays public.
	s, _ := newTestServer(t, nil, Config{Token: token})
	for _, path := range append(apiPaths, "/healthz") {
		if w := get(t, s, path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestGuardBehindProxy checks that a proxy on this machine does not open what
// is not public to everybody it serves.
func TestGuardBehindProxy(t *testing.T) {
	for _, field := range []string{
		"Forwarded", "Via", "X-Real-IP", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	} {
		for token, want := range map[string]int{"": http.StatusForbidden, "s3cret": http.StatusOK} {
			s, _ := newTestServer(t, nil, Config{Token: token})
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8000/metrics", nil)
			r.RemoteAddr = "127.0.0.1:1"
			// An empty value tells of a proxy too.
			r.Header.Set(field, "")
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s, token %q: %d, want %d", field, token, w.Code, want)
			}
		}
	}
}

// TestScrapeSurvivesPanic checks that a source that panics while metrics are
// read, in the registry's own goroutine, spoils that scrape only.
func TestScrapeSurvivesPanic(t *testing.T) {
	src := full().sources()
	good := src.Pool
	src.Pool = func() *pool.Status { panic("broken status") }
	s := New(Config{}, src, nil)
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8000/metrics", nil)
	r.RemoteAddr = "127.0.0.1:40000"
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "broken status") {
		t.Errorf("%d %q, want an error that tells nothing", w.Code, w.Body)
	}

	s.src.Pool = good
	if text := scrape(t, s); !strings.Contains(text, "\n"+`poolscope_panics_total{part="http"} 1`+"\n") {
		t.Error("the panic is not counted")
	}
}

func TestPanicRecovered(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("/early", func(http.ResponseWriter, *http.Request) { panic("early") })
	mux.HandleFunc("/late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("begun"))
		panic("late")
	})
	h := s.middleware(mux)
	early := httptest.NewRecorder()
	h.ServeHTTP(early, httptest.NewRequest(http.MethodGet, "/early", nil))
	if early.Code != http.StatusInternalServerError || early.Body.String() != "internal error\n" {
		t.Errorf("early: %d %q", early.Code, early.Body)
	}

	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // the value itself is what net/http looks for
				t.Errorf("late: ended with %v, want the connection aborted", p)
			}
		}()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/late", nil))
	}()
	if n := s.panics.Load(); n != 2 {
		t.Errorf("%d panics counted, want 2", n)
	}
}
