package discord

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/notify"
)

// Bounds of the poster.
const (
	pace      = 10 * time.Second // between two messages
	gather    = time.Second      // in which others may join the first
	maxPieces = 100              // that wait for their turn
	maxKnown  = 1000             // ids of messages that arrived
	maxUnsure = 20               // posts that may have arrived
	unsureFor = 3 * time.Minute  // for as long Discord is sure to know a nonce
)

// piece is a message for one person, or for all, on its way.
type piece struct {
	id       string // of the notify.Message
	key      string // whom it is for; pieces for the same one go together
	text     string
	user     string // who is pinged, "" for nobody
	everyone bool   // all are pinged
	queued   time.Time
	done     chan error
}

// post is one message at Discord: several pieces.
type post struct {
	nonce    string
	content  string
	users    []string // who may be pinged
	everyone bool
	ids      []string // of the pieces
	at       time.Time
}

// poster puts pieces together and posts them, one post at a time and not too
// often.
type poster struct {
	send  func(ctx context.Context, p post) error
	count *counters
	log   *slog.Logger
	wake  chan struct{}
	pace  time.Duration // between two messages
	wait  time.Duration // in which others may join the first

	mu        sync.Mutex // guards the rest
	queue     []*piece
	lastPost  time.Time
	notBefore time.Time // Discord asked for a pause until then
	known     []string  // ids of pieces that arrived, oldest first
	unsure    []post    // that may have arrived
}

func newPoster(send func(context.Context, post) error, count *counters, log *slog.Logger) *poster {
	return &poster{send: send, count: count, log: log, wake: make(chan struct{}, 1), pace: pace, wait: gather}
}

// deliver waits until a piece was posted, or says why it was not. After ctx ends
// it returns at once; a piece that was not on its way then is withdrawn.
func (p *poster) deliver(ctx context.Context, it *piece) error {
	it.done = make(chan error, 1)
	if over, err := p.enqueue(it, time.Now()); over {
		return err
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-it.done:
		return err
	case <-ctx.Done():
	}
	if p.withdraw(it) {
		return notify.Later(errTurn, p.pace)
	}
	select {
	case err := <-it.done:
		return err
	default:
		return notify.Unsure(errOutgoing)
	}
}

// enqueue takes a piece in, unless it arrived before or cannot get its turn in
// time: over is true then.
func (p *poster) enqueue(it *piece, now time.Time) (over bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.known, it.id) {
		return true, nil
	}
	if wait := p.notBefore.Sub(now); wait > 0 {
		return true, notify.Later(errRateLimit, wait)
	}
	waiting := 0
	for _, other := range p.queue {
		waiting += length(other.text) + 1
	}
	turns := time.Duration((waiting + length(it.text)) / maxContent)
	if len(p.queue) >= maxPieces || turns > 1 {
		p.count.drop(reasonBusy)
		return true, notify.Later(errBusy, turns*p.pace)
	}
	it.queued = now
	p.queue = append(p.queue, it)
	return false, nil
}

// withdraw takes a piece out of the queue; false when it is not in it.
func (p *poster) withdraw(it *piece) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.queue, it)
	if i < 0 {
		return false
	}
	p.queue = slices.Delete(p.queue, i, i+1)
	return true
}

// run posts until ctx ends.
func (p *poster) run(ctx context.Context) {
	for {
		wait, any := p.turn(time.Now())
		if !any {
			select {
			case <-ctx.Done():
				return
			case <-p.wake:
			}
			continue
		}
		if wait > 0 {
			t := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			continue
		}
		p.round(ctx)
	}
}

// turn says how long the next post must wait, and whether there is any.
func (p *poster) turn(now time.Time) (wait time.Duration, any bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return 0, false
	}
	return max(p.lastPost.Add(p.pace).Sub(now), p.queue[0].queued.Add(p.wait).Sub(now), p.notBefore.Sub(now), 0), true
}

// round posts once.
func (p *poster) round(ctx context.Context) {
	now := time.Now()
	next, pieces := p.next(now)
	f := p.try(ctx, next)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastPost = now
	switch {
	case f == nil:
		p.count.sent(len(next.ids))
		p.known = append(p.known, next.ids...)
		p.known = p.known[max(0, len(p.known)-maxKnown):]
	case f.unsure:
		p.unsure = append(p.unsure, next)
		p.unsure = p.unsure[max(0, len(p.unsure)-maxUnsure):]
	}
	if f != nil {
		p.count.failed(f.reason, f.permanent, len(next.ids))
		if f.after > 0 && f.reason == reasonRateLimit {
			p.notBefore = now.Add(f.after)
		}
	}
	for _, it := range pieces {
		if f == nil {
			it.done <- nil
		} else {
			it.done <- f.asNotify()
		}
	}
}

// try sends a post; a panic of it is a failure like others.
func (p *poster) try(ctx context.Context, next post) (f *failure) {
	defer func() {
		if v := recover(); v != nil {
			p.count.panics.Add(1)
			p.log.Error("posting panicked", "panic", v, "stack", string(debug.Stack()))
			f = &failure{reason: reasonUnreachable, err: errUnreachable, unsure: true}
		}
	}()
	return judge(p.send(ctx, next))
}

// next takes from the queue what fits into one post. When the first piece was in
// a post that may have arrived, that is the next one again, as it was, so that
// Discord recognizes it.
func (p *poster) next(now time.Time) (post, []*piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsure = slices.DeleteFunc(p.unsure, func(u post) bool { return now.Sub(u.at) > unsureFor })
	first := p.queue[0]
	if i := slices.IndexFunc(p.unsure, func(u post) bool { return slices.Contains(u.ids, first.id) }); i >= 0 {
		again := p.unsure[i]
		p.unsure = slices.Delete(p.unsure, i, i+1)
		var pieces []*piece
		p.queue = slices.DeleteFunc(p.queue, func(it *piece) bool {
			same := slices.Contains(again.ids, it.id)
			if same {
				pieces = append(pieces, it)
			}
			return same
		})
		return again, pieces
	}

	var pieces, rest []*piece
	room := maxContent
	for _, it := range p.queue {
		if n := length(it.text) + 1; n <= room+1 && !p.mayHaveArrivedLocked(it) {
			room -= n
			pieces = append(pieces, it)
		} else {
			rest = append(rest, it)
		}
	}
	p.queue = rest
	// Those for the same one together, in the order of the first of them.
	var order []string
	of := make(map[string][]*piece)
	for _, it := range pieces {
		if of[it.key] == nil {
			order = append(order, it.key)
		}
		of[it.key] = append(of[it.key], it)
	}
	out := post{at: now}
	for _, key := range order {
		for _, it := range of[key] {
			if out.content != "" {
				out.content += "\n"
			}
			out.content += it.text
			if it.user != "" && !slices.Contains(out.users, it.user) {
				out.users = append(out.users, it.user)
			}
			out.everyone = out.everyone || it.everyone
			out.ids = append(out.ids, it.id)
		}
	}
	out.nonce = nonceOf(out.ids)
	return out, pieces
}

func (p *poster) mayHaveArrivedLocked(it *piece) bool {
	return slices.ContainsFunc(p.unsure, func(u post) bool { return slices.Contains(u.ids, it.id) })
}

// nonceOf names a post by its pieces: at most 25 characters. That of a single
// piece is the same after a restart.
func nonceOf(ids []string) string {
	if len(ids) == 1 && len(ids[0]) <= 25 {
		return ids[0]
	}
	h := sha256.New()
	for _, id := range ids {
		_, _ = h.Write([]byte(id + "\n")) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))[:24]
}
