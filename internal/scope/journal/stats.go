package journal

import (
	"slices"
	"time"
)

// State says how the journal is doing.
type State string

// The states.
const (
	StateOK       State = "ok"
	StateFailing  State = "failing"   // the last attempt to write failed; it is tried again
	StateLowSpace State = "low_space" // less is free on the disk than is to be left free
)

// Gap is a run of messages that were captured and are not in the journal.
type Gap struct {
	Session  string    `json:"session_id,omitempty"` // "" for several sessions that were not told apart
	First    uint64    `json:"first_n,omitempty"`    // number of the first message in its session; 0 without one session
	Last     uint64    `json:"last_n,omitempty"`     // number of the last one
	Messages uint64    `json:"messages"`             // how many; those between first and last may be more
	From     time.Time `json:"from"`                 // when they were received: the first
	To       time.Time `json:"to"`                   // … and the last
	Reason   string    `json:"reason"`               // queue_full, write_failed, low_space, closed, out_of_order
}

// Stats tells what the journal did since it was opened, and what it holds.
type Stats struct {
	State       State     `json:"state"`
	LastError   string    `json:"last_error,omitempty"` // of an attempt to write
	LastErrorAt time.Time `json:"last_error_at,omitzero"`

	Written        uint64 `json:"written"`         // messages
	Updated        uint64 `json:"updated"`         // messages that changed after they were written
	Dropped        uint64 `json:"dropped"`         // messages that are not journalled; each is in a gap
	DroppedUpdates uint64 `json:"dropped_updates"` // later versions of messages and news of sessions that are not journalled
	RecentGaps     []Gap  `json:"recent_gaps"`     // the newest ones
	Batches        uint64 `json:"batches"`
	Errors         uint64 `json:"errors"` // attempts to write that failed

	QueuedMessages int `json:"queued_messages"`
	QueuedBytes    int `json:"queued_bytes"`

	Files       int       `json:"files"`
	Bytes       int64     `json:"bytes"` // of all files
	PrunedFiles uint64    `json:"pruned_files"`
	PrunedBytes uint64    `json:"pruned_bytes"`
	SetAside    uint64    `json:"set_aside"`          // damaged files
	OldestAt    time.Time `json:"oldest_at,omitzero"` // first message of the oldest file
	LastBatchAt time.Time `json:"last_batch_at,omitzero"`
	LastBatchMS float64   `json:"last_batch_ms"` // time that it took
}

// maxRecentGaps bounds RecentGaps.
const maxRecentGaps = 20

// noteGaps notes that the gaps of a batch were written. Should the batch be
// tried again, they are not written twice.
func (j *Journal) noteGaps(b *batch) {
	if b.saved || len(b.gaps) == 0 {
		return
	}
	b.saved = true
	j.mu.Lock()
	defer j.mu.Unlock()
	recent := slices.Concat(j.stats.RecentGaps, b.gaps)
	j.stats.RecentGaps = recent[max(0, len(recent)-maxRecentGaps):]
}

// Stats tells how the journal is doing.
func (j *Journal) Stats() Stats {
	j.queue.mu.Lock()
	messages, bytes := j.queue.usageLocked()
	dropped, outdated := j.queue.dropped, j.queue.outdated
	j.queue.mu.Unlock()
	waiting := j.queue.waitingGaps()
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.QueuedMessages, s.QueuedBytes, s.Dropped, s.DroppedUpdates = messages, bytes, dropped, outdated
	gaps := slices.Concat(s.RecentGaps, waiting)
	s.RecentGaps = append([]Gap{}, gaps[max(0, len(gaps)-maxRecentGaps):]...) // never null in JSON
	s.Files, s.Bytes = len(j.files), j.asides
	for _, f := range j.files {
		s.Bytes += f.bytes
	}
	if len(j.files) > 0 {
		s.OldestAt = j.files[0].since
	}
	return s
}
