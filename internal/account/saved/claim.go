package saved

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/bitcoin"
)

const (
	claimTime = 24 * time.Hour // that a code is valid

	codesPerHour      = 120 // that a person can have made
	signaturesPerHour = 30  // that a person can try
	guessesPerHour    = 60  // codes that do not fit, of one block of addresses

	// settled is how long a worker without a home mines from somewhere until it is
	// at home there, and moved how long until one that has a home is at home
	// elsewhere, and until a home counts for one that is older.
	settled = 10 * time.Minute
	moved   = 24 * time.Hour

	proofTimeout = 10 * time.Second
)

// Names of what is counted.
const (
	countByPassword = "proven_by_password"
	countByAddress  = "proven_by_address"
	countUnknown    = "code_unknown"
	countExpired    = "code_expired"
	countElsewhere  = "code_from_elsewhere"
	countUnsettled  = "code_before_settled"
	countYoung      = "code_from_new_home"
	countBooks      = "books_not_read"
	countWaiting    = "waiting_for_first_shares"
	countBusy       = "too_many_waiting"

	countFirstElsewhere = "first_shares_from_elsewhere"
	countGuesses        = "code_guesses_limited"
	countSignature      = "signature_wrong"
	countFailed         = "proof_not_stored"
)

var countNames = []string{
	countByPassword, countByAddress, countUnknown, countExpired, countElsewhere, countUnsettled, countYoung, countBooks, countWaiting, countBusy,
	countFirstElsewhere, countGuesses, countSignature, countFailed,
}

// refusals in words, for the person whose claim it is.
var refusals = map[string]string{
	countElsewhere: "The code came from another network address than the worker mines from. Put it into the worker's own miner, or sign with the address.",
	countUnsettled: "The worker has mined before, and the pool does not know from where. Sign with the address instead, or let it mine where it is for a day and restart it then.",
	countYoung:     "The worker has not mined from this network address for a day yet, and is older. Sign with the address instead, or restart it when it has.",
	countExpired:   "The code came after it had expired.",
	countBooks:     "The code came, but the worker's books could not be read. Restart the miner once more in a while.",
	countBusy:      "The code came, but too many others wait for their first shares. Restart the miner once more in a while, or sign with the address.",

	countFirstElsewhere: "The code came, but the worker is connected from another network address, too, or has shares from elsewhere. Sign with the address instead.",
}

// Counts are the proofs and refusals since start, by name.
func (s *Service) Counts() map[string]uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	counts := make(map[string]uint64, len(s.counts))
	for name, n := range s.counts {
		counts[name] = n
	}
	return counts
}

func (s *Service) count(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[name]++
}

// Claim begins to prove that a worker is a person's, or returns the proof that is
// under way. It fails with ErrNotSaved and ErrTooMany.
func (s *Service) Claim(ctx context.Context, user, hash string) (Claim, error) {
	now := s.now().UTC().Truncate(time.Millisecond)
	r, err := s.change(ctx, user, hash, func(r *Record) error {
		if r.Claim.Code != "" && now.Before(r.Claim.Expires) {
			return nil
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.codes.take(user, now) {
			return ErrTooMany
		}
		r.Claim = Claim{Code: newCode(), Expires: now.Add(claimTime)}
		return nil
	})
	if err == nil {
		s.look(r.Worker, now)
	}
	return r.Claim, err
}

// ClaimOf is the proof that is under way; false without one.
func (s *Service) ClaimOf(user, hash string) (Claim, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.findLocked(user, hash)
	if r == nil || r.Claim.Code == "" || !s.now().Before(r.Claim.Expires) {
		return Claim{}, false
	}
	c := r.Claim
	c.Waiting = s.waiting[waitingKey{user, r.Worker}] != nil
	return c, true
}

// Message is what is to be signed for a claim, one line of text. name is the
// person's.
func (s *Service) Message(worker, name, code string) string {
	tag := strings.Trim(s.pool.Tag(), "/ ")
	if tag == "" {
		tag = "poolscope"
	}
	// A name from elsewhere may hold anything, and wallets sign lines as they are.
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }), " ")
	return fmt.Sprintf("%s: %s is mine, says %s, %s", tag, worker, name, code)
}

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
	s.refuse(key.user, HashOf(key.worker), code, refusals[why])
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

// refuse lets a person know why a code did not count.
func (s *Service) refuse(user, hash, code, words string) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.findLocked(user, hash); r != nil && r.Claim.Code == code {
		next := *r
		next.Claim.Refused = words
		s.keepLocked(&next)
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

// Sign proves a worker's address by a signature of Message, for all workers of
// the address that the person saves. It fails with ErrNotSaved, ErrNoClaim,
// ErrTooMany, ErrAddress, and bitcoin.ErrSignature.
func (s *Service) Sign(ctx context.Context, user, name, hash, signature string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	now := s.now().UTC().Truncate(time.Millisecond)
	s.mu.Lock()
	r := s.findLocked(user, hash)
	allowed := r == nil || s.signatures.take(user, now)
	s.mu.Unlock()
	switch {
	case r == nil:
		return ErrNotSaved
	case !allowed:
		return ErrTooMany
	case r.Claim.Code == "" || !now.Before(r.Claim.Expires):
		return ErrNoClaim
	}
	address := bitcoin.AddressIn(r.Worker)
	script, err := s.scriptOf(address)
	if err != nil {
		return err
	}
	if err := bitcoin.VerifyMessage(script, s.Message(r.Worker, name, r.Claim.Code), signature); err != nil {
		s.count(countSignature)
		return err
	}
	if err := s.store.PutOwnedAddress(ctx, OwnedAddress{UserID: user, Address: address, Proven: now}); err != nil {
		return err
	}
	s.mu.Lock()
	s.personLocked(user).addresses[address] = now
	s.all = nil
	s.mu.Unlock()
	s.count(countByAddress)
	_, err = s.changeHeld(ctx, user, hash, func(r *Record) error {
		r.Claim = Claim{}
		return nil
	})
	return err
}

// scriptOf is the output script of an address on the pool's network, or, while
// that is not known, on any.
func (s *Service) scriptOf(address string) ([]byte, error) {
	networks := []bitcoin.Network{bitcoin.Network(s.pool.Network())}
	if networks[0] == "" {
		networks = []bitcoin.Network{bitcoin.Mainnet, bitcoin.Testnet4, bitcoin.Regtest}
	}
	for _, n := range networks {
		if script, err := bitcoin.PayoutScript(address, n); err == nil {
			return script, nil
		}
	}
	return nil, ErrAddress
}

// GiveUp ends a claim and ownership: of the worker, or, where the address was
// proven, of all its workers. It fails with ErrNotSaved.
func (s *Service) GiveUp(ctx context.Context, user, hash string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	r, err := s.changeHeld(ctx, user, hash, func(r *Record) error {
		r.Claim, r.Proven = Claim{}, time.Time{}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.waiting, waitingKey{user, r.Worker})
	s.mu.Unlock()
	address := bitcoin.AddressIn(r.Worker)
	if err := s.disownAddress(ctx, user, address); err != nil {
		return err
	}
	return s.cancelOrphans(ctx, address)
}

// disownAddress takes a proof back. The lock of changes is held.
func (s *Service) disownAddress(ctx context.Context, user, address string) error {
	s.mu.RLock()
	p := s.people[user]
	owned := false
	if p != nil {
		_, owned = p.addresses[address]
	}
	s.mu.RUnlock()
	if !owned {
		return nil
	}
	if err := s.store.RemoveOwnedAddress(ctx, user, address); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
	if delete(p.addresses, address); len(p.addresses) == 0 && len(p.records) == 0 {
		delete(s.people, user)
	}
	return nil
}
