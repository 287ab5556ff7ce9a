package inspect

import (
	"context"
	"log/slog"
	"time"

	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Bounds of what waits for the recorder.
const (
	batchChunks = 1024
	batchBytes  = 8 << 20
)

// feed gives lines of the past to a recorder and an auditor, at the times at
// which they were said.
type feed struct {
	recorder *capture.Recorder
	auditor  *audit.Auditor
	ended    context.Context // has ended: the recorder handles what is queued, and returns
	ports    map[uint16]bool // that pools are on; empty for all

	clock  time.Time // of the auditor
	latest time.Time // that was seen
	chunks int       // queued
	bytes  int
	opened int

	undecided int            // bytes of connections that are not known yet
	others    map[string]int // connections that are no sessions, by reason
}

func newFeed(o *Options) *feed {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	auditor := audit.New(audit.Config{
		Payouts: o.Payouts,
		Limits: audit.Limits{
			Ended: maxSessions, Jobs: maxRecords, Shares: maxRecords, Difficulties: maxRecords, Seen: maxRecords,
			Alarms: maxRecords, Bytes: maxAuditBytes,
		},
	}, slog.New(slog.DiscardHandler))
	f := &feed{auditor: auditor, ended: ended, ports: make(map[uint16]bool), others: make(map[string]int)}
	for _, port := range o.Ports {
		f.ports[port] = true
	}
	f.recorder = capture.New(capture.Config{
		Analyst: auditor, KeepPasswords: o.KeepPasswords, QueueChunks: 2 * batchChunks, QueueBytes: 1 << 30,
		Limits: capture.Limits{Messages: maxMessages, PerSession: maxMessages, Bytes: maxMessageBytes, Sessions: maxSessions},
	}, slog.New(slog.DiscardHandler))
	return f
}

// open begins a session.
func (f *feed) open(o capture.Opening) *capture.Tape {
	f.advance(o.At)
	f.opened++
	tape := f.recorder.Open(o)
	f.settle()
	return tape
}

// chunk gives bytes of a session.
func (f *feed) chunk(tape *capture.Tape, d capture.Direction, b []byte, at time.Time) {
	f.advance(at)
	tape.Chunk(d, b, at).Forwarded(at)
	f.queued(len(b))
}

// line gives a whole line of a session.
func (f *feed) line(tape *capture.Tape, d capture.Direction, line []byte, at time.Time) {
	f.advance(at)
	tape.Line(d, line, at)
	f.queued(len(line))
}

// beginning gives what was kept of a line of size bytes.
func (f *feed) beginning(tape *capture.Tape, d capture.Direction, line []byte, size int, at time.Time) {
	f.advance(at)
	tape.Beginning(d, line, size, at)
	f.queued(len(line))
}

func (f *feed) queued(n int) {
	f.chunks++
	f.bytes += n
	if f.chunks >= batchChunks || f.bytes >= batchBytes {
		f.settle()
	}
}

// lost notes bytes that nobody captured.
func (f *feed) lost(tape *capture.Tape, d capture.Direction, n uint64) {
	f.settle()
	tape.Lost(d, n)
}

// settle has everything recorded.
func (f *feed) settle() {
	f.chunks, f.bytes = 0, 0
	_ = f.recorder.Run(f.ended) // only ends
}

// advance is told the time of what comes next. The auditor looks for silences
// once a second.
func (f *feed) advance(at time.Time) {
	if at.After(f.latest) {
		f.latest = at
	}
	switch {
	case f.clock.IsZero():
		f.clock = at
	case at.Sub(f.clock) >= time.Second:
		f.settle()
		f.auditor.Advance(f.clock, at)
		f.clock = at
	}
}
