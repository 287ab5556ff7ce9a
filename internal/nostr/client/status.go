package client

// Status is what one relay's connection is like, and counts since the start.
type Status struct {
	Relay      string
	State      string            // "connecting", "connected", "waiting" for the next attempt
	Connects   uint64            // connections that were made
	Waiting    int               // events that the relay has not said OK to
	Dropped    uint64            // events that left a full queue unsent
	Accepted   uint64            // OKs
	Received   uint64            // events that were handed on
	Duplicates uint64            // events that came again, from this relay or another
	Rejected   map[string]uint64 // our events, by the first word of the relay's reason; "oversized" by our own
	Refused    map[string]uint64 // the relay's messages, by our reason: one of refusals, or closed_ and the first word of a CLOSED
	Notice     string            // the relay's last words to people
	Error      string            // why the last connection ended, or was not made, or a subscription is not
}

// Reasons for not handing on what a relay sent. Status.Refused has all of them,
// from zero on.
const (
	refusedMalformed = "malformed"           // not a message, or not within the bounds of package nostr
	refusedOversized = "oversized"           // a message longer than nostr.MaxMessageBytes
	refusedForged    = "forged"              // an event whose id or signature does not fit
	refusedUnasked   = "unasked"             // an event of no subscription, author, kind, tag or time that was asked for
	refusedStale     = "stale"               // an event older than Config.MaxAge
	refusedFuture    = "future"              // an event further ahead than Config.MaxAhead
	refusedOK        = "ok_of_unknown_event" //
	refusedFlood     = "control_flood"       // more challenges than a relay has reason for
)

// What became of a received event, besides these reasons.
const (
	fresh = ""          // handed on
	again = "duplicate" // it came before
)

func newStatus(address string) Status {
	s := Status{Relay: address, State: "connecting", Rejected: map[string]uint64{"oversized": 0}, Refused: map[string]uint64{}}
	for _, why := range []string{refusedMalformed, refusedOversized, refusedForged, refusedUnasked, refusedStale, refusedFuture, refusedOK, refusedFlood} {
		s.Refused[why] = 0
	}
	return s
}
