package client

// seen remembers the newest ids.
type seen struct {
	ids  map[string]struct{}
	ring []string
	next int
}

func newSeen(size int) *seen {
	return &seen{ids: make(map[string]struct{}), ring: make([]string, size)}
}

func (s *seen) has(id string) bool {
	_, ok := s.ids[id]
	return ok
}

func (s *seen) add(id string) {
	delete(s.ids, s.ring[s.next])
	s.ring[s.next] = id
	s.ids[id] = struct{}{}
	s.next = (s.next + 1) % len(s.ring)
}
