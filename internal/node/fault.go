package node

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// steadyAfter is how long an actor has to run before a panic counts as its
// first one again.
const steadyAfter = time.Minute

// guard runs an actor until ctx ends. A panic in one of them must not end the
// mining of all: it is logged and counted, and the actor begins anew after a
// pause that grows from one panic to the next.
func (n *Nodes) guard(ctx context.Context, actor string, run func(context.Context)) {
	var pause backoff
	for {
		began := time.Now()
		if n.survive(actor, func() { run(ctx) }) {
			return
		}
		if time.Since(began) >= steadyAfter {
			pause.reset()
		}
		if !sleep(ctx, pause.next()) {
			return
		}
		n.fetchNow() // what the actor was to pass on may be lost
	}
}

// survive runs do, and reports whether it ended without a panic.
func (n *Nodes) survive(part string, do func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			n.fault(part, p)
		}
	}()
	do()
	return true
}

// fault takes note of a panic. It is called while the panic unwinds, so that
// the stack is that of its cause; n.mu is free, since whoever holds it releases
// it in a deferred call.
func (n *Nodes) fault(part string, value any) {
	n.log.Error("panic caught", "part", part, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults++
	n.eventLocked("fault", "A fault of this program was caught ("+part+"). The log holds the details.")
}
