package relay

import (
	"container/list"
	"math"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// memory keeps events in order of arrival, and forgets them with the process.
type memory struct {
	maxEvents, maxBytes int
	order               *list.List // of *stored, oldest arrival first
	byID                map[string]*list.Element
	bySlot              map[string]*list.Element
	nextExpiry          int64 // no kept event ends before, in seconds since 1970
	size                Size
}

func newMemory(maxEvents, maxBytes int) *memory {
	return &memory{
		maxEvents: maxEvents, maxBytes: maxBytes,
		order: list.New(), byID: map[string]*list.Element{}, bySlot: map[string]*list.Element{},
		nextExpiry: math.MaxInt64,
	}
}

// Add implements Store; it never fails.
func (m *memory) Add(e *nostr.Event, json []byte, now time.Time) (Outcome, error) {
	m.expire(now)
	if m.byID[e.ID] != nil {
		return Duplicate, nil
	}
	slot := slotOf(e)
	if slot != "" {
		if old := m.bySlot[slot]; old != nil {
			if !newer(e, old.Value.(*stored).event) {
				return Outdated, nil
			}
			m.remove(old)
		}
	}
	element := m.order.PushBack(&stored{e, json, slot})
	m.byID[e.ID] = element
	if slot != "" {
		m.bySlot[slot] = element
	}
	m.size.Events++
	m.size.Bytes += len(json)
	if at, ends := e.Expiration(); ends {
		m.nextExpiry = min(m.nextExpiry, at)
	}
	for m.size.Events > m.maxEvents || m.size.Bytes > m.maxBytes && m.size.Events > 1 {
		m.remove(m.order.Front())
		m.size.Evicted++
	}
	return Added, nil
}

func (m *memory) remove(element *list.Element) {
	s := m.order.Remove(element).(*stored)
	delete(m.byID, s.event.ID)
	if s.slot != "" {
		delete(m.bySlot, s.slot)
	}
	m.size.Events--
	m.size.Bytes -= len(s.json)
}

// expire removes the events whose time is over.
func (m *memory) expire(now time.Time) {
	if now.Unix() < m.nextExpiry {
		return
	}
	m.nextExpiry = math.MaxInt64
	for element := m.order.Front(); element != nil; {
		next := element.Next()
		e := element.Value.(*stored).event
		if expired(e, now) {
			m.remove(element)
			m.size.Expired++
		} else if at, ends := e.Expiration(); ends {
			m.nextExpiry = min(m.nextExpiry, at)
		}
		element = next
	}
}

// Find implements Store; it never fails.
func (m *memory) Find(filters []nostr.Filter, within Bounds, now time.Time) ([][]byte, error) {
	m.expire(now)
	var all []stored
	for i := range filters {
		var fit []stored
		for element := m.order.Back(); element != nil; element = element.Prev() {
			if s := element.Value.(*stored); filters[i].Matches(s.event) {
				fit = append(fit, *s)
			}
		}
		slices.SortFunc(fit, byTime)
		all = append(all, fit[:min(len(fit), limitOf(&filters[i], within))]...)
	}
	return answer(all, within), nil
}

// Size implements Store.
func (m *memory) Size() Size { return m.size }

// limitOf is how many events one filter may add to an answer.
func limitOf(f *nostr.Filter, within Bounds) int {
	if f.Limit == nil {
		return within.Events
	}
	return min(*f.Limit, within.Events)
}
