package price

import "errors"

// Why a feed's answer was of no use.
var (
	ErrStatus   = errors.New("the feed answered with an error")
	ErrTooLarge = errors.New("the feed's answer is too large")
	ErrNotJSON  = errors.New("the feed's answer is not JSON")
	ErrNoPrice  = errors.New("the feed's answer has no price where it should be")
)
