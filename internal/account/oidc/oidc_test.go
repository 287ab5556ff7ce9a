package oidc

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/providertest"
)

const callback = "https://pool.example/api/auth/oidc/corp/callback"

// ready are providers of which one, corp, has answered.
func ready(t *testing.T, o *providertest.OIDC, change func(*Config)) *Providers {
	t.Helper()
	config := Config{ID: "corp", Issuer: o.URL, ClientID: "poolscope", ClientSecret: "s3cret s3cret"}
	o.Secret = url.QueryEscape(config.ClientSecret) // RFC 6749 section 2.3.1
	if change != nil {
		change(&config)
	}
	p := New([]Config{config, {ID: "other", Issuer: o.URL + "/other", ClientID: "poolscope"}}, slog.New(slog.DiscardHandler))
	if err := p.all[0].discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func begin(t *testing.T, p *Providers, b *providertest.Browser, again string) string {
	t.Helper()
	location, cookie, err := p.Begin(Start{Provider: "corp", Callback: callback, ReturnTo: "/saved", Address: "192.0.2.1", Secure: true, Again: again})
	if err != nil {
		t.Fatal(err)
	}
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(cookie.Name, "__Host-") || cookie.Path != "/" || cookie.MaxAge <= 0 {
		t.Errorf("cookie: %+v", cookie)
	}
	b.Take(cookie)
	return location
}

func TestSignsIn(t *testing.T) {
	o := providertest.NewOIDC(t)
	p := ready(t, o, nil)
	var b providertest.Browser
	location := begin(t, p, &b, "")
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "poolscope", "redirect_uri": callback, "code_challenge_method": "S256", "scope": "openid profile email",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if len(q.Get("state")) < 43 || len(q.Get("nonce")) < 43 || len(q.Get("code_challenge")) != 43 || q.Has("prompt") {
		t.Errorf("request: %v", q)
	}
	if strings.Contains(location, "s3cret") || strings.Contains(location, b.Cookies[cookieName(q.Get("state"), true)].Value) {
		t.Error("a secret is in the address")
	}
	back := o.Authorize(t, location).String()
	got, err := p.Finish(b.Get(back), "corp", true)
	want := account.Identity{Provider: "corp", Subject: "person-1", Name: "Ada Lovelace", Email: "ada@pool.example", EmailVerified: true}
	if err != nil || got.Who != want || got.ReturnTo != "/saved" || got.Again || got.Cookie.MaxAge >= 0 {
		t.Fatalf("%+v %v", got, err)
	}
	// The same answer once more: not with the cookie, and not by anybody else.
	if _, err := p.Finish(b.Get(back), "corp", true); !errors.Is(err, ErrFlow) {
		t.Errorf("replayed: %v", err)
	}
	if s := p.Status(); s.UnderWay != 0 || s.Discovered["corp"] != 1 {
		t.Errorf("status: %+v", s)
	}
}

func TestRefusesWrongAnswers(t *testing.T) {
	now := time.Now()
	claim := func(name string, value any) func(*providertest.OIDC) {
		return func(o *providertest.OIDC) {
			o.Claims = func(c map[string]any) {
				if value == nil {
					delete(c, name)
				} else {
					c[name] = value
				}
			}
		}
	}
	signed := func(k func(o *providertest.OIDC) any, header map[string]any) func(*providertest.OIDC) {
		return func(o *providertest.OIDC) {
			o.Sign = func(c map[string]any) string { return providertest.Sign(t, k(o), header, c) }
		}
	}
	answer := func(name, value string) func(*providertest.OIDC) {
		return func(o *providertest.OIDC) {
			o.Answer = func(q url.Values) {
				if value == "" {
					q.Del(name)
				} else {
					q.Set(name, value)
				}
			}
		}
	}
	stranger := providertest.NewOIDC(t)
	right := func(o *providertest.OIDC) any { return o.Key() }
	public := func(o *providertest.OIDC) any {
		spki, err := x509.MarshalPKIXPublicKey(&o.Key().(*rsa.PrivateKey).PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		return spki
	}
	for name, test := range map[string]struct {
		change func(*providertest.OIDC)
		want   error
	}{
		"expired":                   {claim("exp", now.Add(-time.Hour).Unix()), ErrToken},
		"no exp":                    {claim("exp", nil), ErrToken},
		"another issuer":            {claim("iss", "https://evil.example"), ErrToken},
		"no issuer":                 {claim("iss", nil), ErrToken},
		"another audience":          {claim("aud", "other"), ErrToken},
		"no audience":               {claim("aud", nil), ErrToken},
		"several audiences, no azp": {claim("aud", []string{"poolscope", "other"}), ErrToken},
		"another party":             {claim("azp", "other"), ErrToken},
		"another nonce":             {claim("nonce", "other"), ErrToken},
		"no nonce":                  {claim("nonce", nil), ErrToken},
		"no subject":                {claim("sub", nil), ErrToken},
		"long subject":              {claim("sub", strings.Repeat("s", 256)), ErrToken},
		"from the future":           {claim("iat", now.Add(time.Hour).Unix()), ErrToken},
		"not valid yet":             {claim("nbf", now.Add(time.Hour).Unix()), ErrToken},
		"alg none":                  {signed(func(*providertest.OIDC) any { return nil }, nil), ErrToken},
		"HS256 with the public key": {signed(public, map[string]any{"kid": "key"}), ErrToken},
		"a stranger's signature":    {signed(func(*providertest.OIDC) any { return stranger.Key() }, map[string]any{"kid": "key"}), ErrToken},
		"a stranger's key by jku":   {signed(func(*providertest.OIDC) any { return stranger.Key() }, map[string]any{"kid": "key", "jku": stranger.URL + "/.well-known/jwks.json"}), ErrToken},
		"another algorithm":         {signed(right, map[string]any{"kid": "key", "alg": "PS256"}), ErrToken},
		"the token cut":             {func(o *providertest.OIDC) { o.Sign = func(map[string]any) string { return "x.y" } }, ErrToken},
		"answer of another issuer":  {answer("iss", "https://evil.example"), ErrToken},
		"answer of no issuer":       {answer("iss", ""), ErrToken},
		"no code":                   {answer("code", ""), ErrToken},
		"made-up code":              {answer("code", "made-up"), ErrToken},
		"another state":             {answer("state", strings.Repeat("A", 43)), ErrFlow},
		"no state":                  {answer("state", ""), ErrFlow},
		"access denied":             {answer("error", "access_denied"), ErrDenied},
		"wrong client secret":       {func(o *providertest.OIDC) { o.Secret = "another" }, ErrToken},
	} {
		t.Run(name, func(t *testing.T) {
			o := providertest.NewOIDC(t)
			p := ready(t, o, nil)
			test.change(o)
			var b providertest.Browser
			got, err := p.Finish(b.Get(o.Authorize(t, begin(t, p, &b, "")).String()), "corp", true)
			if !errors.Is(err, test.want) || got.Who != (account.Identity{}) {
				t.Errorf("%+v %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Error("the error repeats a secret")
			}
		})
	}
	if n := stranger.Fetches.Load(); n != 0 {
		t.Errorf("a header made us ask a stranger %d times", n)
	}
}
