package saved

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// Authorized hears of a miner that signed a worker in with a password, on a
// connection from an address. A code in it proves that the worker is whose claim
// has the code. It is the pool's hook, and does not keep the password.
func (s *Service) Authorized(connection, worker, password string, from netip.Addr) {
	codes := FindCodes(password)
	if len(codes) == 0 {
		return
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	record, why := s.match(worker, codes, from, now)
	if record == nil {
		s.count(why)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), proofTimeout)
	defer cancel()
	key, code := waitingKey{record.UserID, worker}, record.Claim.Code
	fresh := false
	if why == "" {
		fresh, why = s.evidence(ctx, connection, worker, from, now)
	}
	if why == "" && fresh {
		why = s.waitFor(key.user, worker, code, from, now)
	}
	switch {
	case why != "":
		s.reject(ctx, key, code, from, why)
	case fresh:
		s.refuse(ctx, key, code, "")
		s.check(ctx, key)
	default:
		s.settle(ctx, key, code, from, now, "by a code in the miner's password")
	}
}

// reject counts a code that does not count, and lets its person know why.
func (s *Service) reject(ctx context.Context, key waitingKey, code string, from netip.Addr, why string) {
	s.count(why)
	s.mu.Lock()
	if w := s.waiting[key]; w != nil && w.code == code {
		delete(s.waiting, key)
	}
	s.mu.Unlock()
	s.refuse(ctx, key, code, refusals[why])
	s.record(ctx, key.user, from, key.worker, refusals[why], true)
}

// settle ends a claim: its worker is the person's.
func (s *Service) settle(ctx context.Context, key waitingKey, code string, from netip.Addr, now time.Time, detail string) {
	_, err := s.change(ctx, key.user, HashOf(key.worker), func(r *Record) error {
		if r.Claim.Code != code {
			return ErrNoClaim // used or given up in between
		}
		r.Claim, r.Proven = Claim{}, now
		return nil
	})
	if err != nil {
		s.count(countFailed)
		s.log.Warn("proof of a worker not kept", "err", err)
		return
	}
	s.count(countByPassword)
	s.record(ctx, key.user, from, key.worker, detail, false)
}

// match finds the claim that a code belongs to, and says why it does not count;
// without a claim, why there is none.
func (s *Service) match(worker string, codes []string, from netip.Addr, now time.Time) (claimed *Record, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := blockOf(from).String()
	if s.guesses.left(who, now).times+1 > s.guesses.perHour {
		return nil, countGuesses
	}
	for _, r := range s.byWorker[worker] {
		for _, code := range codes {
			if isCode(code, r.Claim.Code) {
				claimed = r
			}
		}
	}
	switch {
	case claimed == nil:
		// A miner goes on sending a code that has done its work; only who claims
		// anew has to put up with the limit.
		s.guesses.take(who, now)
		return nil, countUnknown
	case !now.Before(claimed.Claim.Expires):
		why = countExpired
	}
	return claimed, why
}

// evidence says why a code in a password does not prove that a worker is
// somebody's, "" when it does. Anybody can sign a miner in under any name, so
// the code has to come from where the worker mines from: the same block of
// addresses as its other connections, and as where it is at home. One that is
// not known to have a home must have none of its shares, ever, from elsewhere:
// then it is fresh, and its first shares decide.
func (s *Service) evidence(ctx context.Context, connection, worker string, from netip.Addr, now time.Time) (fresh bool, why string) {
	s.look(worker, now)
	block := blockOf(from)
	// Memory first: what leaves it is in the books.
	seen, _ := s.pool.Seen(worker)
	var here uint64 // shares of the connections that are open, all of the block
	for _, c := range seen.Open {
		if c.ID != connection && blockOf(c.Remote) != block {
			return false, countElsewhere
		}
		here += c.Accepted
	}
	// A worker that was away has its record in the books only, until a moment
	// after it came.
	books, err := s.pool.Books(ctx, worker)
	if err != nil {
		s.log.Warn("books of a worker not read", "err", err)
		return false, countBooks
	}
	accepted, first := max(seen.Accepted, books.Accepted), earlier(seen.FirstSeen, books.FirstSeen)
	s.mu.RLock()
	defer s.mu.RUnlock()
	sighting := s.sightings[worker]
	housed := sighting != nil && sighting.Home.IsValid()
	switch {
	case housed && sighting.Home != block:
		return false, countElsewhere
	case accepted <= here && !seen.More:
		return true, ""
	case !housed:
		return false, countUnsettled
	case now.Sub(sighting.HomeSince) < moved && first.Before(sighting.HomeSince.Add(-settled)):
		// Who mines a while under the name of a worker that is away is not it.
		return false, countYoung
	}
	return false, ""
}

// earlier is the first of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// refuse lets a person know why a code did not count, also after a restart; ""
// takes that back.
func (s *Service) refuse(ctx context.Context, key waitingKey, code, words string) {
	_, err := s.change(ctx, key.user, HashOf(key.worker), func(r *Record) error {
		if r.Claim.Code != code {
			return ErrNoClaim // used or given up in between
		}
		r.Claim.Refused = words
		return nil
	})
	if err != nil && !errors.Is(err, ErrNoClaim) && !errors.Is(err, ErrNotSaved) {
		s.log.Warn("refusal of a proof not kept", "err", err)
	}
}

// record enters a proof in the audit trail.
func (s *Service) record(ctx context.Context, user string, from netip.Addr, worker, detail string, failed bool) {
	if s.trail == nil {
		return
	}
	address := ""
	if from.IsValid() {
		address = from.String()
	}
	s.trail.Record(ctx, account.Action{At: s.now(), UserID: user, Address: address, Name: "worker.prove", Target: worker, Detail: detail, Failed: failed})
}
