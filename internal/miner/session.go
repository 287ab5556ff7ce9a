package miner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Limits of a session.
const (
	handshakeTimeout = 60 * time.Second
	silenceTimeout   = 180 * time.Second
	writeTimeout     = 30 * time.Second
	maxLine          = 256 << 10 // bytes of a pool's line
	maxBadLines      = 10
	maxPending       = 4096 // submits without a reply
	outboxSize       = 64   // lines
)

// defaultDifficulty is in force until the pool says otherwise.
const defaultDifficulty = 1

// Ids of the requests that a session starts with. Shares count from firstShare.
const (
	idConfigure int64 = iota + 1
	idSubscribe
	idAuthorize
	idSuggest
	idExtranonce
	firstShare int64 = 10
)

// session is one connection to a pool. Lines are read and understood by one
// goroutine, which owns all fields but those marked otherwise.
type session struct {
	cfg    *Config
	conn   net.Conn
	host   string // that client.reconnect may keep to
	board  *board
	stats  *counters
	log    *slog.Logger
	outbox chan []byte   // lines for the writer; any goroutine may send
	done   chan struct{} // closed when the session ends

	generation atomic.Uint64 // read by the hashing threads

	mask           uint32 // granted version bits
	rolling        bool
	subscribed     bool
	authorized     bool
	extranonce     Subscription
	nextExtranonce Subscription // takes effect with the next notify
	nextDifficulty float64      // takes effect with the next notify
	difficulty     float64      // of the job
	job            *Job
	jobAt          time.Time
	badLines       int

	mu      sync.Mutex
	nextID  int64                  // guarded by mu
	pending map[int64]pendingShare // guarded by mu
}

// pendingShare is a share that was sent and not answered yet.
type pendingShare struct {
	difficulty float64
	height     int64
}

func newSession(cfg *Config, conn net.Conn, host string, b *board, stats *counters, log *slog.Logger) *session {
	return &session{
		cfg: cfg, conn: conn, host: host, board: b, stats: stats, log: log,
		outbox:         make(chan []byte, outboxSize),
		done:           make(chan struct{}),
		nextDifficulty: defaultDifficulty,
		nextID:         firstShare,
		pending:        map[int64]pendingShare{},
	}
}

// run signs in and serves until the connection or ctx ends. It returns why, and
// closes the connection.
func (s *session) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()

	var writer sync.WaitGroup
	writer.Go(s.write)
	s.signIn()
	err := s.read()

	close(s.done)
	_ = s.conn.Close()
	s.board.clear(s)
	writer.Wait()
	s.mu.Lock()
	s.stats.unanswered(len(s.pending))
	s.mu.Unlock()
	return err
}

// signIn sends the whole handshake at once, as AxeOS does. What must be known
// of one answer before the next request is nothing, since ids pair them.
func (s *session) signIn() {
	var b []byte
	b = AppendRequest(b, idConfigure, "mining.configure", `["version-rolling"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":2}`)
	b = AppendRequest(b, idSubscribe, "mining.subscribe", quote(s.cfg.UserAgent))
	if s.cfg.SuggestDifficulty > 0 {
		b = AppendRequest(b, idSuggest, "mining.suggest_difficulty", bitcoin.FormatDifficulty(s.cfg.SuggestDifficulty))
	}
	b = AppendRequest(b, idAuthorize, "mining.authorize", quote(s.cfg.User)+","+quote(s.cfg.Password))
	s.send(b)
}

// read handles lines until the connection ends.
func (s *session) read() error {
	deadline := time.Now().Add(handshakeTimeout)
	lines := bufio.NewScanner(s.conn)
	lines.Buffer(make([]byte, 4096), maxLine)
	for {
		if s.subscribed && s.authorized {
			deadline = time.Now().Add(silenceTimeout)
		}
		if err := s.conn.SetReadDeadline(deadline); err != nil {
			return fmt.Errorf("set read deadline: %w", err)
		}
		if !lines.Scan() {
			return s.readError(lines.Err())
		}
		line := lines.Bytes()
		if len(line) == 0 {
			continue
		}
		s.stats.heard()
		if err := s.handle(line); err != nil {
			return err
		}
	}
}

// readError puts the end of the input into words.
func (s *session) readError(err error) error {
	switch {
	case err == nil:
		return errClosed
	case errors.Is(err, bufio.ErrTooLong):
		return errLineTooLong
	case errors.Is(err, os.ErrDeadlineExceeded) && s.subscribed && s.authorized:
		return errSilence
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errHandshakeTimeout
	}
	return fmt.Errorf("read from pool: %w", err)
}

// write sends the lines of the outbox, those that are ready together in one
// write.
func (s *session) write() {
	var batch []byte
	for {
		select {
		case line := <-s.outbox:
			batch = append(batch[:0], line...)
		case <-s.done:
			return
		}
		for more := true; more && len(batch) < 16<<10; {
			select {
			case line := <-s.outbox:
				batch = append(batch, line...)
			default:
				more = false
			}
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := s.conn.Write(batch); err != nil {
			// The reader sees the closed connection and ends the session.
			_ = s.conn.Close()
			return
		}
	}
}

// send queues a line. It waits for room, no longer than the session lasts.
func (s *session) send(line []byte) {
	select {
	case s.outbox <- line:
	case <-s.done:
	}
}

// submit sends a share. It is called by the hashing threads and waits when the
// pool takes shares more slowly than they are found. It returns false when the
// share could not be sent.
func (s *session) submit(ctx context.Context, w *work, sh share) bool {
	difficulty := bitcoin.HashDifficulty(&sh.hash)
	height := w.job.Height()

	select {
	case <-s.done:
		return false
	default:
	}
	s.mu.Lock()
	if len(s.pending) >= maxPending {
		s.mu.Unlock()
		return false
	}
	id := s.nextID
	s.nextID++
	s.pending[id] = pendingShare{difficulty: difficulty, height: height}
	s.mu.Unlock()

	line := AppendSubmit(nil, id, s.cfg.User, w.job.ID, sh.unit.extranonce2, sh.unit.header.Time, sh.nonce, w.rolling, sh.unit.versionBits)
	sent := false
	select {
	case s.outbox <- line:
		sent = true
	case <-s.done:
	case <-ctx.Done():
	}
	if !sent {
		s.mu.Lock()
		delete(s.pending, id)
		s.mu.Unlock()
		return false
	}
	s.stats.found(difficulty, sh.block)
	if sh.block {
		s.log.Info("block found", "height", height, "hash", sh.hash.String(), "difficulty", difficulty)
		s.stats.event(Event{Kind: EventBlock, Text: sh.hash.String(), Difficulty: difficulty, Height: height})
	}
	return true
}
