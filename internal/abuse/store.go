package abuse

import (
	"context"
	"net/netip"
)

// Store keeps bans on disk. Its methods are safe for concurrent use, give up
// with the context's error when it ends first, and write all of a call or
// nothing. Times are kept to the millisecond and come back in UTC; the zero
// time comes back as the zero time.
type Store interface {
	// LoadBans reads every ban, in no defined order. It changes nothing.
	LoadBans(ctx context.Context) ([]Ban, error)

	// SaveBans writes bans, each instead of the one of the same block if there
	// is one, and removes those of other blocks. Doing it again changes
	// nothing, nor does removing what is not there. A block must not be in
	// both lists.
	SaveBans(ctx context.Context, bans []Ban, remove []netip.Prefix) error
}
