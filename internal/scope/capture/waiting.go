package capture

import (
	"cmp"
	"slices"
)

// waiting are the requests of a session whose responses have not come, by the
// direction that the response takes and by id. Ids may be used again before
// they are answered, as cpuminer does: then the oldest is answered first. The
// requests are held here, so that an answer finds one that left the ring.
type waiting struct {
	byID  map[waitKey][]*Message
	order []*Message // in which they were asked; some may be answered
	count int
	bytes int // about, of those in byID
}

type waitKey struct {
	direction Direction
	id        string
}

// Bounds of the requests that wait for a response. Above them a session's oldest
// are given up.
const (
	maxWaiting         = 4096     // of a session
	maxWaitingBytes    = 2 << 20  // of a session
	scarceWaitingBytes = 64 << 10 // of a session, once those of all together have more than maxAllWaiting
	maxAllWaiting      = 32 << 20
)

// waitCost is about what a request takes in memory when nobody else has it. It
// does not change while the request is looked at.
func waitCost(m *Message) int { return messageOverhead + len(m.Raw) + len(m.ID) + len(m.Method) }

func keyOf(request *Message) waitKey { return waitKey{request.Direction.answeredBy(), request.ID} }

// ask notes a request, within a limit of bytes. It returns how many others were
// given up for it.
func (w *waiting) ask(m *Message, limit int) (given int) {
	if w.byID == nil {
		w.byID = make(map[waitKey][]*Message)
	}
	for w.count > 0 && (w.count >= maxWaiting || w.bytes+waitCost(m) > limit) {
		given += w.giveUp()
	}
	if len(w.order) >= 2*w.count+16 {
		w.order = slices.DeleteFunc(w.order, func(m *Message) bool { return !w.has(m) })
	}
	key := keyOf(m)
	w.byID[key] = append(w.byID[key], m)
	w.order = append(w.order, m)
	w.count++
	w.bytes += waitCost(m)
	return given
}

// has says whether a request waits still.
func (w *waiting) has(m *Message) bool {
	queue := w.byID[keyOf(m)]
	return len(queue) > 0 && queue[0].N <= m.N
}

// giveUp gives up the oldest request, and returns how many that were.
func (w *waiting) giveUp() (given int) {
	for given == 0 && len(w.order) > 0 {
		if m := w.order[0]; w.has(m) {
			w.take(keyOf(m))
			given++
		}
		w.order[0] = nil
		w.order = w.order[1:]
	}
	return given
}

// answer finds the request that a response is for; nil when nobody asked.
func (w *waiting) answer(m *Message) (request *Message) { return w.take(waitKey{m.Direction, m.ID}) }

// take removes the oldest request of a key.
func (w *waiting) take(key waitKey) (request *Message) {
	queue := w.byID[key]
	if len(queue) == 0 {
		return nil
	}
	request = queue[0]
	w.count--
	w.bytes -= waitCost(request)
	if len(queue) == 1 {
		delete(w.byID, key)
		return request
	}
	queue[0] = nil
	w.byID[key] = queue[1:]
	return request
}

// find finds a request by its number; nil when it does not wait.
func (w *waiting) find(key waitKey, n uint64) *Message {
	if at, ok := w.place(key, n); ok {
		return w.byID[key][at]
	}
	return nil
}

// renew puts a newer version of a request in its place, if it waits.
func (w *waiting) renew(m *Message) {
	key := keyOf(m)
	if at, ok := w.place(key, m.N); ok {
		w.byID[key][at] = m
	}
}

func (w *waiting) place(key waitKey, n uint64) (at int, ok bool) {
	return slices.BinarySearchFunc(w.byID[key], n, func(m *Message, n uint64) int { return cmp.Compare(m.N, n) })
}
