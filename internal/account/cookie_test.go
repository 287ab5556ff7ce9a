package account

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
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
		token, ok := tokenOf(r)
		if !ok {
			return
		}
		cookies := r.CookiesNamed(cookieName)
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
	setCookie(w, r, value, 0)
	r.AddCookie(w.Result().Cookies()[0])
	if got, ok := tokenOf(r); !ok || got != token {
		t.Errorf("%v, %v", got, ok)
	}
	if other, _ := newToken(); other == value {
		t.Error("the same value twice")
	}
}
