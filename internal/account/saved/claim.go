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

	// settled is how long a worker mines from somewhere until it is at home there,
	// and moved how long it is away until it is at home elsewhere.
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
	countGuesses    = "code_guesses_limited"
	countSignature  = "signature_wrong"
	countFailed     = "proof_not_stored"
)

var countNames = []string{
	countByPassword, countByAddress, countUnknown, countExpired, countElsewhere, countUnsettled, countGuesses, countSignature, countFailed,
}

// refusals in words, for the person whose claim it is.
var refusals = map[string]string{
	countElsewhere: "The code came from another network address than the worker mines from. Put it into the worker's own miner, or sign with the address.",
	countUnsettled: "The code came from a network address that the worker has not mined from before. Let it mine there for ten minutes, then restart it, or sign with the address.",
	countExpired:   "The code came after it had expired.",
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
	return r.Claim, true
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
	if why == "" {
		why = s.evidence(connection, worker, from, now)
	}
	ctx, cancel := context.WithTimeout(context.Background(), proofTimeout)
	defer cancel()
	if why != "" {
		s.count(why)
		s.refuse(record.UserID, HashOf(worker), record.Claim.Code, refusals[why])
		s.record(ctx, record.UserID, from, worker, refusals[why], true)
		return
	}
	_, err := s.change(ctx, record.UserID, HashOf(worker), func(r *Record) error {
		if r.Claim.Code != record.Claim.Code {
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
	s.record(ctx, record.UserID, from, worker, "by a code in the miner's password", false)
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
// addresses as its other connections, and as where it is at home. Of a worker
// that never had a share accepted there is nothing to steal.
func (s *Service) evidence(connection, worker string, from netip.Addr, now time.Time) (why string) {
	s.look(worker, now)
	block := blockOf(from)
	seen, known := s.pool.Seen(worker)
	for _, c := range seen.Open {
		if c.ID != connection && blockOf(c.Remote) != block {
			return countElsewhere
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	sighting := s.sightings[worker]
	switch {
	case sighting != nil && sighting.Home.IsValid():
		if sighting.Home != block {
			return countElsewhere
		}
	case known && seen.Accepted > 0:
		return countUnsettled
	}
	return ""
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
