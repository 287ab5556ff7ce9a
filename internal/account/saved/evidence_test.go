package saved_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
)

// conn is a connection that has shares.
func conn(id string, from netip.Addr, since time.Time, accepted uint64) saved.Connection {
	return saved.Connection{ID: id, Remote: from, Since: since, Accepted: accepted}
}

// mines says that a worker mines for some time, and looks every minute as the
// service does. The connection began when that does.
func (r *rigged) mines(from netip.Addr, total uint64, d time.Duration) {
	r.t.Helper()
	since := r.now
	for end := r.now.Add(d); ; r.now = r.now.Add(30 * time.Minute) {
		if r.now.After(end) {
			r.now = end
		}
		r.pool.here(rig, total, conn("c1", from, since, 50))
		r.hide()
		r.look()
		if r.now.Equal(end) {
			return
		}
	}
}

// hide says that there are more connections than are told, if there is a crowd.
func (r *rigged) hide() {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	s := r.pool.seen[rig]
	s.More = r.crowd
	r.pool.seen[rig] = s
}

// leaves says that a worker is gone for some time.
func (r *rigged) leaves(d time.Duration) {
	r.t.Helper()
	r.pool.here(rig, 100)
	r.now = r.now.Add(d)
	r.look()
}

// Anybody can sign a miner in under any name: a code must come from where the
// worker mines from.
func TestEvidence(t *testing.T) {
	// The worker as it comes back with the code, from somewhere.
	back := func(r *rigged, from netip.Addr) { r.pool.here(rig, 100, conn("c9", from, r.now, 0)) }
	for name, c := range map[string]struct {
		prepare func(r *rigged)
		from    netip.Addr
		owned   bool
		why     string
	}{
		"connected elsewhere": {func(r *rigged) {
			r.pool.here(rig, 0, conn("c9", away, r.now, 0), conn("c1", home, r.now, 0))
		}, away, false, "another network address"},
		"at home, and back": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			back(r, home)
		}, home, true, ""},
		"in the moment in which the real one is away": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.now = r.now.Add(time.Minute)
			back(r, away)
		}, away, false, "another network address"},
		"hours after the real one left": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.leaves(time.Minute)
			r.mines(away, 100, 3*time.Hour)
		}, away, false, "another network address"},
		"the real one is away for days, and somebody comes for ten minutes": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.leaves(5 * 24 * time.Hour)
			r.mines(away, 100, 11*time.Minute)
			back(r, away)
		}, away, false, "another network address"},
		"the real one comes home while another mines": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.mines(away, 100, 13*time.Hour)
			r.mines(home, 100, time.Hour)
			r.mines(away, 100, 13*time.Hour)
			back(r, away)
		}, away, false, "another network address"},
		"at home, while somebody else mines under the name": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.pool.here(rig, 100, conn("c9", home, r.now, 0), conn("c1", away, r.now, 5))
		}, home, false, "another network address"},
		"somebody mined beside the real one for a day, and it left a minute ago": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			since := r.now
			for range 25 {
				r.pool.here(rig, 100, conn("c1", home, since, 50), conn("c2", away, since, 50))
				r.look()
				r.now = r.now.Add(time.Hour)
			}
			r.pool.here(rig, 100, conn("c2", away, since, 50))
			r.look()
			back(r, away)
		}, away, false, "another network address"},
		"a worker that moved a day ago": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.mines(away, 100, 25*time.Hour)
			r.restart()
			r.claim("a1", rig)
			back(r, away)
		}, away, true, ""},
		"at home, after a restart of the pool": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.pool.seen = map[string]saved.Seen{}
			r.pool.books[rig] = saved.Books{Accepted: 100, FirstSeen: noon}
			r.restart()
			r.claim("a1", rig)
		}, home, true, ""},
		"from elsewhere, after a restart of the pool": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.pool.seen = map[string]saved.Seen{}
			r.pool.books[rig] = saved.Books{Accepted: 100, FirstSeen: noon}
			r.restart()
			r.claim("a1", rig)
		}, away, false, "another network address"},
		"a worker with older shares that just came": {func(r *rigged) {
			r.pool.here(rig, 100, conn("c9", home, r.now.Add(-time.Minute), 7))
		}, home, false, "does not know from where"},
		"a worker that began ten minutes ago, and reconnects": {func(r *rigged) {
			r.mines(home, 50, 11*time.Minute)
			r.pool.here(rig, 53, conn("c9", home, r.now, 3))
		}, home, true, ""},
		"a worker of long ago, ten minutes after it came": {func(r *rigged) {
			r.pool.books[rig] = saved.Books{Accepted: 7, FirstSeen: noon.Add(-100 * time.Hour)}
			r.mines(home, 100, 11*time.Minute)
			back(r, home)
		}, home, false, "for a day yet"},
		"the same, a day later": {func(r *rigged) {
			r.pool.books[rig] = saved.Books{Accepted: 7, FirstSeen: noon.Add(-100 * time.Hour)}
			r.mines(home, 100, 25*time.Hour)
			back(r, home)
		}, home, true, ""},
		"a worker that only the books on disk know": {func(r *rigged) {
			r.pool.books[rig] = saved.Books{Accepted: 7, FirstSeen: noon.Add(-time.Hour)}
			r.pool.here(rig, 0, conn("c9", away, r.now, 0))
		}, away, false, "does not know from where"},
		"books that cannot be read": {func(r *rigged) {
			r.pool.broken = errors.New("disk")
			r.pool.here(rig, 0, conn("c9", home, r.now, 0))
		}, home, false, "could not be read"},
		"the real one is hidden by a crowd for days": {func(r *rigged) {
			r.mines(home, 100, 25*time.Hour)
			r.crowd = true
			r.mines(away, 100, 49*time.Hour)
		}, away, false, "another network address"},
		"a crowd of a name that never mined": {func(r *rigged) {
			r.crowd = true
			r.pool.here(rig, 0, conn("c9", away, r.now, 0))
			r.hide()
		}, away, false, "does not know from where"},
		"an IPv6 host that picked another address": {func(r *rigged) {
			r.mines(netip.MustParseAddr("2001:db8:1:2::1"), 100, 25*time.Hour)
			r.pool.here(rig, 100)
		}, netip.MustParseAddr("2001:db8:1:2:aaaa::7"), true, ""},
		"another IPv6 network": {func(r *rigged) {
			r.mines(netip.MustParseAddr("2001:db8:1:2::1"), 100, 25*time.Hour)
			r.pool.here(rig, 100)
		}, netip.MustParseAddr("2001:db8:1:3::1"), false, "another network address"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.save("a1", rig)
			r.claim("a1", rig)
			c.prepare(r)
			r.Authorized("c9", rig, r.claim("a1", rig).Code, c.from)
			if got := r.Owns("a1", rig); got != c.owned {
				t.Errorf("owned: %v; %v", got, r.Counts())
			}
			claim, ok := r.ClaimOf("a1", saved.HashOf(rig))
			if ok == c.owned || claim.Waiting || !strings.Contains(claim.Refused, c.why) || (c.why == "") != (claim.Refused == "") {
				t.Errorf("claim %+v, %v", claim, ok)
			}
			if last := r.trail.last(); last.Name != "worker.prove" || last.Target != rig || last.Address != c.from.String() || last.Failed == c.owned {
				t.Errorf("the audit trail ends with %+v", last)
			}
			r.restart()
			if again, _ := r.ClaimOf("a1", saved.HashOf(rig)); again != claim {
				t.Errorf("claim %+v after a restart of the pool, was %+v", again, claim)
			}
		})
	}
}

// A name that never mined is nobody's: the code decides nothing, the first shares
// of the worker do.
func TestFirstShares(t *testing.T) {
	for name, c := range map[string]struct {
		after func(r *rigged) // the code came from home
		owned bool
		why   string
		waits bool
	}{
		"none come":    {func(*rigged) {}, false, "", true},
		"two come":     {func(r *rigged) { r.pool.here(rig, 2, conn("c1", home, noon, 2)) }, false, "", true},
		"three come":   {func(r *rigged) { r.pool.here(rig, 3, conn("c1", home, noon, 3)) }, true, "", false},
		"on two lines": {func(r *rigged) { r.pool.here(rig, 3, conn("c1", home, noon, 1), conn("c2", home, noon, 2)) }, true, "", false},
		"one after the other": {func(r *rigged) {
			r.pool.here(rig, 2, conn("c1", home, noon, 2))
			r.look()
			r.now = r.now.Add(time.Minute)
			r.pool.here(rig, 3, conn("c2", home, r.now, 1))
		}, true, "", false},
		"from elsewhere": {func(r *rigged) { r.pool.here(rig, 3, conn("c2", away, noon, 3)) }, false, "shares from elsewhere", false},
		"from elsewhere, before somebody looks": {func(r *rigged) {
			r.pool.here(rig, 5, conn("c1", home, noon, 3))
		}, false, "shares from elsewhere", false},
		"the real one connects": {func(r *rigged) {
			r.pool.here(rig, 2, conn("c1", home, noon, 2), conn("c2", away, noon, 0))
		}, false, "connected from another", false},
		"the miner leaves for good": {func(r *rigged) {
			r.pool.here(rig, 0)
			r.now = r.now.Add(time.Hour)
		}, false, "", false},
		"too late": {func(r *rigged) {
			r.now = noon.Add(24 * time.Hour)
			r.pool.here(rig, 3, conn("c1", home, noon, 3))
		}, false, "", false},
		"given up": {func(r *rigged) {
			r.must(r.GiveUp(r.t.Context(), "a1", saved.HashOf(rig)))
			r.pool.here(rig, 3, conn("c1", home, noon, 3))
		}, false, "", false},
		"the books of old times come late": {func(r *rigged) {
			r.pool.here(rig, 1003, conn("c1", home, noon, 3))
		}, false, "shares from elsewhere", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.save("a1", rig)
			code := r.claim("a1", rig).Code
			r.pool.here(rig, 0, conn("c1", home, noon, 0))
			for range 2 { // the same again is the same
				r.Authorized("c1", rig, code, home)
			}
			if claim, ok := r.ClaimOf("a1", saved.HashOf(rig)); r.Owns("a1", rig) || r.OwnsAny("a1") || !ok || !claim.Waiting {
				t.Fatalf("the code alone: %+v, %v, %v", claim, ok, r.Counts())
			}
			if _, _, err := r.Restart("a1", saved.HashOf(rig)); !errors.Is(err, saved.ErrNotOwned) {
				t.Errorf("rights while it waits: %v", err)
			}
			c.after(r)
			r.now = r.now.Add(time.Minute)
			r.look()
			claim, _ := r.ClaimOf("a1", saved.HashOf(rig))
			if r.Owns("a1", rig) != c.owned || claim.Waiting != c.waits || !strings.Contains(claim.Refused, c.why) || (c.why == "") != (claim.Refused == "") {
				t.Errorf("owned %v, claim %+v; %v", r.Owns("a1", rig), claim, r.Counts())
			}
		})
	}
}

// Who waits for first shares and sends the code from a second place has no place.
func TestFirstSharesOfTwoPlaces(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	code := r.claim("a1", rig).Code
	r.Authorized("c1", rig, code, home)
	r.Authorized("c2", rig, code, away)
	if claim, _ := r.ClaimOf("a1", saved.HashOf(rig)); claim.Waiting || claim.Refused == "" {
		t.Errorf("claim: %+v", claim)
	}
}
