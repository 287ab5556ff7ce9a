package config

import (
	"net/netip"
	"strings"
	"time"
)

// Auth is section [auth].
type Auth struct {
	// Who may make an account with a name and password: "closed": operators make
	// accounts for others; "open": everybody makes their own, as a viewer.
	Registration string `toml:"registration" reload:"live"`

	// How long a session lasts without a request.
	SessionIdle time.Duration `toml:"session_idle" reload:"live"`

	// How long a session lasts at most.
	SessionMax time.Duration `toml:"session_max" reload:"live"`

	// People who become operators when they sign in through a provider: e-mail
	// addresses that it has verified, or "PROVIDER:SUBJECT" with its own name of
	// the person. Local accounts have their role in the books.
	Operators []string `toml:"operators" reload:"live"`

	// Issuer of Clerk's session tokens, which is the address of your Clerk
	// instance, such as "https://clerk.pool.example". Empty: no signing in with
	// Clerk.
	ClerkIssuerURL string `toml:"clerk_issuer_url" reload:"restart"`

	// Address of its public keys. Empty: .well-known/jwks.json at the issuer.
	ClerkJWKSURL string `toml:"clerk_jwks_url" reload:"restart"`

	// Clerk's hosted page for signing in, such as
	// "https://accounts.pool.example/sign-in". Empty: the one that Clerk's script
	// knows.
	ClerkSigninURL string `toml:"clerk_signin_url" reload:"restart"`

	// Path of ours that Clerk's page sends people back to.
	ClerkCallbackPath string `toml:"clerk_callback_path" reload:"restart"`

	// Address that Clerk's script is loaded from. Empty: the issuer.
	ClerkFrontendAPIURL string `toml:"clerk_frontend_api_url" reload:"restart"`

	// Publishable key of the instance, pk_…, which Clerk's script needs. Empty:
	// people bring their session token from a page of yours.
	ClerkPublishableKey string `toml:"clerk_publishable_key" reload:"restart"`

	// Name of the cookie with the session token.
	ClerkSessionCookieName string `toml:"clerk_session_cookie_name" reload:"restart"`

	// Audience (aud) that session tokens must name. Empty: any or none.
	ClerkSessionAudience string `toml:"clerk_session_audience" reload:"restart"`

	// Pages that session tokens may have been made for (azp), such as
	// "https://pool.example". Empty list: the one at http.public_url; without that
	// any.
	ClerkAuthorizedParties []string `toml:"clerk_authorized_parties" reload:"restart"`
}

// Values of auth.registration.
const (
	RegistrationClosed = "closed"
	RegistrationOpen   = "open"
)

// Proxies are the networks of the key trusted_proxies.
func (h *HTTP) Proxies() []netip.Prefix { return parseNetworks(h.TrustedProxies) }

// proxyWarnings are remarks on http.trusted_proxies.
func (c *Config) proxyWarnings() []string {
	var warnings []string
	for _, p := range c.HTTP.Proxies() {
		if p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 16 {
			warnings = append(warnings, "http.trusted_proxies has "+p.String()+": anybody there can claim any address, so that limits on guessing passwords and the audit trail go by what strangers write; name the proxies alone")
		}
	}
	return warnings
}

// auth checks section [auth], and whom [http] believes.
func (v *validator) auth() {
	v.proxies("http.trusted_proxies", v.config.HTTP.TrustedProxies)
	a := v.config.Auth
	if a.Registration != RegistrationClosed && a.Registration != RegistrationOpen {
		v.complain("auth.registration", "%q must be closed or open", a.Registration)
	}
	if a.SessionIdle < 10*time.Minute {
		v.complain("auth.session_idle", "must be at least 10m")
	}
	if a.SessionMax < a.SessionIdle {
		v.complainSince("auth.session_max", "auth.session_idle", "must be at least auth.session_idle, %v", a.SessionIdle)
	}
	if a.SessionMax > 400*24*time.Hour {
		v.complain("auth.session_max", "must be at most 9600h: browsers keep no cookie longer")
	}
	for _, who := range a.Operators {
		provider, subject, named := strings.Cut(who, ":")
		mailbox, host, mail := strings.Cut(who, "@")
		switch {
		case named && provider != "" && subject != "":
		case mail && mailbox != "" && host != "":
		default:
			v.complain("auth.operators", `%q must be an e-mail address, or PROVIDER:SUBJECT such as "clerk:user_2abc"`, who)
		}
	}
}
