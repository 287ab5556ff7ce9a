package config

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// OIDC is one section [[oidc]].
type OIDC struct {
	// Short name in addresses and of the accounts: letters, digits and "-". It must
	// not change, or people get new accounts.
	ID string `toml:"id" reload:"restart"`

	// Name on the page's button. Empty: the id.
	Name string `toml:"name" reload:"restart"`

	// Issuer, exactly as the provider writes it, such as
	// "https://login.example/realms/home". Its discovery document is below it.
	Issuer string `toml:"issuer" reload:"restart"`

	// Name that the provider knows this pool by. The address that it has to send
	// people back to is http.public_url, then /api/auth/oidc/ID/callback.
	ClientID string `toml:"client_id" reload:"restart"`

	// Secret that the provider gave for it. Empty: a public client (PKCE alone).
	ClientSecret Secret `toml:"client_secret" reload:"restart"`

	// File with the secret, instead of writing it here.
	ClientSecretFile string `toml:"client_secret_file" reload:"restart"`

	// What is asked for besides who it is. Empty list: profile and email.
	Scopes []string `toml:"scopes" reload:"restart"`

	// Domains of e-mail addresses, such as "pool.example". Only people with a
	// verified address in one of them get in. Empty list: all whom the provider
	// knows.
	AllowedDomains []string `toml:"allowed_domains" reload:"restart"`

	// What signing out ends: "local": the session here alone; "provider": also the
	// one at the provider, where it lets programs ask for that (RP-initiated logout),
	// and with it usually being signed in to the others that it serves. Empty: local.
	Logout string `toml:"logout" reload:"restart"`
}

// Values of oidc.logout.
const (
	LogoutLocal    = "local"
	LogoutProvider = "provider"
)

var (
	providerID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)
	domainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// oidc checks the sections [[oidc]].
func (v *validator) oidc() {
	taken := make(map[string]string)
	for i := range v.config.OIDC {
		p, key := &v.config.OIDC[i], "oidc."+strconv.Itoa(i+1)
		switch other, twice := taken[p.ID]; {
		case p.ID == "local" || p.ID == "clerk" || !providerID.MatchString(p.ID):
			v.complain(key+".id", `%q must be lower-case letters, digits and "-", and neither local nor clerk`, p.ID)
		case twice:
			v.complain(key+".id", "%q is also the id of %s", p.ID, other)
		default:
			taken[p.ID] = key
		}
		if p.Issuer == "" {
			v.complain(key+".issuer", `must be set, such as to "https://login.example/realms/home"`)
		}
		v.providerURL(key+".issuer", p.Issuer)
		if p.ClientID == "" {
			v.complain(key+".client_id", "must be set: the provider tells it when this pool is registered there")
		}
		if p.Logout != "" && p.Logout != LogoutLocal && p.Logout != LogoutProvider {
			v.complain(key+".logout", "%q must be local or provider", p.Logout)
		}
		for _, scope := range p.Scopes {
			if scope == "" || strings.ContainsAny(scope, " \"\\") {
				v.complain(key+".scopes", "%q must be one scope", scope)
			}
		}
		for _, domain := range p.AllowedDomains {
			if !domainName.MatchString(domain) {
				v.complain(key+".allowed_domains", `%q must be like "pool.example"`, domain)
			}
		}
	}
}

// publicURL checks http.public_url.
func (v *validator) publicURL() {
	text := v.config.HTTP.PublicURL
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		v.complain("http.public_url", `%q must be like "https://pool.example", without a path`, text)
	}
}
