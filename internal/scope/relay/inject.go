package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of injection, per session.
const (
	maxInjected     = 1024      // lines without an answer
	maxInjectedLine = 256 << 10 // bytes of a line
	maxLate         = 4096      // ids that were given up, whose answers may still come
	maxWireID       = 128
)

// injection is a line of ours on its way to the pool and back.
type injection struct {
	line   []byte
	id     string
	sent   func(time.Time)
	at     time.Time     // when it was sent
	wrote  chan struct{} // closed after that
	answer chan answer
}

// answer is what the pool said to an injected line.
type answer struct {
	line []byte
	at   time.Time
}

// Inject sends a line of ours to the pool, between two lines of the miner, and
// waits for the answer. The line is one JSON object, with or without its
// ending, whose id is wireID: a JSON integer or string as it is written in the
// line, without escapes, that the miner does not use. Several may wait for
// their answers at the same time.
//
// The answer is the pool's line with that id and its ending. It goes neither
// to the miner nor to the capture. That holds for answers that come after ctx
// ended, too, for the maxLate latest of them.
//
// sent, if not nil, is called right after the line was written, by another
// goroutine: before Inject returns an answer, and possibly after it returns an
// error. When it is not called the pool has not seen the line. It must not
// wait.
//
// The error is ErrSessionEnded, ErrBadLine, ErrWireID, ErrTooManyInjected or
// what ctx ended with.
func (s *Session) Inject(ctx context.Context, line []byte, wireID string, sent func(time.Time)) (answered []byte, receivedAt time.Time, err error) {
	in := &injection{id: wireID, sent: sent, wrote: make(chan struct{}), answer: make(chan answer, 1)}
	if in.line, err = oneLine(line, wireID); err != nil {
		return nil, time.Time{}, err
	}
	select {
	case <-s.connected:
	case <-s.ended:
		return nil, time.Time{}, ErrSessionEnded
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
	if err := s.private.add(in); err != nil {
		return nil, time.Time{}, err
	}
	if !s.uplink.enqueue(in) {
		s.private.remove(in.id)
		return nil, time.Time{}, ErrSessionEnded
	}

	select {
	case a := <-in.answer:
		select {
		case <-in.wrote: // the pool was faster than we
			if a.at.Before(in.at) {
				a.at = in.at
			}
		case <-s.ended:
		case <-ctx.Done():
		}
		return a.line, a.at, nil
	case <-s.ended:
		err = ErrSessionEnded
	case <-ctx.Done():
		err = ctx.Err()
	}
	if s.uplink.withdraw(in) {
		s.private.remove(in.id)
		return nil, time.Time{}, err
	}
	s.private.giveUp(in.id)
	select {
	case a := <-in.answer: // it came at the same time
		return a.line, a.at, nil
	default:
	}
	return nil, time.Time{}, err
}

// oneLine checks a line, and ends it with a line feed.
func oneLine(line []byte, wireID string) ([]byte, error) {
	if !plainID(wireID) {
		return nil, ErrWireID
	}
	body := bytes.TrimSuffix(line, []byte("\n"))
	if len(body) > maxInjectedLine || bytes.IndexByte(body, '\n') >= 0 {
		return nil, ErrBadLine
	}
	var found scanner
	found.scan(body)
	if !json.Valid(body) || !found.done() || string(found.id) != wireID {
		return nil, ErrBadLine
	}
	return append(slices.Clip(bytes.Clone(body)), '\n'), nil
}

// plainID says whether a text is a JSON integer or a JSON string without
// escapes.
func plainID(id string) bool {
	if len(id) == 0 || len(id) > maxWireID {
		return false
	}
	if id[0] == '"' {
		if len(id) < 3 || id[len(id)-1] != '"' {
			return false
		}
		for _, c := range []byte(id[1 : len(id)-1]) {
			if c < ' ' || c > '~' || c == '"' || c == '\\' {
				return false
			}
		}
		return true
	}
	for _, c := range []byte(id) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(id) == 1 || id[0] != '0'
}

// private are the ids of injected lines.
type private struct {
	server *Server
	active atomic.Int32 // ids that an answer may bear

	mu   sync.Mutex
	live map[string]*injection
	late map[string]struct{} // given up
	old  []string            // those of late, oldest first; some may be gone
}

// add enters the id of a line that is about to be sent.
func (p *private) add(in *injection) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, late := p.late[in.id]; late || p.live[in.id] != nil {
		return ErrWireID
	}
	if len(p.live) >= maxInjected {
		return ErrTooManyInjected
	}
	if p.live == nil {
		p.live, p.late = make(map[string]*injection), make(map[string]struct{})
	}
	p.live[in.id] = in
	p.active.Add(1)
	return nil
}

// remove forgets an id that was never sent.
func (p *private) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live[id] != nil {
		delete(p.live, id)
		p.active.Add(-1)
	}
}

// giveUp remembers an id whose answer nobody waits for any more.
func (p *private) giveUp(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live[id] == nil {
		return
	}
	delete(p.live, id)
	for len(p.late) >= maxLate {
		if _, ok := p.late[p.old[0]]; ok {
			delete(p.late, p.old[0])
			p.active.Add(-1)
			p.server.forgotten.Add(1)
		}
		p.old = p.old[1:]
	}
	if len(p.old) > 2*maxLate {
		p.old = slices.DeleteFunc(p.old, func(id string) bool { _, ok := p.late[id]; return !ok })
	}
	p.late[id] = struct{}{}
	p.old = append(p.old, id)
}

// has says whether an id is private.
func (p *private) has(id []byte) bool {
	if len(id) == 0 || p.active.Load() == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, late := p.late[string(id)]
	return late || p.live[string(id)] != nil
}

// take gives the pool's line with a private id to who waits for it.
func (p *private) take(id, line []byte, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in := p.live[string(id)]; in != nil {
		delete(p.live, in.id)
		p.active.Add(-1)
		p.server.answered.Add(1)
		in.answer <- answer{bytes.Clone(line), at}
		return
	}
	if _, ok := p.late[string(id)]; ok {
		delete(p.late, string(id))
		p.active.Add(-1)
		p.server.lateAnswers.Add(1)
	}
}
