package account

import (
	"context"
	"time"
)

// Token is the SHA-256 of what a session's cookie holds.
type Token [32]byte

// Store keeps users, sessions and the audit trail. Everything that changes a
// user, or ends a session before its time, changes Edition in the same
// transaction. It is implemented in internal/store.
type Store interface {
	// Users lists everybody, oldest first, with the number of their sessions.
	Users(ctx context.Context) ([]Listed, error)
	// User finds a user, or fails with ErrUnknown.
	User(ctx context.Context, id string) (User, error)
	// UserBySubject finds a provider's user and the hash of the password; of a
	// local one subject is the name in lower case. It fails with ErrUnknown.
	UserBySubject(ctx context.Context, provider, subject string) (User, string, error)
	// AddUser adds a user; subject is as in UserBySubject. It fails with ErrTaken,
	// and with ErrFull when there are already most users.
	AddUser(ctx context.Context, u User, subject, password string, most int) error
	// EditUser changes a user in one transaction; the edit may fail, which changes
	// nothing. Sessions of the user end when end says so of the two. It fails with
	// ErrUnknown, and with ErrLastOperator when it takes away the last operator who
	// can sign in, which people of the providers can.
	EditUser(ctx context.Context, id string, edit func(u *User) error, end func(before, after User) bool, providers []string) (User, error)
	// RemoveUser deletes a user and all that is theirs. Errors as EditUser.
	RemoveUser(ctx context.Context, id string, providers []string) error
	// PruneUnused deletes viewers who registered before a time, were not there any more
	// after they had stayed so long, and have nothing: no saved worker, address, alert or
	// link. It returns how many.
	PruneUnused(ctx context.Context, made time.Time, stay time.Duration) (int64, error)
	// SetPassword replaces a hash and ends all sessions of the user but keep, which
	// may be "". It fails with ErrUnknown.
	SetPassword(ctx context.Context, id, password, keep string) error
	// RehashPassword replaces a hash by another one of the same password.
	RehashPassword(ctx context.Context, id, password string) error

	// AddSession adds a session and ends the oldest ones of the user beyond most.
	AddSession(ctx context.Context, token Token, s Session, most int) error
	// SessionByToken finds a session and its user, or fails with ErrNoSession.
	// Expires is not set.
	SessionByToken(ctx context.Context, token Token) (Session, error)
	// Sessions lists those of a user, newest first.
	Sessions(ctx context.Context, userID string) ([]Session, error)
	// SeeSessions notes when sessions, and with them their users, were last seen.
	SeeSessions(ctx context.Context, seen map[Token]time.Time) error
	// ConfirmSession notes when the password was given in a session.
	ConfirmSession(ctx context.Context, token Token, at time.Time) error
	// EndSession ends one session of a user, or fails with ErrNoSession.
	EndSession(ctx context.Context, userID, id string) error
	// EndSessions ends all sessions of a user but keep, which may be "".
	EndSessions(ctx context.Context, userID, keep string) error
	// Origins lists where local accounts were signed in since a time, with the last
	// time of each: operators' first, then the newest, at most so many.
	Origins(ctx context.Context, since time.Time, most int) ([]Origin, error)
	// PruneSessions deletes sessions that were made or seen before these times.
	PruneSessions(ctx context.Context, made, seen time.Time) error

	// Edition is a number that changes with each change by this or another process.
	Edition(ctx context.Context) (int64, error)

	// AddActions appends to the audit trail.
	AddActions(ctx context.Context, actions []Action) error
	// Actions reads the audit trail, newest first.
	Actions(ctx context.Context, f ActionFilter) ([]Action, error)
	// PruneActions deletes what is older, and of each kind the oldest beyond most.
	PruneActions(ctx context.Context, older time.Time, most ActionLimits) error
}

// Origin is where a local account was signed in.
type Origin struct {
	Account string // its name in lower case
	Address string // IP address
	At      time.Time
}

// Listed is a user in a list.
type Listed struct {
	User
	Sessions int // that have not ended; some of them may have expired
}
