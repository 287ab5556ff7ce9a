package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goodIdentity are providers as somebody would configure them.
const goodIdentity = `
[http]
public_url = "https://pool.example"

[auth]
clerk_issuer_url = "https://clerk.pool.example"
clerk_publishable_key = "pk_live_x"
clerk_authorized_parties = ["https://pool.example"]

[[oidc]]
id = "corp"
issuer = "https://login.example/realms/home"
client_id = "poolscope"
client_secret = "secret of corp"
allowed_domains = ["pool.example"]

[[oidc]]
id = "home-2"
issuer = "http://127.0.0.1:9000"
client_id = "poolscope"
`

func TestIdentityProviders(t *testing.T) {
	c, err := Parse("test.toml", []byte(goodIdentity), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.OIDC) != 2 || c.OIDC[0].ClientSecret.Reveal() != "secret of corp" || c.Auth.ClerkSessionCookieName != "__session" || c.Auth.ClerkCallbackPath != "/clerk/callback" {
		t.Errorf("%+v %+v", c.OIDC, c.Auth)
	}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = Parse("test.toml", []byte(strings.Replace(goodIdentity, `client_secret = "secret of corp"`, `client_secret_file = "`+file+`"`, 1)), nil)
	if err != nil || c.OIDC[0].ClientSecret.Reveal() != "from a file" {
		t.Errorf("%v", err)
	}

	for name, test := range map[string]struct{ old, replacement, key string }{
		"public address with a path": {`"https://pool.example"` + "\n\n[auth]", `"https://pool.example/pool"` + "\n\n[auth]", "http.public_url"},
		"public address, no scheme":  {`public_url = "https://pool.example"`, `public_url = "pool.example"`, "http.public_url"},
		"Clerk without its issuer":   {`clerk_issuer_url = "https://clerk.pool.example"`, ``, "auth.clerk_issuer_url"},
		"Clerk in plain":             {`"https://clerk.pool.example"`, `"http://clerk.pool.example"`, "auth.clerk_issuer_url"},
		"Clerk's password in it":     {`"https://clerk.pool.example"`, `"https://a:b@clerk.pool.example"`, "auth.clerk_issuer_url"},
		"Clerk is a script":          {`"https://clerk.pool.example"`, `"javascript:alert(1)"`, "auth.clerk_issuer_url"},
		"party with a path":          {`["https://pool.example"]`, `["https://pool.example/"]`, "auth.clerk_authorized_parties"},
		"cookie of ours":             {`clerk_publishable_key`, `clerk_session_cookie_name = "poolscope_session"` + "\nclerk_publishable_key", "auth.clerk_session_cookie_name"},
		"cookie with a space":        {`clerk_publishable_key`, `clerk_session_cookie_name = "a b"` + "\nclerk_publishable_key", "auth.clerk_session_cookie_name"},
		"callback in the API":        {`clerk_publishable_key`, `clerk_callback_path = "/api/clerk"` + "\nclerk_publishable_key", "auth.clerk_callback_path"},
		"callback is the first page": {`clerk_publishable_key`, `clerk_callback_path = "/"` + "\nclerk_publishable_key", "auth.clerk_callback_path"},
		"callback with a wildcard":   {`clerk_publishable_key`, `clerk_callback_path = "/clerk/{x...}"` + "\nclerk_publishable_key", "auth.clerk_callback_path"},
		"callback of another page":   {`clerk_publishable_key`, `clerk_callback_path = "/healthz"` + "\nclerk_publishable_key", "auth.clerk_callback_path"},
		"provider named local":       {`id = "corp"`, `id = "local"`, "oidc.1.id"},
		"provider named clerk":       {`id = "corp"`, `id = "clerk"`, "oidc.1.id"},
		"provider without a name":    {`id = "corp"`, ``, "oidc.1.id"},
		"provider named like a path": {`id = "corp"`, `id = "a/b"`, "oidc.1.id"},
		"two providers of a name":    {`id = "home-2"`, `id = "corp"`, "oidc.2.id"},
		"provider in plain":          {`"https://login.example/realms/home"`, `"http://login.example/realms/home"`, "oidc.1.issuer"},
		"provider without an issuer": {`issuer = "https://login.example/realms/home"`, ``, "oidc.1.issuer"},
		"provider without a client":  {`client_id = "poolscope"` + "\nclient_secret", `client_secret`, "oidc.1.client_id"},
		"domain that is an address":  {`["pool.example"]`, `["@pool.example"]`, "oidc.1.allowed_domains"},
		"secret twice":               {`client_secret = "secret of corp"`, `client_secret = "secret of corp"` + "\n" + `client_secret_file = "` + file + `"`, "oidc.1.client_secret_file"},
		"secret that cannot be read": {`client_secret = "secret of corp"`, `client_secret_file = "` + file + `-not"`, "oidc.1.client_secret_file"},
		"signing out elsewhere":      {`client_secret = "secret of corp"`, `logout = "https://evil.example"`, "oidc.1.logout"},
		"scope that is two":          {`client_secret = "secret of corp"`, `scopes = ["profile email"]`, "oidc.1.scopes"},
	} {
		text := strings.Replace(goodIdentity, test.old, test.replacement, 1)
		if text == goodIdentity {
			t.Fatalf("%s: nothing was changed", name)
		}
		_, err := Parse("test.toml", []byte(text), nil)
		var invalid *InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(invalid.Problems) != 1 || invalid.Problems[0].Key != test.key || strings.Contains(err.Error(), "secret of corp") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Clerk signs tokens for all sites of an instance: whose are taken follows from
// where the pool's page is, and who leaves it open is told.
func TestWhoseClerkTokensAreTaken(t *testing.T) {
	const clerk = "\n[auth]\nclerk_issuer_url = \"https://clerk.pool.example\"\n"
	for text, want := range map[string]string{
		clerk: "",
		"[http]\npublic_url = \"https://Pool.example:443/\"" + clerk:                                                            "https://pool.example",
		"[http]\npublic_url = \"https://pool.example:8443\"" + clerk:                                                            "https://pool.example:8443",
		"[http]\npublic_url = \"https://pool.example\"" + clerk + "clerk_authorized_parties = [\"https://www.pool.example\"]\n": "https://www.pool.example",
		clerk + "clerk_authorized_parties = [\"https://pool.example\"]\n":                                                       "https://pool.example",
	} {
		c, err := Parse("c.toml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		warned := strings.Contains(strings.Join(c.Warnings(), "\n"), "auth.clerk_authorized_parties")
		if got := strings.Join(c.ClerkParties(), " "); got != want || warned != (want == "") {
			t.Errorf("%s: %q, want %q; warnings %q", text, got, want, c.Warnings())
		}
	}
	if c, err := Parse("c.toml", nil, nil); err != nil || len(c.Warnings()) != 0 {
		t.Errorf("without Clerk: %v, %v", c.Warnings(), err)
	}
}
