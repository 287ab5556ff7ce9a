package oidc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/providertest"
)

// Who lets somebody else's browser finish a sign-in that they began makes that
// person work in their account: login CSRF.
func TestFlowBelongsToTheBrowserThatBegan(t *testing.T) {
	o := providertest.NewOIDC(t)
	p := ready(t, o, nil)
	var attacker, victim providertest.Browser
	back := o.Authorize(t, begin(t, p, &attacker, "")).String()
	if _, err := p.Finish(victim.Get(back), "corp", true); !errors.Is(err, ErrFlow) {
		t.Errorf("a browser without the cookie: %v", err)
	}
	if _, err := p.Finish(attacker.Get(back), "corp", true); !errors.Is(err, ErrFlow) {
		t.Errorf("after that it is over for everybody, but: %v", err)
	}

	// A victim who has begun a flow of their own has another cookie.
	back = o.Authorize(t, begin(t, p, &attacker, "")).String()
	begin(t, p, &victim, "")
	if _, err := p.Finish(victim.Get(back), "corp", true); !errors.Is(err, ErrFlow) {
		t.Errorf("a browser with a cookie of its own: %v", err)
	}

	// The value of the right cookie under the name of a planted one.
	back = o.Authorize(t, begin(t, p, &attacker, "")).String()
	r := victim.Get(back)
	r.Header.Del("Cookie")
	u, _ := url.Parse(back)
	r.AddCookie(&http.Cookie{Name: cookieName(u.Query().Get("state"), false), Value: attacker.Cookies[cookieName(u.Query().Get("state"), true)].Value})
	if _, err := p.Finish(r, "corp", true); !errors.Is(err, ErrFlow) {
		t.Errorf("a cookie without the prefix that neighbours cannot set: %v", err)
	}
}

func TestFlowBelongsToItsProvider(t *testing.T) {
	o := providertest.NewOIDC(t)
	p := ready(t, o, nil)
	var b providertest.Browser
	back := o.Authorize(t, begin(t, p, &b, "")).String()
	if _, err := p.Finish(b.Get(back), "other", true); !errors.Is(err, ErrFlow) {
		t.Errorf("another provider's callback: %v", err)
	}
	if _, err := p.Finish(b.Get(back), "nobody", true); !errors.Is(err, ErrUnknown) {
		t.Errorf("nobody's callback: %v", err)
	}
	if _, _, err := p.Begin(Start{Provider: "other"}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a provider that has not answered: %v", err)
	}
	if _, _, err := p.Begin(Start{Provider: "nobody"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("no provider: %v", err)
	}
}

// A code that was stolen from the address is no use to who has not begun.
func TestCodeOfAnotherFlowIsRefused(t *testing.T) {
	o := providertest.NewOIDC(t)
	p := ready(t, o, nil)
	var victim, attacker providertest.Browser
	stolen := o.Authorize(t, begin(t, p, &victim, "")).Query().Get("code")
	o.Answer = func(q url.Values) { q.Set("code", stolen) }
	if _, err := p.Finish(attacker.Get(o.Authorize(t, begin(t, p, &attacker, "")).String()), "corp", true); !errors.Is(err, ErrToken) {
		t.Errorf("code of another flow: %v", err)
	}
}

func TestFlowsEnd(t *testing.T) {
	o := providertest.NewOIDC(t)
	p := ready(t, o, nil)
	now := time.Now()
	p.now = func() time.Time { return now }
	var b providertest.Browser
	back := o.Authorize(t, begin(t, p, &b, "")).String()
	now = now.Add(flowLife)
	if _, err := p.Finish(b.Get(back), "corp", true); !errors.Is(err, ErrFlow) {
		t.Errorf("after ten minutes: %v", err)
	}
	if s := p.Status(); s.Expired != 1 {
		t.Errorf("status: %+v", s)
	}
}

func TestManyFlowsDoNotPushOthersOut(t *testing.T) {
	o := providertest.NewOIDC(t)
	p := ready(t, o, nil)
	var b providertest.Browser
	back := o.Authorize(t, begin(t, p, &b, "")).String()
	for i := range 2 * maxFlows {
		if _, _, err := p.Begin(Start{Provider: "corp", Callback: callback, ReturnTo: "/", Address: fmt.Sprintf("2001:db8::%x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if s := p.Status(); s.UnderWay > maxFlowsPerAddress+1 || s.Dropped == 0 {
		t.Errorf("status: %+v", s)
	}
	if _, err := p.Finish(b.Get(back), "corp", true); err != nil {
		t.Errorf("one network's flood ended another's sign-in: %v", err)
	}
	for i := range 2 * maxFlows {
		if _, _, err := p.Begin(Start{Provider: "corp", Callback: callback, ReturnTo: "/", Address: fmt.Sprintf("10.0.%d.%d", i/256, i%256)}); err != nil {
			t.Fatal(err)
		}
	}
	if s := p.Status(); s.UnderWay > maxFlows {
		t.Errorf("status: %+v", s)
	}
	if len(p.flows.from) > maxFlows || len(p.flows.byState) != p.flows.order.Len() {
		t.Errorf("%d addresses, %d states, %d flows", len(p.flows.from), len(p.flows.byState), p.flows.order.Len())
	}
}

func TestSigningInOnceMore(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		again  string
		claims map[string]any
		want   error
	}{
		"did":               {"person-1", map[string]any{"auth_time": now.Unix()}, nil},
		"did not":           {"person-1", map[string]any{"auth_time": now.Add(-5 * time.Minute).Unix()}, ErrNotAgain},
		"nobody knows":      {"person-1", map[string]any{}, ErrNotAgain},
		"somebody else did": {"person-2", map[string]any{"auth_time": now.Unix()}, ErrNotAgain},
	} {
		t.Run(name, func(t *testing.T) {
			o := providertest.NewOIDC(t)
			o.Claims = func(c map[string]any) {
				for k, v := range test.claims {
					c[k] = v
				}
			}
			p := ready(t, o, nil)
			var b providertest.Browser
			location := begin(t, p, &b, test.again)
			u, _ := url.Parse(location)
			if q := u.Query(); q.Get("prompt") != "login" || q.Get("max_age") != "0" {
				t.Errorf("request: %v", q)
			}
			got, err := p.Finish(b.Get(o.Authorize(t, location).String()), "corp", true)
			if !errors.Is(err, test.want) || !got.Again {
				t.Errorf("%+v %v", got, err)
			}
			if err == nil && got.Who.Proven.Unix() != now.Unix() {
				t.Errorf("proven at %v", got.Who.Proven)
			}
		})
	}
}

func TestWhoMaySignIn(t *testing.T) {
	for name, test := range map[string]struct {
		claims map[string]any
		want   error
	}{
		"in the domain":         {nil, nil},
		"whatever the case":     {map[string]any{"email": "ada@POOL.example"}, nil},
		"verified as a text":    {map[string]any{"email_verified": "true"}, nil},
		"not verified":          {map[string]any{"email_verified": false}, ErrDomain},
		"not said":              {map[string]any{"email_verified": nil}, ErrDomain},
		"verified as a number":  {map[string]any{"email_verified": 1}, ErrDomain},
		"another domain":        {map[string]any{"email": "ada@evil.example"}, ErrDomain},
		"a domain that ends so": {map[string]any{"email": "ada@evilpool.example"}, ErrDomain},
		"a domain below":        {map[string]any{"email": "ada@x.pool.example"}, ErrDomain},
		"the domain in front":   {map[string]any{"email": "ada@pool.example@evil.example"}, ErrDomain},
		"no address":            {map[string]any{"email": nil}, ErrDomain},
		"only the domain":       {map[string]any{"email": "@pool.example"}, ErrDomain},
	} {
		t.Run(name, func(t *testing.T) {
			o := providertest.NewOIDC(t)
			o.Claims = func(c map[string]any) {
				for k, v := range test.claims {
					c[k] = v
					if v == nil {
						delete(c, k)
					}
				}
			}
			p := ready(t, o, func(c *Config) { c.Domains = []string{"pool.example"} })
			var b providertest.Browser
			if _, err := p.Finish(b.Get(o.Authorize(t, begin(t, p, &b, "")).String()), "corp", true); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func TestUserInfoFillsIn(t *testing.T) {
	for name, test := range map[string]struct {
		info map[string]any
		want string
	}{
		"of the person":     {map[string]any{"sub": "person-1", "email": "me@pool.example", "email_verified": true}, "me@pool.example"},
		"of somebody else":  {map[string]any{"sub": "person-2", "email": "operator@pool.example", "email_verified": true}, ""},
		"of nobody":         {map[string]any{"email": "operator@pool.example", "email_verified": true}, ""},
		"that is no object": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := providertest.NewOIDC(t)
			o.UserInfo = test.info
			o.Claims = func(c map[string]any) { delete(c, "email"); delete(c, "email_verified") }
			p := ready(t, o, nil)
			var b providertest.Browser
			got, err := p.Finish(b.Get(o.Authorize(t, begin(t, p, &b, "")).String()), "corp", true)
			if err != nil || got.Who.Email != test.want || got.Who.EmailVerified != (test.want != "") {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]any)
		ok     bool
	}{
		"right":                 {nil, true},
		"another issuer":        {func(d map[string]any) { d["issuer"] = "https://evil.example" }, false},
		"a script for a page":   {func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" }, false},
		"no token endpoint":     {func(d map[string]any) { delete(d, "token_endpoint") }, false},
		"a script to sign out":  {func(d map[string]any) { d["end_session_endpoint"] = "javascript:alert(1)" }, true},
		"only symmetric":        {func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} }, true},
		"secrets in parameters": {func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }, true},
		"too large":             {func(d map[string]any) { d["x"] = strings.Repeat("x", 1<<20) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := providertest.NewOIDC(t)
			o.Discovery = test.change
			p := New([]Config{{ID: "corp", Issuer: o.URL, ClientID: "poolscope"}}, slog.New(slog.DiscardHandler))
			err := p.all[0].discover(t.Context())
			if (err == nil) != test.ok || p.List()[0].Ready != test.ok {
				t.Fatal(err)
			}
			if e := p.all[0].found.Load(); e != nil && strings.Contains(e.endSession, "script") {
				t.Error("people are sent to a script to sign out")
			}
		})
	}
}

// A document that names symmetric algorithms only does not make us take them.
func TestProviderCannotAskForSymmetricKeys(t *testing.T) {
	o := providertest.NewOIDC(t)
	o.Discovery = func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} }
	p := ready(t, o, nil)
	for _, k := range []any{[]byte("s3cret s3cret"), nil} {
		o.Sign = func(c map[string]any) string { return providertest.Sign(t, k, map[string]any{"kid": "key"}, c) }
		var b providertest.Browser
		if _, err := p.Finish(b.Get(o.Authorize(t, begin(t, p, &b, "")).String()), "corp", true); !errors.Is(err, ErrToken) {
			t.Errorf("%T: %v", k, err)
		}
	}
}
