package node

import (
	"context"
	"errors"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// stallAfter is how long a long poll may stay silent after the node's tip was
// seen to change. Then its connection is half dead: the node has answered into
// the void.
const stallAfter = 10 * time.Second

// hastyAfter: a long poll that comes back sooner with the same tip did not wait.
const hastyAfter = time.Second

// longPoll keeps one long poll (BIP22) open at the active node. Bitcoin Core
// answers it within a second of a new tip, and after a minute when the
// mempool has changed.
func (n *Nodes) longPoll(ctx context.Context) {
	var pause backoff
	for ctx.Err() == nil {
		m, base, changed := n.longPollBase()
		if m == nil {
			select {
			case <-ctx.Done():
			case <-changed:
			}
			continue
		}

		began := time.Now()
		t, err := n.pollOnce(ctx, m, base)
		switch {
		case ctx.Err() != nil:
			return
		case t != nil:
			n.setLongPoll(m, true, "")
			n.accept(m, t, false)
			if t.PrevHash == base.PrevHash && time.Since(began) < hastyAfter {
				sleep(ctx, pause.next())
			} else {
				pause.reset()
			}
		case err != nil:
			// Whether the node itself is gone is for its monitor to say.
			_, reason := explain(err, m.rpc.endpoint.address)
			n.setLongPoll(m, false, reason)
			signal(m.wake)
			sleep(ctx, pause.next())
		}
	}
}

// longPollBase returns the active node and its template to be improved on;
// nil when there is none, or the node has no long polling. Changed is closed
// when that may be otherwise.
func (n *Nodes) longPollBase() (m *member, base *Template, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active == nil || n.current == nil || n.current.Node != n.active.name || n.current.LongPollID == "" {
		return nil, nil, n.changed
	}
	return n.active, n.current, n.changed
}

// pollOnce waits for a better template than base. It returns nil and no error
// when the wait has become pointless.
func (n *Nodes) pollOnce(ctx context.Context, m *member, base *Template) (*Template, error) {
	pollCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := n.fetchAside(pollCtx, m, base.LongPollID)

	stall := time.NewTimer(stallAfter)
	stall.Stop()
	defer stall.Stop()
	late := false
	for {
		active, tip, changed := n.tipNow()
		if active != m {
			cancel()
			<-answer
			return nil, nil
		}
		if tip != base.PrevHash && !late {
			late = true
			stall.Reset(stallAfter)
		}

		select {
		case r := <-answer:
			if errors.Is(r.err, errQuiet) {
				return nil, nil
			}
			return r.t, r.err
		case <-changed:
		case <-stall.C:
			cancel()
			<-answer
			n.setLongPoll(m, false, "The long poll missed a new block; its connection was half dead.")
			return nil, nil
		}
	}
}

// tipNow returns the active node and the tip that the pool works on.
func (n *Nodes) tipNow() (*member, bitcoin.Hash, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil {
		return n.active, bitcoin.Hash{}, n.changed
	}
	return n.active, n.current.PrevHash, n.changed
}

// setLongPoll records whether the long poll of a node can be relied on.
func (n *Nodes) setLongPoll(m *member, ok bool, reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.longPollOK && !ok {
		n.eventLocked("longpoll", m.name+": "+reason)
		n.feedEventLocked("event: long poll failed (" + m.name + ")")
	}
	m.longPollOK = ok
}
