package clerk

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/providertest"
)

// crowd is where the accounts of these tests are.
type crowd struct {
	mu    sync.Mutex
	asked int
	users map[string]account.User
	err   error
}

func (c *crowd) Generation(context.Context) uint64 { return 0 }

func (c *crowd) Identify(_ context.Context, who account.Identity) (account.User, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.err != nil {
		return account.User{}, c.err
	}
	if c.users == nil {
		c.users = make(map[string]account.User)
	}
	u, ok := c.users[who.Subject]
	if !ok {
		u = account.User{ID: "id-" + who.Subject, Name: who.Name, Provider: who.Provider, Subject: who.Subject, Role: account.RoleViewer}
		c.users[who.Subject] = u
	}
	return u, nil
}

// running is a Clerk that keeps the keys of a provider, which it has read once.
func running(t *testing.T, p *providertest.Provider, change func(*Config)) *Clerk {
	t.Helper()
	config := Config{Issuer: p.URL}
	if change != nil {
		change(&config)
	}
	c := New(config, &crowd{}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for c.Status().Keys == 0 {
		time.Sleep(time.Millisecond)
	}
	return c
}

// good are the claims of a session token that is right.
func good(p *providertest.Provider) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": p.URL, "sub": "user_1", "sid": "sess_1", "azp": "https://pool.example", "aud": "poolscope",
		"iat": now.Unix(), "nbf": now.Add(-10 * time.Second).Unix(), "exp": now.Add(time.Minute).Unix(), "v": 2, "sts": "active", "fva": []int{2, -1},
	}
}

// with is a copy of claims with some changed; nil takes one away.
func with(claims map[string]any, changes map[string]any) map[string]any {
	out := make(map[string]any)
	for k, v := range claims {
		out[k] = v
	}
	for k, v := range changes {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func TestTakesRightTokens(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	p.AddEC(t, "ec")
	c := running(t, p, func(c *Config) {
		c.Audience = "poolscope"
		c.AuthorizedParties = []string{"https://pool.example"}
	})
	now := time.Now()
	for name, change := range map[string]map[string]any{
		"as it is":              {},
		"several audiences":     {"aud": []string{"other", "poolscope"}},
		"expired a moment ago":  {"exp": now.Add(-50 * time.Second).Unix()},
		"not before some later": {"nbf": now.Add(50 * time.Second).Unix(), "iat": now.Add(50 * time.Second).Unix()},
		"no session":            {"sid": nil},
	} {
		for _, kid := range []string{"rsa", "ec"} {
			token := p.Sign(t, kid, with(good(p), change))
			got, err := c.Verify(t.Context(), token)
			if err != nil || got.Subject != "user_1" {
				t.Errorf("%s, %s: %v %v", name, kid, got, err)
			}
		}
	}
}

func TestRefusesWrongTokens(t *testing.T) {
	p := providertest.New(t)
	rsaKey := p.AddRSA(t, "rsa")
	ecKey := p.AddEC(t, "ec")
	stranger := providertest.New(t)
	strangers := stranger.AddRSA(t, "rsa")
	c := running(t, p, func(c *Config) {
		c.Audience = "poolscope"
		c.AuthorizedParties = []string{"https://pool.example"}
	})
	now := time.Now()

	claims := map[string]map[string]any{
		"expired":                 {"exp": now.Add(-61 * time.Second).Unix()},
		"no exp":                  {"exp": nil},
		"exp is a text":           {"exp": "never"},
		"exp is huge":             {"exp": 1e300},
		"exp in a year":           {"exp": now.Add(366 * 24 * time.Hour).Unix()},
		"not valid yet":           {"nbf": now.Add(90 * time.Second).Unix()},
		"from the future":         {"iat": now.Add(90 * time.Second).Unix()},
		"no issuer":               {"iss": nil},
		"another issuer":          {"iss": "https://clerk.evil.example"},
		"issuer with more":        {"iss": p.URL + "/"},
		"no audience":             {"aud": nil},
		"another audience":        {"aud": "other"},
		"no authorized party":     {"azp": nil},
		"another party":           {"azp": "https://evil.example"},
		"party with more":         {"azp": "https://pool.example.evil.example"},
		"no subject":              {"sub": nil},
		"empty subject":           {"sub": ""},
		"subject with a line end": {"sub": "user\n1"},
		"long subject":            {"sub": strings.Repeat("u", 256)},
		"pending":                 {"sts": "pending"},
	}
	for name, change := range claims {
		if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", with(good(p), change))); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}

	modulus := x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	right := p.Sign(t, "rsa", good(p))
	parts := strings.Split(right, ".")
	changed, _ := json.Marshal(with(good(p), map[string]any{"sub": "user_2"}))
	sign := func(k any, header map[string]any) string { return providertest.Sign(t, k, header, good(p)) }
	tokens := map[string]string{
		"signed by a stranger":         sign(strangers, map[string]any{"kid": "rsa"}),
		"alg none":                     sign(nil, map[string]any{"kid": "rsa"}),
		"alg None":                     sign(nil, map[string]any{"kid": "rsa", "alg": "None"}),
		"alg none without a kid":       sign(nil, nil),
		"alg none, signature kept":     sign(nil, map[string]any{"kid": "rsa"}) + parts[2],
		"HS256 with the key in PKCS 1": sign(modulus, map[string]any{"kid": "rsa"}),
		"HS256 with the key in PEM":    sign(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), map[string]any{"kid": "rsa"}),
		"HS256 with the key in DER":    sign(spki, map[string]any{"kid": "rsa"}),
		"HS256 with the modulus":       sign(rsaKey.N.Bytes(), map[string]any{"kid": "rsa"}),
		"HS256 with nothing":           sign([]byte{}, map[string]any{"kid": "rsa"}),
		"HS256 that says RS256":        sign(spki, map[string]any{"kid": "rsa", "alg": "RS256"}),
		"RSA key, name of the EC key":  sign(rsaKey, map[string]any{"kid": "ec"}),
		"EC key, name of the RSA key":  sign(ecKey, map[string]any{"kid": "rsa"}),
		"RS512":                        sign(rsaKey, map[string]any{"kid": "rsa", "alg": "RS512"}),
		"PS256":                        sign(rsaKey, map[string]any{"kid": "rsa", "alg": "PS256"}),
		"no kid":                       sign(rsaKey, nil),
		"kid is a number":              sign(rsaKey, map[string]any{"kid": 1}),
		"kid is a list":                sign(rsaKey, map[string]any{"kid": []string{"rsa"}}),
		"kid is a path":                sign(rsaKey, map[string]any{"kid": "../../../../dev/null"}),
		"unknown kid":                  sign(rsaKey, map[string]any{"kid": "other"}),
		"critical extension":           sign(rsaKey, map[string]any{"kid": "rsa", "crit": []string{"exp"}}),
		"another kind of token":        sign(rsaKey, map[string]any{"kid": "rsa", "typ": "at+jwt"}),
		"stranger's key by jku":        sign(strangers, map[string]any{"kid": "rsa", "jku": stranger.URL + "/.well-known/jwks.json"}),
		"stranger's key by x5u":        sign(strangers, map[string]any{"kid": "rsa", "x5u": stranger.URL + "/cert"}),
		"stranger's key by jwk":        sign(strangers, map[string]any{"kid": "rsa", "jwk": providertest.JWK("rsa", &strangers.PublicKey)}),
		"other claims, same signature": parts[0] + "." + base64.RawURLEncoding.EncodeToString(changed) + "." + parts[2],
		"signature cut":                right[:len(right)-4],
		"no signature":                 parts[0] + "." + parts[1] + ".",
		"padded":                       right + "=",
		"line end":                     right + "\n",
		"empty":                        "",
		"four parts":                   right + "." + parts[2],
		"too long":                     right + strings.Repeat("A", maxToken),
	}
	for name, token := range tokens {
		if _, err := c.Verify(t.Context(), token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		} else if token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error repeats the token", name)
		}
	}
	if n := stranger.Fetches.Load(); n != 0 {
		t.Errorf("a token's header made us fetch %d times from a stranger", n)
	}
	if _, err := c.Verify(t.Context(), right); err != nil {
		t.Error("the right one is refused: ", err)
	}
}

// The right key, with a header that also names others, is still the right key.
func TestHeaderNamesOfKeysAreIgnored(t *testing.T) {
	p := providertest.New(t)
	k := p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	other := providertest.New(t)
	token := providertest.Sign(t, k, map[string]any{"kid": "rsa", "jku": other.URL + "/.well-known/jwks.json", "x5u": other.URL + "/"}, good(p))
	if _, err := c.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if other.Fetches.Load() != 0 {
		t.Error("the address in the header was asked")
	}
}

func TestKeySetsWithTrapsAreReadSafely(t *testing.T) {
	b64 := base64.RawURLEncoding.EncodeToString
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ok := providertest.JWK("ok", &strong.PublicKey)
	change := func(kid string, changes map[string]any) map[string]any {
		return with(providertest.JWK(kid, &strong.PublicKey), changes)
	}
	document, err := json.Marshal(map[string]any{"keys": []any{
		ok,
		map[string]any{"kty": "oct", "kid": "secret", "k": b64([]byte("secret")), "alg": "HS256"},
		change("for encryption", map[string]any{"use": "enc"}),
		change("for PS256", map[string]any{"alg": "PS256"}),
		change("weak", map[string]any{"n": b64(strong.N.Bytes()[:64])}),
		change("huge", map[string]any{"n": b64(bytes.Repeat([]byte{0xff}, 4096))}),
		change("exponent 1", map[string]any{"e": "AQ"}),
		change("", nil),
		map[string]any{"kty": "EC", "crv": "P-256", "kid": "no point", "x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := parseKeys(document)
	if err != nil || len(keys) != 1 || keys["ok"].public == nil {
		t.Errorf("%d keys, %v", len(keys), err)
	}

	for name, text := range map[string]string{
		"empty":       ``,
		"no keys":     `{"keys":[]}`,
		"a list":      `[]`,
		"twice":       `{"keys":[` + asJSON(t, ok) + `,` + asJSON(t, ok) + `]}`,
		"too many":    `{"keys":[` + strings.TrimSuffix(strings.Repeat(`{"kty":"RSA"},`, maxKeys+1), ",") + `]}`,
		"symmetric":   `{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`,
		"null number": `{"keys":[{"kty":"RSA","kid":"a","n":null,"e":null}]}`,
	} {
		if keys, err := parseKeys([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, keys)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCookieIsASession(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	people := c.people.source.(*crowd)
	request := func(token string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/api/saved-workers", nil)
		if token != "" {
			r.AddCookie(&http.Cookie{Name: "__session", Value: token})
		}
		return r
	}
	if s := c.Session(request("")); s != nil {
		t.Errorf("no cookie, but %v", s)
	}
	if s := c.Session(request("nonsense")); s != nil {
		t.Errorf("nonsense, but %v", s)
	}
	first := p.Sign(t, "rsa", good(p))
	s := c.Session(request(first))
	if s == nil || s.User.ID != "id-user_1" || s.User.Role != account.RoleViewer || s.ID == "" || strings.Contains(s.ID, "sess_1") {
		t.Fatalf("session: %+v", s)
	}
	if !s.IsConfirmed(time.Now()) {
		t.Error("the factor was given two minutes ago, but the session is not confirmed")
	}
	for range 100 {
		c.Session(request(first))
	}
	if people.asked != 1 {
		t.Errorf("101 requests asked the store %d times", people.asked)
	}

	// Signing out: neither this token nor Clerk's next ones of the session.
	if !c.Revoke(request(first)) {
		t.Fatal("nothing was revoked")
	}
	next := p.Sign(t, "rsa", with(good(p), map[string]any{"jti": "next"}))
	for _, token := range []string{first, next} {
		if s := c.Session(request(token)); s != nil {
			t.Errorf("revoked, but %v", s)
		}
		if _, err := c.Verify(t.Context(), token); !errors.Is(err, ErrInvalid) {
			t.Error("revoked, but verifies: ", err)
		}
	}
	if s := c.Session(request(p.Sign(t, "rsa", with(good(p), map[string]any{"sid": "sess_2"})))); s == nil {
		t.Error("another session of the person is refused, too")
	}

	// Tokens without a session are sessions of their own.
	alone := p.Sign(t, "rsa", with(good(p), map[string]any{"sid": nil, "jti": "1"}))
	other := p.Sign(t, "rsa", with(good(p), map[string]any{"sid": nil, "jti": "2"}))
	c.Revoke(request(alone))
	if c.Session(request(alone)) != nil || c.Session(request(other)) == nil {
		t.Error("revoking one token without a session revoked the wrong ones")
	}
}

// A neighbor host can plant a second cookie of the name: then nobody knows which
// one the person's is.
func TestTwoCookiesAreNobodys(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	r := httptest.NewRequest(http.MethodGet, "/api/saved-workers", nil)
	r.AddCookie(&http.Cookie{Name: "__session", Value: p.Sign(t, "rsa", with(good(p), map[string]any{"sub": "user_planted", "sid": "sess_2"}))})
	if c.Session(r) == nil {
		t.Fatal("one cookie is no session")
	}
	r.AddCookie(&http.Cookie{Name: "__session", Value: p.Sign(t, "rsa", good(p))})
	if s := c.Session(r); s != nil {
		t.Errorf("of two cookies the session of %s", s.User.ID)
	}
	if c.Revoke(r) {
		t.Error("of two cookies one was revoked")
	}
}

// The clock difference that is forgiven makes no new sessions: the browser would
// drop the cookie at once.
func TestExpiredTokensSignNobodyIn(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	r := httptest.NewRequest(http.MethodPost, "/api/auth/session-refresh", nil)
	token := p.Sign(t, "rsa", with(good(p), map[string]any{"exp": time.Now().Add(-30 * time.Second).Unix()}))
	if _, err := c.Verify(t.Context(), token); err != nil {
		t.Fatalf("half a minute is not forgiven: %v", err)
	}
	if s, err := c.SignIn(r, token); !errors.Is(err, ErrInvalid) {
		t.Errorf("a session that is over: %+v, %v", s, err)
	}
	if _, err := c.SignIn(r, p.Sign(t, "rsa", good(p))); err != nil {
		t.Error(err)
	}
}

func TestOldFactorDoesNotConfirm(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	for _, fva := range []any{nil, []int{}, []int{-1, -1}, []int{5, -1}, []float64{1e300}, []int{-5}} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: "__session", Value: p.Sign(t, "rsa", with(good(p), map[string]any{"fva": fva}))})
		if s := c.Session(r); s == nil || s.IsConfirmed(time.Now()) {
			t.Errorf("fva %v: %+v", fva, s)
		}
	}
}

func FuzzVerify(f *testing.F) {
	p := providertest.New(f)
	k := p.AddRSA(f, "rsa")
	c := New(Config{Issuer: p.URL}, &crowd{}, slog.New(slog.DiscardHandler))
	if err := c.keys.fetch(f.Context()); err != nil {
		f.Fatal(err)
	}
	right := p.Sign(f, "rsa", good(p))
	parts := strings.Split(right, ".")
	f.Add(right)
	f.Add(parts[0] + "." + parts[1] + ".")
	f.Add(providertest.Sign(f, nil, map[string]any{"kid": "rsa"}, good(p)))
	f.Add(providertest.Sign(f, k, map[string]any{"kid": nil}, good(p)))
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := c.verify(token)
		if err != nil {
			return
		}
		// Only what carries the right signature over the right bytes passes.
		if token != right {
			t.Errorf("taken: %q as %+v", token, got)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []any{providertest.JWK("a", &k.PublicKey)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(set)
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"a","n":"","e":""}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, err := parseKeys(document)
		if err != nil {
			return
		}
		for id, k := range keys {
			switch public := k.public.(type) {
			case *rsa.PublicKey:
				if id == "" || k.method.Alg() != "RS256" || public.N.BitLen() < minRSABits {
					t.Errorf("%q: %v", id, k)
				}
			case *ecdsa.PublicKey:
				if id == "" || k.method.Alg() != "ES256" || public.Curve != elliptic.P256() {
					t.Errorf("%q: %v", id, k)
				}
			default:
				t.Errorf("%q: %T", id, public)
			}
		}
	})
}

// That the books did not answer once is no word about a person: the next request
// asks again.
func TestAccountThatWasNotReadIsAskedForAgain(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	people := c.people.source.(*crowd)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "__session", Value: p.Sign(t, "rsa", good(p))})
	people.mu.Lock()
	people.err = errors.New("the disk is busy")
	people.mu.Unlock()
	if s := c.Session(r); s != nil {
		t.Fatalf("without an account: %+v", s)
	}
	people.mu.Lock()
	people.err = nil
	people.mu.Unlock()
	if c.Session(r) == nil {
		t.Error("signed out although the books answer again")
	}
}

// Clerk can be configured to keep sessions for longer than it does by itself.
func TestSessionThatWasEndedStaysEnded(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	c := running(t, p, nil)
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.AddCookie(&http.Cookie{Name: "__session", Value: p.Sign(t, "rsa", good(p))})
	if !c.Revoke(r) {
		t.Fatal("not revoked")
	}
	later := time.Now().Add(60 * 24 * time.Hour)
	if !c.revoked.has("sess_1", later) {
		t.Error("two months later the session's new tokens are taken again")
	}
}
