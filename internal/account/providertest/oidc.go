package providertest

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Grant is what the provider remembers of one authorization request.
type Grant struct {
	Query url.Values // of the request
	Used  bool
}

// OIDC is an OpenID Connect provider on a loopback address that signs everybody
// in without a question. Its members may be changed before a request.
type OIDC struct {
	*Provider
	Secret string // of the client; "" takes public clients

	// Claims changes what ID tokens say, Sign replaces how they are signed.
	Claims func(map[string]any)
	Sign   func(claims map[string]any) string
	// UserInfo is the answer of that endpoint; nil without one.
	UserInfo map[string]any
	// Answer changes the query with which the browser is sent back.
	Answer func(url.Values)
	// Discovery changes the discovery document.
	Discovery func(map[string]any)

	mu     sync.Mutex
	grants map[string]*Grant // by code
	t      testing.TB
}

// NewOIDC starts a provider with a key; it ends with the test.
func NewOIDC(t testing.TB) *OIDC {
	t.Helper()
	o := &OIDC{Provider: New(t), grants: make(map[string]*Grant), t: t}
	o.AddRSA(t, "key")
	o.Handle("GET /.well-known/openid-configuration", o.serveDiscovery)
	o.Handle("POST /token", o.serveToken)
	o.Handle("GET /me", o.serveUserInfo)
	return o
}

func (o *OIDC) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer": o.URL, "authorization_endpoint": o.URL + "/auth", "token_endpoint": o.URL + "/token", "jwks_uri": o.URL + "/.well-known/jwks.json",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "authorization_response_iss_parameter_supported": true,
		"end_session_endpoint": o.URL + "/end",
	}
	if o.UserInfo != nil {
		document["userinfo_endpoint"] = o.URL + "/me"
	}
	if o.Discovery != nil {
		o.Discovery(document)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}

// Authorize takes an authorization request, as the browser brings it, and
// returns the address that the browser is sent back to.
func (o *OIDC) Authorize(t testing.TB, location string) *url.URL {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	code := base64.RawURLEncoding.EncodeToString([]byte(q.Get("state")))
	o.mu.Lock()
	o.grants[code] = &Grant{Query: q}
	o.mu.Unlock()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	answer := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {o.URL}}
	if o.Answer != nil {
		o.Answer(answer)
	}
	back.RawQuery = answer.Encode()
	return back
}

func (o *OIDC) serveToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	grant := o.grants[r.PostFormValue("code")]
	if grant == nil || grant.Used {
		refuse("invalid_grant")
		return
	}
	grant.Used = true
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, secret, basic := r.BasicAuth()
	switch {
	case o.Secret != "" && (!basic || id != grant.Query.Get("client_id") || secret != o.Secret):
		refuse("invalid_client")
		return
	case grant.Query.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != grant.Query.Get("code_challenge"),
		r.PostFormValue("redirect_uri") != grant.Query.Get("redirect_uri"), r.PostFormValue("grant_type") != "authorization_code":
		refuse("invalid_grant")
		return
	}
	now := time.Now()
	claims := map[string]any{
		"iss": o.URL, "sub": "person-1", "aud": grant.Query.Get("client_id"), "nonce": grant.Query.Get("nonce"),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "name": "Ada Lovelace", "email": "ada@pool.example", "email_verified": true,
	}
	if o.Claims != nil {
		o.Claims(claims)
	}
	var token string
	if o.Sign != nil {
		token = o.Sign(claims)
	} else {
		token = o.Provider.Sign(o.t, "key", claims)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": token})
}

func (o *OIDC) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	if o.UserInfo == nil || r.Header.Get("Authorization") != "Bearer access" {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(o.UserInfo)
}

// Key is the provider's private key.
func (o *OIDC) Key() crypto.Signer {
	o.Provider.mu.Lock()
	defer o.Provider.mu.Unlock()
	return o.keys["key"]
}

// Browser carries cookies as a browser does, for one host.
type Browser struct{ Cookies map[string]*http.Cookie }

// Take stores the cookies of an answer.
func (b *Browser) Take(cookies ...*http.Cookie) {
	if b.Cookies == nil {
		b.Cookies = make(map[string]*http.Cookie)
	}
	for _, c := range cookies {
		if c.MaxAge < 0 {
			delete(b.Cookies, c.Name)
			continue
		}
		b.Cookies[c.Name] = c
	}
}

// Get makes a request with the cookies.
func (b *Browser) Get(target string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, c := range b.Cookies {
		r.AddCookie(c)
	}
	return r
}
