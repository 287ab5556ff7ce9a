package load

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/miner"
)

// maxRounds is how often work is prepared anew because the tip changed while
// it was searched.
const maxRounds = 3

// task is the search for the shares of one connection.
type task struct {
	i          int
	user       string
	job        *miner.Job
	difficulty float64
	extranonce miner.Subscription
	result     submits
}

// prepare searches all shares before the timed window. Meanwhile the
// connections are served, so that no pool drops them as slow.
func (r *runner) prepare(ctx context.Context) error {
	p := &Prepared{}
	r.report.Prepared = p
	start := r.now()
	limit, cancel := context.WithTimeout(ctx, r.cfg.PrepareTimeout)
	defer cancel()

	tasks, err := r.tasks(func(*conn) bool { return true })
	if err != nil {
		return err
	}
	if err := r.checkEffort(tasks); err != nil {
		return err
	}
	for round := 0; len(tasks) > 0 && round < maxRounds; round++ {
		if round > 0 {
			p.Rebuilt += len(tasks)
			r.say("the tip changed: preparing %d connections again", len(tasks))
		}
		if err := r.search(limit, tasks); err != nil {
			if ctx.Err() == nil {
				err = fmt.Errorf("%w: not found within %v", ErrTooHard, r.cfg.PrepareTimeout)
			}
			return err
		}
		for _, t := range tasks {
			r.conns[t.i].prepared = t.result
		}
		if tasks, err = r.tasks((*conn).onAnotherTip); err != nil {
			return err
		}
	}

	p.Seconds = (r.now() - start).Seconds()
	for i := range r.conns {
		c := &r.conns[i]
		if c.state != stateReady || c.prepared.count() == 0 {
			continue
		}
		d := c.prepared.difficulty
		if p.Shares == 0 {
			p.DifficultyMin, p.DifficultyMax = d, d
		}
		p.Shares += c.prepared.count()
		p.DifficultyMin, p.DifficultyMax = min(p.DifficultyMin, d), max(p.DifficultyMax, d)
	}
	r.say("%d shares prepared in %.1f s", p.Shares, p.Seconds)
	return nil
}

// tasks makes the tasks of the connections that want one.
func (r *runner) tasks(want func(*conn) bool) ([]*task, error) {
	var tasks []*task
	for i := range r.conns {
		c := &r.conns[i]
		if c.state != stateReady || !want(c) {
			continue
		}
		job, err := c.parseJob()
		if err != nil {
			r.fail(i, err)
			continue
		}
		tasks = append(tasks, &task{
			i:    i,
			user: r.cfg.user(i),
			job:  job,
			// A difficulty that was announced after the job may be meant for
			// it; the harder of the two is right either way.
			difficulty: max(c.difficulty, c.announced),
			extranonce: c.extranonce,
		})
	}
	if r.alive == 0 {
		return nil, fmt.Errorf("%w: all ended", ErrNoConnections)
	}
	return tasks, nil
}

// parseJob reads the newest job of a connection.
func (c *conn) parseJob() (*miner.Job, error) {
	m, err := miner.ParseMessage(c.job)
	if err != nil {
		return nil, err
	}
	return miner.ParseJob(m.Params)
}

// onAnotherTip says whether the newest job builds on another block than the
// prepared shares.
func (c *conn) onAnotherTip() bool {
	job, err := c.parseJob()
	return err == nil && job.PrevHash != c.prepared.prevHash
}

// checkEffort tells how long the search will take, and refuses if that is too
// long.
func (r *runner) checkEffort(tasks []*task) error {
	hashes, hardest := 0.0, 0.0
	for _, t := range tasks {
		hashes += t.difficulty * bitcoin.HashesPerDifficulty * float64(r.cfg.Shares)
		hardest = max(hardest, t.difficulty)
	}
	threads := runtime.GOMAXPROCS(0)
	speed := miner.Benchmark(100*time.Millisecond) * float64(threads)
	seconds := hashes / speed
	text := "about " + time.Duration(seconds*float64(time.Second)).Round(100*time.Millisecond).String()
	if seconds > 1e6 {
		text = fmt.Sprintf("about %.0f days", seconds/86400)
	}
	r.say("preparing %d shares at difficulty %s: %s at %.1f MH/s", len(tasks)*r.cfg.Shares, bitcoin.FormatDifficulty(hardest), text, speed/1e6)
	if seconds > 2*r.cfg.PrepareTimeout.Seconds() {
		return fmt.Errorf("%w: %d shares at difficulty %s take %s on this machine (%.1f MH/s); let the pool give a lower difficulty (a tenth of a millionth is right), ask for fewer shares, or allow more time than %v",
			ErrTooHard, len(tasks)*r.cfg.Shares, bitcoin.FormatDifficulty(hardest), text, speed/1e6, r.cfg.PrepareTimeout)
	}
	return nil
}

// search works on the tasks on all processors.
func (r *runner) search(ctx context.Context, tasks []*task) error {
	queue := make(chan *task, len(tasks))
	for _, t := range tasks {
		queue <- t
	}
	close(queue)

	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			h := miner.NewHasher()
			for t := range queue {
				if t.search(ctx, h, r.cfg.Shares) != nil {
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			return ctx.Err()
		default:
			r.net.wait(step)
		}
	}
}

// searchChunk is the number of hashes between two looks at ctx.
const searchChunk = 1 << 16

// search finds count shares, each with an extranonce2 of its own.
func (t *task) search(ctx context.Context, h *miner.Hasher, count int) error {
	target := bitcoin.TargetFromDifficulty(t.difficulty)
	size := t.extranonce.Extranonce2Size
	extranonce2 := make([]byte, size)
	counter := rand.Uint64()

	s := submits{
		prevHash:   t.job.PrevHash,
		difficulty: t.difficulty,
		ends:       make([]int, 0, count),
		lines:      make([]byte, 0, count*(len(t.user)+len(t.job.ID)+2*size+90)),
	}
	for k := range count {
		counter++
		var number [8]byte
		binary.BigEndian.PutUint64(number[:], counter)
		copy(extranonce2[max(0, size-8):], number[max(0, 8-size):])
		header := t.job.Header(t.extranonce.Extranonce1, extranonce2)
		h.SetHeader(&header)

		// With a small extranonce2 counter values come again; starting nonces
		// at random keeps the headers apart.
		start := rand.Uint32()
		for {
			nonce, _, _, ok := h.Scan(start, searchChunk, &target)
			if err := ctx.Err(); err != nil {
				return err
			}
			if ok {
				s.lines = miner.AppendSubmit(s.lines, int64(firstSubmit+k), t.user, t.job.ID, extranonce2, t.job.Time, nonce, false, 0)
				s.ends = append(s.ends, len(s.lines))
				break
			}
			start += searchChunk
		}
	}
	t.result = s
	return nil
}
