package oidc

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config is one provider.
type Config struct {
	ID           string   // in our addresses and of the accounts that it vouches for
	Name         string   // for people; "": the ID
	Issuer       string   // exactly as the provider's discovery document and its tokens say it
	ClientID     string   // the name that the provider gave us
	ClientSecret string   // "": a public client, for which PKCE stands in
	Scopes       []string // besides openid; nil: profile and email
	Domains      []string // of e-mail addresses that may sign in; none: everybody whom the provider knows
	EndThere     bool     // signing out ends the provider's own session, too
}

// When the provider's discovery document is asked for.
const (
	firstRetry   = time.Second     // after a failure, and then twice as long each time, …
	maxRetry     = 5 * time.Minute // … until this
	refetchEvery = 24 * time.Hour
)

// provider is one provider and what its discovery document said.
type provider struct {
	config Config
	client *http.Client
	log    *slog.Logger
	found  atomic.Pointer[endpoints] // nil until it has answered

	fetched, failed atomic.Uint64
}

// endpoints are what a discovery document says (OpenID Connect Discovery 1.0
// section 3).
type endpoints struct {
	provider   *gooidc.Provider
	style      oauth2.AuthStyle
	tellsIss   bool   // authorization answers name the issuer (RFC 9207 section 3)
	endSession string // "" without (OpenID Connect RP-Initiated Logout 1.0)
}

// run reads the discovery document, again and again until it is there, and
// then once a day.
func (p *provider) run(ctx context.Context) {
	retry := firstRetry
	for {
		pause := refetchEvery
		if err := p.discover(ctx); ctx.Err() != nil {
			return
		} else if err != nil {
			p.log.Warn("identity provider not ready", "provider", p.config.ID, "err", err, "retry_in", retry)
			pause, retry = retry, min(2*retry, maxRetry)
		} else {
			retry = firstRetry
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (p *provider) discover(ctx context.Context) error {
	found, err := gooidc.NewProvider(p.with(ctx), p.config.Issuer)
	if err != nil {
		p.failed.Add(1)
		return fmt.Errorf("discovery: %w", err)
	}
	var said struct {
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		TellsIss    bool     `json:"authorization_response_iss_parameter_supported"`
		EndSession  string   `json:"end_session_endpoint"`
	}
	if err := found.Claims(&said); err != nil {
		p.failed.Add(1)
		return fmt.Errorf("discovery: %w", err)
	}
	for what, address := range map[string]string{"authorization": found.Endpoint().AuthURL, "token": found.Endpoint().TokenURL} {
		if !isWeb(address) {
			p.failed.Add(1)
			return fmt.Errorf("discovery: the %s endpoint %q is no web address", what, address)
		}
	}
	if !isWeb(said.EndSession) || strings.HasPrefix(p.config.Issuer, "https:") && !strings.HasPrefix(said.EndSession, "https:") {
		said.EndSession = ""
	}
	style := oauth2.AuthStyleInHeader // client_secret_basic is the default (RFC 8414 section 2)
	if p.config.ClientSecret == "" || len(said.AuthMethods) > 0 && !slices.Contains(said.AuthMethods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	p.fetched.Add(1)
	p.found.Store(&endpoints{provider: found, style: style, tellsIss: said.TellsIss, endSession: said.EndSession})
	return nil
}

// isWeb reports whether an address that a browser is sent to, or a secret, is
// one for that.
func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// with makes the libraries use our client.
func (p *provider) with(ctx context.Context) context.Context {
	return gooidc.ClientContext(ctx, p.client)
}

// oauth is the client for the code flow that ends at callback, an address of
// ours.
func (p *provider) oauth(e *endpoints, callback string) *oauth2.Config {
	scopes := p.config.Scopes
	if scopes == nil {
		scopes = []string{"profile", "email"}
	}
	endpoint := e.provider.Endpoint()
	endpoint.AuthStyle = e.style
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: endpoint, RedirectURL: callback,
		Scopes: append([]string{gooidc.ScopeOpenID}, slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == gooidc.ScopeOpenID })...),
	}
}
