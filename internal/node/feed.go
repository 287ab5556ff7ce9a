package node

import (
	"context"
	"errors"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// heartbeat is how often a template is delivered when nothing changes, so that
// the block time of the pool's work keeps up.
const heartbeat = 30 * time.Second

// patience is how old a call for a template may become before what happens in
// the meantime no longer waits for it. Slow nodes need several seconds.
const patience = 5 * time.Second

// Why a call for a template was given up.
var (
	errDeposed   = errors.New("the node is no longer the active one")
	errOvertaken = errors.New("a block was announced during the call")
)

// feed fetches templates from the active node, one at a time. Whatever wants
// one leaves a token in kick; tokens that arrive together cause one call, a
// token that arrives during a call causes another.
func (n *Nodes) feed(ctx context.Context) {
	var pause backoff
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	for {
		beat := false
		select {
		case <-ctx.Done():
			return
		case <-n.kick:
		case <-timer.C:
			beat = true
		}

		m, due := n.nextFetch()
		switch {
		case m == nil:
			timer.Reset(heartbeat) // selection will kick
			continue
		case beat && due > 0:
			timer.Reset(due) // a long poll was faster
			continue
		}

		if err := n.fetch(ctx, m); err != nil {
			if ctx.Err() != nil {
				return
			}
			timer.Reset(pause.next())
			continue
		}
		pause.reset()
		_, due = n.nextFetch()
		timer.Reset(max(due, 0))
	}
}

// nextFetch returns the active node, and when its next template is due. The
// call is started early by as long as the last one took, since a slow node
// must not stretch the heartbeat.
func (n *Nodes) nextFetch() (*member, time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	early := min(n.gbt.last, heartbeat/3)
	return n.active, time.Until(n.sentAt.Add(heartbeat - early))
}

// fetch makes the one call that stands between a new tip and its template. A
// node that hangs must not hold up the pool: the call ends when another node
// becomes active, and is made anew when it has become old and a block was
// announced since it began.
func (n *Nodes) fetch(ctx context.Context, m *member) error {
	forced := false
	t, err := (*Template)(nil), errOvertaken
	for errors.Is(err, errOvertaken) {
		drain(n.kick) // the call that begins now serves whoever asked so far
		forced = n.forced.Swap(false) || forced
		t, err = n.fetchOnce(ctx, m)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		n.accept(m, t, forced)
		return nil
	}
	if forced {
		n.forced.Store(true)
	}
	if errors.Is(err, errDeposed) {
		n.fetchNow()
		return nil
	}
	n.fail(m, err)
	return err
}

// fetchOnce makes one call, or begins it at least: it ends with errDeposed or
// errOvertaken when there is no sense in waiting any longer.
func (n *Nodes) fetchOnce(ctx context.Context, m *member) (*Template, error) {
	callCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	hinted := n.beginFetch()
	defer n.endFetch()
	answer := n.fetchAside(callCtx, m, "")

	old := false
	age := time.NewTimer(patience)
	defer age.Stop()
	for {
		active, announced, changed := n.announcedNow(hinted)
		if giveUp := active != m; giveUp || announced && old {
			cancel()
			<-answer
			if giveUp {
				return nil, errDeposed
			}
			return nil, errOvertaken
		}
		select {
		case r := <-answer:
			n.forgetHint(hinted)
			return r.t, r.err
		case <-changed:
		case <-age.C:
			old = true
		}
	}
}

// fetchResult is what fetchTemplate returns.
type fetchResult struct {
	t   *Template
	err error
}

// fetchAside is fetchTemplate for who has to watch other things meanwhile. The
// answer always comes, at once when ctx ends.
func (n *Nodes) fetchAside(ctx context.Context, m *member, longPollID string) <-chan fetchResult {
	answer := make(chan fetchResult, 1)
	go func() {
		t, err := n.fetchTemplate(ctx, m, longPollID)
		answer <- fetchResult{t, err}
	}()
	return answer
}

// beginFetch marks a call for a template as under way, and returns the
// announcement that it was made after.
func (n *Nodes) beginFetch() (hinted bitcoin.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fetchingAt = time.Now()
	return n.hinted
}

func (n *Nodes) endFetch() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fetchingAt = time.Time{}
}

// fetchingLocked reports whether a template is likely to arrive any moment.
func (n *Nodes) fetchingLocked(now time.Time) bool {
	return !n.fetchingAt.IsZero() && now.Sub(n.fetchingAt) < patience
}

// announcedNow returns the active node, and whether a block was announced after
// hinted. Changed is closed when either may be otherwise.
func (n *Nodes) announcedNow(hinted bitcoin.Hash) (active *member, announced bool, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.active, n.hinted != hinted, n.changed
}

// forgetHint lets the same block be announced again, after the call that was
// made for it.
func (n *Nodes) forgetHint(hinted bitcoin.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hinted == hinted {
		n.hinted = bitcoin.Hash{}
	}
}

// accept delivers a template of the active node, unless it is no news. From
// the moment that it arrived until it is in the channel nothing is waited for.
func (n *Nodes) accept(m *member, t *Template, forced bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active != m {
		return
	}
	before := n.current
	sameNode := before != nil && before.Node == m.name
	newTip := !sameNode || before.PrevHash != t.PrevHash

	// Two calls were under way at the same time and saw different tips, or the
	// node announced another tip during this one. Which one is the later cannot
	// be known, so the node is asked again.
	if newTip && sameNode && t.RequestedAt.Before(n.tipSince) || n.awaited.before(m, t) {
		if forced {
			n.forced.Store(true)
		}
		n.fetchNow()
		return
	}
	if newTip {
		n.tipSince = t.ReceivedAt
		n.tipLive = sameNode
	}
	n.current, n.awaited = t, announcement{}
	m.height = t.Height - 1

	news := newTip || !before.sameWork(t)
	if news || forced || t.ReceivedAt.Sub(n.sentAt) >= heartbeat/2 {
		replace(n.templates, t)
		n.sentAt = t.ReceivedAt
	}
	if n.feedErr != "" {
		n.feedErr = ""
		n.feedEventLocked("event: templates arrive again (" + m.name + ")")
	}
	if newTip {
		n.broadcastLocked()
	}
	signal(n.fetched)
}

// announcement is a tip that was delivered as such, while its template is still
// to come.
type announcement struct {
	by   *member
	hash bitcoin.Hash
	at   time.Time
}

// before reports whether t was asked for before its node announced another tip:
// the pool works on that one already, and t would take it back.
func (a announcement) before(m *member, t *Template) bool {
	return a.by == m && a.hash != t.PrevHash && t.RequestedAt.Before(a.at)
}

// replace puts v into a channel of capacity 1, in place of what is in it. All
// callers for one channel hold the same lock.
func replace[T any](c chan T, v T) {
	select {
	case <-c:
	default:
	}
	c <- v
}

// hint says that the node has another best block. It causes one call, however
// many publishers announce the same block, in place of one that hangs.
func (n *Nodes) hint(m *member, hash bitcoin.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active == m {
		n.hintLocked(hash)
		return
	}
	signal(m.wake) // whether it is ahead of the active node is for its monitor to say
}

func (n *Nodes) hintLocked(hash bitcoin.Hash) {
	if n.hinted == hash || (n.current != nil && n.current.PrevHash == hash) {
		return
	}
	n.hinted = hash
	n.fetchNow()
	n.broadcastLocked()
}
