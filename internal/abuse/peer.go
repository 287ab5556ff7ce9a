package abuse

import (
	"container/list"
	"net/netip"
	"time"
)

// maxIdlePeers bounds the blocks without a connection that are remembered;
// those whose last connection ended first are forgotten first.
const maxIdlePeers = 65_536

// honestFor is how long honest work speaks for its block.
const honestFor = 15 * time.Minute

// peer is what is known of one block of addresses.
type peer struct {
	block   netip.Prefix
	open    int // connections
	pending int // of them, those that have not signed in

	tokens   float64 // connections that may come now
	tokensAt time.Time

	drops   float64 // connections that were dropped, minus what was forgotten
	dropsAt time.Time

	// Two connections that did honest work last: when one of them is dropped,
	// the other may still speak for the block.
	honest [2]witness

	idle *list.Element // in Watch.idle while open is 0
}

// witness is a connection with honest work.
type witness struct {
	visit uint64
	at    time.Time
}

// take takes a token for a connection.
func (p *peer) take(burst int, rate float64, now time.Time) bool {
	most := float64(max(burst, 1))
	if p.tokensAt.IsZero() {
		p.tokens = most
	} else if d := now.Sub(p.tokensAt).Seconds(); d > 0 {
		p.tokens = min(most, p.tokens+d*rate)
	}
	p.tokensAt = now
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}

// drop counts a dropped connection and returns how many there are.
func (p *peer) drop(now time.Time) float64 {
	if d := now.Sub(p.dropsAt); d > 0 {
		p.drops = max(0, p.drops-float64(d)/float64(DropMemory))
	}
	p.dropsAt = now
	p.drops++
	return p.drops
}

// vouch notes honest work of a connection.
func (p *peer) vouch(visit uint64, at time.Time) {
	w := &p.honest[0]
	if other := &p.honest[1]; other.visit == visit || w.visit != visit && other.at.Before(w.at) {
		w = other
	}
	*w = witness{visit, at}
}

// disown takes back what a connection said for its block.
func (p *peer) disown(visit uint64) {
	for i := range p.honest {
		if p.honest[i].visit == visit {
			p.honest[i] = witness{}
		}
	}
}

// isHonest reports whether somebody does honest work there.
func (p *peer) isHonest(now time.Time) bool {
	for _, w := range p.honest {
		if !w.at.IsZero() && now.Sub(w.at) < honestFor {
			return true
		}
	}
	return false
}
