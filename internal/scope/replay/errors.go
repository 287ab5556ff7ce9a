package replay

// Refusal is why something was not done. It is shown to whoever asked, as it
// is; errors that say more wrap it.
type Refusal struct {
	reason string
	text   string
}

// Error is the sentence for the one who asked.
func (r *Refusal) Error() string { return r.text }

// Reason is a stable snake_case word for counters.
func (r *Refusal) Reason() string { return r.reason }

// The refusals. Those of a single replay are looked for in this order.
var (
	ErrNotFound  = &Refusal{"not_found", "Message not found"}
	ErrDirection = &Refusal{"direction", "Can only replay messages from miner to pool"}
	ErrMethod    = &Refusal{"method", "Can only replay mining.submit messages"}
	ErrNotLive   = &Refusal{"not_live", "Session not active. The miner connection may have closed."}

	ErrIncomplete = &Refusal{"incomplete", "The message was captured incompletely and cannot be replayed"}
	ErrTooLong    = &Refusal{"too_long", "modified_message is longer than 65536 bytes"}
	ErrLineFeed   = &Refusal{"line_feed", "modified_message must be one line: it has a line feed in it"}
	ErrJSON       = &Refusal{"invalid_json", "Invalid JSON in modified_message"}
	ErrNotObject  = &Refusal{"not_object", "modified_message must be a JSON object"}
	ErrNoID       = &Refusal{"no_id", "Invalid message format: Message must have an 'id' field"}
	ErrID         = &Refusal{"id", "Invalid message format: 'id' must be an integer or a string"}
	ErrBusy       = &Refusal{"busy", "Too many replays are waiting for an answer"}

	// ErrNotOwn is what load features answer on foreign pools.
	ErrNotOwn = &Refusal{"not_own_pool", "Auto-replay puts load on a pool, so it works only with pools that the configuration lists as your own (scope.own_pools)"}

	// ErrNotRelayed is said of miners that are connected to our own pool without
	// the proxy, and only listened to.
	ErrNotRelayed = &Refusal{"not_relayed", "There is no connection to send on: this miner is not connected through the scope's proxy"}

	ErrNoSession       = &Refusal{"no_session", "Session not found"}
	ErrRepeatCount     = &Refusal{"repeat_count", "Repeat count must be between 1 and 1000"}
	ErrAutoReplayCount = &Refusal{"auto_replay_count", "Auto-replay count must be between 1 and 900000"}
	ErrPace            = &Refusal{"pace", "Auto-replay rate must be between 0.01 and 100000 a second and its jitter between 0 and 1"}
)

var _ error = (*Refusal)(nil)
