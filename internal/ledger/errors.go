package ledger

import "errors"

var (
	// ErrResolution is returned by [Ledger.History] for a resolution that is
	// none of the three.
	ErrResolution = errors.New("unknown resolution of history")
	// ErrRange is returned by [Ledger.History] when "to" is before "from".
	ErrRange = errors.New("history range ends before it begins")
)
