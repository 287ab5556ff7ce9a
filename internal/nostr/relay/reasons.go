package relay

// refusals are the reasons for refusing an event, a subscription, a message or
// a client; Stats.Refused has all of them, from zero on.
var refusals = []string{
	"auth",                   // a wrong answer to the challenge
	"auth_as_event",          // an answer to a challenge published as an event
	"auth_required",          // before the challenge was answered
	"author",                 // an author who may not write
	"binary",                 // a message that is not text
	"duplicate",              // an event that is kept already; the answer is OK true
	"event_too_large",        //
	"expired",                // an event whose time is over (NIP-40)
	"future",                 // an event of a time too far ahead
	"id",                     // an id that is not that of the event
	"malformed",              // not a message, or not within the bounds of package nostr
	"message_too_long",       //
	"origin",                 // a web page from elsewhere
	"outdated",               // a newer event has the place; the answer is OK true
	"rate_limited",           //
	"signature",              // a signature that does not fit
	"store_failed",           // the database gave an error
	"too_many_connections",   //
	"too_many_filter_values", //
	"too_many_from_address",  // connections from one IP address
	"too_many_subscriptions", //
	"unsupported_filter",     // a filter with a member that is not known
}

// endings are the reasons for the end of a connection; Stats.Closed has all of
// them, from zero on.
var endings = []string{
	"client_closed",    //
	"handshake",        // it never became a WebSocket
	"message_too_long", // longer than what is worth throwing away
	"ping_timeout",     // the client did not answer
	"relay_closed",     //
	"slow_reader",      // it does not take what is sent to it
	"write_failed",     //
}

// ending is why a connection ended: one of endings.
type ending string

func (e ending) Error() string { return string(e) }

// zeroes is a map with all names.
func zeroes(names []string) map[string]uint64 {
	m := make(map[string]uint64, len(names))
	for _, name := range names {
		m[name] = 0
	}
	return m
}
