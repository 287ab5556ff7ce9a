package account

import "time"

// Role is what a person may do. Who has proven that a worker is theirs may
// besides do with it what an operator may: that is no role, but a fact about a
// person and a worker.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"   // saves workers and sees their public figures
	RoleOperator Role = "operator" // sees everything, changes settings, bans
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == RoleViewer || r == RoleOperator }

// Providers of identities that are not OpenID Connect ones, whose names are in
// the configuration.
const (
	ProviderLocal = "local"
	ProviderClerk = "clerk"
)

// User is a person.
type User struct {
	ID       string // 32 hex digits, ours; never changes
	Name     string // sign-in name of a local account, shown name of others
	Email    string // "" when not known
	Provider string // ProviderLocal, ProviderClerk or the name of an OpenID Connect provider
	Subject  string // the provider's name of the person; "" for local ones
	Role     Role
	Disabled bool // may not sign in
	// Registered: the person made the account, not an operator or a provider.
	Registered bool
	Created    time.Time
	LastSeen   time.Time
}

// isOperator reports whether the person may do everything, once signed in.
func (u User) isOperator() bool { return u.Role == RoleOperator }

// Session is one browser or program in which a person is signed in.
type Session struct {
	ID        string // a handle that may be shown; not the secret of the cookie
	User      User
	Created   time.Time
	LastSeen  time.Time
	Expires   time.Time
	Confirmed time.Time // when the password was last given in it
	UserAgent string
	Address   string // IP address that signed in
}

// ConfirmedFor is how long a password that was given again allows what is
// dangerous.
const ConfirmedFor = 5 * time.Minute

// IsConfirmed reports whether the person lately proved to be there.
func (s *Session) IsConfirmed(now time.Time) bool {
	return s != nil && now.Sub(s.Confirmed) < ConfirmedFor
}
