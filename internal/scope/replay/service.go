package replay

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/relay"
)

const (
	// answerLimit is how long a pool may take to answer.
	answerLimit = 10 * time.Second
	// maxManual bounds the manual replays that wait for an answer.
	maxManual = 256
	// recordPatience is how long a result waits until it is recorded.
	recordPatience = time.Second
)

// Live is a session whose miner and pool are connected.
type Live interface {
	// Tape is what the session is recorded on.
	Tape() *capture.Tape
	// Upstream is the pool that the session is connected to now: host:port as
	// configured, and the resolved address.
	Upstream() (pool, peer string)
	// Inject writes a line, line feed included, to the pool, between two lines of
	// the miner, and calls sent when that is done, from any goroutine. It returns
	// the pool's line whose id is the given one, a JSON text, and keeps it, even
	// when it comes after ctx ended, from the miner and from the tape.
	Inject(ctx context.Context, line []byte, id string, sent func(at time.Time)) (answer []byte, at time.Time, err error)
}

// Sessions finds live sessions.
type Sessions interface {
	Live(id string) (session Live, ok bool)
}

// Store finds sessions, live and ended.
type Store interface {
	Session(id string) (s capture.Session, ok bool)
}

// Config is what a Service works with.
type Config struct {
	Sessions Sessions
	Store    Store
	// Own says whether a pool is the user's own: host:port as configured, and
	// the resolved address, which is empty when unknown. See OwnPools.
	Own func(pool, peer string) bool
	Log *slog.Logger
}

// Service replays messages. Make one with New; auto-replay works while Run runs.
type Service struct {
	cfg    Config
	prefix string // of the private ids of this process
	serial atomic.Uint64
	manual atomic.Int64

	counts  counts
	enabled atomic.Int64 // sessions with auto-replay: Captured looks at nothing else while it is 0

	mu    sync.Mutex
	autos map[string]*auto // by session; those that nothing was ever set for are absent
	ready []*auto          // that have something to do and nobody who does it
	wake  chan struct{}
}

// New returns a service. It starts nothing.
func New(cfg Config) *Service {
	return &Service{
		cfg:    cfg,
		prefix: "poolscope-" + rand.Text()[:10] + "-",
		autos:  make(map[string]*auto),
		wake:   make(chan struct{}, 1),
	}
}

// newID returns an id, as JSON text, that was never used: not by us, and not by
// any miner that does not do it on purpose.
func (s *Service) newID() string {
	return `"` + s.prefix + strconv.FormatUint(s.serial.Add(1), 36) + `"`
}

// Result is what became of a replay. A pool that answers with a rejection has
// answered: that is a success of the replay.
type Result struct {
	Success   bool
	Response  json.RawMessage // id, method, params, result and error, the id being the caller's; nil without an answer
	Error     string          // why there is no answer
	Latency   time.Duration   // from writing the line to reading its answer
	MessageID string          // of the message that it was recorded as; "" when there was no room to record it

	accepted bool
}

// MarshalJSON gives the members of the original, and message_id.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Success   bool            `json:"success"`
		Response  json.RawMessage `json:"pool_response"`
		Error     *string         `json:"error"`
		Latency   *float64        `json:"latency_ms"`
		MessageID *string         `json:"message_id"`
	}{Success: r.Success, Response: r.Response}
	if r.Error != "" {
		out.Error = &r.Error
	}
	if r.Success {
		ms := float64(r.Latency.Microseconds()) / 1000
		out.Latency = &ms
	}
	if r.MessageID != "" {
		out.MessageID = &r.MessageID
	}
	return json.Marshal(out)
}

var _ json.Marshaler = Result{}

// Replay sends a message again, or modified in its place when that is not empty,
// and waits for the answer, ten seconds at most. A nil message is one that was
// not found. It returns an error when nothing was sent since that cannot be
// done, always a *Refusal or an error that wraps one.
func (s *Service) Replay(ctx context.Context, m *capture.Message, modified string) (Result, error) {
	result, err := s.replay(ctx, m, modified)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		s.counts.refuse(refusal)
	}
	return result, err
}

func (s *Service) replay(ctx context.Context, m *capture.Message, modified string) (Result, error) {
	switch {
	case m == nil:
		return Result{}, ErrNotFound
	case m.Direction != capture.MinerToPool:
		return Result{}, ErrDirection
	case m.Method != methodSubmit:
		return Result{}, ErrMethod
	}
	session, ok := s.cfg.Sessions.Live(m.Session)
	if !ok {
		if known, ok := s.cfg.Store.Session(m.Session); ok && known.Live() && known.Origin == capture.OriginTap {
			return Result{}, ErrNotRelayed
		}
		return Result{}, ErrNotLive
	}
	line := []byte(modified)
	if modified == "" {
		line = m.Raw
	}
	id := s.newID()
	order, err := edit(line, id)
	switch {
	case err != nil && modified == "" && !errors.Is(err, ErrNoID) && !errors.Is(err, ErrID):
		return Result{}, ErrIncomplete
	case err != nil:
		return Result{}, err
	}
	if s.manual.Add(1) > maxManual {
		s.manual.Add(-1)
		return Result{}, ErrBusy
	}
	defer s.manual.Add(-1)
	result, own := s.send(ctx, session, order, id, m.N)

	// Whoever asked may look at the message at once.
	patience, done := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer done()
	own.Settled(patience)
	if n, ok := own.Recorded(patience); ok {
		result.MessageID = capture.MessageID(m.Session, n)
	}
	return result, nil
}

const methodSubmit = "mining.submit"

// Reasons why there is no answer, as they are shown and recorded.
const (
	failTimeout = "Timeout waiting for pool response"
	failEnded   = "The session ended before the pool answered"
	failStopped = "Stopped before the pool answered"
	failUnsent  = "The line could not be sent: "
)

// send sends one line, waits for its answer and records both.
func (s *Service) send(ctx context.Context, session Live, o order, id string, of uint64) (Result, *capture.Own) {
	s.counts.sent.Add(1)
	// The relay tells when it had written the line, which may be after the answer
	// came; until then it is about now.
	var written atomic.Int64 // Unix ns
	written.Store(time.Now().UnixNano())
	own := session.Tape().Own(o.line, capture.OwnLine{WireID: id, ReplayOf: of}, time.Now())
	limit, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	answer, at, err := session.Inject(limit, o.wire, id, func(at time.Time) {
		written.Store(at.UnixNano())
		own.Sent(at)
	})

	var result Result
	if err == nil {
		own.Answered(answer, at)
		s.counts.answered.Add(1)
		response := capture.ParseLine(answer)
		question := capture.Message{Direction: capture.ScopeToPool, ID: string(o.id), Response: response}
		result = Result{Success: true, Response: question.ResponseJSON(), Latency: max(0, at.Sub(time.Unix(0, written.Load()))), accepted: response.OK}
	} else {
		switch {
		case ctx.Err() != nil:
			result.Error = failStopped
			s.counts.stopped.Add(1)
		case errors.Is(err, context.DeadlineExceeded):
			result.Error = failTimeout
			s.counts.timeouts.Add(1)
		case errors.Is(err, relay.ErrSessionEnded):
			result.Error = failEnded
			s.counts.ended.Add(1)
		default:
			result.Error = failUnsent + err.Error()
			s.counts.unsent.Add(1)
		}
		own.Failed(result.Error, time.Now())
	}
	return result, own
}
