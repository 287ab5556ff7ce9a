package playback

import (
	"context"
	"net"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

// minerPlay plays the pool.
type minerPlay struct {
	*player
	answers map[string][]int // by method, the recorded requests that were answered, in their order
	made    map[int]bool     // recorded requests that the live miner made
}

// ToMiner plays the lines of the recorded pool to a miner. It closes the
// connection.
func ToMiner(ctx context.Context, miner net.Conn, rec *Recording, o Options) (Summary, error) {
	if rec.Count(capture.PoolToMiner) == 0 {
		miner.Close()
		return Summary{}, ErrNothing
	}
	return play(ctx, miner, rec, o, func(p *player) func(context.Context) error {
		play := &minerPlay{player: p, answers: make(map[string][]int), made: make(map[int]bool)}
		for i, m := range rec.messages {
			if m.Direction == capture.MinerToPool && rec.request(i) && rec.partner[i] >= 0 {
				play.answers[m.Method] = append(play.answers[m.Method], i)
			}
		}
		p.handle = play.heard
		return play.script
	})
}

// script sends what the pool said unasked, each after the requests that it had
// answered before.
func (p *minerPlay) script(ctx context.Context) error {
	var last time.Time
	for i, m := range p.rec.messages {
		switch {
		case m.Direction == capture.MinerToPool:
			// Shares are found when they are found; everything else is asked at
			// its time, and the pool's next line may depend on it.
			if p.rec.request(i) && p.rec.partner[i] >= 0 && m.Method != methodSubmit {
				if err := p.awaitRequest(ctx, i); err != nil {
					return err
				}
				last = m.Received
			}
			continue
		case p.rec.partner[i] >= 0 && !m.IsRequest:
			continue // an answer: it is given when the miner asks
		case m.Cut:
			p.skip(m)
			continue
		}
		if err := p.pause(ctx, last, m.Received); err != nil {
			return err
		}
		last = m.Received
		if err := p.write(ctx, p.rec.line(i)); err != nil {
			return err
		}
		p.sum.Sent++
		p.emit(Event{Kind: KindSent, Method: m.Method, Line: text(m.Raw)})
	}
	return nil
}

const (
	methodSubmit    = "mining.submit"
	methodAuthorize = "mining.authorize"
)

// awaitRequest waits until the miner has made a recorded request.
func (p *minerPlay) awaitRequest(ctx context.Context, i int) error {
	made, err := p.listenUntil(ctx, func() bool { return p.made[i] })
	if err == nil && !made {
		if p.gone {
			return ErrPeerGone
		}
		p.sum.Unasked++
		p.emit(Event{Kind: KindUnasked, Method: p.rec.messages[i].Method, Note: "this miner does not ask it"})
	}
	return err
}

// heard takes a line of the miner, and answers it.
func (p *minerPlay) heard(line heard) error {
	m := line.message
	if !m.IsRequest || m.ID == "" {
		p.sum.Received++
		p.emit(Event{Kind: KindReceived, Method: m.Method, Line: text(line.raw)})
		return nil
	}
	queue := p.answers[m.Method]
	if len(queue) == 0 {
		p.sum.Unknown++
		answer := `{"id":` + m.ID + `,"result":null,"error":[20,"Not in the recording",null]}` + "\n"
		p.emit(Event{Kind: KindAnswered, Method: m.Method, Line: text(line.raw), Recorded: text([]byte(answer)), Difference: NotRecorded})
		return p.answer([]byte(answer))
	}
	i := queue[0]
	p.answers[m.Method] = queue[1:]
	p.made[i] = true
	answer, _ := replay.ReplaceID(p.rec.line(p.rec.partner[i]), m.ID)
	p.sum.Answered++
	p.emit(Event{Kind: KindAnswered, Method: m.Method, Line: text(line.raw), Recorded: text(answer)})
	return p.answer(answer)
}

// answer writes an answer. A miner that is gone is noticed where the next line
// is to be played.
func (p *minerPlay) answer(line []byte) error {
	if err := p.write(context.Background(), line); err != nil {
		p.gone = true
	}
	return nil
}
