package pool

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Bounds of what is kept of connections that ended.
const (
	resumeFor     = 10 * time.Minute
	maxResumable  = 8192
	maxKeptShares = 1024 // slots of a share set that is worth keeping
)

// resumable is what a connection left behind for the one that resumes it. With
// the same extranonce1 and the same jobs it could send the same shares again,
// so the share set goes with it; a pool that restarted has none, and lets
// nobody resume.
type resumable struct {
	ended      time.Time
	difficulty float64
	timeline   timeline
	lastWork   uint32
	shares     shareSet
	tipOf      uint32
}

// resumables are the extranonce1 values that a miner may ask for again. They
// are guarded by Pool.mu.
type resumables struct {
	byExtranonce map[uint32]*resumable
	order        []uint32 // the same, oldest first
}

// takeLocked takes out what a connection left. It leaves no trace in the order:
// a miner that comes and goes would keep everything behind it from growing old.
func (r *resumables) takeLocked(extranonce1 uint32) {
	delete(r.byExtranonce, extranonce1)
	if i := slices.Index(r.order, extranonce1); i >= 0 {
		r.order = slices.Delete(r.order, i, i+1)
	}
}

// addLocked keeps what a connection left, and forgets what is too old.
func (r *resumables) addLocked(extranonce1 uint32, left *resumable) {
	if r.byExtranonce == nil {
		r.byExtranonce = make(map[uint32]*resumable)
	}
	r.byExtranonce[extranonce1] = left
	r.order = append(r.order, extranonce1)
	r.pruneLocked(left.ended)
}

func (r *resumables) pruneLocked(now time.Time) {
	n := 0
	for n < len(r.order) {
		old := r.byExtranonce[r.order[n]]
		if old != nil && len(r.order)-n <= maxResumable && now.Sub(old.ended) <= resumeFor {
			break
		}
		delete(r.byExtranonce, r.order[n])
		n++
	}
	r.order = r.order[n:]
}

// leave keeps what a session that ends leaves behind.
func (s *session) leaveLocked(now time.Time) *resumable {
	if !s.started || !s.worked {
		return nil
	}
	left := &resumable{ended: now, difficulty: s.difficulty, lastWork: s.lastWork}
	if len(s.shares.slots) <= maxKeptShares {
		left.timeline, left.shares, left.tipOf = s.timeline, s.shares, s.tipOf
		// Theirs alone from here on: a broadcast that began before may still
		// write work into this session's.
		s.timeline, s.shares = nil, shareSet{}
	}
	return left
}

// claim gives a session the extranonce1 of an earlier connection, if that was
// given out in the last minutes and is nobody's now. Only the session's reader
// may call it, before the session has work.
func (p *Pool) claim(s *session, sid string) *resumable {
	wanted, ok := stratum.ParseHex32([]byte(sid))
	if !ok || len(sid) != 2*extranonce1Size {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resumables.pruneLocked(time.Now())
	left := p.resumables.byExtranonce[wanted]
	if left == nil || p.sessions[wanted] != nil {
		return nil
	}
	p.resumables.takeLocked(wanted)
	p.moveLocked(s, wanted)
	return left
}

// resumeLocked goes on where an earlier connection ended. Its work is not given
// again: the next is another variant, or the miner would find its old shares.
func (s *session) resumeLocked(left *resumable) {
	s.recalled = left.difficulty
	s.timeline, s.lastWork, s.worked = left.timeline, left.lastWork, true
	s.shares, s.tipOf = left.shares, left.tipOf
}

// workspace is the extranonce1 in hex, which is the session id that a miner may
// resume by.
func (s *session) workspace() string { return hex.EncodeToString(s.extranonce1[:]) }
