package client

import "encoding/hex"

// eventID is an event's id as bytes.
type eventID [32]byte

// idOf reads an id of 64 hexadecimal digits, which parsed events have.
func idOf(s string) (id eventID, ok bool) {
	n, err := hex.Decode(id[:], []byte(s[:min(len(s), 64)]))
	return id, err == nil && n == len(id)
}

// seen remembers the newest ids.
type seen struct {
	limit int
	ids   map[eventID]struct{}
	ring  []eventID // in the order they came, from next on once it is full
	next  int
}

func newSeen(limit int) *seen { return &seen{limit: limit, ids: map[eventID]struct{}{}} }

func (s *seen) has(id eventID) bool {
	_, ok := s.ids[id]
	return ok
}

func (s *seen) add(id eventID) {
	s.ids[id] = struct{}{}
	if len(s.ring) < s.limit {
		s.ring = append(s.ring, id)
		return
	}
	delete(s.ids, s.ring[s.next])
	s.ring[s.next] = id
	s.next = (s.next + 1) % len(s.ring)
}
