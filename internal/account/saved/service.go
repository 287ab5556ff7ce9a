package saved

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Options of a Service. The zero value of each field stands for its default.
type Options struct {
	Trail account.Trail    // nil: nobody keeps what owners do
	Now   func() time.Time // default time.Now
	Log   *slog.Logger     // default: none
}

// Service knows who saved and owns which workers. It keeps all of that in memory
// and writes changes through to the store, so that nobody who reads waits for a
// disk. Its methods are safe for concurrent use.
//
// Lock order: changing, then mu. The store is never called under mu.
type Service struct {
	store Store
	pool  Pool
	trail account.Trail
	now   func() time.Time
	log   *slog.Logger

	changing sync.Mutex // one change of the store at a time

	mu        sync.RWMutex
	people    map[string]*person            // by user
	byWorker  map[string]map[string]*Record // by name, then user
	total     int
	all       []Saved // what All returned last; nil when something has changed since
	orders    map[string]Order
	sightings map[string]*Sighting
	counts    map[string]uint64 // of proofs and refusals, by name
	waiting   map[waitingKey]*waiting

	codes, signatures, guesses, restarts *allowance // guarded by mu
}

// person is somebody who saved workers.
type person struct {
	records   []*Record
	addresses map[string]time.Time // owned, and since when
}

// New makes a service. Call Load, then Run.
func New(store Store, pool Pool, o Options) *Service {
	s := &Service{
		store: store, pool: pool, trail: o.Trail, now: o.Now, log: o.Log,
		people: make(map[string]*person), byWorker: make(map[string]map[string]*Record),
		orders: make(map[string]Order), sightings: make(map[string]*Sighting), counts: make(map[string]uint64), waiting: make(map[waitingKey]*waiting),
		codes: newAllowance(codesPerHour), signatures: newAllowance(signaturesPerHour),
		guesses: newAllowance(guessesPerHour), restarts: newAllowance(restartsPerHour),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, name := range countNames {
		s.counts[name] = 0
	}
	return s
}

// Load reads the store, and repeats to the pool what owners ordered.
func (s *Service) Load(ctx context.Context) error {
	state, err := s.store.LoadSaved(ctx)
	if err != nil {
		return fmt.Errorf("saved workers: %w", err)
	}
	s.mu.Lock()
	for i := range state.Records {
		s.keepLocked(&state.Records[i])
	}
	for _, a := range state.Addresses {
		s.personLocked(a.UserID).addresses[a.Address] = a.Proven
	}
	for i := range state.Sightings {
		s.sightings[state.Sightings[i].Worker] = &state.Sightings[i]
	}
	for _, o := range state.Orders {
		s.orders[o.Worker] = o
	}
	s.mu.Unlock()
	slices.SortFunc(state.Orders, func(a, b Order) int { return a.At.Compare(b.At) })
	for _, o := range state.Orders {
		s.pool.SetWorkerDifficulty(o.Worker, o.Difficulty)
	}
	return nil
}

func (s *Service) personLocked(user string) *person {
	p := s.people[user]
	if p == nil {
		p = &person{addresses: make(map[string]time.Time)}
		s.people[user] = p
	}
	return p
}

// keepLocked takes a record in, or replaces what is known of it.
func (s *Service) keepLocked(r *Record) {
	s.all = nil
	p := s.personLocked(r.UserID)
	if i := slices.IndexFunc(p.records, func(old *Record) bool { return old.Worker == r.Worker }); i >= 0 {
		p.records[i] = r
	} else {
		p.records = append(p.records, r)
		s.total++
	}
	its := s.byWorker[r.Worker]
	if its == nil {
		its = make(map[string]*Record)
		s.byWorker[r.Worker] = its
	}
	its[r.UserID] = r
}

// dropLocked forgets a record.
func (s *Service) dropLocked(user, worker string) {
	s.all = nil
	p := s.people[user]
	if p == nil {
		return
	}
	before := len(p.records)
	p.records = slices.DeleteFunc(p.records, func(r *Record) bool { return r.Worker == worker })
	s.total -= before - len(p.records)
	if len(p.records) == 0 && len(p.addresses) == 0 {
		delete(s.people, user)
	}
	if its := s.byWorker[worker]; its != nil {
		if delete(its, user); len(its) == 0 {
			delete(s.byWorker, worker)
		}
	}
}

// viewLocked is a record as callers see it.
func (s *Service) viewLocked(r *Record) Saved {
	v := Saved{UserID: r.UserID, Name: r.Worker, Hash: HashOf(r.Worker), Notify: r.Notify, Added: r.Added}
	_, address := s.people[r.UserID].addresses[bitcoin.AddressIn(r.Worker)]
	switch {
	case address:
		v.Owned = ByAddress
	case !r.Proven.IsZero():
		v.Owned = ByPassword
	}
	return v
}

// ByUser lists what a person saved, by name.
func (s *Service) ByUser(_ context.Context, user string) ([]Saved, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []Saved{}
	if p := s.people[user]; p != nil {
		for _, r := range p.records {
			list = append(list, s.viewLocked(r))
		}
	}
	slices.SortFunc(list, func(a, b Saved) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// All lists what everybody saved, by person and name. It reads memory only, and
// makes the list anew only after a change. Callers must not change it.
func (s *Service) All(context.Context) ([]Saved, error) {
	s.mu.RLock()
	list := s.all
	s.mu.RUnlock()
	if list != nil {
		return list, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list = make([]Saved, 0, s.total)
	for _, p := range s.people {
		for _, r := range p.records {
			list = append(list, s.viewLocked(r))
		}
	}
	slices.SortFunc(list, func(a, b Saved) int {
		return cmp.Or(strings.Compare(a.UserID, b.UserID), strings.Compare(a.Name, b.Name))
	})
	s.all = list
	return list, nil
}

// Get finds a worker that a person saved by its hash. It fails with ErrNotSaved.
func (s *Service) Get(user, hash string) (Saved, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.findLocked(user, hash)
	if r == nil {
		return Saved{}, ErrNotSaved
	}
	return s.viewLocked(r), nil
}

// findLocked finds a record by hash, nil without.
func (s *Service) findLocked(user, hash string) *Record {
	if p := s.people[user]; p != nil {
		for _, r := range p.records {
			if HashOf(r.Worker) == hash {
				return r
			}
		}
	}
	return nil
}

// Owns reports whether a person has proven that a worker, by its full name, is
// theirs.
func (s *Service) Owns(user, worker string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.byWorker[worker][user]
	return user != "" && r != nil && s.viewLocked(r).Owned != NotProven
}

// OwnsAddress reports whether a person has proven to hold the key of an address.
func (s *Service) OwnsAddress(user, address string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.people[user]
	if p == nil {
		return false
	}
	_, owned := p.addresses[address]
	return owned
}

// OwnsAny reports whether a person owns any worker.
func (s *Service) OwnsAny(user string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.people[user]
	return p != nil && slices.ContainsFunc(p.records, func(r *Record) bool { return s.viewLocked(r).Owned != NotProven })
}

// Count is the number of workers that a person saved.
func (s *Service) Count(user string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.people[user]; p != nil {
		return len(p.records)
	}
	return 0
}

// CleanName checks a worker's name: printable, 1 to MaxName bytes, without white
// space around it. It fails with ErrName.
func CleanName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return "", ErrName
	}
	return name, nil
}

// Save saves workers for a person. Those that are saved already stay as they
// are. It stops at the first that there is no room for: added is how many were
// new. It fails with ErrName, ErrLimit, ErrFull.
func (s *Service) Save(ctx context.Context, user string, names ...string) (added []string, err error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	now := s.now().UTC().Truncate(time.Millisecond)
	var fresh []Record
	for _, name := range names {
		clean, bad := CleanName(name)
		if bad != nil {
			return nil, bad
		}
		s.mu.RLock()
		known := s.byWorker[clean][user] != nil
		count, total := len(fresh), s.total+len(fresh)
		if p := s.people[user]; p != nil {
			count += len(p.records)
		}
		s.mu.RUnlock()
		known = known || slices.ContainsFunc(fresh, func(r Record) bool { return r.Worker == clean })
		switch {
		case known:
			continue
		case count >= MaxPerUser:
			err = ErrLimit
		case total >= maxTotal:
			err = ErrFull
		}
		if err != nil {
			break
		}
		fresh = append(fresh, Record{UserID: user, Worker: clean, Notify: true, Added: now})
		added = append(added, clean)
	}
	if len(fresh) == 0 {
		return nil, err
	}
	if failed := s.store.PutSaved(ctx, fresh...); failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	for i := range fresh {
		s.keepLocked(&fresh[i])
	}
	s.mu.Unlock()
	for _, name := range added {
		s.look(name, now)
	}
	return added, err
}

// change stores another version of a record. edit gets a copy of what is there.
func (s *Service) change(ctx context.Context, user, hash string, edit func(r *Record) error) (Record, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.changeHeld(ctx, user, hash, edit)
}

// changeHeld is change for those who hold the lock of changes.
func (s *Service) changeHeld(ctx context.Context, user, hash string, edit func(r *Record) error) (Record, error) {
	s.mu.RLock()
	old := s.findLocked(user, hash)
	s.mu.RUnlock()
	if old == nil {
		return Record{}, ErrNotSaved
	}
	next := *old
	if err := edit(&next); err != nil {
		return Record{}, err
	}
	if next == *old {
		return next, nil
	}
	if err := s.store.PutSaved(ctx, next); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	s.keepLocked(&next)
	s.mu.Unlock()
	return next, nil
}

// SetNotify turns alerts about a worker on or off. It fails with ErrNotSaved.
func (s *Service) SetNotify(ctx context.Context, user, hash string, on bool) error {
	_, err := s.change(ctx, user, hash, func(r *Record) error {
		r.Notify = on
		return nil
	})
	return err
}

// Remove takes a worker off a person's list, and the proof that it is theirs; the
// proof of its address goes with the last of its workers. It fails with
// ErrNotSaved.
func (s *Service) Remove(ctx context.Context, user, hash string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.RLock()
	r := s.findLocked(user, hash)
	s.mu.RUnlock()
	if r == nil {
		return ErrNotSaved
	}
	if err := s.store.RemoveSaved(ctx, user, r.Worker); err != nil {
		return err
	}
	s.mu.Lock()
	s.dropLocked(user, r.Worker)
	address, last := bitcoin.AddressIn(r.Worker), false
	if p := s.people[user]; p != nil {
		_, owned := p.addresses[address]
		last = owned && !slices.ContainsFunc(p.records, func(o *Record) bool { return bitcoin.AddressIn(o.Worker) == address })
	}
	s.mu.Unlock()
	if last {
		if err := s.disownAddress(ctx, user, address); err != nil {
			return err
		}
	}
	return s.cancelOrphans(ctx, address)
}

// Forget drops a person who was removed. The store has done so already.
func (s *Service) Forget(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[user]
	if p == nil {
		return
	}
	for _, r := range slices.Clone(p.records) {
		s.dropLocked(user, r.Worker)
	}
	delete(s.people, user)
	for worker, o := range s.orders {
		if o.UserID == user {
			delete(s.orders, worker)
			s.pool.SetWorkerDifficulty(worker, 0)
		}
	}
}
