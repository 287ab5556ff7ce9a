package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRedirectKeepsPathAndReplacesPort(t *testing.T) {
	for _, c := range []struct{ port, host, target, want string }{
		{"8443", "pool.example:8000", "/api/blocks?limit=5", "https://pool.example:8443/api/blocks?limit=5"},
		{"443", "pool.example:80", "/", "https://pool.example/"},
		{"443", "pool.example", "/x", "https://pool.example/x"},
		{"8443", "[::1]:8000", "/", "https://[::1]:8443/"},
		{"8443", "[::1]", "/", "https://[::1]:8443/"},
		{"8443", "127.0.0.1:8000", "//evil.example/", "https://127.0.0.1:8443//evil.example/"},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://x"+c.target, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		redirectToHTTPS(c.port).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != http.StatusTemporaryRedirect || got != c.want {
			t.Errorf("%s%s → %d %q, want 307 %q", c.host, c.target, w.Code, got, c.want)
		}
	}
}
