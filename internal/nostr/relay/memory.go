package relay

import (
	"cmp"
	"container/list"
	"slices"
	"strconv"

	"github.com/poolscope/poolscope/internal/nostr"
)

// stored is an event and its JSON.
type stored struct {
	event *nostr.Event
	json  []byte
	slot  string // of a replaceable or addressable event, "" otherwise
}

// memory is what the relay keeps, in order of arrival. It is not safe for use
// by several goroutines.
type memory struct {
	maxEvents, maxBytes int
	bytes               int
	order               *list.List // of *stored, oldest arrival first
	byID                map[string]*list.Element
	bySlot              map[string]*list.Element
	evicted             uint64
}

func newMemory(maxEvents, maxBytes int) *memory {
	return &memory{
		maxEvents: maxEvents, maxBytes: maxBytes,
		order: list.New(), byID: map[string]*list.Element{}, bySlot: map[string]*list.Element{},
	}
}

// What became of an event.
const (
	added     = iota
	duplicate // it is kept already
	outdated  // a newer one of the same slot is kept
)

// add keeps an event that is not ephemeral.
func (m *memory) add(e *nostr.Event, json []byte) int {
	if m.byID[e.ID] != nil {
		return duplicate
	}
	slot := slotOf(e)
	if slot != "" {
		if old := m.bySlot[slot]; old != nil {
			if !newer(e, old.Value.(*stored).event) {
				return outdated
			}
			m.remove(old)
		}
	}
	element := m.order.PushBack(&stored{e, json, slot})
	m.byID[e.ID] = element
	if slot != "" {
		m.bySlot[slot] = element
	}
	m.bytes += len(json)
	for m.order.Len() > m.maxEvents || m.bytes > m.maxBytes && m.order.Len() > 1 {
		m.remove(m.order.Front())
		m.evicted++
	}
	return added
}

func (m *memory) remove(element *list.Element) {
	s := m.order.Remove(element).(*stored)
	delete(m.byID, s.event.ID)
	if s.slot != "" {
		delete(m.bySlot, s.slot)
	}
	m.bytes -= len(s.json)
}

// find are the events that fit one of the filters, newest first, of two of the
// same second the one with the lower id first (NIP-01); at most limit, and of
// each filter at most its own limit.
func (m *memory) find(filters []nostr.Filter, limit int) []*stored {
	seen := map[string]bool{}
	var all []*stored
	for i := range filters {
		var fit []*stored
		for element := m.order.Back(); element != nil; element = element.Prev() {
			if s := element.Value.(*stored); filters[i].Matches(s.event) {
				fit = append(fit, s)
			}
		}
		slices.SortFunc(fit, byTime)
		if l := filters[i].Limit; l != nil && len(fit) > *l {
			fit = fit[:*l]
		}
		for _, s := range fit {
			if !seen[s.event.ID] {
				seen[s.event.ID] = true
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, byTime)
	return all[:min(len(all), limit)]
}

func byTime(a, b *stored) int {
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
