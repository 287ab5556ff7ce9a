package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/stratum"
)

const (
	handshakeTimeout = 30 * time.Second
	silenceTimeout   = 3 * time.Minute
	answerTimeout    = 30 * time.Second // a submit's
	writeTimeout     = 10 * time.Second
	maxLine          = 256 << 10 // bytes
	maxBadLines      = 10
	// maxPending bounds the submits that wait for their answers.
	maxPending = 256
)

// Ids of the handshake. Submits count from firstSubmit.
const (
	idConfigure int64 = iota + 1
	idSubscribe
	idAuthorize
	idSuggest
	firstSubmit int64 = 16
)

// Reasons for the end of a connection.
var (
	errRefused = errors.New("the pool refuses the worker")
	errClosed  = errors.New("the pool closed the connection")
	errMute    = errors.New("the pool said nothing for too long")
	errBad     = errors.New("the pool sent too much that is not Stratum")
	errMoved   = errors.New("the pool asked to connect again")
	errFull    = errors.New("too many submits wait for an answer")
)

// session is one connection to the pool.
type session struct {
	agent   *Agent
	conn    net.Conn
	writing sync.Mutex

	// Of the goroutine that reads.
	subscribed, authorized bool
	connected              time.Time
	badLines               int

	mu         sync.Mutex // guards the rest
	nextID     int64
	pending    map[int64]time.Time // when it was sent
	ended      bool
	sub        miner.Subscription // takes effect with the next job
	difficulty float64            // takes effect with the next job; 0 before the first
	mask       uint32
	rolling    bool
	work       *work // nil before the first job
	changed    chan struct{}
}

// work is a job and what was in force when it came.
type work struct {
	job        *miner.Job
	sub        miner.Subscription
	difficulty float64
	mask       uint32
	rolling    bool
	at         time.Time
}

// connect keeps a connection to the pool until ctx ends.
func (a *Agent) connect(ctx context.Context) {
	wait := a.cfg.ReconnectMin
	for ctx.Err() == nil {
		began := time.Now()
		err := a.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		a.counts.fail("Pool connection lost: " + err.Error())
		a.log.Warn("not connected to pool", "pool", a.endpoint.String(), "reason", err)
		if time.Since(began) > a.cfg.ReconnectMax {
			wait = a.cfg.ReconnectMin
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1)) // agents do not come back all at once
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		wait = min(2*wait, a.cfg.ReconnectMax)
	}
}

// connection is one connection, from dialling to its end. The error says why it
// ended.
func (a *Agent) connection(ctx context.Context) error {
	began := time.Now()
	conn, err := a.dial(ctx, a.endpoint)
	if err != nil {
		return err
	}
	connected := time.Now()
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	took := milliseconds(connected.Sub(began))
	a.counts.mu.Lock()
	a.counts.connect = &took
	a.counts.mu.Unlock()

	s := &session{agent: a, conn: conn, connected: connected, nextID: firstSubmit, pending: make(map[int64]time.Time), changed: make(chan struct{})}
	done := make(chan struct{})
	var sweeper sync.WaitGroup
	sweeper.Go(func() { s.sweep(done) })
	err = s.serve()
	close(done)
	sweeper.Wait()
	a.setSession(nil)
	a.counts.silence(s.end())
	if errors.Is(err, errRefused) {
		a.refuse()
	}
	return err
}

// refuse notes that it is of no use until something changes at the pool.
func (a *Agent) refuse() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused = true
}

// target is the pool as telemetry names it.
func (a *Agent) target() fleet.Target {
	port, _ := strconv.Atoi(a.endpoint.Port) // the endpoint was parsed
	return fleet.Target{Host: a.endpoint.Host, Port: port}
}

// serve signs in and takes what the pool sends.
func (s *session) serve() error {
	a := s.agent
	b := miner.AppendRequest(nil, idConfigure, "mining.configure", `["version-rolling"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":2}`)
	b = miner.AppendRequest(b, idSubscribe, "mining.subscribe", quote("poolscope-agent/"+a.cfg.Version))
	if d := a.wanted(); d > 0 {
		b = miner.AppendRequest(b, idSuggest, "mining.suggest_difficulty", bitcoin.FormatDifficulty(d))
	}
	b = miner.AppendRequest(b, idAuthorize, "mining.authorize", quote(a.cfg.User)+","+quote(a.cfg.Password))
	if err := s.write(b); err != nil {
		return err
	}
	lines := bufio.NewScanner(s.conn)
	lines.Buffer(make([]byte, 4096), maxLine)
	deadline := time.Now().Add(handshakeTimeout)
	for {
		if s.authorized {
			deadline = time.Now().Add(silenceTimeout)
		}
		if err := s.conn.SetReadDeadline(deadline); err != nil {
			return err
		}
		if !lines.Scan() {
			switch err := lines.Err(); {
			case err == nil:
				return errClosed
			case errors.Is(err, os.ErrDeadlineExceeded):
				return errMute
			default:
				return fmt.Errorf("read from pool: %w", err)
			}
		}
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := s.take(lines.Bytes()); err != nil {
			return err
		}
	}
}

// wanted is the difficulty to suggest: what is asked for, or what we are able to
// find at the rate; 0 for none.
func (a *Agent) wanted() float64 {
	load := a.load()
	switch {
	case a.cfg.Mode != fleet.ModeMine || load.Rate <= 0:
		return 0
	case load.Difficulty > 0:
		return load.Difficulty
	}
	return a.cfg.Hashrate / 2 / load.Rate / bitcoin.HashesPerDifficulty
}

func (s *session) write(line []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // a closed connection fails the write
	if _, err := s.conn.Write(line); err != nil {
		_ = s.conn.Close() // half a line may be out
		return fmt.Errorf("write to pool: %w", err)
	}
	return nil
}

// submit sends a share: line makes it for an id. It is counted as attempted
// before it is on its way.
func (s *session) submit(line func(id int64) []byte) error {
	s.mu.Lock()
	switch {
	case s.ended:
		s.mu.Unlock()
		return errClosed
	case len(s.pending) >= maxPending:
		s.mu.Unlock()
		return errFull
	}
	id := s.nextID
	s.nextID++
	s.pending[id] = time.Now()
	s.agent.counts.attempt(s.agent.cfg.Now())
	s.mu.Unlock()
	return s.write(line(id))
}

// end closes the books; it returns how many submits stay unanswered.
func (s *session) end() (unanswered int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return len(s.pending)
}

// sweep gives up submits that wait for too long.
func (s *session) sweep(done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		late := 0
		s.mu.Lock()
		for id, at := range s.pending {
			if time.Since(at) > answerTimeout {
				delete(s.pending, id)
				late++
			}
		}
		s.mu.Unlock()
		s.agent.counts.silence(late)
	}
}

// answered takes the answer to a submit.
func (s *session) answered(id int64, m *miner.Message) {
	s.mu.Lock()
	at, ok := s.pending[id]
	delete(s.pending, id)
	s.mu.Unlock()
	if !ok {
		return
	}
	why := ""
	if !m.OK() {
		why = m.Refusal()
	}
	s.agent.counts.answer(time.Since(at), why)
}

// current is the newest work, nil before the first, and a channel that is closed
// when that changes.
func (s *session) current() (*work, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.work, s.changed
}

func (s *session) knownDifficulty() *float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.difficulty <= 0 {
		return nil
	}
	d := s.difficulty
	return &d
}

func quote(s string) string { return string(stratum.AppendString(nil, s)) }
