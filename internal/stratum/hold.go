package stratum

// held are the answers of a connection that wait for something, each with what
// was queued behind it, oldest first.
type held struct {
	list []*heldAnswer
	size int // bytes
}

type heldAnswer struct {
	out  []byte
	free bool // it waits for those before it only
}

// Hold queues an answer that must not go out before release is called. Whatever
// is queued after it waits behind it, since some miners tell answers apart by
// their order alone (requirement R-U7); work does not (SendWork). Release may be
// called by any goroutine.
//
// It must be called soon: what waits is bounded, and beyond the bound it is all
// sent at once.
func (c *Conn) Hold(b []byte) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed.Load() {
		return func() {}
	}
	if c.held == nil {
		c.held = new(held)
	}
	a := new(heldAnswer)
	c.held.list = append(c.held.list, a)
	c.holdBackLocked(b)
	return func() { c.release(a) }
}

// holdBackLocked queues bytes behind the last answer that waits.
func (c *Conn) holdBackLocked(b []byte) {
	h := c.held
	last := h.list[len(h.list)-1]
	last.out = append(last.out, b...)
	if h.size += len(b); h.size <= maxOutbox {
		return
	}
	for _, a := range h.list {
		a.free = true
	}
	c.letGoLocked()
}

func (c *Conn) release(a *heldAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.free = true
	if c.held == nil {
		return
	}
	c.letGoLocked()
	c.flushLocked()
	if c.closing && c.held == nil && !c.draining {
		c.closeNow(CloseUnknown)
	}
}

// letGoLocked moves into the outbox what waits for nothing any more.
func (c *Conn) letGoLocked() {
	h := c.held
	for len(h.list) > 0 && h.list[0].free {
		out := h.list[0].out
		h.list[0] = nil
		h.list, h.size = h.list[1:], h.size-len(out)
		if !c.closed.Load() {
			c.putLocked(out)
		}
	}
	if len(h.list) == 0 || c.closed.Load() {
		c.held = nil
	}
}
