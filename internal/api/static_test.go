package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/poolscope/poolscope/ui"
)

// page returns a small built page.
func page() fstest.MapFS {
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	_, _ = zw.Write([]byte(strings.Repeat("b{}", 999)))
	_ = zw.Close()
	return fstest.MapFS{
		"index.html":              {Data: []byte("<!doctype html><title>x</title>" + strings.Repeat("<p>text</p>", 300))},
		"favicon.svg":             {Data: []byte("<svg/>")},
		"assets/index-abc.js":     {Data: []byte("import 'x';" + strings.Repeat("f();", 999))},
		"assets/index-def.css":    {Data: []byte(strings.Repeat("b{}", 999))},
		"assets/index-def.css.gz": {Data: packed.Bytes()},
		"assets/font-1.woff2":     {Data: []byte(strings.Repeat("font", 999))},
	}
}

func TestStatic(t *testing.T) {
	s, _ := newTestServer(t, empty(), Config{UI: page()})
	const (
		fresh   = "no-cache"
		forever = "public, max-age=31536000, immutable"
		html    = "text/html; charset=utf-8"
	)
	for _, tc := range []struct {
		path, ctype, cache string
		gzip               bool
	}{
		{"/", html, fresh, true},
		{"/index.html", html, fresh, true},
		{"/blocks", html, fresh, true},              // a route of the page
		{"/worker/1A1zP1eP/rig", html, fresh, true}, // a deeper one
		{"/apix", html, fresh, true},
		{"/favicon.svg", "image/svg+xml", fresh, false}, // too small
		{"/assets/index-abc.js", "text/javascript; charset=utf-8", forever, true},
		{"/assets/index-def.css", "text/css; charset=utf-8", forever, true},
		{"/assets/font-1.woff2", "font/woff2", forever, false}, // is compressed by itself
	} {
		w := get(t, s, tc.path)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != tc.ctype || h.Get("Cache-Control") != tc.cache || h.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d %v", tc.path, w.Code, h)
		}
		packed := get(t, s, tc.path, "Accept-Encoding", "gzip")
		if got := packed.Header().Get("Content-Encoding") == "gzip"; got != tc.gzip {
			t.Errorf("%s: gzipped %t, want %t", tc.path, got, tc.gzip)
		}
		if tc.gzip {
			zr, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(zr)
			if err != nil || !bytes.Equal(body, w.Body.Bytes()) {
				t.Errorf("%s: unpacks to something else: %v", tc.path, err)
			}
			if packed.Header().Get("ETag") == h.Get("ETag") {
				t.Errorf("%s: both representations have the tag %s", tc.path, h.Get("ETag"))
			}
		}
		if again := get(t, s, tc.path, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: %d for a known tag, want 304", tc.path, again.Code)
		}
	}
	for _, path := range []string{"/assets/gone.js", "/robots.txt", "/assets/index-def.css.gz", "/a.b"} {
		if w := get(t, s, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

func TestStaticWithoutPage(t *testing.T) {
	s, _ := newTestServer(t, empty(), Config{})
	if w := get(t, s, "/"); w.Code != http.StatusNotFound {
		t.Errorf("%d, want 404", w.Code)
	}
}

func TestSecurityHeaders(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{UI: page()})
	for _, path := range []string{"/", "/assets/index-abc.js", "/api/overview", "/api/unknown", "/healthz"} {
		h := get(t, s, path).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff",
			"X-Frame-Options":        "DENY",
			"Referrer-Policy":        "no-referrer",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, h.Get(name), want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "script-src 'self';", "style-src 'self';", "connect-src 'self'", "frame-ancestors 'none'", "object-src 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
			t.Errorf("%s: policy %q is too open", path, csp)
		}
	}
}

// TestEmbeddedPage checks the page in this binary, placeholder or built,
// against the policy: no inline script or style, nothing from another host.
func TestEmbeddedPage(t *testing.T) {
	html, err := fs.ReadFile(ui.FS(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		`(?i)<style`, `(?i)\sstyle\s*=`, `(?i)\son[a-z]+\s*=\s*["']`, `(?i)(src|href)\s*=\s*["']?(https?:)?//`, `(?i)<script(?:[^>]*)>\s*[^<\s]`,
	} {
		if at := regexp.MustCompile(pattern).Find(html); at != nil {
			t.Errorf("index.html has %q, which its policy forbids", at)
		}
	}
}
