package oidc

import (
	"container/list"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"
)

// Bounds of the flows that have begun and not ended. Who begins more from one
// address loses the own oldest ones, not those of others.
const (
	flowLife           = 10 * time.Minute
	maxFlows           = 8192
	maxFlowsPerAddress = 512
)

// flow is one way to a provider and back.
type flow struct {
	state    string
	provider string
	browser  [sha256.Size]byte // of the cookie's value
	address  string            // that it began from
	verifier string            // PKCE (RFC 7636)
	nonce    string
	callback string
	returnTo string
	again    string // subject who is to sign in once more; "" for a sign-in
	began    time.Time
}

// flows are those under way, oldest first. The zero value is empty.
type flows struct {
	mu      sync.Mutex
	order   list.List // of *flow
	byState map[string]*list.Element
	from    map[string]int // by address
	dropped uint64         // for want of room
	expired uint64
}

// add keeps a flow until it is taken or its time is over.
func (f *flows) add(fl *flow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byState == nil {
		f.byState, f.from = make(map[string]*list.Element), make(map[string]int)
	}
	f.prune(fl.began)
	if f.from[fl.address] >= maxFlowsPerAddress {
		for e := f.order.Front(); e != nil; e = e.Next() {
			if e.Value.(*flow).address == fl.address {
				f.remove(e)
				f.dropped++
				break
			}
		}
	}
	if f.order.Len() >= maxFlows {
		f.remove(f.order.Front())
		f.dropped++
	}
	f.byState[fl.state] = f.order.PushBack(fl)
	f.from[fl.address]++
}

// take ends the flow of a state, which works once. It is nil when there is
// none, or when another browser began it.
func (f *flows) take(state, provider, cookie string, now time.Time) *flow {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prune(now)
	e, ok := f.byState[state]
	if !ok {
		return nil
	}
	fl := e.Value.(*flow)
	f.remove(e)
	sum := sha256.Sum256([]byte(cookie))
	if cookie == "" || subtle.ConstantTimeCompare(sum[:], fl.browser[:]) != 1 || fl.provider != provider {
		return nil
	}
	return fl
}

// prune forgets what is over. The caller holds mu.
func (f *flows) prune(now time.Time) {
	for e := f.order.Front(); e != nil && now.Sub(e.Value.(*flow).began) >= flowLife; e = f.order.Front() {
		f.remove(e)
		f.expired++
	}
}

func (f *flows) remove(e *list.Element) {
	fl := f.order.Remove(e).(*flow)
	delete(f.byState, fl.state)
	if f.from[fl.address]--; f.from[fl.address] <= 0 {
		delete(f.from, fl.address)
	}
}

// size is the number of flows under way.
func (f *flows) size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.order.Len()
}
