package journal

import "time"

// State says how the journal is doing.
type State string

// The states.
const (
	StateOK       State = "ok"
	StateFailing  State = "failing"   // the last attempt to write failed; it is tried again
	StateLowSpace State = "low_space" // less is free on the disk than is to be left free
)

// Gap is a row of messages that were captured and not journalled.
type Gap struct {
	Session  string    // "" for several sessions that were not told apart
	First    uint64    // number of the first message in its session; 0 without one session
	Last     uint64    // number of the last one
	Messages uint64    // how many
	From, To time.Time // when they were received
	Reason   string    // queue_full, write_failed, low_space, closed, out_of_order
}

// Stats tells what the journal did since it was opened, and what it holds.
type Stats struct {
	State       State
	LastError   string    // "" when there was none
	LastErrorAt time.Time // zero when there was none

	Written        uint64 // messages
	Updated        uint64 // messages that changed after they were written
	Dropped        uint64 // messages that were not journalled; each is in a gap
	DroppedUpdates uint64 // later versions that were not journalled
	Batches        uint64
	Errors         uint64 // attempts to write that failed

	QueuedMessages int
	QueuedBytes    int

	Files        int
	Bytes        int64 // of all files
	PrunedFiles  uint64
	PrunedBytes  uint64
	SetAside     uint64    // damaged files
	OldestAt     time.Time // first message of the oldest file; zero when there is none
	LastBatchAt  time.Time
	LastBatchFor time.Duration // time that the last batch took
}

// Stats tells how the journal is doing.
func (j *Journal) Stats() Stats {
	j.queue.mu.Lock()
	messages, bytes := j.queue.usageLocked()
	dropped, outdated := j.queue.dropped, j.queue.outdated
	j.queue.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.QueuedMessages, s.QueuedBytes, s.Dropped, s.DroppedUpdates = messages, bytes, dropped, outdated
	s.Files, s.Bytes = len(j.files), j.asides
	for _, f := range j.files {
		s.Bytes += f.bytes
	}
	if len(j.files) > 0 {
		s.OldestAt = j.files[0].since
	}
	return s
}
