package scopeapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
)

// FuzzRequest sends bodies and query strings that nobody would write. Whatever
// comes is answered with JSON, and never with a fault of ours.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{`{"repeat_count":5}`, `{"repeat_count":1e400}`, `[[[`, "\xff", `{"repeat_count":"\ud800"}`, `null`, `{"a":{"a":{"a":1e999}}}`} {
		f.Add(body, "limit=1&cursor=2")
	}
	f.Add("{}", "limit=%ff&since=2024-01-01&text=%00&direction=&verdict=x&error=&offset=99999999999999999999&cursor=-1")
	recorder := capture.New(capture.Config{}, nil)
	recorder.Open(capture.Opening{ID: "s", At: when})
	api := New(Config{Token: testToken}, Sources{Messages: journal.NewLibrary(recorder.Store(), nil), Replay: newFakeReplay()}, nil, nil)
	f.Fuzz(func(t *testing.T, body, query string) {
		for _, target := range []string{"POST /api/sessions/s/repeat-count", "PATCH /api/sessions/s", "PUT /api/scope/tap", "GET /api/messages", "GET /api/sessions", "POST /api/messages/s-1/replay"} {
			method, path, _ := strings.Cut(target, " ")
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.URL = &url.URL{Path: path, RawQuery: query}
			r.Header.Set("Authorization", "Bearer "+testToken)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			answer := w.Body.Bytes()
			if w.Code == http.StatusInternalServerError || !json.Valid(answer) || !utf8.Valid(answer) {
				t.Fatalf("%s?%s %q: %d %q", target, query, body, w.Code, answer)
			}
		}
	})
}
