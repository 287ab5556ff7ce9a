package playback

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Options say how to play.
type Options struct {
	// Speed divides the time between lines; 0 plays as fast as the peer answers.
	Speed float64
	// Patience is how long to wait for an answer, or for a request that an
	// answer was recorded for; 0 is 10 s.
	Patience time.Duration
	// Linger is how long to listen on after the last line.
	Linger time.Duration
	// Event is told what happens, in order, from the caller's goroutine.
	Event func(Event)
}

const (
	defaultPatience = 10 * time.Second
	writeLimit      = 10 * time.Second
	maxLine         = 1 << 20 // of the peer, in bytes
	maxUnread       = 4096    // lines of the peer that wait to be looked at
)

// Errors of playing.
var (
	ErrNothing  = errors.New("the recording has no line of that side")
	ErrPeerGone = errors.New("the peer closed the connection before everything was played")
)

// heard is a line of the peer.
type heard struct {
	at      time.Time
	raw     []byte
	message *capture.Message
}

// player has the connection to the peer. Everything but its listening goroutine
// happens on one goroutine.
type player struct {
	conn net.Conn
	rec  *Recording
	opt  Options
	sum  Summary

	began  time.Time
	lines  chan heard // closed when the peer has ended its stream
	lost   atomic.Uint64
	gone   bool
	handle func(heard) error // of what the peer says
}

// play runs script while the peer is being listened to.
func play(ctx context.Context, conn net.Conn, rec *Recording, o Options, setup func(*player) (script func(context.Context) error)) (Summary, error) {
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Event == nil {
		o.Event = func(Event) {}
	}
	p := &player{conn: conn, rec: rec, opt: o, began: time.Now(), lines: make(chan heard, maxUnread)}
	script := setup(p)
	listening := make(chan struct{})
	go func() { defer close(listening); p.listen() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		conn.Close()
		<-listening
	}()

	err := script(ctx)
	if err == nil {
		err = p.listenFor(ctx, o.Linger)
	}
	p.sum.PeerEnded = p.gone
	p.sum.Lost = p.lost.Load()
	p.sum.Seconds = time.Since(p.began).Seconds()
	return p.sum, err
}

// listen reads the peer's lines. It never waits for who looks at them, so that
// the peer is not kept from reading ours; what nobody has room for is counted.
func (p *player) listen() {
	defer close(p.lines)
	in := bufio.NewReaderSize(p.conn, 1<<16)
	for {
		raw, err := readLine(in)
		if len(raw) > 0 {
			select {
			case p.lines <- heard{time.Now(), raw, capture.ParseLine(raw)}:
			default:
				p.lost.Add(1)
			}
		}
		if err != nil {
			return
		}
	}
}

// readLine reads a line, of which it keeps the first megabyte.
func readLine(in *bufio.Reader) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxLine-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// listenFor listens to the peer for a while, or until it has ended its stream.
func (p *player) listenFor(ctx context.Context, d time.Duration) error {
	if d <= 0 || p.gone {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.gone = true
				return ctx.Err()
			}
			if err := p.handle(line); err != nil {
				return err
			}
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listenUntil listens until done, for as long as patience goes. It reports
// whether it is done.
func (p *player) listenUntil(ctx context.Context, done func() bool) (bool, error) {
	timer := time.NewTimer(p.opt.Patience)
	defer timer.Stop()
	for !done() && !p.gone {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.gone = true
				return done(), ctx.Err()
			}
			if err := p.handle(line); err != nil {
				return false, err
			}
		case <-timer.C:
			return done(), nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return done(), nil
}

// pause lets the recorded time between two lines go by, divided by the speed.
// What the peer says meanwhile is handled.
func (p *player) pause(ctx context.Context, from, to time.Time) error {
	if p.opt.Speed <= 0 || from.IsZero() {
		return p.drain(ctx)
	}
	d := time.Duration(float64(to.Sub(from)) / p.opt.Speed)
	if d <= 0 {
		return p.drain(ctx)
	}
	return p.listenFor(ctx, d)
}

// drain handles what the peer has said.
func (p *player) drain(ctx context.Context) error {
	for !p.gone && ctx.Err() == nil {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.gone = true
				break
			}
			if err := p.handle(line); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return ctx.Err()
}

// write sends a line to the peer.
func (p *player) write(ctx context.Context, line []byte) error {
	if p.gone {
		return ErrPeerGone
	}
	if err := p.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("%w: %w", ErrPeerGone, err)
	}
	if ctx.Err() != nil { // its own deadline may just have been replaced
		return ctx.Err()
	}
	if _, err := p.conn.Write(line); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
			return ErrPeerGone
		}
		return fmt.Errorf("%w: %w", ErrPeerGone, err)
	}
	return nil
}

// emit tells an event.
func (p *player) emit(e Event) {
	e.Seconds = time.Since(p.began).Seconds()
	p.opt.Event(e)
}

// skip tells of a line that cannot be played.
func (p *player) skip(m *capture.Message) {
	p.sum.Skipped++
	p.emit(Event{Kind: KindSkipped, Method: m.Method, Line: text(m.Raw), Note: "only the beginning of this line was recorded"})
}
