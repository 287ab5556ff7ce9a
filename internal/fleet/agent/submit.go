package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/miner"
)

const (
	// chunk is how many hashes are tried between two looks around.
	chunk = 4096
	// restBelow is what is not worth a pause.
	restBelow = 2 * time.Millisecond
	// idle is how long an agent without load waits before it looks again.
	idle = time.Second
	// maxRoll bounds by how much a share's time runs ahead of its job's, seconds.
	maxRoll = 600
)

// pause waits; false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pacer keeps a rate. What was missed is not made up for.
type pacer struct{ due time.Time }

// wait waits for its turn at so many a second; false when ctx ended. A rate of 0
// has no turns.
func (p *pacer) wait(ctx context.Context, rate func() float64) bool {
	for {
		r := rate()
		if r <= 0 {
			if !pause(ctx, idle) {
				return false
			}
			continue
		}
		now := time.Now()
		due := p.due.Add(time.Duration(float64(time.Second) / r))
		if due.Sub(now) > idle { // the rate may change meanwhile
			if !pause(ctx, idle) {
				return false
			}
			continue
		}
		if due.Before(now) {
			due = now
		}
		p.due = due
		return pause(ctx, due.Sub(now))
	}
}

// replay submits the shares of the queue until ctx ends.
func (a *Agent) replay(ctx context.Context) {
	var pace pacer
	rate := func() float64 { return a.cfg.Rate }
	for {
		var share *fleet.Share
		select {
		case <-ctx.Done():
			return
		case share = <-a.queue:
		}
		for range min(share.RepeatCount, a.cfg.MaxRepeat) {
			if !pace.wait(ctx, rate) || !a.send(ctx, func(id int64) []byte { return appendShare(id, a.cfg.User, share) }) {
				return
			}
		}
	}
}

// send submits on whatever connection there is, waiting for one, and for room;
// false when ctx ended. A submit that was written in vain is not sent again: it
// is one of those without an answer.
func (a *Agent) send(ctx context.Context, line func(id int64) []byte) bool {
	for {
		s := a.signedIn(ctx)
		if s == nil {
			return false
		}
		err := s.submit(line)
		switch {
		case errors.Is(err, errFull), errors.Is(err, errClosed):
			if !pause(ctx, 10*time.Millisecond) {
				return false
			}
		default:
			return true
		}
	}
}

// appendShare is the line of another's share under our name.
func appendShare(id int64, user string, share *fleet.Share) []byte {
	b := append([]byte(nil), `{"id":`...)
	b = strconv.AppendInt(b, id, 10)
	b = append(b, `,"method":"mining.submit","params":[`...)
	b = append(b, quote(user)...)
	for _, p := range share.Stratum.Params[1:] {
		b = append(append(b, ','), p...)
	}
	return append(b, "]}\n"...)
}

// mine finds and submits shares at the rate of the load until ctx ends.
func (a *Agent) mine(ctx context.Context) {
	var pace pacer
	f := &finder{agent: a, hasher: miner.NewHasher(), extranonce2: rand.Uint64()}
	rate := func() float64 { return a.load().Rate }
	suggested := a.wanted()
	for pace.wait(ctx, rate) {
		s := a.signedIn(ctx)
		if s == nil {
			return
		}
		if d := a.wanted(); d > 0 && d != suggested {
			suggested = d
			_ = s.write(miner.AppendRequest(nil, idSuggest, "mining.suggest_difficulty", bitcoin.FormatDifficulty(d))) // a lost connection is seen by who reads
		}
		line, ok := f.find(ctx, s)
		if !ok {
			continue
		}
		// Only here: the share is of this connection.
		if errors.Is(s.submit(line), errFull) && !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// finder hashes for one agent.
type finder struct {
	agent       *Agent
	hasher      *miner.Hasher
	extranonce2 uint64 // a new one for each header
	due         time.Time
}

// find hashes until it has a share of the session's newest job; ok is false when
// ctx or the session ended, or the load did.
func (f *finder) find(ctx context.Context, s *session) (line func(id int64) []byte, ok bool) {
	for ctx.Err() == nil {
		if now, _ := f.agent.current(); now != s {
			return nil, false
		}
		w, changed := s.current()
		if w == nil {
			select {
			case <-ctx.Done():
			case <-changed:
			case <-time.After(idle):
			}
			continue
		}
		load := f.agent.load()
		if load.Rate <= 0 {
			return nil, false
		}
		if line, ok := f.search(ctx, w, max(w.difficulty, load.Difficulty), changed); ok {
			return line, true
		}
	}
	return nil, false
}

// search tries the nonces of one header until it has a share, or there is
// another job, or a second has gone by.
func (f *finder) search(ctx context.Context, w *work, difficulty float64, changed <-chan struct{}) (line func(id int64) []byte, ok bool) {
	if difficulty <= 0 {
		difficulty = 1 // until the pool says otherwise
	}
	f.extranonce2++
	extranonce2 := make([]byte, w.sub.Extranonce2Size)
	var counter [16]byte
	binary.BigEndian.PutUint64(counter[8:], f.extranonce2)
	copy(extranonce2, counter[16-len(extranonce2):])
	header := w.job.Header(w.sub.Extranonce1, extranonce2)
	if w.rolling {
		header.Version = miner.RollVersion(w.job.Version, 0, w.mask)
	}
	header.Time += uint32(min(max(f.agent.cfg.Now().Sub(w.at)/time.Second, 0), maxRoll))
	f.hasher.SetHeader(&header)
	target := bitcoin.TargetFromDifficulty(difficulty)
	began := time.Now()
	for nonce := uint64(0); nonce < 1<<32; {
		found, _, tried, hit := f.hasher.Scan(uint32(nonce), chunk, &target)
		nonce += tried
		f.agent.hashed(tried)
		if hit {
			job, at := w.job.ID, header.Time
			return func(id int64) []byte {
				return miner.AppendSubmit(nil, id, f.agent.cfg.User, job, extranonce2, at, found, w.rolling, 0)
			}, true
		}
		if !f.rest(ctx, tried) || time.Since(began) > time.Second {
			return nil, false
		}
		select {
		case <-changed:
			return nil, false
		default:
		}
	}
	return nil, false
}

// rest keeps to the highest hashrate; false when ctx ended.
func (f *finder) rest(ctx context.Context, tried uint64) bool {
	now := time.Now()
	if f.due.Before(now.Add(-100 * time.Millisecond)) {
		f.due = now
	}
	f.due = f.due.Add(time.Duration(float64(tried) / f.agent.cfg.Hashrate * float64(time.Second)))
	if d := f.due.Sub(now); d > restBelow {
		return pause(ctx, d)
	}
	return ctx.Err() == nil
}

// hashed counts hashes.
func (a *Agent) hashed(n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hashes += n
}
