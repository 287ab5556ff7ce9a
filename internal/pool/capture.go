package pool

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/capture"
)

// Sentinel errors of captures.
var (
	// ErrCapturing means that a capture runs already.
	ErrCapturing = errors.New("a capture runs already")
	// ErrNoCapture means that there is nowhere to write captures to.
	ErrNoCapture = errors.New("there is no folder for captures")
)

// CaptureOrder says whose wire is recorded: connections to which any of the
// three applies, those that come later included.
type CaptureOrder struct {
	Worker     string // name that a connection authorizes, from then on
	Connection string // id, as in the log
	Address    netip.Addr
	For        time.Duration
	MaxBytes   int64
}

// captures is at most one recording. Sessions look at order when they begin and
// when they authorize; a line costs nothing while there is no recording.
type captures struct {
	order atomic.Pointer[captureRun] // nil while there is none

	mu   sync.Mutex
	last *captureRun // running or ended
}

type captureRun struct {
	CaptureOrder
	recording *capture.Recording
}

// StartCapture records lines into a file of Config.CaptureDir.
func (p *Pool) StartCapture(o CaptureOrder) (capture.Status, error) {
	c := &p.captures
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.order.Load() != nil {
		return capture.Status{}, ErrCapturing
	}
	dir := p.config().CaptureDir
	if dir == "" {
		return capture.Status{}, ErrNoCapture
	}
	run := &captureRun{CaptureOrder: o}
	ended := func() {
		c.order.CompareAndSwap(run, nil)
		p.endCapture(run)
		p.log.Info("capture ended", "file", run.recording.Status().File, "lines", run.recording.Status().Lines)
	}
	var err error
	started := make(chan struct{})
	run.recording, err = capture.Start(dir, time.Now(), o.For, o.MaxBytes, func() {
		<-started
		ended()
	})
	if err != nil {
		return capture.Status{}, err
	}
	defer close(started)
	c.last = run
	c.order.Store(run)
	for _, s := range p.snapshotSessions() {
		s.mu.Lock()
		if run.wants(s) {
			s.captureLocked(run)
		}
		s.mu.Unlock()
	}
	p.log.Info("capture started", "file", run.recording.Status().File, "until", run.recording.Status().Until)
	return run.recording.Status(), nil
}

// StopCapture ends the recording that runs, if one does, and waits until its
// file is whole.
func (p *Pool) StopCapture() {
	if run := p.captures.order.Load(); run != nil {
		run.recording.Stop()
	}
}

// Capture is how far the newest recording is; ok is false before the first.
func (p *Pool) Capture() (status capture.Status, ok bool) {
	p.captures.mu.Lock()
	defer p.captures.mu.Unlock()
	if p.captures.last == nil {
		return status, false
	}
	return p.captures.last.recording.Status(), true
}

// wants says whether a session is to be recorded. Its mutex is held.
func (r *captureRun) wants(s *session) bool {
	if s.id == r.Connection || r.Address.IsValid() && s.remote.Addr().Unmap() == r.Address.Unmap() {
		return true
	}
	return r.Worker != "" && s.workerLocked([]byte(r.Worker)) != nil
}

// beginCaptureLocked records the session if somebody asked for it. It is called
// when what there is to ask for becomes known.
func (s *session) beginCaptureLocked() {
	if run := s.pool.captures.order.Load(); run != nil && run.wants(s) {
		s.captureLocked(run)
	}
}

// captureLocked shows the session's lines to a recording.
func (s *session) captureLocked(run *captureRun) {
	s.recording = run
	s.connectTapsLocked()
}

// endCapture ends what a recording is shown.
func (p *Pool) endCapture(run *captureRun) {
	for _, s := range p.snapshotSessions() {
		s.mu.Lock()
		if s.recording == run {
			s.captureLocked(nil)
		}
		s.mu.Unlock()
	}
}
