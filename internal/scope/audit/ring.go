package audit

// ring keeps the newest elements of a list.
type ring[T any] struct {
	items   []T
	first   int // of the oldest element, once the ring is full
	limit   int
	dropped uint64 // elements that made room
}

func newRing[T any](limit int) ring[T] { return ring[T]{limit: limit} }

func (r *ring[T]) len() int { return len(r.items) }

// at is the ith element, the oldest being 0.
func (r *ring[T]) at(i int) *T { return &r.items[(r.first+i)%len(r.items)] }

// last is the newest element, nil without.
func (r *ring[T]) last() *T {
	if len(r.items) == 0 {
		return nil
	}
	return r.at(len(r.items) - 1)
}

// add appends an element. It returns the one that made room for it, if any.
func (r *ring[T]) add(v T) (gone T, full bool) {
	if len(r.items) < r.limit {
		r.items = append(r.items, v)
		return gone, false
	}
	gone = r.items[r.first]
	r.items[r.first] = v
	r.first = (r.first + 1) % len(r.items)
	r.dropped++
	return gone, true
}

// keep lets go of all but the newest n elements, calling drop for the others.
func (r *ring[T]) keep(n int, drop func(T)) {
	if n >= len(r.items) {
		return
	}
	left := make([]T, 0, n)
	for i := range len(r.items) {
		if v := *r.at(i); i < len(r.items)-n {
			drop(v)
		} else {
			left = append(left, v)
		}
	}
	r.dropped += uint64(len(r.items) - n)
	r.items, r.first = left, 0
}
