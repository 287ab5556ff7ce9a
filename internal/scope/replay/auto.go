package replay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	// maxQueue bounds the submits of a session that wait for auto-replay.
	maxQueue = 256
	// maxFailures is after how many lines in a row without an answer auto-replay
	// gives up.
	maxFailures = 5
)

// Reasons why auto-replay of a session ended.
const (
	StopAsked    = "stopped"       // it was switched off
	StopSession  = "session_ended" // miner or pool are gone
	StopForeign  = "not_own_pool"  // the session went over to a pool that is not the user's own
	StopFailures = "no_answers"    // the pool does not answer
	StopFault    = "internal_error"
	StopShutdown = "shutdown" // the program ends
)

// Progress is how far auto-replay of a session came since it was switched on.
type Progress struct {
	Running   bool   `json:"running"`   // lines are being sent now
	Queued    int    `json:"queued"`    // submits that wait
	Total     uint64 `json:"total"`     // lines to send for the submits that were taken
	Done      uint64 `json:"done"`      // lines that were sent, and answered or given up: the sum of the next three
	Accepted  uint64 `json:"accepted"`  // by the pool
	Rejected  uint64 `json:"rejected"`  // by the pool
	Errors    uint64 `json:"errors"`    // no answer
	Dropped   uint64 `json:"dropped"`   // submits that found the queue full
	Cancelled uint64 `json:"cancelled"` // lines that were not sent since it was stopped
	LastError string `json:"last_error,omitempty"`
	Stop      string `json:"stop_reason,omitempty"` // why it was switched off
}

// auto is a session that has settings. The service's lock guards it.
type auto struct {
	session  string
	settings Settings
	queue    []task
	run      *run // who sends, nil while nobody does
	listed   bool // in the service's ready
	progress Progress
}

// task is a submit and how often it is to be sent.
type task struct {
	message *capture.Message
	count   int
}

// run is one goroutine that sends for a session until nothing is left.
type run struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// Captured takes each mining.submit of a miner whose session has auto-replay on.
func (s *Service) Captured(m *capture.Message) {
	if s.enabled.Load() == 0 || m.Direction != capture.MinerToPool || m.Method != methodSubmit {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.autos[m.Session]
	if a == nil || !a.settings.AutoReplay {
		return
	}
	if len(a.queue) >= maxQueue {
		a.progress.Dropped++
		s.counts.dropped.Add(1)
		return
	}
	a.queue = append(a.queue, task{m, a.settings.AutoReplayCount})
	a.progress.Total += uint64(a.settings.AutoReplayCount)
	if a.run == nil && !a.listed {
		a.listed = true
		s.ready = append(s.ready, a)
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Updated does nothing: the captured version of a submit has all that is sent.
func (s *Service) Updated(*capture.Message) {}

// SessionChanged stops auto-replay of sessions that ended.
func (s *Service) SessionChanged(session capture.Session) {
	if s.enabled.Load() == 0 || session.Live() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.autos[session.ID]; a != nil && a.settings.AutoReplay {
		s.offLocked(a, StopSession)
	}
}

var _ capture.Sink = (*Service)(nil)

// offLocked switches auto-replay of a session off, at once.
func (s *Service) offLocked(a *auto, reason string) {
	s.enabled.Add(-1)
	a.settings.AutoReplay = false
	if a.run != nil {
		a.run.cancel()
		a.run = nil
	}
	a.queue = nil
	a.progress.Cancelled = a.progress.Total - a.progress.Done
	a.progress.Stop = reason
	s.counts.cancelled.Add(a.progress.Cancelled)
}

// AutoReplay is how far auto-replay of a session came.
func (s *Service) AutoReplay(session string) Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.autos[session]
	if a == nil {
		return Progress{}
	}
	p := a.progress
	p.Running, p.Queued = a.run != nil, len(a.queue)
	return p
}

// Run sends what auto-replay has to, until ctx ends. Each session is sent for by
// one goroutine, as long as there is something.
func (s *Service) Run(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		select {
		case <-s.wake:
			s.start(ctx, &sending)
		case <-ctx.Done():
			s.stopAll()
			return nil
		}
	}
}

// start makes goroutines for the sessions that have something to send.
func (s *Service) start(ctx context.Context, sending *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.ready {
		a.listed = false
		if len(a.queue) == 0 || a.run != nil {
			continue
		}
		r := &run{}
		r.ctx, r.cancel = context.WithCancel(ctx)
		a.run = r
		sending.Go(func() {
			defer r.cancel()
			s.work(a, r)
		})
	}
	s.ready = nil
}

func (s *Service) stopAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.autos {
		if a.settings.AutoReplay {
			s.offLocked(a, StopShutdown)
		}
	}
}

// work sends the submits of a session until none is left or it is stopped.
func (s *Service) work(a *auto, r *run) {
	defer func() {
		if v := recover(); v != nil {
			s.counts.faults.Add(1)
			s.cfg.Log.Error("auto-replay failed", "session", a.session, "panic", v, "stack", string(debug.Stack()))
			s.giveUp(a, r, StopFault)
		}
	}()
	failures := 0
	for {
		t, ok := s.next(a, r)
		if !ok {
			return
		}
		for range t.count {
			if !s.wait(a, r) {
				return
			}
			reason := s.round(a, r, t.message, &failures)
			if reason != "" {
				s.giveUp(a, r, reason)
				return
			}
		}
	}
}

// next takes a submit off the queue. When there is none the run is over.
func (s *Service) next(a *auto, r *run) (t task, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.run != r {
		return t, false
	}
	if len(a.queue) == 0 {
		a.run = nil
		return t, false
	}
	t = a.queue[0]
	a.queue = a.queue[1:]
	return t, true
}

// wait keeps the pace. It is false when the run was stopped.
func (s *Service) wait(a *auto, r *run) bool {
	s.mu.Lock()
	pause := a.settings.pause(rand.Float64())
	s.mu.Unlock()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return r.ctx.Err() == nil
	case <-r.ctx.Done():
		return false
	}
}

// round sends one line. It returns the reason to give up, or "".
func (s *Service) round(a *auto, r *run, m *capture.Message, failures *int) (reason string) {
	session, ok := s.cfg.Sessions.Live(a.session)
	if !ok {
		return StopSession
	}
	if s.refuseForeign(session.Upstream()) != nil {
		return StopForeign
	}
	if r.ctx.Err() != nil {
		return ""
	}
	id := s.newID()
	var result Result
	if o, err := edit(m.Raw, id); err != nil {
		result.Error = err.Error()
	} else {
		result, _ = s.send(r.ctx, session, o, id, m.N)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if a.run != r {
		return ""
	}
	p := &a.progress
	p.Done++
	switch {
	case !result.Success:
		p.Errors++
		p.LastError = result.Error
		if *failures++; *failures >= maxFailures {
			return StopFailures
		}
		return ""
	case result.accepted:
		p.Accepted++
	default:
		p.Rejected++
	}
	*failures = 0
	return ""
}

// giveUp ends a run, and auto-replay of its session with it.
func (s *Service) giveUp(a *auto, r *run, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.run == r {
		s.offLocked(a, reason)
	}
}

// refuseForeign refuses to put load on a pool that is not the user's own.
func (s *Service) refuseForeign(pool, peer string) error {
	if s.cfg.Own != nil && s.cfg.Own(pool, peer) {
		return nil
	}
	if pool == "" {
		pool = "unknown"
	}
	return fmt.Errorf("%w. The pool of this session is %s", ErrNotOwn, pool)
}

func refusalOf(err error) *Refusal {
	refusal := &Refusal{reason: "other"}
	errors.As(err, &refusal)
	return refusal
}
