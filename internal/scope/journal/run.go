package journal

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	// retryFirst and retryMost bound the time between two attempts to write; it
	// doubles.
	retryFirst = 250 * time.Millisecond
	retryMost  = 10 * time.Second
	// transactionMessages and transactionBytes bound what one transaction writes.
	transactionMessages = 8192
	transactionBytes    = 8 << 20
	// endTime is how long the end of the program may wait for what is queued.
	endTime = 800 * time.Millisecond
	// maxFaults is how often a batch is tried that seems to be the cause of its
	// failure.
	maxFaults = 4
	// pruneEvery is the time between two looks for files that are too old.
	pruneEvery = time.Minute
)

// errPanic means that writing ended by a mistake of ours.
var errPanic = errors.New("panic")

// errEnding means that there was more to write than the end has time for.
var errEnding = errors.New("the program ends")

// errLowSpace means that as much is free on the disk as is to be left free.
var errLowSpace = errors.New("too little is free on the disk")

// Run writes what is captured until ctx ends, and what is queued then.
func (j *Journal) Run(ctx context.Context) error {
	prune := time.NewTicker(pruneEvery)
	defer prune.Stop()
	j.prune(time.Now())
	for {
		select {
		case <-j.queue.filled:
		case now := <-prune.C:
			j.prune(now)
			continue
		case <-ctx.Done():
			return j.finish(ctx)
		}
		select {
		case <-time.After(batchTime):
		case <-j.queue.plenty:
		case <-ctx.Done():
		}
		j.writeQueued(ctx)
	}
}

// finish writes what is queued at the end, and closes the file. What it has no
// time for becomes a gap.
func (j *Journal) finish(running context.Context) error {
	j.writeQueued(running)
	ctx := context.WithoutCancel(running)
	if j.writer != nil {
		if err := j.writer.transact(ctx, func(tx *sql.Tx) error {
			return errors.Join(saveGaps(ctx, tx, j.queue.waitingGaps()), j.saveSessions(ctx, tx, true))
		}); err != nil {
			j.log.Error("sessions were not journalled", "err", err)
		}
		j.sessions.saved()
	}
	return j.closeWriters()
}

// writeQueued writes what is queued. It tries until that works, ctx ends, or it
// shows that the batch itself is the cause.
func (j *Journal) writeQueued(ctx context.Context) {
	b := j.queue.take()
	if b == nil {
		return
	}
	faults := 0
	for {
		begin := time.Now()
		err := j.write(ctx, b, begin)
		if !errors.Is(err, errEnding) {
			j.note(err, time.Since(begin))
		}
		switch {
		case err == nil:
			j.queue.done()
			j.wait = 0
			return
		case ctx.Err() != nil:
			j.giveUp(reasonClosed, err)
			return
		case isOurFault(err) || errors.Is(err, errDamaged): // each damaged file is another one
			if faults++; faults >= maxFaults {
				j.giveUp(reasonWriteFailed, err)
				return
			}
		}
		j.wait = min(max(2*j.wait, retryFirst), retryMost)
		select {
		case <-time.After(j.wait):
		case <-ctx.Done():
		}
	}
}

// giveUp makes a gap of the batch that cannot be written.
func (j *Journal) giveUp(reason string, err error) {
	j.log.Error("messages were not journalled", "messages", j.queue.giveUp(reason, j.lastWritten()), "reason", reason, "err", err)
}

// isOurFault says whether an error is none of the disk's or the file's, so that
// waiting does not help.
func isOurFault(err error) bool {
	if errors.Is(err, errPanic) {
		return true
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE:
		return true
	}
	return false
}

// note enters how an attempt to write went.
func (j *Journal) note(err error, took time.Duration) {
	reason := reasonQueueFull
	j.mu.Lock()
	was := j.stats.State
	switch {
	case err == nil:
		j.stats.State = StateOK
		j.stats.Batches++
		j.stats.LastBatchAt, j.stats.LastBatchMS = time.Now(), float64(took.Microseconds())/1000
	case errors.Is(err, errLowSpace):
		j.stats.State, reason = StateLowSpace, reasonLowSpace
	default:
		j.stats.State, reason = StateFailing, reasonWriteFailed
	}
	if err != nil {
		j.stats.Errors++
		j.stats.LastError, j.stats.LastErrorAt = err.Error(), time.Now()
	}
	is := j.stats.State
	j.mu.Unlock()
	j.queue.blame(reason)
	switch is {
	case was:
	case StateOK:
		j.log.Info("journal is written again")
	default:
		j.log.Error("journal cannot be written; capture goes on, and what finds no room is dropped and counted", "state", is, "err", err)
	}
}

// write writes a batch; what an earlier attempt has written is left out.
func (j *Journal) write(running context.Context, b *batch, now time.Time) (err error) {
	ctx := context.WithoutCancel(running) // ending interrupts no transaction
	defer func() {
		// It must not take the capture with it.
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", errPanic, v)
			j.log.Error("journal failed", "panic", v, "stack", string(debug.Stack()))
		}
		if err != nil && !errors.Is(err, errEnding) {
			j.abandon(err)
		}
	}()
	if err := j.sessions.learn(b, func(id string) (capture.Session, error) { return j.Session(ctx, id) }); err != nil {
		return err
	}
	messages := b.messages
	for {
		if j.late(running) {
			return errEnding
		}
		if err := j.makeRoom(); err != nil {
			return err
		}
		if err := j.roll(ctx, now); err != nil {
			return err
		}
		w := j.writer
		for done := j.lastWritten(); len(messages) > 0 && messages[0].Seq <= done; {
			messages = messages[1:]
		}
		part := messages[:portion(messages, j.transactionBytes())]
		messages = messages[len(part):]
		last := len(messages) == 0
		err := w.transact(ctx, func(tx *sql.Tx) error {
			if err := w.insert(ctx, tx, part, j.sessions.known); err != nil {
				return err
			}
			if !last {
				return nil
			}
			if !b.saved {
				if err := saveGaps(ctx, tx, b.gaps); err != nil {
					return err
				}
			}
			return j.saveSessions(ctx, tx, false)
		})
		if err != nil {
			return err
		}
		j.wrote(w.file, part)
		if last {
			j.noteGaps(b)
			break
		}
	}
	if err := j.update(ctx, b.updates); err != nil {
		return err
	}
	j.sessions.saved()
	return nil
}

// lastWritten is the highest Seq in all files.
func (j *Journal) lastWritten() (last uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range j.files {
		last = max(last, f.last)
	}
	return last
}

// late says whether the program has waited long enough for its end.
func (j *Journal) late(running context.Context) bool {
	if running.Err() == nil {
		return false
	}
	if j.endBy.IsZero() {
		j.endBy = time.Now().Add(endTime)
	}
	return time.Now().After(j.endBy)
}

// transactionBytes is about the most that one transaction may add.
func (j *Journal) transactionBytes() int {
	return int(min(transactionBytes, j.cfg.MaxSize/(4*filesAtLeast)))
}

// portion is how many of the messages go into one transaction, at least one.
func portion(messages []*capture.Message, most int) (n int) {
	bytes := 0
	for n < len(messages) && n < transactionMessages {
		if bytes += cost(messages[n]); bytes > most && n > 0 {
			break
		}
		n++
	}
	return n
}

// abandon closes the files after an error. The one that is damaged is set aside,
// so that the next attempt begins another.
func (j *Journal) abandon(err error) {
	if damaged := (*fileError)(nil); errors.As(err, &damaged) {
		j.letGo(damaged.file)
		j.setAside(damaged.file, err)
	}
	if err := j.closeWriters(); err != nil {
		j.log.Debug("journal file was not closed properly", "err", err)
	}
}

// wrote enters what a file has got.
func (j *Journal) wrote(f *file, messages []*capture.Message) {
	bytes := sizeOf(f.path)
	j.mu.Lock()
	defer j.mu.Unlock()
	f.bytes = bytes
	j.stats.Written += uint64(len(messages))
	if len(messages) == 0 {
		return
	}
	newest := messages[len(messages)-1]
	if f.first == 0 {
		f.first, f.since = messages[0].Seq, messages[0].Received
	}
	f.last, f.until = newest.Seq, newest.Received
}

// update writes newer versions of messages, each in its file. Damage of an
// older file costs that file, and nothing that is new.
func (j *Journal) update(ctx context.Context, updates []*capture.Message) error {
	if len(updates) == 0 {
		return nil
	}
	updates = slices.SortedFunc(slices.Values(updates), func(a, b *capture.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	files := j.acquire()
	defer j.release(files)
	for _, f := range files {
		j.mu.Lock()
		first, last := f.first, f.last
		j.mu.Unlock()
		from, _ := find(updates, first)
		to, _ := find(updates, last+1)
		if first == 0 || from == to {
			continue
		}
		err := j.updateFile(ctx, f, updates[from:to])
		if errors.Is(err, errDamaged) && (j.writer == nil || j.writer.file != f) {
			j.letGo(f)
			j.setAside(f, err)
			j.queue.outdate(to - from)
			continue
		}
		if err != nil {
			return err
		}
		j.mu.Lock()
		j.stats.Updated += uint64(to - from)
		j.mu.Unlock()
	}
	return nil
}

func (j *Journal) updateFile(ctx context.Context, f *file, updates []*capture.Message) error {
	var w *writer
	for _, open := range []*writer{j.writer, j.previous} {
		if open != nil && open.file == f {
			w = open
		}
	}
	if w == nil {
		var err error
		if w, err = openWriter(ctx, f, j.checkpoint()); err != nil {
			return err
		}
		defer func() { _ = w.close() }() // what was committed stays
	}
	return w.transact(ctx, func(tx *sql.Tx) error { return w.update(ctx, tx, updates) })
}
