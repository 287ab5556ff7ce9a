package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzWorkerRef asks for a worker by anything.
func FuzzWorkerRef(f *testing.F) {
	m := full()
	s, _ := newTestServer(f, m, Config{})
	known := map[string]bool{}
	for _, w := range m.snapshot.Load().Workers {
		known[idOf(w.Name)], known[keyOf(w.Name)] = true, true
	}
	for _, ref := range []string{"", "x", idOf(satoshi), keyOf(satoshi), keyOf(satoshi + ".rigA"), strings.Repeat("é", 8), "0123456789abcdeg"} {
		f.Add(ref)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		want := http.StatusNotFound
		switch {
		case len(ref) != 16 && len(ref) != 64, strings.Trim(ref, "0123456789abcdefABCDEF") != "":
			want = http.StatusBadRequest
		case known[strings.ToLower(ref)]:
			want = http.StatusOK
		}
		r := httptest.NewRequest(http.MethodGet, "/api/workers/x", nil)
		r.SetPathValue("id", ref)
		w := httptest.NewRecorder()
		s.serveWorker(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", ref, w.Code, want)
		}
	})
}
