package account

import (
	"context"
	"time"
)

// Action is one entry of the audit trail: something that a person did.
type Action struct {
	ID      int64 // its place in the trail, growing; 0 until it is written
	At      time.Time
	UserID  string // "" when nobody was signed in
	User    string // name at that time; "this machine" or "token" for an operator without an account
	Address string // IP address of the request
	Name    string // noun.verb, such as "ban.add", "session.sign_in", "settings.save"
	Target  string // whom or what it was done to
	Detail  string // for people; never a secret
	Failed  bool   // it was tried, and refused or in vain
	// Operator: an operator did it, at that time. Such entries are never summed up,
	// and others never take their room.
	Operator bool
}

// Trail keeps actions. It never fails towards the caller, and never makes it
// wait: what cannot be written is logged and counted.
type Trail interface {
	Record(ctx context.Context, a Action)
}

// ActionLimits are numbers of entries of the audit trail, by who did it.
type ActionLimits struct{ Operators, People, Strangers int }

// ActionFilter selects entries of the audit trail.
type ActionFilter struct {
	Before int64  // only entries with a smaller ID; 0 for all
	Query  string // only entries that contain it, whatever the case, in user, address, name, target or detail; "" for all
	Limit  int    // most entries of one page
}
