package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/api/authapi"
	"github.com/poolscope/poolscope/internal/api/backupapi"
	"github.com/poolscope/poolscope/internal/config"
)

// people is who may sign in, and the gate that knows them.
type people struct {
	accounts *account.Service
	gate     *access.Gate
	external authapi.External
	password string // the first operator's when the account was made just now

	isOwner      func(ctx context.Context, userID string) bool     // nil without a pool
	savedWorkers func(ctx context.Context) (map[string]int, error) // nil without a pool
}

// openPeople makes the accounts that a store keeps, and that of the first
// operator when there is none.
func openPeople(ctx context.Context, cfg *config.Config, store account.Store, log *slog.Logger) (*people, error) {
	p := &people{accounts: account.New(accountConfigOf(cfg), store, log.With("part", "accounts"))}
	p.gate = access.NewGate(p.accounts)
	p.gate.SetPublicURL(cfg.HTTP.PublicURL)
	p.external = externalOf(cfg, p.accounts, log)
	var err error
	if p.password, err = p.accounts.AddFirst(ctx); err != nil {
		return nil, fmt.Errorf("account of the first operator: %w", err)
	}
	return p, nil
}

func accountConfigOf(cfg *config.Config) account.Config {
	var providers []string
	if cfg.Auth.ClerkIssuerURL != "" {
		providers = append(providers, account.ProviderClerk)
	}
	for i := range cfg.OIDC {
		providers = append(providers, cfg.OIDC[i].ID)
	}
	return account.Config{
		IdleFor: cfg.Auth.SessionIdle, LastFor: cfg.Auth.SessionMax,
		Open: cfg.Auth.Registration == config.RegistrationOpen, Operators: cfg.Auth.Operators,
		Providers: providers, Secure: strings.HasPrefix(cfg.HTTP.PublicURL, "https://"),
	}
}

// keeping is what writes down who was here and what they did.
func (p *people) keeping(log *slog.Logger) part { return aside(part{"accounts", p.accounts.Run}, log) }

// parts are the routes of people.
func (p *people) parts(log *slog.Logger) []api.Part {
	return []api.Part{authapi.New(authapi.Config{
		Service: p.accounts, Gate: p.gate, External: p.external, Log: log.With("part", "http"), IsOwner: p.isOwner, SavedWorkers: p.savedWorkers,
	})}
}

// print shows the first operator's password to the person who started the
// program, once.
func (p *people) print(out io.Writer) {
	if p.password != "" {
		fmt.Fprintf(out, "  sign in as %s with the password %s, shown this once\n", account.FirstOperator, p.password)
		p.password = ""
	}
}

// figures are what signing in counts, for /metrics.
func (p *people) figures() []api.Figure {
	s := p.accounts.Stats()
	var all []api.Figure
	for _, result := range slices.Sorted(maps.Keys(s.SignIns)) {
		all = append(all, api.Figure{
			Name: "auth_sign_ins_total", Help: "Attempts to sign in or to give a password, by result.",
			Label: "result", Value: result, Number: float64(s.SignIns[result]), Counter: true,
		})
	}
	refused := p.gate.Refused()
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		all = append(all, api.Figure{
			Name: "auth_refused_total", Help: "Requests that were turned away since of who asked, by reason.",
			Label: "reason", Value: reason, Number: float64(refused[reason]), Counter: true,
		})
	}
	return append(append(all, externalFigures(p.external)...),
		api.Figure{Name: "auth_store_errors_total", Help: "Failed attempts to read or write accounts, sessions and the audit trail.", Number: float64(s.StoreErrors), Counter: true},
		api.Figure{Name: "auth_accounts_unused_total", Help: "Accounts that were deleted since nobody used them after registration.", Number: float64(s.AccountsUnused), Counter: true},
		api.Figure{Name: "auth_actions_dropped_total", Help: "Entries of the audit trail that were lost.", Number: float64(s.ActionsDropped), Counter: true},
		api.Figure{Name: "auth_actions_summed_total", Help: "Failures of strangers and actions of viewers that the audit trail does not have one by one.", Number: float64(s.ActionsSummed), Counter: true},
		api.Figure{Name: "auth_cached_sessions", Help: "Sessions in memory.", Number: float64(s.CachedSessions)},
		api.Figure{Name: "auth_limited", Help: "Accounts and addresses that are remembered for failed attempts.", Number: float64(s.Limited)},
	)
}

// people are the parts of the HTTP interface for people: each is made by who
// knows what it needs.
func (p *poolParts) peopleParts() []api.Part {
	p.people.isOwner, p.people.savedWorkers = p.isOwner, p.savedCounts
	return append(p.people.parts(p.log),
		backupapi.New(p.people.gate, p.backups, p.people.accounts, p.log.With("part", "http")),
		p.admin,
		p.alertPart(),
		p.savedPart(),
		p.discordPart(),
	)
}
