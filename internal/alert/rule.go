package alert

import (
	"slices"
	"time"
)

// Whose workers a rule is about.
const (
	ScopeSaved = "saved" // those that its person saved
	ScopePool  = "pool"  // all of the pool
)

// Rule says what is worth a message, and where it goes.
type Rule struct {
	ID       string // 16 hex digits
	UserID   string // whose it is; "" for the operator without an account
	Name     string
	Enabled  bool
	Kinds    []Kind
	Scope    string   // one of the Scope constants
	Workers  []string // SHA-256 of names, in hex: only these of the scope; empty for all of it
	Alarms   []string // kinds of the scope's alarms; empty for all
	Channels []string // ids

	OfflineAfter  time.Duration // how long a worker must have been there before, and gone since
	RejectPercent float64       // of all shares
	RejectWindow  time.Duration // in which shares are counted
	RejectShares  uint64        // fewer shares in the window tell nothing
	MinDifficulty float64       // of best shares that are told; 0 for all

	Created time.Time
}

// Clone is a copy that shares nothing.
func (r Rule) Clone() Rule {
	r.Kinds, r.Workers = slices.Clone(r.Kinds), slices.Clone(r.Workers)
	r.Alarms, r.Channels = slices.Clone(r.Alarms), slices.Clone(r.Channels)
	return r
}

// Wants says whether the rule is about a kind of events.
func (r *Rule) Wants(k Kind) bool { return r.Enabled && slices.Contains(r.Kinds, k) }
