// Package client keeps connections to several Nostr relays at once: it
// publishes every event to all of them and receives what is subscribed to from
// all of them, each event once.
//
// A relay that cannot be reached is dialled again for ever, with a back-off.
// Events to publish wait in a bounded queue per relay until that relay has said
// OK, across reconnects; when the queue is full the oldest goes, and is
// counted. After a reconnect the subscriptions ask again for a while before the
// cut, page by page, for relays answer with their newest events only; and what
// comes twice is known by its id.
//
// Nothing is handed on that is not verified, not asked for, not new or of
// another time. Whatever a relay sends or refuses is counted by reason in
// Status, and nothing it sends ends the client.
package client
