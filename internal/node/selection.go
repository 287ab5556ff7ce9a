package node

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// returnAfter is how long a preferred node must have been well before
// templates come from it again.
const returnAfter = 30 * time.Second

// behindAfter is how long a node may lag behind another one before it counts
// as syncing. Blocks need seconds to reach all nodes and to be checked there;
// work on a tip that others have left is worth nothing.
const behindAfter = 10 * time.Second

// setStateLocked records a node's state and selects again. A template of m may
// be at hand already; then none has to be fetched.
func (n *Nodes) setStateLocked(m *member, state, reason string, haveTemplate bool) {
	if state != m.state || reason != m.reason {
		if state != m.state && (m.state != StateConnecting || state != StateReady) {
			tell := n.eventLocked
			if state != StateReady {
				tell = n.troubleLocked
			}
			tell("node", m.name+": "+m.state+" → "+state+wordsAfter(reason))
		}
		if state == StateReady && m.state != StateReady {
			m.readyAt = time.Now()
		}
		m.state, m.reason = state, reason
	}
	if n.selectLocked() && (!haveTemplate || n.active != m) {
		n.fetchNow()
	}
}

// wordsAfter puts a reason behind something.
func wordsAfter(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// fail is failLocked for who does not hold the lock.
func (n *Nodes) fail(m *member, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failLocked(m, err)
}

// failLocked takes note that a node cannot be used. Its monitor finds out when
// it can be again.
func (n *Nodes) failLocked(m *member, err error) {
	state, reason := explain(err, m.rpc.endpoint.address)
	m.proven, m.genesisKnown, m.failed = false, false, true
	m.behindAt = time.Time{}
	if n.active == m || n.active == nil && reason != m.reason {
		n.feedErr, n.feedErrAt = m.name+": "+reason, time.Now()
		n.feedEventLocked(n.feedErr)
	}
	n.setStateLocked(m, state, reason, false)
	signal(m.wake)
}

// selectLocked decides which node is active, the first usable one, and reports
// whether that is another one than before. A better one that comes back takes
// over only after it has been well for a while and is not behind, so that a
// node that comes and goes does not pull the pool along.
func (n *Nodes) selectLocked() (changed bool) {
	now := time.Now()
	keep := n.active
	if keep != nil && !keep.usableLocked() {
		keep = nil
	}
	choice := keep
	for _, m := range n.members {
		if !m.usableLocked() {
			continue
		}
		if keep == nil || m == keep || ((!m.failed || now.Sub(m.readyAt) >= returnAfter) && m.height >= keep.height) {
			choice = m
			break
		}
	}
	if choice == n.active {
		return false
	}

	before := n.active
	n.active, n.hinted = choice, bitcoin.Hash{} // what another node announced does not count
	n.broadcastLocked()
	switch {
	case choice == nil:
		n.feedEventLocked("event: no usable node")
		n.troubleLocked("feed", "No usable node: there are no new templates.")
		return true
	case before != nil:
		n.eventLocked("feed", "Templates come from "+choice.name+" now, no longer from "+before.name+".")
	case len(n.feedHistory) > 0 || len(n.members) > 1:
		n.eventLocked("feed", "Templates come from "+choice.name+".")
	}
	n.feedEventLocked("event: templates from " + choice.name)
	return true
}

// spareLocked reports whether another node could take the place of m at once.
func (n *Nodes) spareLocked(m *member) bool {
	for _, other := range n.members {
		if other != m && other.usableLocked() {
			return true
		}
	}
	return false
}

// leadLocked is how many blocks a node is ahead of another. The chain with more
// work counts, as far as the nodes tell: on test networks that need not be the
// higher one.
func (m *member) leadLocked(other *member) int64 {
	lead := max(0, m.height-other.height)
	mine, theirs := m.chain.ChainWork, other.chain.ChainWork
	switch {
	case mine == "" || len(mine) != len(theirs): // hex digits of equal length compare as numbers
		return lead
	case mine > theirs:
		return max(lead, 1)
	}
	return 0
}

// updateHeightLocked notes a node's height and judges whether it is behind the
// other usable nodes, for longer than blocks take to travel.
func (n *Nodes) updateHeightLocked(m *member, height int64, now time.Time) (behind int64) {
	m.height = height
	for _, other := range n.members {
		if other != m && other.usableLocked() {
			behind = max(behind, other.leadLocked(m))
		}
	}
	// The active node is looked at soon after another one has passed it.
	if a := n.active; a != nil && a != m && m.usableLocked() && a.behindAt.IsZero() && m.leadLocked(a) > 0 {
		signal(a.wake)
	}
	if behind == 0 {
		m.behindAt = time.Time{}
		return 0
	}
	if m.behindAt.IsZero() {
		m.behindAt = now
	}
	if now.Sub(m.behindAt) < behindAfter {
		return 0
	}
	return behind
}
