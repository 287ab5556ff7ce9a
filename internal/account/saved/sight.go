package saved

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// lookEvery is the time between two looks at who is online. What is kept of them
// is written as often, at most.
const lookEvery = time.Minute

// pause is how long a worker may be away from where it mines, and mine there as
// before.
const pause = time.Hour

// Run looks at who is online every minute until ctx ends, and forgets people who
// were removed by another process. Every second it looks for the first shares of
// workers whose code came.
func (s *Service) Run(ctx context.Context) error {
	ticker, soon := time.NewTicker(lookEvery), time.NewTicker(checkEvery)
	defer ticker.Stop()
	defer soon.Stop()
	s.checkAll(ctx)
	s.lookAtAll(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-soon.C:
			s.checkAll(ctx)
		case <-ticker.C:
			s.lookAtAll(ctx)
		}
	}
}

// lookAtAll notes who is online in this minute, and writes it down.
func (s *Service) lookAtAll(ctx context.Context) {
	now := s.now().UTC().Truncate(time.Millisecond)
	s.forgetRemoved(ctx)
	online := s.pool.Online()
	s.mu.RLock()
	names := slices.Collect(maps.Keys(s.byWorker))
	s.mu.RUnlock()
	for _, name := range names {
		if online[name] {
			s.look(name, now)
		}
	}

	s.mu.Lock()
	minute := minuteOf(now)
	var write []Sighting
	var gone []string
	note := func(name string, on bool) {
		seen := s.sightingLocked(name, now)
		if minute <= seen.Minute {
			return
		}
		seen.Day.set(seen.Minute, minute, on)
		seen.Minute = minute
		if on {
			seen.LastOnline = now
			write = append(write, *seen)
		}
	}
	note("", true)
	for _, name := range names {
		note(name, online[name])
	}
	for name := range s.sightings {
		if name != "" && s.byWorker[name] == nil {
			delete(s.sightings, name)
			gone = append(gone, name)
		}
	}
	s.mu.Unlock()

	if err := s.store.PutSightings(ctx, write); err != nil && ctx.Err() == nil {
		s.log.Warn("who was online is not written down", "err", err)
	}
	if len(gone) == 0 {
		return
	}
	if err := s.store.RemoveSightings(ctx, gone); err != nil && ctx.Err() == nil {
		s.log.Warn("workers that nobody saves any more not forgotten", "err", err)
	}
}

// sightingLocked is what was seen of a worker, from now on if there is nothing.
func (s *Service) sightingLocked(name string, now time.Time) *Sighting {
	seen := s.sightings[name]
	if seen == nil {
		seen = &Sighting{Worker: name, Since: now, Minute: minuteOf(now) - 1}
		s.sightings[name] = seen
	}
	return seen
}

// look notes where a worker mines from, if that is one place.
func (s *Service) look(name string, now time.Time) {
	at, known := s.pool.Seen(name)
	if !known || len(at.Open) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byWorker[name] == nil {
		return
	}
	seen := s.sightingLocked(name, now)
	seen.LastOnline = now
	block, since, shares := blockOf(at.Open[0].Remote), at.Open[0].Since, uint64(0)
	for _, c := range at.Open {
		its := blockOf(c.Remote)
		if its.IsValid() && its == seen.Home {
			// Who is at home has not moved, whoever else uses the name.
			seen.HomeAt, seen.Next = now, netip.Prefix{}
			return
		}
		if its != block {
			seen.Next = netip.Prefix{}
			return
		}
		since, shares = earlier(since, c.Since), shares+c.Accepted
	}
	if shares == 0 || !block.IsValid() || at.More {
		return // it does not mine, or who is at home may be among those that are not shown
	}
	if seen.Next != block || now.Sub(seen.NextAt) > pause {
		seen.Next, seen.NextSince = block, since
	}
	seen.NextAt = now
	stay := settled
	if seen.Home.IsValid() {
		stay = moved
	}
	if now.Sub(seen.NextSince) >= stay && (!seen.Home.IsValid() || now.Sub(seen.HomeAt) >= moved) {
		seen.Home, seen.HomeAt, seen.HomeSince, seen.Next = block, now, seen.NextSince, netip.Prefix{}
	}
}

// Presence is when a worker was here.
type Presence struct {
	LastOnline time.Time // zero when it is not known to have been
	Uptime     float64   // percent of the last 24 hours in which somebody looked
	Known      bool      // Uptime is
}

// PresenceOf tells when a worker was here, as far as somebody who saved it looked.
func (s *Service) PresenceOf(name string) (p Presence) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	seen, pool := s.sightings[name], s.sightings[""]
	if seen == nil {
		return p
	}
	p.LastOnline = seen.LastOnline
	if pool != nil {
		p.Uptime, p.Known = uptime(&seen.Day, &pool.Day, minuteOf(seen.Since)+1, pool.Minute)
	}
	return p
}

// forgetRemoved drops people whom the store does not have any more.
func (s *Service) forgetRemoved(ctx context.Context) {
	s.changing.Lock()
	defer s.changing.Unlock()
	users, err := s.store.SavedUsers(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("who saved workers is not read", "err", err)
		}
		return
	}
	known := make(map[string]bool, len(users))
	for _, user := range users {
		known[user] = true
	}
	s.mu.RLock()
	var removed []string
	for user, p := range s.people {
		if !known[user] && len(p.records) > 0 {
			removed = append(removed, user)
		}
	}
	s.mu.RUnlock()
	for _, user := range removed {
		s.Forget(user)
	}
}
