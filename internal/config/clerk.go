package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// clerk checks the keys of [auth] that are about Clerk.
func (v *validator) clerk() {
	a := &v.config.Auth
	if a.ClerkIssuerURL == "" {
		for key, set := range map[string]bool{
			"auth.clerk_jwks_url": a.ClerkJWKSURL != "", "auth.clerk_publishable_key": a.ClerkPublishableKey != "",
			"auth.clerk_frontend_api_url": a.ClerkFrontendAPIURL != "", "auth.clerk_session_audience": a.ClerkSessionAudience != "",
			"auth.clerk_authorized_parties": len(a.ClerkAuthorizedParties) > 0,
		} {
			if set {
				v.complainSince("auth.clerk_issuer_url", key, "must be set, too: without it Clerk is off")
				break
			}
		}
	}
	v.providerURL("auth.clerk_issuer_url", a.ClerkIssuerURL)
	v.providerURL("auth.clerk_jwks_url", a.ClerkJWKSURL)
	v.providerURL("auth.clerk_signin_url", a.ClerkSigninURL)
	v.providerURL("auth.clerk_frontend_api_url", a.ClerkFrontendAPIURL)
	if !isOwnCallback(a.ClerkCallbackPath) {
		v.complain("auth.clerk_callback_path", `%q must be a path with two parts or more that nothing else has, such as "/clerk/callback"`, a.ClerkCallbackPath)
	}
	if !cookieName.MatchString(a.ClerkSessionCookieName) || strings.Contains(a.ClerkSessionCookieName, "poolscope_session") {
		v.complain("auth.clerk_session_cookie_name", `%q must be letters, digits, "_" and "-"`, a.ClerkSessionCookieName)
	}
	for _, party := range a.ClerkAuthorizedParties {
		if u, err := url.Parse(party); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			v.complain("auth.clerk_authorized_parties", `%q must be like "https://pool.example", without a path`, party)
		}
	}
}

// ClerkParties are the pages that Clerk's session tokens may have been made for:
// those that are set, or the one at http.public_url. None: any.
func (c *Config) ClerkParties() []string {
	if len(c.Auth.ClerkAuthorizedParties) > 0 {
		return c.Auth.ClerkAuthorizedParties
	}
	u, err := url.Parse(c.HTTP.PublicURL)
	if err != nil || u.Host == "" {
		return nil
	}
	origin := strings.ToLower(u.Scheme + "://" + u.Host) // RFC 6454 section 6.2
	if port := map[string]string{"http": ":80", "https": ":443"}[strings.ToLower(u.Scheme)]; port != "" {
		origin = strings.TrimSuffix(origin, port)
	}
	return []string{origin}
}

// clerkWarnings say what makes Clerk's tokens good for more than they should be.
func (c *Config) clerkWarnings() []string {
	if c.Auth.ClerkIssuerURL != "" && len(c.ClerkParties()) == 0 {
		return []string{"session tokens that Clerk made for any other site of the same instance sign in here, too: set http.public_url or auth.clerk_authorized_parties"}
	}
	return nil
}

// providerURL checks the address of an identity provider; "" is good.
func (v *validator) providerURL(key, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		v.complain(key, `%q must be like "https://login.example"`, text)
	case u.User != nil || u.Fragment != "":
		v.complain(key, "must have no user, password and fragment in it")
	case u.Scheme == "http" && !isThisMachine(u.Hostname()):
		v.complain(key, "must be https: whoever is on the way could sign in as anybody")
	}
}

func isThisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

var (
	cookieName   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	callbackPath = regexp.MustCompile(`^(/[A-Za-z0-9_-]+){2,8}$`)
)

// isOwnCallback reports whether a path can be a page of ours that no other is.
func isOwnCallback(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "api", "assets", "debug", "docs", "sign-in":
		return false
	default:
		return callbackPath.MatchString(path)
	}
}
