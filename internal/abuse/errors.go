package abuse

import "errors"

var (
	// ErrNotBanned is returned by [Watch.Lift] for a block without a ban.
	ErrNotBanned = errors.New("abuse: not banned")
	// ErrTooManyBans is returned by [Watch.Ban] when no more can be kept.
	ErrTooManyBans = errors.New("abuse: too many bans")
)
