package saved

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"
)

// Bounds of what is kept.
const (
	MaxPerUser = 64      // workers that one person can save: the contract's number
	MaxName    = 256     // bytes of a worker's name
	maxTotal   = 200_000 // saved workers of all people together
)

// Errors that callers tell apart.
var (
	ErrName     = errors.New("invalid worker name")
	ErrLimit    = errors.New("saved worker limit reached")
	ErrFull     = errors.New("no more workers can be saved at this pool")
	ErrNotSaved = errors.New("worker not found")
	ErrNotOwned = errors.New("not owned")
	ErrNoClaim  = errors.New("there is no claim, or it has expired: make a new one")
	ErrTooMany  = errors.New("too many attempts, wait a while")
	ErrAddress  = errors.New("the worker's name does not begin with a payout address of this network")
)

// Proof is how a person has proven that a worker is theirs.
type Proof string

// The proofs.
const (
	NotProven  Proof = ""
	ByPassword Proof = "password" // of one worker
	ByAddress  Proof = "address"  // of all workers of the address
)

// Saved is a worker that a person saved.
type Saved struct {
	UserID string
	Name   string // in full, as it was saved
	Hash   string // HashOf(Name)
	Notify bool   // the person wants to hear of it
	Added  time.Time
	Owned  Proof // NotProven when it is not known to be theirs
}

// HashOf names a worker for those who know its name: SHA-256 in 64 lower-case hex
// digits.
func HashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// Claim is a proof that is under way.
type Claim struct {
	Code    string
	Expires time.Time
	Refused string // why the code did not count when it came last; "" when it did not come
	Waiting bool   // the code came, and the worker's first shares are waited for
}

// Record is a saved worker as the store keeps it.
type Record struct {
	UserID string
	Worker string // name
	Notify bool
	Added  time.Time
	Proven time.Time // by its password; zero when it was not
	Claim  Claim     // without Code when there is none; Waiting is not kept
}

// OwnedAddress says that a person proved to hold the key of an address.
type OwnedAddress struct {
	UserID  string
	Address string
	Proven  time.Time
}

// Order is the difficulty that an owner wants for a worker.
type Order struct {
	Worker     string
	Difficulty float64 // 0 is none
	UserID     string  // who ordered it
	At         time.Time
}

// Sighting is when and where a saved worker was seen. The one with the empty
// name is the pool itself: the minutes in which somebody looked.
type Sighting struct {
	Worker     string
	Since      time.Time    // of the first look
	LastOnline time.Time    // zero when it never was
	Home       netip.Prefix // where it mines from; not valid while that is not known
	HomeAt     time.Time    // when it was last connected from there
	HomeSince  time.Time    // when it began to mine from there
	Next       netip.Prefix // where it mines from while it is not at home; not valid when it does not
	NextAt     time.Time    // when it last mined from there
	NextSince  time.Time    // when it began to
	Minute     int64        // the last minute of Day, as Unix time divided by 60
	Day        Day
}

// State is everything that a store keeps.
type State struct {
	Records   []Record
	Addresses []OwnedAddress
	Orders    []Order
	Sightings []Sighting
}

// Store keeps saved workers. Its methods are safe for concurrent use; times come
// back in UTC, in milliseconds. What belongs to a user goes with the user.
type Store interface {
	// LoadSaved reads everything.
	LoadSaved(ctx context.Context) (*State, error)
	// PutSaved adds records, or replaces those of the same user and worker.
	PutSaved(ctx context.Context, records ...Record) error
	// RemoveSaved deletes a record; it may be gone already.
	RemoveSaved(ctx context.Context, userID, worker string) error
	// PutOwnedAddress adds a proof, or replaces it.
	PutOwnedAddress(ctx context.Context, a OwnedAddress) error
	// RemoveOwnedAddress deletes a proof; it may be gone already.
	RemoveOwnedAddress(ctx context.Context, userID, address string) error
	// PutOrder replaces the order of a worker; one without a difficulty deletes it.
	PutOrder(ctx context.Context, o Order) error
	// PutSightings replaces sightings by worker.
	PutSightings(ctx context.Context, list []Sighting) error
	// RemoveSightings deletes those of workers.
	RemoveSightings(ctx context.Context, workers []string) error
	// SavedUsers lists the users that have records.
	SavedUsers(ctx context.Context) ([]string, error)
}

// WorkSum is the work of a worker in a period.
type WorkSum struct {
	At   time.Time // beginning of the period
	Work float64   // sum of the assigned difficulties of accepted shares
}

// Connection is an open connection of a worker.
type Connection struct {
	ID       string
	Remote   netip.Addr // the miner's; not valid when it has none
	Since    time.Time
	Accepted uint64 // shares, of this connection
}

// Seen is what the pool has of a worker in memory.
type Seen struct {
	Online    bool
	Accepted  uint64 // shares; those of earlier days come a moment after the worker
	FirstSeen time.Time
	LastSeen  time.Time
	Open      []Connection
	More      bool // there are more connections than those in Open
}

// Books is what is written down of a worker; the zero value when nothing is.
type Books struct {
	Accepted  uint64 // shares, ever
	FirstSeen time.Time
}

// Pool is where the workers are.
type Pool interface {
	// Seen tells of a worker by its full name; false when it was not here lately.
	Seen(name string) (Seen, bool)
	// Books reads what is written down of a worker by its full name. It may take a
	// while.
	Books(ctx context.Context, name string) (Books, error)
	// Online is who is connected, by full name. It is not changed afterwards.
	Online() map[string]bool
	// DropWorker closes the worker's connections and returns their number.
	DropWorker(name string) int
	// SetWorkerDifficulty fixes the worker's difficulty, 0 leaves it to the pool.
	// It returns the number of the worker's connections.
	SetWorkerDifficulty(name string, d float64) int
	// Network is the pool's chain, "" while it is not known.
	Network() string
	// Tag is what the pool writes into its blocks.
	Tag() string
}
