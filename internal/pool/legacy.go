package pool

import "time"

// LeftConnection is what a connection left behind, for the pool that comes
// after this one: the miner may resume it. The shares that it has sent are not
// part of it, since the next pool makes jobs of its own, for which they are no
// solutions.
type LeftConnection struct {
	Extranonce1 uint32    `json:"extranonce1"`
	Difficulty  float64   `json:"difficulty"`
	Ended       time.Time `json:"ended"`
}

// Legacy lists the connections that miners may still resume, oldest first.
func (p *Pool) Legacy() []LeftConnection {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []LeftConnection
	for _, extranonce1 := range p.resumables.order {
		if left := p.resumables.byExtranonce[extranonce1]; left != nil {
			all = append(all, LeftConnection{extranonce1, left.difficulty, left.ended})
		}
	}
	return all
}

// Inherit lets miners resume what they had with an earlier pool. It is called
// before Serve.
func (p *Pool) Inherit(legacy []LeftConnection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, left := range legacy {
		p.resumables.addLocked(left.Extranonce1, &resumable{ended: left.Ended, difficulty: left.Difficulty})
	}
	p.resumables.pruneLocked(time.Now())
}
