package inspect

import (
	"net/netip"
	"slices"
	"time"
)

// Bounds of reassembly.
const (
	maxConnections = 16384    // followed at once
	maxAhead       = 1 << 20  // bytes of a direction that wait for those before them
	maxAheadParts  = 1024     // segments that wait
	maxAheadAll    = 64 << 20 // bytes that wait, over all connections
)

// events is told what the two sides of a TCP connection said, in order. Side 0
// opened the connection, or was the first one seen.
type events interface {
	data(side int, b []byte, at time.Time)
	hole(side int, n uint64)            // bytes that were not captured
	closed(reason string, at time.Time) // a constant below
}

// How a connection ends.
const (
	endOpener  = "opener_closed"
	endOther   = "other_closed"
	endReset   = "opener_reset"
	endReset2  = "other_reset"
	endCapture = "capture_ended"
	endReused  = "reopened"
)

// connection is a TCP connection.
type connection struct {
	key     pair
	index   int // counts from 0 in the order of the file, as Wireshark's tcp.stream does
	sides   [2]netip.AddrPort
	halves  [2]half
	handler events
	last    time.Time // of the newest packet
	closer  string    // end constant of the side that closed first; "" before
	over    bool
}

// half is what one side sends.
type half struct {
	known bool   // next is
	next  uint32 // sequence number of the next byte
	fin   bool   // the side has closed, at the sequence number end
	end   uint32
	ended bool // all up to end was given out
	ahead []part
	bytes int // in ahead
}

// part is a segment that waits for those before it.
type part struct {
	seq     uint32
	data    []byte
	missing int
}

// pair are the two ends of a connection, the smaller one first.
type pair [2]netip.AddrPort

func pairOf(s *segment) (key pair, side int) {
	if s.from.Compare(s.to) <= 0 {
		return pair{s.from, s.to}, 0
	}
	return pair{s.to, s.from}, 1
}

// assembler makes connections of segments.
type assembler struct {
	live    map[pair]*connection
	order   []*connection // in which they began; some may be over
	count   int           // of all connections
	waiting int           // bytes that wait
	open    func(c *connection) events
	dropped uint64 // segments of connections beyond maxConnections
	holes   uint64
	lost    uint64 // bytes in holes
}

// before says whether one sequence number is before another, around zero.
func before(a, b uint32) bool { return int32(a-b) < 0 } //nolint:gosec // modulo 2^32

// take handles the next segment of the file.
func (a *assembler) take(s *segment, at time.Time) {
	key, _ := pairOf(s)
	c := a.live[key]
	if c != nil && s.flags&(flagSYN|flagACK) == flagSYN && c.halves[c.sideOf(s.from)].known && c.halves[c.sideOf(s.from)].next != s.seq+1 {
		a.end(c, endReused, c.last)
		c = nil
	}
	if c == nil {
		if s.flags&flagRST != 0 || len(s.data)+s.missing == 0 && s.flags&flagSYN == 0 {
			return // the rest of one that is over
		}
		if len(a.live) >= maxConnections {
			a.dropped++
			return
		}
		c = &connection{key: key, index: a.count, sides: [2]netip.AddrPort{s.from, s.to}}
		if s.flags&(flagSYN|flagACK) == flagSYN|flagACK {
			c.sides = [2]netip.AddrPort{s.to, s.from}
		}
		a.count++
		a.live[key] = c
		a.order = append(a.order, c)
		c.handler = a.open(c)
	}
	c.last = at
	a.segment(c, c.sideOf(s.from), s, at)
}

func (c *connection) sideOf(from netip.AddrPort) int {
	if from == c.sides[0] {
		return 0
	}
	return 1
}

// segment takes a segment of a connection.
func (a *assembler) segment(c *connection, side int, s *segment, at time.Time) {
	h, other := &c.halves[side], &c.halves[1-side]
	seq := s.seq
	if s.flags&flagSYN != 0 {
		seq++
		if !h.known {
			h.known, h.next = true, seq
		}
	}
	if size := len(s.data) + s.missing; size > 0 {
		if !h.known {
			h.known, h.next = true, seq
		}
		a.put(c, side, part{seq, s.data, s.missing}, at)
	}
	if s.flags&flagFIN != 0 && !h.fin {
		h.fin, h.end = true, seq+uint32(len(s.data)+s.missing) //nolint:gosec // at most a packet
		if c.closer == "" {
			c.closer = [2]string{endOpener, endOther}[side]
		}
	}
	// What the other side has acknowledged it has got: it will not be sent again.
	if s.flags&flagACK != 0 && other.known {
		for len(other.ahead) > 0 && !before(s.ack, other.ahead[0].seq) {
			a.skip(c, 1-side, at)
		}
	}
	if s.flags&flagRST != 0 {
		a.end(c, [2]string{endReset, endReset2}[side], at)
		return
	}
	for i := range c.halves {
		if h := &c.halves[i]; h.fin && !h.ended && h.known && !before(h.next, h.end) {
			h.ended = true
		}
	}
	if c.halves[0].ended && c.halves[1].ended {
		a.end(c, c.closer, at)
	}
}

// put takes data that a side sent.
func (a *assembler) put(c *connection, side int, p part, at time.Time) {
	h := &c.halves[side]
	if before(h.next, p.seq) {
		if h.bytes+len(p.data) > maxAhead || len(h.ahead) >= maxAheadParts || a.waiting+len(p.data) > maxAheadAll {
			a.skip(c, side, at)
		}
		if before(h.next, p.seq) {
			i, found := slices.BinarySearchFunc(h.ahead, p.seq, func(q part, seq uint32) int {
				return int(int32(q.seq - seq)) //nolint:gosec // modulo 2^32
			})
			if found && len(h.ahead[i].data) >= len(p.data) {
				return
			}
			p.data = slices.Clone(p.data)
			h.ahead = slices.Insert(h.ahead, i, p)
			h.bytes += len(p.data)
			a.waiting += len(p.data)
			return
		}
	}
	a.deliver(c, side, p, at)
	a.drain(c, side, at)
}

// deliver gives out what is new of a segment that begins at next or before.
func (a *assembler) deliver(c *connection, side int, p part, at time.Time) {
	h := &c.halves[side]
	old := int64(h.next - p.seq) // bytes that were sent before
	if size := int64(len(p.data) + p.missing); old >= size {
		return
	}
	if old < int64(len(p.data)) {
		fresh := p.data[old:]
		c.handler.data(side, fresh, at)
		h.next += uint32(len(fresh)) //nolint:gosec // at most a packet
		old = int64(len(p.data))
	}
	if n := int64(len(p.data)+p.missing) - old; n > 0 {
		a.gap(c, side, uint32(n)) //nolint:gosec // at most a packet
	}
}

// drain gives out what waited and is due.
func (a *assembler) drain(c *connection, side int, at time.Time) {
	h := &c.halves[side]
	for len(h.ahead) > 0 && !before(h.next, h.ahead[0].seq) {
		p := h.ahead[0]
		h.ahead = h.ahead[1:]
		h.bytes -= len(p.data)
		a.waiting -= len(p.data)
		a.deliver(c, side, p, at)
	}
	if len(h.ahead) == 0 {
		h.ahead = nil
	}
}

// skip gives up the bytes that are missing before what waits.
func (a *assembler) skip(c *connection, side int, at time.Time) {
	h := &c.halves[side]
	if len(h.ahead) == 0 {
		return
	}
	a.gap(c, side, h.ahead[0].seq-h.next)
	a.drain(c, side, at)
}

func (a *assembler) gap(c *connection, side int, n uint32) {
	a.holes++
	a.lost += uint64(n)
	c.halves[side].next += n
	c.handler.hole(side, uint64(n))
}

// end closes a connection.
func (a *assembler) end(c *connection, reason string, at time.Time) {
	if c.over {
		return
	}
	c.over = true
	for side := range c.halves {
		for len(c.halves[side].ahead) > 0 {
			a.skip(c, side, at)
		}
	}
	if reason == endCapture && c.closer != "" {
		reason = c.closer // the other side's answer is not in the capture
	}
	c.handler.closed(reason, at)
	delete(a.live, c.key)
	if len(a.order) > 2*len(a.live)+64 {
		a.order = slices.DeleteFunc(a.order, func(c *connection) bool { return c.over })
	}
}

// finish closes what is open at the end of the file.
func (a *assembler) finish() {
	for _, c := range slices.Clone(a.order) {
		a.end(c, endCapture, c.last)
	}
}
