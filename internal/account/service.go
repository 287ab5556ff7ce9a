package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config of a Service. The zero value of each field stands for its default.
type Config struct {
	// IdleFor is how long a session lasts without a request; default 7 days.
	IdleFor time.Duration
	// LastFor is how long a session lasts at most; default 30 days.
	LastFor time.Duration
	// Open lets anybody make an account.
	Open bool
	// Operators are people who become operators when they sign in through a
	// provider: e-mail addresses that it has verified, or PROVIDER:SUBJECT.
	Operators []string
	// Providers are those besides ProviderLocal through which people can sign in.
	Providers []string
	// Secure says that people come over HTTPS, even when a request does not say so
	// because a proxy in between does not.
	Secure bool
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Bounds of what is kept.
const (
	maxUsers           = 10_000
	maxRegistered      = 6_000 // users with whom nobody can register any more: operators and providers have the rest
	maxSessionsPerUser = 32
	keepActions        = 400 * 24 * time.Hour // entries of the audit trail

	// Who registers, is not there after the first day and has nothing is forgotten
	// after a week. Registrations are limited so that a week of them is less than
	// maxRegistered: whoever makes accounts by a program keeps nobody else out.
	firstStay    = 24 * time.Hour
	forgetUnused = 7 * 24 * time.Hour
)

// maxActions bounds the audit trail.
var maxActions = ActionLimits{Operators: 50_000, People: 20_000, Strangers: 10_000}

// Service knows users and sessions. Its methods may be called by any goroutine.
type Service struct {
	cfg   atomic.Pointer[Config]
	store Store
	log   *slog.Logger
	now   func() time.Time

	hasher   *hasher
	limits   *limiter
	cache    *cache
	trail    *trail
	external External      // sessions of another kind of cookie; nil without
	lookups  chan struct{} // a value for each session that is read from the store
	counts   counts
}

// counts are what happened since the start.
type counts struct {
	mu      sync.Mutex
	signIns map[string]uint64 // by result: "ok" or the reason why not
	errors  atomic.Uint64     // of the store
	unused  atomic.Uint64     // accounts that were deleted
}

func (c *counts) signIn(result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signIns[result]++
}

// New returns a service. It starts nothing.
func New(cfg Config, store Store, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Service{store: store, log: log, now: cfg.Now, hasher: newHasher(), cache: newCache(), lookups: make(chan struct{}, 2)}
	if s.now == nil {
		s.now = time.Now
	}
	s.limits, s.trail = newLimiter(s.now), newTrail(s.now)
	s.counts.signIns = map[string]uint64{"ok": 0}
	for _, reason := range signInReasons {
		s.counts.signIns[reason] = 0
	}
	s.Configure(cfg)
	return s
}

// Configure replaces the configuration but its clock, from the next request on.
func (s *Service) Configure(cfg Config) {
	cfg.IdleFor, cfg.LastFor = cmp.Or(cfg.IdleFor, 7*24*time.Hour), cmp.Or(cfg.LastFor, 30*24*time.Hour)
	s.cfg.Store(&cfg)
}

// External knows sessions of another kind than this service's.
type External interface {
	// Session is that of a request, nil when it has none.
	Session(r *http.Request) *Session
	// Sessions lists those of a user.
	Sessions(userID string) []Session
	// Everybody lists those of all users.
	Everybody() []Session
	// End ends sessions of a user, the one with an ID or, when that is "", all but
	// the one with the ID keep, and returns how many.
	End(userID, id, keep string) int
	// Lives reports whether a session has not ended and its user may do the same.
	Lives(session *Session) bool
}

// AlsoSessionsOf lets requests be signed in by something else than a session of
// this service. It is to be called before the first request.
func (s *Service) AlsoSessionsOf(other External) { s.external = other }

// Open reports whether anybody may make an account.
func (s *Service) Open() bool { return s.cfg.Load().Open }

// How often the store is written to and cleared of what is old.
const (
	flushEvery = time.Second // the audit trail
	seeEvery   = time.Minute // when sessions were last seen
	pruneEvery = time.Hour
	// writeTime is how long one write may take.
	writeTime = 5 * time.Second
)

// Run writes down what need not be written at once, until ctx ends, and then
// the rest.
func (s *Service) Run(ctx context.Context) error {
	flush, see, prune := time.NewTicker(flushEvery), time.NewTicker(seeEvery), time.NewTicker(pruneEvery)
	defer flush.Stop()
	defer see.Stop()
	defer prune.Stop()
	s.recall(ctx)
	s.prune(ctx)
	for {
		select {
		case <-ctx.Done():
			s.see(context.WithoutCancel(ctx))
			s.Flush(context.WithoutCancel(ctx))
			return nil
		case <-flush.C:
			s.Flush(ctx)
		case <-see.C:
			s.see(ctx)
		case <-prune.C:
			s.prune(ctx)
		}
	}
}

// recall reads where accounts were signed in before, so that strangers who guess
// cannot keep their owners out after a restart either.
func (s *Service) recall(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	origins, err := s.store.Origins(ctx, s.now().Add(-knownAfter), maxKnown)
	if err != nil {
		s.failed("where accounts were signed in is not known", err)
		return
	}
	s.limits.know(origins)
}

// Flush writes the audit trail down. Who does not Run calls it at the end.
func (s *Service) Flush(ctx context.Context) {
	actions := s.trail.take()
	if len(actions) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := s.store.AddActions(ctx, actions); err != nil {
		s.trail.putBack(actions)
		s.failed("audit trail not written", err)
	}
}

// see writes down when sessions were last seen.
func (s *Service) see(ctx context.Context) {
	seen := s.cache.takeSeen()
	if len(seen) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := s.store.SeeSessions(ctx, seen); err != nil {
		s.cache.putBackSeen(seen)
		s.failed("sessions not written", err)
	}
}

// prune deletes expired sessions, accounts that were never used, and old entries of
// the audit trail.
func (s *Service) prune(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	now, cfg := s.now(), s.cfg.Load()
	// A minute more: when they were last seen is written that late.
	if err := s.store.PruneSessions(ctx, now.Add(-cfg.LastFor), now.Add(-cfg.IdleFor-2*seeEvery)); err != nil {
		s.failed("expired sessions not deleted", err)
	}
	unused, err := s.store.PruneUnused(ctx, now.Add(-forgetUnused), firstStay)
	if err != nil {
		s.failed("accounts that were never used not deleted", err)
	} else if unused > 0 {
		s.counts.unused.Add(uint64(unused))
		s.cache.clear()
		s.log.Info("accounts that were never used after registration are deleted", "accounts", unused)
	}
	if err := s.store.PruneActions(ctx, now.Add(-keepActions), maxActions); err != nil {
		s.failed("audit trail not shortened", err)
	}
}

func (s *Service) failed(what string, err error) {
	s.counts.errors.Add(1)
	s.log.Error(what, "err", err)
}

// Record adds an entry to the audit trail. It implements Trail.
func (s *Service) Record(_ context.Context, a Action) { s.trail.add(a) }

// Actions reads the audit trail, newest first. What happened in the last second
// may be missing.
func (s *Service) Actions(ctx context.Context, f ActionFilter) ([]Action, error) {
	return s.store.Actions(ctx, f)
}

// Stats are what the service did since it started.
type Stats struct {
	SignIns        map[string]uint64 // by result, "ok" among them
	StoreErrors    uint64
	ActionsDropped uint64 // entries of the audit trail that were lost
	ActionsSummed  uint64 // failures of strangers, and actions of viewers, that were not noted one by one
	AccountsUnused uint64 // accounts that were deleted, since nobody used them after registration
	CachedSessions int
	Limited        int // accounts and addresses that are remembered for their failures
}

// Stats are what the service did since it started.
func (s *Service) Stats() Stats {
	out := Stats{SignIns: make(map[string]uint64), StoreErrors: s.counts.errors.Load(), AccountsUnused: s.counts.unused.Load(), CachedSessions: s.cache.size(), Limited: s.limits.size()}
	out.ActionsDropped, out.ActionsSummed = s.trail.lost()
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for result, n := range s.counts.signIns {
		out.SignIns[result] = n
	}
	return out
}

// newID makes an identifier of n random bytes in hex.
func newID(n int) string {
	id := make([]byte, n)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}
