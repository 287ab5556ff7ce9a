package relay

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Store is what a relay keeps events in. Memory and Disk are stores; the tests
// of this package hold both to the same. The relay calls one method at a time.
type Store interface {
	// Add keeps a verified event that is not ephemeral, and its JSON. Of a
	// replaceable or addressable event only the newest stays (NIP-01). When
	// there is no room the events that came first go. An error means that
	// nothing was kept.
	Add(e *nostr.Event, json []byte, now time.Time) (Outcome, error)
	// Find is the JSON of the kept events that fit one of the filters and have
	// not expired, newest first, of two of the same second the one with the
	// lower id first (NIP-01); of each filter at most its own limit, and
	// together within the bounds.
	Find(filters []nostr.Filter, within Bounds, now time.Time) ([][]byte, error)
	// Size is what is kept now, and how many events made room for others
	// since the start.
	Size() Size
}

// Bounds of one answer.
type Bounds struct {
	Events int
	Bytes  int // of JSON; the first event is always within
}

// Size is how much a store keeps.
type Size struct {
	Events  int
	Bytes   int    // of JSON
	Evicted uint64 // events that made room for newer ones
	Expired uint64 // events that left because their time was over (NIP-40)
}

// Outcome is what became of an event that was added.
type Outcome int

// Outcomes.
const (
	Added     Outcome = iota
	Duplicate         // it is kept already
	Outdated          // a newer one of the same place is kept
)

var (
	_ Store = (*memory)(nil)
	_ Store = (*Disk)(nil)
)

// stored is an event and its JSON.
type stored struct {
	event *nostr.Event
	json  []byte
	slot  string // of a replaceable or addressable event, "" otherwise
}

// answer sorts what was found, drops what was found twice and cuts at the
// bounds.
func answer(found []stored, within Bounds) [][]byte {
	slices.SortFunc(found, byTime)
	found = slices.CompactFunc(found, func(a, b stored) bool { return a.event.ID == b.event.ID })
	var list [][]byte
	size := 0
	for _, s := range found {
		if size += len(s.json); len(list) >= within.Events || len(list) > 0 && size > within.Bytes {
			break
		}
		list = append(list, s.json)
	}
	return list
}

func byTime(a, b stored) int {
	return cmp.Or(cmp.Compare(b.event.CreatedAt, a.event.CreatedAt), cmp.Compare(a.event.ID, b.event.ID))
}

// newer says whether a replaces b: it is later, or of the same second with a
// lower id (NIP-01).
func newer(a, b *nostr.Event) bool {
	return a.CreatedAt > b.CreatedAt || a.CreatedAt == b.CreatedAt && a.ID < b.ID
}

// slotOf names the place that one event at a time holds.
func slotOf(e *nostr.Event) string {
	switch nostr.ClassOf(e.Kind) {
	case nostr.Replaceable:
		return e.PubKey + ":" + strconv.Itoa(e.Kind)
	case nostr.Addressable:
		return e.PubKey + ":" + strconv.Itoa(e.Kind) + ":" + e.Tag("d")
	default:
		return ""
	}
}

// expired says whether the event's time is over (NIP-40).
func expired(e *nostr.Event, now time.Time) bool {
	at, ends := e.Expiration()
	return ends && at <= now.Unix()
}
