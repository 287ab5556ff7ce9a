package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/poolscope/poolscope/internal/account"
)

// clockSkew is how far this machine's clock and a provider's may differ.
const clockSkew = time.Minute

// maxCode is more than any provider's authorization code has.
const maxCode = 4 << 10

// Finished is a flow that came back.
type Finished struct {
	Who      account.Identity
	ReturnTo string // path of ours; "/" when nothing is known of the flow
	// Again says that the person was signed in already and proved to be there.
	Again bool
	// Cookie takes the flow's cookie away.
	Cookie *http.Cookie
}

// Finish takes the provider's answer, which the browser brings to the callback
// of the provider with an ID. Also with an error, Cookie and ReturnTo are set
// when they are known.
func (p *Providers) Finish(r *http.Request, id string, secure bool) (Finished, error) {
	out := Finished{ReturnTo: "/"}
	one, err := p.find(id)
	if err != nil {
		return out, err
	}
	query := r.URL.Query()
	state := query.Get("state")
	if state == "" || len(state) > 64 || len(query["state"]) != 1 || len(query["code"]) > 1 || len(query["iss"]) > 1 {
		return out, ErrFlow
	}
	value := ""
	if cookie, err := r.Cookie(cookieName(state, secure)); err == nil {
		value = cookie.Value
	}
	fl := p.flows.take(state, id, value, p.now())
	if fl == nil {
		return out, ErrFlow
	}
	out.Cookie, out.ReturnTo, out.Again = newCookie(state, "", secure, -1), fl.returnTo, fl.again != ""

	e := one.found.Load()
	if e == nil {
		return out, ErrUnavailable // cannot be: the flow began with it
	}
	if iss := query.Get("iss"); iss != "" && iss != one.config.Issuer || iss == "" && e.tellsIss {
		return out, fmt.Errorf("%w: the answer is another issuer's (iss)", ErrToken)
	}
	if code := query.Get("error"); code != "" {
		return out, fmt.Errorf("%w: %s", ErrDenied, printable(code))
	}
	code := query.Get("code")
	if code == "" || len(code) > maxCode {
		return out, fmt.Errorf("%w: no code in it", ErrToken)
	}
	out.Who, err = one.redeem(r.Context(), e, fl, code, p.now)
	return out, err
}

// claims are what we read of an ID token or of the user info.
type claims struct {
	Name          string `json:"name"`
	Username      string `json:"preferred_username"`
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // some providers write it as a text
	AuthTime      int64  `json:"auth_time"`
	Party         string `json:"azp"`
}

func (c *claims) verified() bool { return c.EmailVerified == true || c.EmailVerified == "true" }

// redeem changes the code for the person's identity.
func (p *provider) redeem(ctx context.Context, e *endpoints, fl *flow, code string, now func() time.Time) (account.Identity, error) {
	var nobody account.Identity
	ctx = p.with(ctx)
	tokens, err := p.oauth(e, fl.callback).Exchange(ctx, code, oauth2.VerifierOption(fl.verifier))
	if err != nil {
		return nobody, fmt.Errorf("%w: code not exchanged: %s", ErrToken, exchangeReason(err))
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nobody, fmt.Errorf("%w: no ID token", ErrToken)
	}
	token, err := e.provider.Verifier(&gooidc.Config{ClientID: p.config.ClientID, Now: now}).Verify(ctx, raw)
	if err != nil {
		return nobody, fmt.Errorf("%w: %w", ErrToken, err)
	}
	var said claims
	if err := token.Claims(&said); err != nil {
		return nobody, fmt.Errorf("%w: claims: %w", ErrToken, err)
	}
	if err := p.check(token, &said, fl, now()); err != nil {
		return nobody, err
	}
	if said.Email == "" && e.provider.UserInfoEndpoint() != "" {
		p.userInfo(ctx, e, tokens, token.Subject, &said)
	}
	who := account.Identity{Provider: p.config.ID, Subject: token.Subject, Name: said.Name, Email: said.Email, EmailVerified: said.verified()}
	if at := time.Unix(said.AuthTime, 0); said.AuthTime > 0 && !at.After(now().Add(clockSkew)) {
		who.Proven = at
	}
	if who.Name == "" {
		who.Name = said.Username
	}
	if !p.admits(who) {
		return nobody, ErrDomain
	}
	return who, nil
}

// check looks at what the library leaves to us (OpenID Connect Core 1.0 section
// 3.1.3.7).
func (p *provider) check(token *gooidc.IDToken, said *claims, fl *flow, now time.Time) error {
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(fl.nonce)) != 1:
		return fmt.Errorf("%w: the ID token is not for this sign-in (nonce)", ErrToken)
	case token.Subject == "" || len(token.Subject) > 255 || strings.ContainsFunc(token.Subject, isControl):
		return fmt.Errorf("%w: the ID token names nobody (sub)", ErrToken)
	case said.Party != "" && said.Party != p.config.ClientID, said.Party == "" && len(token.Audience) > 1:
		return fmt.Errorf("%w: the ID token was made for another client (azp)", ErrToken)
	case token.IssuedAt.After(now.Add(clockSkew)):
		return fmt.Errorf("%w: the ID token is from the future (iat)", ErrToken)
	case fl.again != "" && token.Subject != fl.again:
		return fmt.Errorf("%w: somebody else signed in", ErrNotAgain)
	case fl.again != "" && time.Unix(said.AuthTime, 0).Before(fl.began.Add(-clockSkew)):
		return fmt.Errorf("%w: the last time was before (auth_time)", ErrNotAgain)
	}
	return nil
}

// userInfo asks for what providers leave out of ID tokens. Without an answer,
// or with one about somebody else, the person has no name and address.
func (p *provider) userInfo(ctx context.Context, e *endpoints, tokens *oauth2.Token, subject string, said *claims) {
	info, err := e.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil || info.Subject != subject { // OpenID Connect Core 1.0 section 5.3.2
		p.log.Warn("identity provider tells nothing about a person", "provider", p.config.ID, "err", err)
		return
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return
	}
	said.Email, said.EmailVerified = more.Email, more.EmailVerified
	if more.Name != "" {
		said.Name = more.Name
	}
	if more.Username != "" {
		said.Username = more.Username
	}
}

// admits reports whether a person may sign in: with domains configured, only
// who has a verified address in one of them.
func (p *provider) admits(who account.Identity) bool {
	if len(p.config.Domains) == 0 {
		return true
	}
	at := strings.LastIndexByte(who.Email, '@')
	return who.EmailVerified && at > 0 && slices.ContainsFunc(p.config.Domains, func(domain string) bool {
		return strings.EqualFold(domain, who.Email[at+1:])
	})
}

// exchangeReason is why a code was not taken. The body of the provider's answer
// stays out of it.
func exchangeReason(err error) string {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" {
		return printable(refused.ErrorCode)
	} else if refused != nil {
		return refused.Response.Status
	}
	return err.Error()
}

// printable cuts what another program wrote to a word for the log.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), 64)]
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }
