package nostr

// Class says what a relay keeps of the events of a kind (NIP-01).
type Class int

// The classes of kinds.
const (
	Regular     Class = iota // all are kept
	Replaceable              // the newest of each author and kind is kept
	Ephemeral                // passed on, never kept
	Addressable              // the newest of each author, kind and "d" tag is kept
)

// KindAuth is the kind of the event that answers a relay's challenge (NIP-42).
const KindAuth = 22242

// ClassOf is the class of a kind. Kinds that NIP-01 says nothing about are
// regular.
func ClassOf(kind int) Class {
	switch {
	case kind == 0, kind == 3, kind >= 10_000 && kind < 20_000:
		return Replaceable
	case kind >= 20_000 && kind < 30_000:
		return Ephemeral
	case kind >= 30_000 && kind < 40_000:
		return Addressable
	default:
		return Regular
	}
}
