package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/node"
)

// Legacy is what a pool leaves to the one that comes after it.
type Legacy struct {
	Connections []LeftConnection `json:"connections"` // oldest first

	// The newest job: a miner may still find a block for it, or have one under
	// way. Nil without a job.
	Template  *node.Template `json:"template"`
	JobNumber uint32         `json:"job_number"`
}

// LeftConnection is what a connection left behind: the miner may resume it. The
// shares that it has sent are not part of it, since the next pool makes jobs of
// its own, for which they are no solutions.
type LeftConnection struct {
	Extranonce1 uint32    `json:"extranonce1"`
	Difficulty  float64   `json:"difficulty"`
	Ended       time.Time `json:"ended"`
}

// Legacy tells what the pool leaves. It is called when the pool has ended.
func (p *Pool) Legacy() Legacy {
	var legacy Legacy
	if j := p.current(); j != nil {
		legacy.Template, legacy.JobNumber = j.template, j.number
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, extranonce1 := range p.resumables.order {
		if left := p.resumables.byExtranonce[extranonce1]; left != nil {
			legacy.Connections = append(legacy.Connections, LeftConnection{extranonce1, left.difficulty, left.ended})
		}
	}
	return legacy
}

// Inherit lets miners resume what they had with an earlier pool, and a block for
// its last job be found. It is called before Serve and SetTemplate.
func (p *Pool) Inherit(legacy Legacy) {
	if legacy.Template != nil {
		p.inherited, p.jobNumber = legacy.Template, legacy.JobNumber%maxJobNumber
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, left := range legacy.Connections {
		p.resumables.addLocked(left.Extranonce1, &resumable{ended: left.Ended, difficulty: left.Difficulty})
	}
	p.resumables.pruneLocked(time.Now())
}

// inheritedTips is the earlier pool's last job, remembered like one of an
// earlier tip: its shares do not count any more, but one may be a block. That
// takes the payouts and the tag to be what they were; a coinbase of others has
// another hash. SetTemplate calls it once, when the first job is made.
func (p *Pool) inheritedTips(number uint32, set *settings, now time.Time) []*tip {
	t := p.inherited
	p.inherited = nil
	if t == nil || t.Network != set.rules.network {
		return nil
	}
	j, err := newJob(t, number, set.rules.payout, &set.Config, false, now)
	if err != nil {
		p.log.Warn("the job before the upgrade is lost", "err", err)
		return nil
	}
	j.retire()
	p.tipNumber++
	return []*tip{{prevHash: t.PrevHash, number: p.tipNumber, jobs: map[uint32]*job{number: j}, current: j}}
}
