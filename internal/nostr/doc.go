// Package nostr is the language of Nostr, as values and functions: events
// (NIP-01) with their ids and BIP-340 signatures, keys as hexadecimal digits
// and as nsec and npub (NIP-19), filters, the messages between clients and
// relays, encrypted content (NIP-44 version 2) and the event that answers a
// relay's challenge (NIP-42).
//
// Everything that a stranger may have written is parsed strictly and within
// bounds: member names are matched exactly, a member that appears twice, a
// wrong type, a broken UTF-8 sequence or a number out of range is an error, and
// so is anything larger or deeper than the limits in limits.go.
//
// A parsed event is not a true one: Event.Verify says whether id and signature
// fit. The relay and the client, in packages below this one, let nothing
// through that was not verified.
package nostr
