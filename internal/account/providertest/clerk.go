// Package providertest plays Clerk for tests: it has keys, serves them, and makes
// session tokens, right ones and forged ones.
package providertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// Provider is Clerk's frontend API on a loopback address.
type Provider struct {
	URL     string
	Fetches atomic.Int64 // of the key set

	mu   sync.Mutex
	keys map[string]crypto.Signer
	body []byte // in place of the key set
	down bool
	mux  *http.ServeMux
}

// New starts a provider without keys; it ends with the test.
func New(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{keys: make(map[string]crypto.Signer), mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /.well-known/jwks.json", p.serveKeys)
	server := httptest.NewServer(p.mux)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Handle adds a route.
func (p *Provider) Handle(pattern string, h http.HandlerFunc) { p.mux.HandleFunc(pattern, h) }

// AddRSA makes a key for RS256.
func (p *Provider) AddRSA(t testing.TB, kid string) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.Add(kid, k)
	return k
}

// AddEC makes a key for ES256.
func (p *Provider) AddEC(t testing.TB, kid string) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.Add(kid, k)
	return k
}

// Add publishes a key.
func (p *Provider) Add(kid string, k crypto.Signer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[kid] = k
}

// Remove withdraws a key.
func (p *Provider) Remove(kid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, kid)
}

// SetDown makes the provider answer 503.
func (p *Provider) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// SetBody makes the provider answer with something else than its key set.
func (p *Provider) SetBody(body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.body = body
}

func (p *Provider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	p.Fetches.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if p.body != nil {
		_, _ = w.Write(p.body)
		return
	}
	set := map[string]any{"keys": []any{}}
	for kid, k := range p.keys {
		set["keys"] = append(set["keys"].([]any), JWK(kid, k.Public()))
	}
	_ = json.NewEncoder(w).Encode(set)
}

// JWK is a public key as JSON (RFC 7517), written by hand: not by the library
// that reads it.
func JWK(kid string, public crypto.PublicKey) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": b64(point[1:33]), "y": b64(point[33:])}
	default:
		panic("no such key")
	}
}

// Sign makes a token with a published key.
func (p *Provider) Sign(t testing.TB, kid string, claims map[string]any) string {
	t.Helper()
	p.mu.Lock()
	k := p.keys[kid]
	p.mu.Unlock()
	return Sign(t, k, map[string]any{"kid": kid, "typ": "JWT"}, claims)
}

// Sign makes a token with any key; nil for alg none, a byte slice for HS256.
// The header may override alg.
func Sign(t testing.TB, k any, header, claims map[string]any) string {
	t.Helper()
	var method jwt.SigningMethod
	switch k.(type) {
	case *rsa.PrivateKey:
		method = jwt.SigningMethodRS256
	case *ecdsa.PrivateKey:
		method = jwt.SigningMethodES256
	case []byte:
		method = jwt.SigningMethodHS256
	default:
		method, k = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
	}
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
