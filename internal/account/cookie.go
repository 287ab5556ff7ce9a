package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the cookie. Over HTTPS its name has a prefix with which browsers take
// it from this host alone and over HTTPS alone (draft-ietf-httpbis-rfc6265bis,
// section 4.1.3.2): nobody else can plant one. Cookies know hosts and no ports
// (RFC 6265 section 8.5), so the port that the browser asked for is in the name,
// too, unless it is the scheme's: two programs on one machine keep out of each
// other's way.
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

func cookieNameFor(r *http.Request, secure bool) string {
	name := cookieName
	if secure {
		name = secureCookieName
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			name += "_" + strconv.FormatUint(n, 10)
		}
	}
	return name
}

// isSecure reports whether browsers speak HTTPS with this server: the request
// says so, or the configuration does for a proxy that tells nothing.
func (s *Service) isSecure(r *http.Request) bool { return s.cfg.Load().Secure || IsSecure(r) }

// tokenOf is the token of a request's cookie.
func (s *Service) tokenOf(r *http.Request) (Token, bool) {
	return tokenIn(r.CookiesNamed(cookieNameFor(r, s.isSecure(r))))
}

// setCookie gives the browser a cookie; with value "" it takes it away.
func (s *Service) setCookie(w http.ResponseWriter, r *http.Request, value string, lasts time.Duration) {
	secure := s.isSecure(r)
	c := &http.Cookie{
		Name: cookieNameFor(r, secure), Value: value, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// tokenIn is the token in cookies of one name. Of several, which no server of ours
// sets, none counts.
func tokenIn(cookies []*http.Cookie) (t Token, ok bool) {
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
