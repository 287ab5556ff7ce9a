package account

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzTokenOf reads whatever a browser may send as its cookies.
func FuzzTokenOf(f *testing.F) {
	value, _ := newToken()
	f.Add(cookieName + "=" + value)
	f.Add(secureCookieName + "=" + value)
	f.Add(cookieName + "=" + value + "; " + cookieName + "=" + value)
	f.Add("; ;=\x00")
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{Header: http.Header{"Cookie": {header}}}
		cookies := r.CookiesNamed(cookieName)
		token, ok := tokenIn(cookies)
		if !ok {
			return
		}
		secret, err := base64.RawURLEncoding.DecodeString(cookies[0].Value)
		if err != nil || len(secret) != 32 || sha256.Sum256(secret) != token || base64.RawURLEncoding.EncodeToString(secret) != cookies[0].Value {
			t.Errorf("%q is a session's", header)
		}
	})
}

// TestNewTokens: the cookie's value finds the token, and no other one does.
func TestNewTokens(t *testing.T) {
	value, token := newToken()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	s := New(Config{}, nil, nil)
	s.setCookie(w, r, value, 0)
	r.AddCookie(w.Result().Cookies()[0])
	if got, ok := s.tokenOf(r); !ok || got != token {
		t.Errorf("%v, %v", got, ok)
	}
	if other, _ := newToken(); other == value {
		t.Error("the same value twice")
	}
}

// TestCookieByAddress: the cookie is safe where people use HTTPS, whatever the
// proxy in between tells, and programs on other ports of the host have another.
func TestCookieByAddress(t *testing.T) {
	for _, test := range []struct {
		host, proto string
		secure      bool // by the configuration
		want        string
	}{
		{"pool.example", "", false, "poolscope_session"},
		{"pool.example", "https", false, "__Host-poolscope_session"},
		{"127.0.0.1:8000", "", false, "poolscope_session_8000"},
		{"127.0.0.1:8001", "", false, "poolscope_session_8001"},
		{"[::1]:8001", "", false, "poolscope_session_8001"},
		{"pool.example:x", "", false, "poolscope_session"},
		{"pool.example:8443", "https", false, "__Host-poolscope_session_8443"},
		{"127.0.0.1:8000", "", true, "__Host-poolscope_session_8000"},
		{"pool.example", "http", true, "__Host-poolscope_session"},
	} {
		s := New(Config{Secure: test.secure}, nil, nil)
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Host = test.host
		r.Header.Set("X-Forwarded-Proto", test.proto)
		w := httptest.NewRecorder()
		value, token := newToken()
		s.setCookie(w, r, value, 0)
		c := w.Result().Cookies()[0]
		if c.Name != test.want || c.Secure != strings.HasPrefix(test.want, "__Host-") {
			t.Errorf("%+v: %s, secure: %v", test, c.Name, c.Secure)
		}
		r.AddCookie(c)
		if got, ok := s.tokenOf(r); !ok || got != token {
			t.Errorf("%+v: not found again", test)
		}
	}
}
