package abuse

import (
	"container/list"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Watch knows the blocks of addresses that connections come from. Make one
// with New, Load the bans that are kept, and Run it. Its methods are safe for
// concurrent use; none of them but Load and Run does I/O.
type Watch struct {
	cfg   atomic.Pointer[Config]
	store Store // nil keeps bans in memory only
	log   *slog.Logger
	wake  chan struct{} // there is something to write

	made, spared, unsaved, failures atomic.Uint64

	mu     sync.Mutex // guards everything below, and all peers
	peers  map[netip.Prefix]*peer
	idle   list.List // of *peer without a connection, the latest in front
	visits uint64    // number of the latest visit
	bans   bans
	dirty  map[netip.Prefix]struct{} // blocks whose bans are to be written
}

// New makes a watch. A nil store keeps bans until the process ends.
func New(cfg Config, store Store, log *slog.Logger) *Watch {
	w := &Watch{
		store: store,
		log:   log,
		wake:  make(chan struct{}, 1),
		peers: make(map[netip.Prefix]*peer),
		bans:  bans{m: make(map[netip.Prefix]*Ban)},
		dirty: make(map[netip.Prefix]struct{}),
	}
	w.cfg.Store(&cfg)
	return w
}

// SetConfig replaces the configuration. What is banned stays banned.
func (w *Watch) SetConfig(cfg Config) { w.cfg.Store(&cfg) }

// StrikeLimit is the number of points at which a connection is to be dropped.
func (w *Watch) StrikeLimit() float64 { return w.cfg.Load().StrikeLimit }

// Visit is one connection as the watch knows it. The zero value is one that it
// never counted.
type Visit struct {
	id      uint64
	peer    *peer // nil for local and trusted addresses; never changes
	pending bool  // guarded by Watch.mu, as is the next
	ended   bool
}

// Refusal is why a connection may not come in.
type Refusal struct {
	Reason stratum.CloseReason // CloseUnknown when it may
	Ban    Ban                 // for CloseBanned
}

// Admit asks whether an address may open one more connection. A visit that is
// admitted must be ended with Leave. exempt says that the address is trusted
// whatever the configuration says.
func (w *Watch) Admit(address netip.Addr, exempt bool, now time.Time) (Visit, Refusal) {
	cfg := w.cfg.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	if b := w.bans.find(address, now); b != nil {
		return Visit{}, Refusal{stratum.CloseBanned, *b}
	}
	if exempt || IsLocal(address) || within(cfg.Trusted, address) {
		return Visit{}, Refusal{}
	}

	p := w.peerLocked(BlockOf(address))
	defer w.rankLocked(p)
	switch {
	case cfg.MaxPending > 0 && p.pending >= cfg.MaxPending:
		return Visit{}, Refusal{Reason: stratum.CloseTooManyPending}
	case cfg.ConnectBurst > 0 && !p.take(cfg.ConnectBurst, cfg.ConnectRate, now):
		return Visit{}, Refusal{Reason: stratum.CloseTooFast}
	}
	p.open++
	p.pending++
	w.visits++
	return Visit{id: w.visits, peer: p, pending: true}, Refusal{}
}

// SignedIn notes that a connection is that of an authorized miner.
func (w *Watch) SignedIn(v *Visit) {
	if v.peer == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	v.settleLocked()
}

func (v *Visit) settleLocked() {
	if v.pending {
		v.pending = false
		v.peer.pending--
	}
}

// Vouch notes that a connection did honest work at a time. While any other
// connection of its block did so within a quarter of an hour, the block is not
// banned. Once a minute is often enough.
func (w *Watch) Vouch(v *Visit, at time.Time) {
	if v.peer == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !v.ended {
		v.peer.vouch(v.id, at)
	}
}

// Leave ends a visit. One that misbehaved counts against its block, and may get
// it banned; why is for people.
func (w *Watch) Leave(v *Visit, misbehaved bool, why string, now time.Time) {
	p := v.peer
	if p == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.ended {
		return
	}
	v.settleLocked()
	v.ended = true
	p.open--
	if misbehaved {
		w.dropLocked(p, v.id, why, now)
	}
	w.rankLocked(p)
}

// dropLocked counts a dropped connection against its block.
func (w *Watch) dropLocked(p *peer, visit uint64, why string, now time.Time) {
	p.disown(visit)
	drops, cfg := p.drop(now), w.cfg.Load()
	if cfg.BanAfter <= 0 || cfg.BanTime <= 0 || drops <= float64(cfg.BanAfter-1) {
		return
	}
	if p.isHonest(now) {
		// One bad rig behind a router must not cut its farm off.
		p.drops = float64(cfg.BanAfter)
		w.spared.Add(1)
		return
	}
	p.drops = 0
	w.banLocked(p.block, cfg, why, now)
}

// peerLocked finds or makes the record of a block.
func (w *Watch) peerLocked(block netip.Prefix) *peer {
	p := w.peers[block]
	if p == nil {
		p = &peer{block: block}
		w.peers[block] = p
	}
	return p
}

// rankLocked puts a block without connections in front of the idle ones, takes
// one with connections out of them, and forgets the oldest.
func (w *Watch) rankLocked(p *peer) {
	switch {
	case p.open > 0 && p.idle != nil:
		w.idle.Remove(p.idle)
		p.idle = nil
	case p.open == 0 && p.idle == nil:
		p.idle = w.idle.PushFront(p)
	case p.open == 0:
		w.idle.MoveToFront(p.idle)
	}
	if w.idle.Len() > maxIdlePeers {
		oldest := w.idle.Remove(w.idle.Back()).(*peer)
		oldest.idle = nil
		delete(w.peers, oldest.block)
	}
}

// Status is what the operator sees of the watch.
type Status struct {
	Bans   []Ban  // in force, those that last longest first; never changed
	Made   uint64 // bans made since the process started, by hand or not
	Spared uint64 // bans not made, since somebody honest is at the same address
	// Unsaved counts bans that were given up unwritten, Failures failed
	// attempts to write.
	Unsaved, Failures uint64
	Blocks            int // blocks of addresses that are remembered
}

// Status returns the state of the watch at a time.
func (w *Watch) Status(now time.Time) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Status{
		Bans: w.bans.list(now), Made: w.made.Load(), Spared: w.spared.Load(),
		Unsaved: w.unsaved.Load(), Failures: w.failures.Load(), Blocks: len(w.peers),
	}
}
