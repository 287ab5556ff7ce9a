package saved

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

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
	countUnsettled: "The worker has mined before, and the pool does not know from where. Let it mine where it is for ten minutes, or for a day if it first mined earlier, and restart it then. Or sign with the address instead.",
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

// IsAddress reports whether something is a payout address of the pool's network.
func (s *Service) IsAddress(address string) bool {
	_, err := s.scriptOf(address)
	return err == nil
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
