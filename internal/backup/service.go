package backup

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

// ErrRunning means that a backup is being made already.
var ErrRunning = errors.New("a backup is running")

// Config of a Service.
type Config struct {
	// Every is the time between two backups; 0: only when asked for.
	Every time.Duration
	Keep  Keep
	Key   Key
	// WorkDir is where archives are made; on a disk with room for two of them and
	// a copy of the databases.
	WorkDir string
	Targets []Target
	// Items tells what goes into the next archive.
	Items    func() []Item
	Snapshot Snapshot
	Version  string // of the program
	// Failed, when set, is told about each attempt that failed at a target, or
	// before it with target "".
	Failed func(target string, err error)
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Pauses of the schedule.
const (
	firstPause = 5 * time.Minute  // after the start
	retryPause = 10 * time.Minute // after a failure; doubled up to Every
	maxPause   = time.Hour        // between two looks at the clock: a machine may sleep
	runLimit   = 12 * time.Hour   // for one backup
)

// Service makes backups by a schedule and on request. Its methods may be called
// by any goroutine.
type Service struct {
	cfg     Config
	log     *slog.Logger
	running sync.Mutex // held while an archive is made
	asked   chan struct{}

	mu     sync.Mutex
	states map[string]*state
	status Status
}

// state is what is known of a target.
type state struct {
	lastSuccess time.Time
	lastTry     time.Time
	lastError   string
	failures    int // in a row
	ok, failed  uint64
}

// Status is what a service has done.
type Status struct {
	Running   bool
	Encrypted bool
	Every     time.Duration
	Targets   []TargetStatus
}

// TargetStatus is what became of the backups at a target.
type TargetStatus struct {
	Name, Location       string
	LastSuccess, LastTry time.Time
	LastError            string // of the last attempt; "" when it went well
	OK, Failed           uint64 // attempts since the start
}

// New returns a service. It starts nothing.
func New(cfg Config, log *slog.Logger) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{cfg: cfg, log: log, asked: make(chan struct{}, 1), states: make(map[string]*state)}
	for _, t := range cfg.Targets {
		s.states[t.Name()] = new(state)
	}
	return s
}

// Run makes backups until ctx ends. A target that fails is tried again sooner,
// by itself; its failure never ends Run.
func (s *Service) Run(ctx context.Context) error {
	s.sweep()
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	known := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.asked:
			s.attempt(ctx, s.cfg.Targets)
			known = true
		case <-timer.C:
			if !known {
				s.learn(ctx)
				known = true
			}
			if due := s.due(); len(due) > 0 {
				s.attempt(ctx, due)
			}
		}
		timer.Reset(s.pause())
	}
}

// Ask has Run make a backup as soon as it can; false when that was asked for
// already.
func (s *Service) Ask() bool {
	select {
	case s.asked <- struct{}{}:
		return true
	default:
		return false
	}
}

// Make makes one backup now and puts it to all targets. It returns its name, and
// the errors of all targets; ErrRunning while another one is being made.
func (s *Service) Make(ctx context.Context) (name string, err error) {
	return s.make(ctx, s.cfg.Targets)
}

func (s *Service) attempt(ctx context.Context, targets []Target) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("backup panicked", "panic", v)
			_ = s.note(targets, fmt.Errorf("internal error: %v", v)) // logged above
		}
	}()
	if name, err := s.make(ctx, targets); err != nil && ctx.Err() == nil {
		s.log.Error("backup failed", "name", name, "err", err)
	}
}

func (s *Service) make(ctx context.Context, targets []Target) (name string, err error) {
	if !s.running.TryLock() {
		return "", ErrRunning
	}
	defer s.running.Unlock()
	s.setRunning(true)
	defer s.setRunning(false)
	if err := os.MkdirAll(s.cfg.WorkDir, 0o700); err != nil {
		return "", s.note(targets, err)
	}
	lock, err := files.Lock(filepath.Join(s.cfg.WorkDir, lockName))
	if errors.Is(err, files.ErrLocked) {
		return "", ErrRunning
	}
	if err != nil {
		return "", s.note(targets, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()

	began := s.cfg.Now()
	w := writer{snapshot: s.cfg.Snapshot, key: s.cfg.Key, version: s.cfg.Version}
	archive, sum, err := w.write(ctx, s.cfg.WorkDir, began, s.cfg.Items())
	if err != nil {
		return "", s.note(targets, err)
	}
	defer func() { err = errors.Join(err, removeIfThere(archive)) }()
	name = filepath.Base(archive)
	var errs []error
	for _, t := range targets {
		err := s.note([]Target{t}, s.put(ctx, t, name, archive, sum))
		if err == nil {
			s.log.Info("backup made", "name", name, "target", t.Name(), "took", s.cfg.Now().Sub(began).Round(time.Millisecond))
			if err = s.prune(ctx, t); err != nil {
				// The backup itself is there; the next one prunes again.
				s.log.Warn("old backups not deleted", "target", t.Name(), "err", err)
			}
		}
		errs = append(errs, err)
	}
	return name, errors.Join(errs...)
}

// put stores an archive, reads it back, and says that it was the same.
func (s *Service) put(ctx context.Context, t Target, name, archive string, sum [32]byte) error {
	if err := t.Put(ctx, name, archive); err != nil {
		return err
	}
	got, err := sumAt(ctx, t, name)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if got != sum {
		// Nobody shall restore from it.
		return errors.Join(fmt.Errorf("%w: what was read back is not what was sent", ErrArchive), t.Delete(ctx, name))
	}
	return t.PutSmall(ctx, name+sumEnd, sumLine(name, sum))
}

// sumAt reads a whole file at a target.
func sumAt(ctx context.Context, t Target, name string) (sum [32]byte, err error) {
	r, err := t.Get(ctx, name)
	if err != nil {
		return sum, err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, reader{ctx, r})
	hash.Sum(sum[:0])
	return sum, errors.Join(err, r.Close())
}

// unverifiedFor is how long an archive that was not verified is left alone:
// somebody may be about to.
const unverifiedFor = 2 * runLimit

// prune deletes what is no generation any more, and what a cut attempt left.
func (s *Service) prune(ctx context.Context, t Target) error {
	all, err := list(ctx, t, s.cfg.Keep)
	if err != nil {
		return fmt.Errorf("list old backups: %w", err)
	}
	var errs []error
	for i, b := range all {
		if len(b.Kept) > 0 || i == 0 || !b.Verified && s.cfg.Now().Sub(b.At) < unverifiedFor {
			continue
		}
		// The sum first: what is half deleted is not verified.
		if err := errors.Join(t.Delete(ctx, b.Name+sumEnd), t.Delete(ctx, b.Name)); err != nil {
			errs = append(errs, fmt.Errorf("delete old backup %s: %w", b.Name, err))
			continue
		}
		s.log.Info("old backup deleted", "name", b.Name, "target", t.Name())
	}
	return errors.Join(errs...)
}

// lockName is the file that is locked while an archive is made, so that the
// program and a person at the command line do not both.
const lockName = ".lock"

// sweep removes what a process that was killed left in the working folder.
func (s *Service) sweep() {
	lock, err := files.Lock(filepath.Join(s.cfg.WorkDir, lockName))
	if err != nil {
		return // there is no such folder, or somebody is at work
	}
	left, _ := filepath.Glob(filepath.Join(s.cfg.WorkDir, ".making-*")) // the pattern is right
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			s.log.Warn("what a backup left is not removed", "path", dir, "err", err)
		}
	}
	_ = lock.Close() // it was only locked
}

// learn asks the targets when their last backup was made.
func (s *Service) learn(ctx context.Context) {
	for _, t := range s.cfg.Targets {
		ctx, cancel := context.WithTimeout(ctx, 2*answerTimeout)
		all, err := list(ctx, t, s.cfg.Keep)
		cancel()
		if err != nil {
			s.log.Warn("old backups not listed", "target", t.Name(), "err", err)
			continue
		}
		s.mu.Lock()
		for _, b := range all {
			if st := s.states[t.Name()]; b.Verified && b.At.After(st.lastSuccess) {
				st.lastSuccess = b.At
			}
		}
		s.mu.Unlock()
	}
}

// due are the targets whose time has come.
func (s *Service) due() []Target {
	if s.cfg.Every <= 0 {
		return nil
	}
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.cfg.Targets), func(t Target) bool { return s.nextOf(s.states[t.Name()]).After(now) })
}

// nextOf is when a target is tried next.
func (s *Service) nextOf(st *state) time.Time {
	if st.failures == 0 {
		return st.lastSuccess.Add(s.cfg.Every)
	}
	pause := retryPause
	for range st.failures - 1 {
		if pause *= 2; pause >= s.cfg.Every {
			break
		}
	}
	return st.lastTry.Add(min(pause, s.cfg.Every))
}

// pause is how long Run waits.
func (s *Service) pause() time.Duration {
	now := s.cfg.Now()
	wait := maxPause
	if s.cfg.Every > 0 {
		s.mu.Lock()
		for _, st := range s.states {
			wait = min(wait, s.nextOf(st).Sub(now))
		}
		s.mu.Unlock()
	}
	return max(wait, time.Second)
}

// note remembers what became of an attempt, and returns its error, with the
// target's name.
func (s *Service) note(targets []Target, err error) error {
	now := s.cfg.Now()
	s.mu.Lock()
	for _, t := range targets {
		st := s.states[t.Name()]
		st.lastTry = now
		if err == nil {
			st.lastSuccess, st.lastError, st.failures = now, "", 0
			st.ok++
			continue
		}
		st.lastError = err.Error()
		st.failures++
		st.failed++
	}
	s.mu.Unlock()
	if err == nil {
		return nil
	}
	name := ""
	if len(targets) == 1 {
		name = targets[0].Name()
		err = fmt.Errorf("%s: %w", name, err)
	}
	if s.cfg.Failed != nil {
		s.cfg.Failed(name, err)
	}
	return err
}

func (s *Service) setRunning(running bool) {
	s.mu.Lock()
	s.status.Running = running
	s.mu.Unlock()
}

// Status tells what was done.
func (s *Service) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{Running: s.status.Running, Encrypted: s.cfg.Key.IsSet(), Every: s.cfg.Every}
	for _, t := range s.cfg.Targets {
		st := s.states[t.Name()]
		status.Targets = append(status.Targets, TargetStatus{
			Name: t.Name(), Location: t.Location(), LastSuccess: st.lastSuccess, LastTry: st.lastTry, LastError: st.lastError, OK: st.ok, Failed: st.failed,
		})
	}
	return status
}

// listLimit is how long a target may take to list what it has.
const listLimit = 10 * time.Second

// errSilent means that a target did not answer in time.
var errSilent = fmt.Errorf("no answer within %s", listLimit)

// List lists the archives of all targets, the newest first. Those of targets
// that answer, in time, are returned together with the errors of others.
func (s *Service) List(ctx context.Context) ([]Backup, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, listLimit, errSilent)
	defer cancel()
	found, errs := make([][]Backup, len(s.cfg.Targets)), make([]error, len(s.cfg.Targets))
	var wait sync.WaitGroup
	for i, t := range s.cfg.Targets {
		wait.Go(func() {
			var err error
			if found[i], err = list(ctx, t, s.cfg.Keep); err != nil {
				if ctx.Err() != nil {
					err = context.Cause(ctx)
				}
				errs[i] = fmt.Errorf("%s: %w", t.Name(), err)
			}
		})
	}
	wait.Wait()
	all := slices.Concat(found...)
	newestFirst(all)
	return all, errors.Join(errs...)
}

func newestFirst(all []Backup) {
	slices.SortStableFunc(all, func(a, b Backup) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Target, b.Target), bytes.Compare([]byte(a.Name), []byte(b.Name)))
	})
}
