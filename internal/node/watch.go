package node

import (
	"context"
	"errors"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

const (
	watchInterval = time.Second

	// maxWatchTimeouts is how many calls in a row may time out before the node
	// counts as gone: while it connects a block, a node may not answer.
	maxWatchTimeouts = 3

	// missedAfter is how long a publisher may be silent about a new tip.
	missedAfter = 5 * time.Second
)

// watch asks the active node for its best block once a second while ZMQ or the
// long poll cannot be relied on, unless a template is about to arrive, and
// finds out when a publisher has gone silent.
func (n *Nodes) watch(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	timeouts := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		m, needed := n.watchNeeded(time.Now())
		if m == nil || !needed {
			continue
		}

		var text string
		err := n.call(ctx, m, quickTimeout, &text, "getbestblockhash")
		if ctx.Err() != nil {
			return
		}
		var late *timeoutError
		if errors.As(err, &late) {
			timeouts++
		} else {
			timeouts = 0
		}
		switch {
		case err == nil:
			n.compareTip(m, text)
		case connectivity(err) && (timeouts == 0 || timeouts >= maxWatchTimeouts):
			timeouts = 0
			n.fail(m, err)
		}
	}
}

// watchNeeded returns the active node, and whether it has to be watched.
func (n *Nodes) watchNeeded(now time.Time) (*member, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.active
	if m == nil {
		return nil, false
	}
	if n.tipLive && now.Sub(n.tipSince) >= missedAfter {
		n.tipLive = false // judged once
		for _, s := range m.zmq {
			if s.missedLocked(n.tipSince) {
				n.zmqGaps++
				n.eventLocked("zmq", m.name+": "+s.address+" did not announce the last block.")
				s.abort()
			}
		}
	}
	return m, !n.fetchingLocked(now) && (!m.longPollOK || !m.zmqHealthyLocked())
}

// compareTip fetches a template when the node's best block is not the one that
// the pool builds on, be it higher or lower.
func (n *Nodes) compareTip(m *member, text string) {
	best, err := bitcoin.ParseHash(text)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active != m || n.current == nil || n.current.PrevHash == best || n.fetchingLocked(time.Now()) {
		return
	}
	n.hintLocked(best)
}
