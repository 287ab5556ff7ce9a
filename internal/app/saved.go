package app

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/savedapi"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/pool"
)

// newSaved makes the service of saved workers. Its pool may be made later.
func (p *poolParts) newSaved() *saved.Service {
	return saved.New(p.store, savedPool{p}, saved.Options{Trail: p.people.accounts, Log: p.log.With("part", "saved workers")})
}

// heardOf tells of a miner that signed in.
func heardOf(s *saved.Service) func(a pool.Authorization) {
	return func(a pool.Authorization) { s.Authorized(a.Connection, a.Worker, a.Password, a.Remote) }
}

// savedPool is the pool as people who saved workers see it. Pool and people do not
// know each other: this is where they meet.
type savedPool struct{ parts *poolParts }

var _ saved.Pool = savedPool{}

// Seen is what the books in memory know of a worker.
func (p savedPool) Seen(name string) (s saved.Seen, ok bool) {
	d, ok := p.parts.ledger.Worker(name)
	if !ok {
		return s, false
	}
	s = saved.Seen{Online: d.Online, Accepted: d.Accepted, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen, More: d.Connections > len(d.Open)}
	for i := range d.Open {
		c := saved.Connection{ID: d.Open[i].ID, Since: d.Open[i].ConnectedAt, Accepted: d.Open[i].Accepted}
		if remote, err := netip.ParseAddrPort(d.Open[i].Remote); err == nil {
			c.Remote = remote.Addr().Unmap()
		}
		s.Open = append(s.Open, c)
	}
	return s, true
}

// Books is what the books on disk know of a worker: those in memory forget who is
// away for half an hour.
func (p savedPool) Books(ctx context.Context, name string) (b saved.Books, err error) {
	records, err := p.parts.store.Workers(ctx, []string{name})
	for _, r := range records {
		b = saved.Books{Accepted: r.Totals.Accepted, FirstSeen: r.FirstSeen}
	}
	return b, err
}

// Online is who is connected.
func (p savedPool) Online() map[string]bool {
	online := make(map[string]bool)
	if snapshot := p.parts.ledger.Snapshot(); snapshot != nil {
		for i := range snapshot.Workers {
			if w := &snapshot.Workers[i]; w.Online {
				online[w.Name] = true
			}
		}
	}
	return online
}

// DropWorker closes a worker's connections.
func (p savedPool) DropWorker(name string) int { return p.parts.pool.DropWorker(name) }

// SetWorkerDifficulty fixes a worker's difficulty.
func (p savedPool) SetWorkerDifficulty(name string, d float64) int {
	return p.parts.pool.SetWorkerDifficulty(name, d)
}

// Network is the pool's chain.
func (p savedPool) Network() string { return string(p.parts.pool.Status().Network) }

// Tag is what the pool writes into its blocks.
func (p savedPool) Tag() string { return p.parts.pool.Status().Tag }

// savedPart answers for saved workers.
func (p *poolParts) savedPart() api.Part {
	return savedapi.New(savedapi.Config{
		Gate: p.people.gate, Saved: p.saved, Trail: p.people.accounts,
		Books: p.ledger, Store: p.store, Wire: p.scope.library,
		TapMode: tapSwitch{pool: p.pool}.TapMode, Limits: p.pool.DifficultyLimits, Discord: p.discord.saved(),
		Log: p.log.With("part", "http"),
	})
}

// isOwner reports whether somebody has proven to own a worker.
func (p *poolParts) isOwner(_ context.Context, userID string) bool { return p.saved.OwnsAny(userID) }

// savedCounts are the numbers of saved workers by user.
func (p *poolParts) savedCounts(ctx context.Context) (map[string]int, error) {
	all, err := p.saved.All(ctx)
	counts := make(map[string]int)
	for _, s := range all {
		counts[s.UserID]++
	}
	return counts, err
}

// savedFigures are what saved workers count, for /metrics.
func (p *poolParts) savedFigures() (all []api.Figure) {
	counts := p.saved.Counts()
	for _, result := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, api.Figure{
			Name: "owner_proofs_total", Help: "Proofs that a worker is somebody's, and codes and signatures that prove nothing, by what came of them.",
			Label: "result", Value: result, Number: float64(counts[result]), Counter: true,
		})
	}
	return all
}

// alertSaved lists what everybody saved, for alerts.
func (p *poolParts) alertSaved(ctx context.Context) ([]notify.Saved, error) {
	all, err := p.saved.All(ctx)
	list := make([]notify.Saved, len(all))
	for i, s := range all {
		list[i] = notify.Saved{UserID: s.UserID, Name: s.Name, Hash: s.Hash, Notify: s.Notify}
	}
	return list, err
}
