package account

import (
	"net/netip"
	"sync"
	"time"
)

// How wrong passwords are limited. Whoever fails for one account from one
// address waits twice as long each time. What comes from one address for any
// account, and what comes for one account from anywhere, is slowed down; but not
// from an address where the account was signed in before, so that no stranger
// can keep its owner out, and less from networks that did not fail before.
const (
	freeFailures = 5 // of one address for one account, before the first wait
	firstWait    = time.Second
	longestWait  = 15 * time.Minute
	forgetAfter  = 24 * time.Hour // a pair's failures

	addressBurst   = 30 // failures of one address, and then
	addressEvery   = time.Minute
	accountBurst   = 50 // failures for one account, and then
	accountEvery   = 10 * time.Second
	reservedBurst  = 20 // more from networks that hardly failed for the account, and then
	reservedEvery  = 30 * time.Second
	freshFailures  = 3 // which is less than so many
	registerBurst  = 5 // accounts made from one address, and then
	registerEvery  = 12 * time.Minute
	registerAll    = 60              // accounts made from everywhere, and then
	registerAllFor = 2 * time.Minute // see forgetUnused

	maxPairs   = 16_384 // remembered, and as many addresses and accounts
	maxKnown   = 4096
	maxKnownOf = 32                  // for one account
	knownAfter = 30 * 24 * time.Hour // of no success an address is strange again
)

// pair is an account and where somebody tries to sign in to it.
type pair struct{ account, address string }

// failures are those of a pair.
type failures struct {
	count int
	until time.Time // no attempt before
	last  time.Time
}

// limiter remembers failures, within bounds.
type limiter struct {
	now func() time.Time

	mu                  sync.Mutex
	pairs               map[pair]failures  // guarded by mu
	known               map[pair]time.Time // by the last success; guarded by mu
	networks            map[pair]failures  // of unknown addresses, by networkOf; guarded by mu
	addresses, accounts buckets            // guarded by mu
	reserved            buckets            // by account; guarded by mu
	registrations, all  buckets            // guarded by mu
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{
		now: now, pairs: make(map[pair]failures), known: make(map[pair]time.Time), networks: make(map[pair]failures),
		reserved:  newBuckets(reservedBurst, reservedEvery),
		addresses: newBuckets(addressBurst, addressEvery), accounts: newBuckets(accountBurst, accountEvery),
		registrations: newBuckets(registerBurst, registerEvery), all: newBuckets(registerAll, registerAllFor),
	}
}

// blockOf is what is limited as one address: of IPv6 a /64, which is the least
// that anybody has.
func blockOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64) // 64 is a length that IPv6 has
	return p.String()
}

// networkOf is what somebody may have many addresses in: an IPv4 /24 and an IPv6
// /48.
func networkOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits) // lengths that they have
	return p.String()
}

// attempt is one that was let through. It counts as failed from the beginning,
// so that many at once are no more than one after the other.
type attempt struct {
	l        *limiter
	pair     pair
	network  pair
	known    bool
	reserved bool // it took what the account keeps for networks that did not fail
}

// begin lets an attempt through or fails with a *BusyError.
func (l *limiter) begin(account, address string) (*attempt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, p := l.now(), pair{account, blockOf(address)}
	f := l.pairs[p]
	if now.Sub(f.last) >= forgetAfter {
		f = failures{}
	}
	if wait := f.until.Sub(now); wait > 0 {
		return nil, &BusyError{reasonPair, wait}
	}
	a := &attempt{l: l, pair: p, network: pair{account, networkOf(address)}}
	at, known := l.known[p]
	if a.known = known && now.Sub(at) < knownAfter; !a.known {
		if wait := l.addresses.wait(p.address, now); wait > 0 {
			return nil, &BusyError{reasonAddress, wait}
		}
		if err := l.takeLocked(a, now); err != nil {
			return nil, err
		}
	}
	f.count++
	f.last = now
	if over := f.count - freeFailures; over >= 0 {
		f.until = now.Add(min(longestWait, firstWait<<min(over, 20)))
	}
	if _, there := l.pairs[p]; !there && len(l.pairs) >= maxPairs {
		evict(l.pairs, func(f failures) bool { return now.After(f.until) })
	}
	l.pairs[p] = f
	return a, nil
}

// takeLocked counts an attempt from an unknown address, or fails with a *BusyError
// when there were too many for the account.
func (l *limiter) takeLocked(a *attempt, now time.Time) error {
	before := l.networks[a.network]
	if now.Sub(before.last) >= forgetAfter {
		before = failures{}
	}
	if wait := l.accounts.wait(a.pair.account, now); wait > 0 {
		if before.count >= freshFailures {
			return &BusyError{reasonAccount, wait}
		}
		if reserved := l.reserved.wait(a.pair.account, now); reserved > 0 {
			return &BusyError{reasonAccount, min(wait, reserved)}
		}
		a.reserved = true
		l.reserved.take(a.pair.account, now)
	} else {
		l.accounts.take(a.pair.account, now)
	}
	l.addresses.take(a.pair.address, now)
	if _, there := l.networks[a.network]; !there && len(l.networks) >= maxPairs {
		evict(l.networks, func(f failures) bool { return now.Sub(f.last) >= forgetAfter })
	}
	l.networks[a.network] = failures{count: before.count + 1, last: now}
	return nil
}

// undo takes an attempt back that was not made. Others that were begun since
// count as before, and so does a wait that is under way.
func (a *attempt) undo() {
	a.l.mu.Lock()
	defer a.l.mu.Unlock()
	a.giveBackLocked()
	f, there := a.l.pairs[a.pair]
	if !there {
		return
	}
	if f.count--; f.count <= 0 {
		delete(a.l.pairs, a.pair)
		return
	}
	if f.count < freeFailures {
		f.until = time.Time{} // so many are free
	}
	a.l.pairs[a.pair] = f
}

// succeeded forgets the failures of the pair, which is known from now on.
func (a *attempt) succeeded() {
	a.l.mu.Lock()
	defer a.l.mu.Unlock()
	a.giveBackLocked()
	delete(a.l.pairs, a.pair)
	a.l.knowLocked(a.pair, a.l.now())
}

// know remembers where accounts were signed in before.
func (l *limiter) know(origins []Origin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range origins {
		if p := (pair{o.Account, blockOf(o.Address)}); o.At.After(l.known[p]) {
			l.knowLocked(p, o.At)
		}
	}
}

// knowLocked remembers an address of an account. The account's oldest makes room
// for it when it has many: others' do so only when all is full.
func (l *limiter) knowLocked(p pair, at time.Time) {
	if _, there := l.known[p]; !there {
		var own int
		var oldest, oldestOwn pair
		for other, at := range l.known {
			if first, ok := l.known[oldest]; !ok || at.Before(first) {
				oldest = other
			}
			if other.account != p.account {
				continue
			}
			own++
			if first, ok := l.known[oldestOwn]; !ok || at.Before(first) {
				oldestOwn = other
			}
		}
		switch {
		case own >= maxKnownOf:
			delete(l.known, oldestOwn)
		case len(l.known) >= maxKnown:
			delete(l.known, oldest)
		}
	}
	l.known[p] = at
}

func (a *attempt) giveBackLocked() {
	if a.known {
		return
	}
	a.l.addresses.giveBack(a.pair.address)
	if a.reserved {
		a.l.reserved.giveBack(a.pair.account)
	} else {
		a.l.accounts.giveBack(a.pair.account)
	}
	if f, there := a.l.networks[a.network]; there {
		if f.count--; f.count <= 0 {
			delete(a.l.networks, a.network)
		} else {
			a.l.networks[a.network] = f
		}
	}
}

// register lets an account be made from an address, or fails with a *BusyError.
func (l *limiter) register(address string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, block := l.now(), blockOf(address)
	if wait := max(l.registrations.wait(block, now), l.all.wait("", now)); wait > 0 {
		return &BusyError{reasonRegister, wait}
	}
	l.registrations.take(block, now)
	l.all.take("", now)
	return nil
}

// size is the number of entries in memory.
func (l *limiter) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pairs) + len(l.addresses.m) + len(l.accounts.m) + len(l.registrations.m) + len(l.reserved.m) + len(l.networks)
}

// buckets are token buckets by name.
type buckets struct {
	burst float64
	every time.Duration // one token
	m     map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newBuckets(burst int, every time.Duration) buckets {
	return buckets{float64(burst), every, make(map[string]bucket)}
}

func (b *buckets) level(name string, now time.Time) float64 {
	known, ok := b.m[name]
	if !ok {
		return b.burst
	}
	return min(b.burst, known.tokens+max(0, float64(now.Sub(known.at))/float64(b.every)))
}

// wait is the time until there is a token, 0 when there is one.
func (b *buckets) wait(name string, now time.Time) time.Duration {
	level := b.level(name, now)
	if level >= 1 {
		return 0
	}
	return max(time.Millisecond, time.Duration((1-level)*float64(b.every)))
}

func (b *buckets) take(name string, now time.Time) {
	if _, there := b.m[name]; !there && len(b.m) >= maxPairs {
		evict(b.m, func(k bucket) bool { return k.tokens+float64(now.Sub(k.at))/float64(b.every) >= b.burst })
	}
	b.m[name] = bucket{b.level(name, now) - 1, now}
}

func (b *buckets) giveBack(name string) {
	if known, ok := b.m[name]; ok {
		known.tokens = min(b.burst, known.tokens+1)
		b.m[name] = known
	}
}

// evict makes room in a full map: an entry that is worth nothing any more if one
// of a few is, otherwise any.
func evict[K comparable, V any](m map[K]V, worthless func(V) bool) {
	looked := 0
	var victim K
	for k, v := range m {
		victim = k
		if looked++; worthless(v) || looked >= 64 {
			break
		}
	}
	delete(m, victim)
}
