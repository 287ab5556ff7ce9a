package pool

import (
	"runtime/debug"
	"time"
)

// guardHashing keeps a panic in the hashing of many sessions' shares from ending
// them all: what was not hashed then is hashed one by one.
func (p *Pool) guardHashing(do func()) {
	defer func() {
		if fault := recover(); fault != nil {
			p.counters.panics.Add(1)
			p.log.Error("hashing of shares failed", "panic", fault, "stack", string(debug.Stack()))
			p.events.add(time.Now(), "share", "internal error in the hashing of shares")
		}
	}()
	do()
}

// reportHashing says what shares are hashed with, and what was found wrong.
func (p *Pool) reportHashing() {
	failed := p.hasher.Failed()
	if failed == "" {
		p.log.Info("hashing of shares", "kernels", p.hasher.Names())
		return
	}
	p.log.Error("hashing of shares: this CPU computes wrong hashes", "failed", failed, "kernels", p.hasher.Names())
	p.events.add(time.Now(), "share", "wrong hashes by "+failed+"; shares are hashed by "+p.hasher.Names())
}
