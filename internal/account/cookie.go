package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// Names of the cookie. Over HTTPS its name has a prefix with which browsers take
// it from this host alone and over HTTPS alone (draft-ietf-httpbis-rfc6265bis,
// section 4.1.3.2): nobody else can plant one.
const (
	cookieName       = "poolscope_session"
	secureCookieName = "__Host-" + cookieName
)

// secretLength is the length of a cookie's value: 256 bits in unpadded base64url.
const secretLength = 43

// IsSecure reports whether a browser sent the request over HTTPS, to us or to a
// proxy that says so. Who lies about it only changes the name of the cookie that
// the same program gets and sends.
func IsSecure(r *http.Request) bool {
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(proto), "https")
}

func cookieNameFor(r *http.Request) string {
	if IsSecure(r) {
		return secureCookieName
	}
	return cookieName
}

// tokenOf is the token of a request's cookie. Of several cookies of the name,
// which no server of ours sets, none counts.
func tokenOf(r *http.Request) (t Token, ok bool) {
	cookies := r.CookiesNamed(cookieNameFor(r))
	if len(cookies) != 1 || len(cookies[0].Value) != secretLength {
		return t, false
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(cookies[0].Value)
	if err != nil || len(secret) != len(t) {
		return t, false
	}
	return sha256.Sum256(secret), true
}

// newToken makes the value of a new cookie, and its token.
func newToken() (value string, t Token) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret), sha256.Sum256(secret)
}

// setCookie gives the browser a cookie; with value "" it takes it away.
func setCookie(w http.ResponseWriter, r *http.Request, value string, lasts time.Duration) {
	c := &http.Cookie{
		Name: cookieNameFor(r), Value: value, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, Secure: IsSecure(r), SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
