package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/poolscope/poolscope/internal/account/fetch"
)

// Errors of Begin and Finish. What wraps them is for the log; it holds nothing
// secret.
var (
	ErrUnknown     = errors.New("there is no such identity provider")
	ErrUnavailable = errors.New("the identity provider has not answered yet")
	ErrFlow        = errors.New("this sign-in was not begun in this browser, is over, or was used before")
	ErrDenied      = errors.New("the identity provider refused")
	ErrToken       = errors.New("what the identity provider answered is not valid")
	ErrDomain      = errors.New("people with this e-mail address may not sign in here")
	ErrNotAgain    = errors.New("the identity provider did not ask the person to sign in once more")
)

// Providers are those that are configured.
type Providers struct {
	all   []*provider
	flows flows
	now   func() time.Time
}

// New returns the providers. They know nothing until Run has asked them.
func New(configs []Config, log *slog.Logger) *Providers {
	p := &Providers{now: time.Now}
	for _, config := range configs {
		if config.Name == "" {
			config.Name = config.ID
		}
		p.all = append(p.all, &provider{config: config, client: fetch.NewClient(), log: log})
	}
	return p
}

// Run keeps what is known of the providers up to date until ctx ends. Those
// that do not answer are asked again and again.
func (p *Providers) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, one := range p.all {
		all.Go(func() { one.run(ctx) })
	}
	all.Wait()
	return nil
}

// Info is a provider as the sign-in page shows it.
type Info struct {
	ID, Name string
	Ready    bool // it has answered
}

// List are the providers, in the order of the configuration.
func (p *Providers) List() []Info {
	list := make([]Info, 0, len(p.all))
	for _, one := range p.all {
		list = append(list, Info{ID: one.config.ID, Name: one.config.Name, Ready: one.found.Load() != nil})
	}
	return list
}

// Status counts what happened.
type Status struct {
	UnderWay int    // sign-ins that have begun and not ended
	Expired  uint64 // that nobody ended in time
	Dropped  uint64 // for want of room
	// Discovered and Failed are answers of providers to discovery, and failures.
	Discovered, Failed map[string]uint64
}

// Status counts what happened.
func (p *Providers) Status() Status {
	s := Status{UnderWay: p.flows.size(), Discovered: make(map[string]uint64), Failed: make(map[string]uint64)}
	p.flows.mu.Lock()
	s.Expired, s.Dropped = p.flows.expired, p.flows.dropped
	p.flows.mu.Unlock()
	for _, one := range p.all {
		s.Discovered[one.config.ID], s.Failed[one.config.ID] = one.fetched.Load(), one.failed.Load()
	}
	return s
}

func (p *Providers) find(id string) (*provider, error) {
	for _, one := range p.all {
		if one.config.ID == id {
			return one, nil
		}
	}
	return nil, ErrUnknown
}

// Start is what begins a flow.
type Start struct {
	Provider string // its ID
	Callback string // full address of ours that the provider sends the browser back to
	ReturnTo string // path of ours, checked
	Address  string // IP address of the browser
	Secure   bool   // the browser speaks HTTPS with us
	// Again is the provider's name of a person who is signed in and has to
	// prove to be there. "": somebody signs in.
	Again string
}

// Begin returns where the browser has to go, and the cookie that binds the flow
// to it.
func (p *Providers) Begin(s Start) (location string, cookie *http.Cookie, err error) {
	one, err := p.find(s.Provider)
	if err != nil {
		return "", nil, err
	}
	e := one.found.Load()
	if e == nil {
		return "", nil, ErrUnavailable
	}
	browser := random()
	fl := &flow{
		state: random(), provider: s.Provider, browser: sha256.Sum256([]byte(browser)), address: network(s.Address), verifier: oauth2.GenerateVerifier(), nonce: random(),
		callback: s.Callback, returnTo: s.ReturnTo, again: s.Again, began: p.now(),
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(fl.verifier), gooidc.Nonce(fl.nonce)}
	if s.Again != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	p.flows.add(fl)
	location = one.oauth(e, s.Callback).AuthCodeURL(fl.state, options...)
	return location, newCookie(fl.state, browser, s.Secure, int(flowLife/time.Second)), nil
}

// SignOut is where the browser of a person who signed out here has to go to be
// signed out at a provider, too, and back, which must be an address that the provider
// knows (OpenID Connect RP-Initiated Logout 1.0 section 2). "": that is not wanted, or
// the provider does not offer it. No ID token is kept to name the person with
// (id_token_hint): the provider knows its own session, and may ask there whether to
// end it, which nobody else's link can answer for the person.
func (p *Providers) SignOut(id, back string) string {
	one, err := p.find(id)
	if err != nil || !one.config.EndThere {
		return ""
	}
	e := one.found.Load()
	if e == nil || e.endSession == "" {
		return ""
	}
	there, err := url.Parse(e.endSession)
	if err != nil {
		return ""
	}
	query := there.Query()
	query.Set("client_id", one.config.ClientID)
	query.Set("post_logout_redirect_uri", back)
	there.RawQuery = query.Encode()
	return there.String()
}

// cookieName is that of a flow's cookie. Each flow has one of its own, so that
// people can begin in two tabs.
func cookieName(state string, secure bool) string {
	name := "poolscope_flow_" + state[:min(8, len(state))]
	if secure {
		return "__Host-" + name // never set by a neighbouring host (RFC 6265bis section 4.1.3.2)
	}
	return name
}

// newCookie makes a flow's cookie. The provider's answer is a navigation from
// another site: SameSite=Lax lets it have the cookie, Strict would not.
func newCookie(state, value string, secure bool, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName(state, secure), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
}

// random makes 256 bits that nobody guesses, as text.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// network is what of an address one person has for sure: all of an IPv4
// address, the first half of an IPv6 one.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		if prefix, err := a.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return a.String()
}
