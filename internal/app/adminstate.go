package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/telemetry"
)

const (
	// sizesFor is how long counted sizes stand.
	sizesFor = 30 * time.Second
	// maxSizedFiles bounds the files that are counted.
	maxSizedFiles = 50_000
)

// sizes counts what is in the data folder, when somebody asks.
type sizes struct {
	mu   sync.Mutex
	last adminapi.Sizes
}

// adminState is the state of the program for operators.
func (p *poolParts) adminState(build telemetry.Build) adminapi.StateSource {
	began := time.Now()
	counted := new(sizes)
	return func(context.Context) *adminapi.State {
		cfg, now := p.inForce.Load(), time.Now()
		stats := p.people.accounts.Stats()
		desk := p.deskStatus()
		st := &adminapi.State{
			Version: build.Version, Commit: build.Commit, Go: runtime.Version(),
			StartedAt: began.UTC().Truncate(time.Millisecond), UptimeSec: now.Sub(began).Round(time.Millisecond).Seconds(),
			ConfigFile: p.source.Path, DataDir: cfg.DataDir, Database: cfg.DatabasePath(),
			Sizes:  counted.of(cfg.DataDir, cfg.DatabasePath(), now),
			Config: adminapi.Reload{Applied: desk.ReloadsApplied, Refused: desk.ReloadsRefused, Waiting: desk.RestartKeys},
			Backup: p.backupState(), Providers: p.providerStates(), Discord: p.discordState(), Price: p.priceState(now),
			LogLinesLost: desk.LogLinesLost, ActionsDropped: stats.ActionsDropped, Refused: p.people.gate.Refused(), SignIns: stats.SignIns,
		}
		if absolute, err := filepath.Abs(cfg.DataDir); err == nil {
			st.DataDir = absolute
		}
		return st
	}
}

func (p *poolParts) backupState() *adminapi.BackupState {
	if p.backups == nil {
		return nil
	}
	s := p.backups.Status()
	out := &adminapi.BackupState{Running: s.Running, Encrypted: s.Encrypted, EverySec: s.Every.Seconds(), Targets: []adminapi.BackupTarget{}}
	for _, t := range s.Targets {
		out.Targets = append(out.Targets, adminapi.BackupTarget{Name: t.Name, Location: t.Location, LastSuccess: t.LastSuccess.UTC(), LastError: t.LastError})
	}
	return out
}

func (p *poolParts) providerStates() []adminapi.Provider {
	const ready, notReached = "ready", "not_reached"
	list := []adminapi.Provider{{ID: account.ProviderLocal, State: ready}}
	if c := p.people.external.Clerk; c != nil {
		s := c.Status()
		one := adminapi.Provider{ID: account.ProviderClerk, State: ready, Failed: s.FetchFailed}
		if s.Keys == 0 {
			one.State = notReached
		}
		list = append(list, one)
	}
	if o := p.people.external.OIDC; o != nil {
		s := o.Status()
		for _, id := range p.oidcProviders() {
			one := adminapi.Provider{ID: id, State: ready, Failed: s.Failed[id]}
			if s.Discovered[id] == 0 {
				one.State = notReached
			}
			list = append(list, one)
		}
	}
	return list
}

// oidcProviders are the OpenID Connect providers in the order of the configuration.
func (p *poolParts) oidcProviders() (ids []string) {
	cfg := p.inForce.Load()
	for i := range cfg.OIDC {
		ids = append(ids, cfg.OIDC[i].ID)
	}
	return ids
}

func (p *poolParts) discordState() *adminapi.DiscordState {
	if p.discord == nil {
		return nil
	}
	s := p.discord.bot.Status()
	return &adminapi.DiscordState{Connected: s.Connected, Refused: s.Refused, Name: s.Name, Since: s.Since.UTC(), Delivered: s.Delivered, Dropped: sum(s.Dropped)}
}

func (p *poolParts) priceState(now time.Time) *adminapi.PriceState {
	if p.price == nil {
		return nil
	}
	s := p.price.Status()
	out := &adminapi.PriceState{Fetched: s.Fetched, Failed: sum(s.Failed)}
	if price, known := p.price.Price(now); known {
		out.Value, out.Currency, out.At = price.Value, price.Currency, price.At.UTC()
	}
	return out
}

func sum(counts map[string]uint64) (all uint64) {
	for _, n := range counts {
		all += n
	}
	return all
}

// of counts the sizes, or returns those of a moment ago.
func (s *sizes) of(dir, database string, now time.Time) adminapi.Sizes {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.last.At); age >= 0 && age < sizesFor {
		return s.last
	}
	s.last = countSizes(dir, database)
	s.last.At = now.UTC().Truncate(time.Millisecond)
	return s.last
}

var errEnough = errors.New("enough")

// countSizes sums up the files of the data folder, and the database where else it
// may be. What cannot be looked at is left out.
func countSizes(dir, database string) (out adminapi.Sizes) {
	files := 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // ends with errEnough alone
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // see above
		}
		if files++; files > maxSizedFiles {
			out.Partial = true
			return errEnough
		}
		info, err := e.Info()
		if err != nil {
			return nil //nolint:nilerr // it went away
		}
		size := info.Size()
		out.DataDir += size
		rest, err := filepath.Rel(dir, path)
		if err != nil {
			return nil //nolint:nilerr // it is below dir
		}
		switch first, _, _ := strings.Cut(filepath.ToSlash(rest), "/"); first {
		case "blocks":
			out.Blocks += size
		case "capture", "captures":
			out.Capture += size
		case "backups":
			out.Backups += size
		}
		return nil
	})
	for _, end := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(database + end); err == nil {
			out.Database += info.Size()
		}
	}
	return out
}
