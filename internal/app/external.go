package app

import (
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/clerk"
	"github.com/poolscope/poolscope/internal/account/oidc"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/authapi"
	"github.com/poolscope/poolscope/internal/config"
)

// clerkRevokedFile is where sessions of Clerk's that were ended are kept, in the
// data folder.
const clerkRevokedFile = "clerk-revoked.json"

// externalOf makes the configured ways to sign in that others vouch for.
func externalOf(cfg *config.Config, accounts *account.Service, log *slog.Logger) authapi.External {
	out := authapi.External{PublicURL: cfg.HTTP.PublicURL}
	log = log.With("part", "identity")
	if a := &cfg.Auth; a.ClerkIssuerURL != "" {
		out.Clerk = clerk.New(clerk.Config{
			Issuer: a.ClerkIssuerURL, JWKSURL: a.ClerkJWKSURL, Audience: a.ClerkSessionAudience, AuthorizedParties: cfg.ClerkParties(),
			CookieName: a.ClerkSessionCookieName, FrontendAPI: a.ClerkFrontendAPIURL, PublishableKey: a.ClerkPublishableKey,
			SignInURL: a.ClerkSigninURL, CallbackPath: a.ClerkCallbackPath,
			RevokedFile: filepath.Join(cfg.DataDir, clerkRevokedFile),
		}, accounts, log)
		if err := out.Clerk.Load(); err != nil {
			log.Error("sessions of Clerk's that were ended before may be good again", "err", err)
		}
		accounts.AlsoSessionsOf(out.Clerk)
	}
	if len(cfg.OIDC) > 0 {
		var providers []oidc.Config
		for i := range cfg.OIDC {
			p := &cfg.OIDC[i]
			providers = append(providers, oidc.Config{
				ID: p.ID, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), Scopes: p.Scopes, Domains: p.AllowedDomains,
				EndThere: p.Logout == config.LogoutProvider,
			})
		}
		out.OIDC = oidc.New(providers, log)
	}
	return out
}

// asking are what asks identity providers for keys and addresses.
func (p *people) asking(log *slog.Logger) stage {
	var parts stage
	if p.external.Clerk != nil {
		parts = append(parts, aside(part{"Clerk", p.external.Clerk.Run}, log))
	}
	if p.external.OIDC != nil {
		parts = append(parts, aside(part{"identity providers", p.external.OIDC.Run}, log))
	}
	return parts
}

// externalFigures are what signing in through others counts, for /metrics.
func externalFigures(e authapi.External) []api.Figure {
	var all []api.Figure
	if e.Clerk != nil {
		s := e.Clerk.Status()
		all = append(all,
			api.Figure{Name: "auth_clerk_keys", Help: "Keys of Clerk's that are known.", Number: float64(s.Keys)},
			api.Figure{Name: "auth_clerk_keys_fetched_total", Help: "Times that Clerk's keys were fetched.", Number: float64(s.Fetched), Counter: true},
			api.Figure{Name: "auth_clerk_keys_failed_total", Help: "Times that Clerk's keys could not be fetched.", Number: float64(s.FetchFailed), Counter: true},
			api.Figure{Name: "auth_clerk_unknown_keys_total", Help: "Session tokens that named a key that Clerk does not have.", Number: float64(s.UnknownKeys), Counter: true},
		)
	}
	if e.OIDC != nil {
		s := e.OIDC.Status()
		all = append(all,
			api.Figure{Name: "auth_oidc_flows", Help: "Sign-ins at identity providers that have begun and not ended.", Number: float64(s.UnderWay)},
			api.Figure{Name: "auth_oidc_flows_ended_total", Help: "Sign-ins at identity providers that nobody ended, by reason.", Label: "reason", Value: "expired", Number: float64(s.Expired), Counter: true},
			api.Figure{Name: "auth_oidc_flows_ended_total", Help: "Sign-ins at identity providers that nobody ended, by reason.", Label: "reason", Value: "no_room", Number: float64(s.Dropped), Counter: true},
		)
		for _, id := range slices.Sorted(maps.Keys(s.Failed)) {
			all = append(all, api.Figure{
				Name: "auth_oidc_discovery_failed_total", Help: "Times that an identity provider's discovery document could not be read, by provider.",
				Label: "provider", Value: id, Number: float64(s.Failed[id]), Counter: true,
			})
		}
	}
	return all
}
