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

// Service makes backups by a schedule and on request. Its methods may be called
// by any goroutine.
type Service struct {
	cfg     Config
	log     *slog.Logger
	running sync.Mutex // held while an archive is made
	asked   chan struct{}
	free    func(dir string) (bytes int64, err error)

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
	s := &Service{cfg: cfg, log: log, asked: make(chan struct{}, 1), free: files.FreeSpace, states: make(map[string]*state)}
	for _, t := range cfg.Targets {
		s.states[t.Name()] = new(state)
	}
	return s
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
	lock, err := Hold(s.cfg.WorkDir)
	if errors.Is(err, ErrRunning) {
		return "", err
	}
	if err != nil {
		return "", s.note(targets, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	s.sweepHeld()

	began := s.cfg.Now()
	w := writer{snapshot: s.cfg.Snapshot, key: s.cfg.Key, version: s.cfg.Version, free: s.free}
	archive, sum, err := w.write(ctx, s.cfg.WorkDir, stamp(lock, began), s.cfg.Items())
	if err != nil {
		return "", s.note(targets, err)
	}
	defer func() { err = errors.Join(err, removeIfThere(archive)) }()
	name = filepath.Base(archive)
	var errs []error
	for _, t := range targets {
		stored, err := s.put(ctx, t, name, archive, sum)
		if err = s.note([]Target{t}, err); err == nil {
			s.log.Info("backup made", "name", name, "target", t.Name(), "took", s.cfg.Now().Sub(began).Round(time.Millisecond))
		}
		if stored {
			// Those that cannot be verified must not pile up, either.
			if old := s.prune(ctx, t, name); old != nil {
				// The next one prunes again.
				s.log.Warn("old backups not deleted", "target", t.Name(), "err", old)
				err = errors.Join(err, old)
			}
		}
		errs = append(errs, err)
	}
	return name, errors.Join(errs...)
}

// put stores an archive, reads it back, and says that it was the same. stored
// says that something is there now.
func (s *Service) put(ctx context.Context, t Target, name, archive string, sum [32]byte) (stored bool, err error) {
	info, err := os.Stat(archive)
	if err != nil {
		return false, err
	}
	if err := t.Put(ctx, name, archive); err != nil {
		return false, err
	}
	got, err := sumAt(ctx, t, name, info.Size())
	if err != nil {
		return true, fmt.Errorf("read back: %w", err)
	}
	if got != sum {
		// Nobody shall restore from it.
		return true, errors.Join(fmt.Errorf("%w: what was read back is not what was sent", ErrArchive), t.Delete(ctx, name))
	}
	return true, t.PutSmall(ctx, name+sumEnd, sumLine(name, sum))
}

// sumAt reads a file of a known size at a target, and no more than one byte
// beyond it.
func sumAt(ctx context.Context, t Target, name string, size int64) (sum [32]byte, err error) {
	r, err := t.Get(ctx, name)
	if err != nil {
		return sum, err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, io.LimitReader(reader{ctx, r}, size+1))
	hash.Sum(sum[:0])
	return sum, errors.Join(err, r.Close())
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
			if found[i], err = list(ctx, t, s.cfg.Keep, s.cfg.Now()); err != nil {
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
