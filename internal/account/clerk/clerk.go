package clerk

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/poolscope/poolscope/internal/account/fetch"
)

// DefaultCookie is the name of the session cookie unless another is configured.
const DefaultCookie = "__session"

// Config says whose tokens are taken, and how.
type Config struct {
	Issuer            string       // claim iss, exactly; the address of Clerk's frontend API
	JWKSURL           string       // "": .well-known/jwks.json at the issuer
	Audience          string       // what claim aud must hold; "": anything
	AuthorizedParties []string     // one of which claim azp must be; none: anything
	CookieName        string       // "": DefaultCookie
	FrontendAPI       string       // origin that Clerk's own script is loaded from; "": the issuer
	PublishableKey    string       // of Clerk's script; "": we have no sign-in page of our own for it
	SignInURL         string       // Clerk's hosted sign-in page; "": the one that its script knows
	CallbackPath      string       // path of ours that Clerk's page may send people back to; "": none but PagePath
	RevokedFile       string       // file in which sessions that were ended outlive a restart; "": none
	Client            *http.Client // nil: one with limits
}

// Clerk verifies session tokens and knows the sessions that they are of.
type Clerk struct {
	config  Config
	log     *slog.Logger
	keys    *keys
	parser  *jwt.Parser
	revoked revoked
	seen    seen
	people  people
	now     func() time.Time
}

// New returns a Clerk that knows no keys until Run has fetched them. source
// gives the accounts of those who sign in.
func New(config Config, source People, log *slog.Logger) *Clerk {
	if config.CookieName == "" {
		config.CookieName = DefaultCookie
	}
	if config.JWKSURL == "" {
		config.JWKSURL = strings.TrimSuffix(config.Issuer, "/") + "/.well-known/jwks.json"
	}
	if config.FrontendAPI == "" {
		config.FrontendAPI = config.Issuer
	}
	if config.Client == nil {
		config.Client = fetch.NewClient()
	}
	c := &Clerk{config: config, log: log, keys: newKeys(config.JWKSURL, config.Client, log), people: people{source: source}, revoked: revoked{path: config.RevokedFile}, now: time.Now}
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg()}),
		jwt.WithIssuer(config.Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(ClockSkew),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return c.now() }),
	}
	if config.Audience != "" {
		options = append(options, jwt.WithAudience(config.Audience))
	}
	c.parser = jwt.NewParser(options...)
	return c
}

// Load reads which sessions were ended before a restart.
func (c *Clerk) Load() error { return c.revoked.load() }

// Run keeps the provider's keys up to date until ctx ends. When the provider
// does not answer, it is asked again and again.
func (c *Clerk) Run(ctx context.Context) error {
	c.keys.run(ctx)
	return nil
}

// Config returns what Clerk was made with, defaults filled in.
func (c *Clerk) Config() Config { return c.config }

// Status says how the keys are.
type Status struct {
	Keys        int       // that are known
	KeysAt      time.Time // when they were fetched; zero before the first time
	Fetched     uint64    // fetches that succeeded …
	FetchFailed uint64    // … and did not
	UnknownKeys uint64    // tokens that named a key that the provider does not have
}

// Status says how the keys are.
func (c *Clerk) Status() Status {
	s := Status{Fetched: c.keys.fetched.Load(), FetchFailed: c.keys.failed.Load(), UnknownKeys: c.keys.unknown.Load()}
	if known := c.keys.known.Load(); known != nil {
		s.Keys, s.KeysAt = len(known.byID), known.at
	}
	return s
}
