package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/format"
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
	tip        tipText
	difficulty float64
	extranonce miner.Subscription
	mask       uint32 // version bits to roll
	rolling    bool
	first      int // number of the first submit
	count      int // shares to find
	result     submits
}

// prepare searches the shares of all connections that have none for the job
// they are on. Meanwhile the connections are served, so that no pool drops
// them as slow. It ends with ctx.
func (r *runner) prepare(ctx context.Context) error {
	p := r.report.Prepared
	if p == nil {
		p = &Prepared{}
		r.report.Prepared = p
	}
	start := r.now()
	tasks, err := r.tasks()
	if err != nil {
		return err
	}
	if len(tasks) > 0 {
		if err := r.checkEffort(ctx, tasks); err != nil {
			return err
		}
	}
	found := 0
	for round := 0; len(tasks) > 0 && round < maxRounds; round++ {
		if round > 0 {
			r.say("the pool has other work: preparing %d connections again", len(tasks))
		}
		if err := r.search(ctx, tasks); err != nil {
			if errors.Is(err, errOver) {
				err = fmt.Errorf("%w: not found before the time of the run was over", ErrTooHard)
			}
			return err
		}
		for _, t := range tasks {
			c := &r.conns[t.i]
			if c.state == stateReady {
				c.prepared = t.result
				c.stale = c.tip != t.tip || c.difficulty > t.difficulty
			}
			if t.first > 0 || round > 0 {
				p.Rebuilt++
			}
			found += t.count
			p.add(t)
		}
		if tasks, err = r.tasks(); err != nil {
			return err
		}
	}
	p.Seconds += (r.now() - start).Seconds()
	r.say("%d shares prepared in %.1f s", found, (r.now() - start).Seconds())
	return nil
}

// add counts the shares of a task.
func (p *Prepared) add(t *task) {
	if p.Shares == 0 {
		p.DifficultyMin, p.DifficultyMax = t.difficulty, t.difficulty
	}
	p.Shares += t.count
	p.DifficultyMin, p.DifficultyMax = min(p.DifficultyMin, t.difficulty), max(p.DifficultyMax, t.difficulty)
}

// wanting says whether a connection has shares to send and none prepared.
func (r *runner) wanting(c *conn) bool {
	return c.state == stateReady && c.sent < r.cfg.Shares && (c.stale || len(c.prepared.ends) == 0)
}

// tasks makes the tasks of the connections that need shares.
func (r *runner) tasks() ([]*task, error) {
	var tasks []*task
	for i := range r.conns {
		c := &r.conns[i]
		if !r.wanting(c) {
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
			tip:  c.tip,
			// A difficulty that was announced after the job may be meant for
			// it; the harder of the two is right either way.
			difficulty: max(c.difficulty, c.announced),
			extranonce: c.extranonce,
			mask:       c.mask,
			rolling:    r.cfg.VersionRolling && c.mask != 0,
			first:      c.sent,
			count:      r.cfg.Shares - c.sent,
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

// checkEffort tells how long the search will take, and refuses if that is too
// long.
func (r *runner) checkEffort(ctx context.Context, tasks []*task) error {
	hashes, hardest, count := 0.0, 0.0, 0
	for _, t := range tasks {
		hashes += t.difficulty * bitcoin.HashesPerDifficulty * float64(t.count)
		hardest = max(hardest, t.difficulty)
		count += t.count
	}
	threads := runtime.GOMAXPROCS(0)
	speed := miner.Benchmark(50*time.Millisecond) * float64(threads)
	seconds := hashes / speed
	text := "about " + time.Duration(seconds*float64(time.Second)).Round(100*time.Millisecond).String()
	if seconds > 1e6 {
		text = fmt.Sprintf("about %.0f days", seconds/86400)
	}
	r.say("preparing %d shares at difficulty %s: %s at %s", count, bitcoin.FormatDifficulty(hardest), text, format.Hashrate(speed))
	deadline, ok := ctx.Deadline()
	// The estimate may be off by some on a busy machine.
	if left := time.Until(deadline); ok && seconds > 3*left.Seconds() {
		return fmt.Errorf("%w: %d shares at difficulty %s take %s on this machine (%s); let the pool give a lower difficulty (a tenth of a millionth is right), ask for fewer shares, or give the run more time than %v",
			ErrTooHard, count, bitcoin.FormatDifficulty(hardest), text, format.Hashrate(speed), r.cfg.Duration)
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
				if t.search(ctx, h) != nil {
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
			return context.Cause(ctx)
		default:
			r.net.wait(step)
		}
	}
}

// searchChunk is the number of hashes between two looks at ctx.
const searchChunk = 1 << 16

// search finds the shares, each with an extranonce2 of its own.
func (t *task) search(ctx context.Context, h *miner.Hasher) error {
	target := bitcoin.TargetFromDifficulty(t.difficulty)
	size := t.extranonce.Extranonce2Size
	extranonce2 := make([]byte, size)
	counter := rand.Uint64()

	s := submits{
		first:      t.first,
		tip:        t.tip,
		difficulty: t.difficulty,
		ends:       make([]int, 0, t.count),
		lines:      make([]byte, 0, t.count*(len(t.user)+len(t.job.ID)+2*size+100)),
	}
	for k := range t.count {
		counter++
		var number [8]byte
		binary.BigEndian.PutUint64(number[:], counter)
		copy(extranonce2[max(0, size-8):], number[max(0, 8-size):])
		header := t.job.Header(t.extranonce.Extranonce1, extranonce2)
		var versionBits uint32
		if t.rolling {
			// Some pools put the bits over those of the job instead of in
			// their place. With the job's own bits set, both are the same.
			versionBits = (rand.Uint32() | t.job.Version) & t.mask
			header.Version = miner.RollVersion(t.job.Version, versionBits, t.mask)
		}
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
				s.lines = miner.AppendSubmit(s.lines, int64(firstSubmit+t.first+k), t.user, t.job.ID, extranonce2, t.job.Time, nonce, t.rolling, versionBits)
				s.ends = append(s.ends, len(s.lines))
				break
			}
			start += searchChunk
		}
	}
	t.result = s
	return nil
}
