package playback

import (
	"context"
	"net"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// question is a recorded request that a live pool was asked.
type question struct {
	index int // of its line
	at    time.Time
	given bool // up: its answer is not waited for any more
}

// poolPlay plays the miner.
type poolPlay struct {
	*player
	asked map[string][]*question // by id, the oldest first
	open  []*question            // that still have no answer, though they had one in the recording
}

// ToPool plays the lines of the recorded miner to a pool. It closes the
// connection.
func ToPool(ctx context.Context, pool net.Conn, rec *Recording, o Options) (Summary, error) {
	if rec.Count(capture.MinerToPool) == 0 {
		pool.Close()
		return Summary{}, ErrNothing
	}
	return play(ctx, pool, rec, o, func(p *player) func(context.Context) error {
		play := &poolPlay{player: p, asked: make(map[string][]*question)}
		p.handle = play.heard
		return play.script
	})
}

// script sends the miner's lines.
func (p *poolPlay) script(ctx context.Context) error {
	var last time.Time
	for i, m := range p.rec.messages {
		if m.Direction != capture.MinerToPool {
			continue
		}
		if m.Cut {
			p.skip(m)
			continue
		}
		if err := p.pause(ctx, last, m.Received); err != nil {
			return err
		}
		if err := p.awaitAnswers(ctx, i); err != nil {
			return err
		}
		last = m.Received
		if err := p.send(ctx, i); err != nil {
			return err
		}
	}
	return p.awaitAnswers(ctx, len(p.rec.messages))
}

// send sends a line of the miner.
func (p *poolPlay) send(ctx context.Context, i int) error {
	m, line := p.rec.messages[i], p.rec.line(i)
	if p.rec.request(i) {
		// Known before it is sent: the answer may be there at once.
		q := &question{index: i, at: time.Now()}
		p.asked[m.ID] = append(p.asked[m.ID], q)
		if p.rec.partner[i] >= 0 {
			p.open = append(p.open, q)
		}
	}
	if err := p.write(ctx, line); err != nil {
		return err
	}
	p.sum.Sent++
	e := Event{Kind: KindSent, Method: m.Method, Line: text(line)}
	if masked(m) {
		p.sum.Masked++
		e.Note = "the password in this line was masked when it was recorded"
	}
	p.emit(e)
	return nil
}

// awaitAnswers waits for the answers that the recorded miner had when it sent a
// line.
func (p *poolPlay) awaitAnswers(ctx context.Context, before int) error {
	_, err := p.listenUntil(ctx, func() bool { return p.first(before) == nil })
	for q := p.first(before); q != nil; q = p.first(before) {
		p.giveUp(q)
	}
	return err
}

// first is the first question that was answered before a line in the recording,
// and is not yet now.
func (p *poolPlay) first(before int) *question {
	for _, q := range p.open {
		if answer := p.rec.partner[q.index]; answer >= 0 && answer < before {
			return q
		}
	}
	return nil
}

// giveUp stops waiting for an answer. It may come all the same.
func (p *poolPlay) giveUp(q *question) {
	q.given = true
	p.close(q)
	p.sum.Unanswered++
	m := p.rec.messages[q.index]
	p.emit(Event{Kind: KindUnanswered, Method: m.Method, Line: text(m.Raw), Recorded: p.recorded(q)})
}

func (p *poolPlay) close(q *question) {
	for i, open := range p.open {
		if open == q {
			p.open = append(p.open[:i], p.open[i+1:]...)
			return
		}
	}
}

func (p *poolPlay) recorded(q *question) string {
	if answer := p.rec.answer(q.index); answer != nil {
		return text(answer.Raw)
	}
	return ""
}

// heard takes a line of the pool.
func (p *poolPlay) heard(line heard) error {
	m := line.message
	queue := p.asked[m.ID]
	if m.ID == "" || m.IsRequest || len(queue) == 0 {
		p.sum.Received++
		p.emit(Event{Kind: KindReceived, Method: m.Method, Line: text(line.raw)})
		return nil
	}
	q := queue[0]
	if len(queue) > 1 {
		p.sum.Repeated++
		p.asked[m.ID] = queue[1:]
	} else {
		delete(p.asked, m.ID)
	}
	if q.given {
		p.sum.Unanswered-- // late
	}
	p.close(q)

	e := Event{Kind: KindAnswer, Method: p.rec.messages[q.index].Method, Line: text(line.raw), Recorded: p.recorded(q), LatencyMS: milliseconds(line.at.Sub(q.at))}
	recorded := p.rec.answer(q.index)
	if recorded != nil {
		e.RecordedLatencyMS = milliseconds(recorded.Received.Sub(p.rec.messages[q.index].Received))
	}
	e.Difference = compare(m, recorded)
	p.sum.Answers++
	switch e.Difference {
	case Same:
		p.sum.Same++
	case NotRecorded:
		p.sum.NotRecorded++
	default:
		p.sum.Different++
	}
	p.emit(e)
	return nil
}
