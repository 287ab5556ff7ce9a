package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/files"
)

const (
	// keptConfigs is the number of old configuration files that are kept.
	keptConfigs = 20
	// configStamp is the time in their names: FILE.20261122T140000Z.bak.
	configStamp = "20060102T150405Z"
	// deskTime is how long an operator's call waits for its turn.
	deskTime = 5 * time.Second
	// maxConfigFile bounds what is read of a configuration file, in bytes.
	maxConfigFile = 4 << 20
)

// settings is the configuration of the running pool, for operators at the page.
// What changes something is done at the operator's desk, one thing after the
// other, reloads by signal too.
type settings struct {
	pool *poolParts
	now  func() time.Time
}

var _ adminapi.Settings = (*settings)(nil)

// readOnly says why nothing can be changed, "" when it can.
func (s *settings) readOnly() string {
	switch {
	case s.pool.calls == nil:
		return "the demo makes its own configuration; a pool of yours starts with: poolscope config example > poolscope.toml; poolscope pool --config poolscope.toml"
	case s.pool.source.Path == "":
		return "the pool was started without a configuration file; make one with: poolscope config example > poolscope.toml; then start with: poolscope pool --config poolscope.toml"
	}
	path, err := filepath.EvalSymlinks(s.pool.source.Path)
	if err != nil {
		return fmt.Sprintf("the configuration file is not to be had: %v", err)
	}
	if dir := filepath.Dir(path); !files.CanReplace(dir) {
		return fmt.Sprintf("the pool's user may not write to %s; allow that, or edit the file by hand and reload", dir)
	}
	return ""
}

// configFile is the contents of the configuration file at a moment.
type configFile struct {
	path string // links followed
	data []byte
}

// sum is the SHA-256 of the contents in hex.
func (f *configFile) sum() string { return sumOf(f.data) }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (s *settings) read() (*configFile, error) {
	path, err := filepath.EvalSymlinks(s.pool.source.Path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxConfigFile) {
		err = errors.New("no ordinary file, or a very large one")
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return &configFile{path, data}, nil
}

// State implements [adminapi.Settings].
func (s *settings) State(context.Context) (*adminapi.SettingsState, error) {
	st := &adminapi.SettingsState{Path: s.pool.source.Path, ReadOnly: s.readOnly(), InForce: s.pool.inForce.Load()}
	if st.Path == "" {
		return st, nil
	}
	file, err := s.read()
	if err != nil {
		st.Problems = []config.Problem{{Source: st.Path, Message: err.Error()}}
		return st, nil
	}
	st.Data, st.Base = file.data, file.sum()
	plan := s.plan(st.InForce, file.data)
	st.Problems, st.Unread, st.Waiting = plan.problems, plan.live, plan.restart
	return st, nil
}

// plan is what a reload of a file would do.
type plan struct {
	problems      []config.Problem
	warnings      []string
	live, restart []string
}

// plan goes through everything that a reload does, and changes nothing.
func (s *settings) plan(inForce *config.Config, data []byte) (p plan) {
	next, err := s.pool.source.Check(data)
	if err != nil {
		p.problems = problemsOf(s.pool.source.Path, err)
		return p
	}
	p.warnings = next.Warnings()
	adopted, changes, err := inForce.Adopt(next)
	if err == nil {
		err = s.pool.rehearse(adopted)
	}
	if err != nil {
		p.problems = problemsOf(s.pool.source.Path, err)
		return p
	}
	for _, c := range changes {
		if c.Live {
			p.live = append(p.live, c.Key)
		} else {
			p.restart = append(p.restart, c.Key)
		}
	}
	return p
}

func problemsOf(path string, err error) []config.Problem {
	var invalid *config.InvalidError
	if errors.As(err, &invalid) {
		return invalid.Problems
	}
	return []config.Problem{{Source: path, Message: err.Error()}}
}

// rehearse says why adopt would fail with a configuration, as far as that can be
// known before.
func (p *poolParts) rehearse(adopted *config.Config) error {
	poolConfig, err := poolConfigOf(adopted)
	if err != nil {
		return err
	}
	if err := p.pool.Check(poolConfig); err != nil {
		return err
	}
	if p.tls != nil && adopted.Stratum.CertFile != "" {
		_, err = certificateOf(adopted, time.Now())
	}
	return err
}

// locked lists changes that would do nothing, since the environment or a flag wins.
func locked(inForce *config.Config, changes []config.Set) (problems []config.Problem) {
	for _, c := range changes {
		if o := inForce.OriginOf(c.Key); config.Locked(o) != "" {
			problems = append(problems, config.Problem{Source: o.Source, Key: c.Key, Message: config.Locked(o)})
		}
	}
	return problems
}

// judge edits a file and plans the outcome.
func (s *settings) judge(inForce *config.Config, data []byte, changes []config.Set) (after []byte, p plan) {
	if problems := locked(inForce, changes); len(problems) > 0 {
		return nil, plan{problems: problems}
	}
	after, err := config.Edit(data, changes)
	if err != nil {
		return nil, plan{problems: []config.Problem{{Source: s.pool.source.Path, Message: err.Error()}}}
	}
	return after, s.plan(inForce, after)
}

// Check implements [adminapi.Settings].
func (s *settings) Check(_ context.Context, changes []config.Set) (*adminapi.Verdict, error) {
	if why := s.readOnly(); why != "" {
		return nil, fmt.Errorf("%w: %s", adminapi.ErrReadOnly, why)
	}
	file, err := s.read()
	if err != nil {
		return nil, err
	}
	after, p := s.judge(s.pool.inForce.Load(), file.data, changes)
	return &adminapi.Verdict{
		Before: file.data, After: after, Base: file.sum(), Problems: p.problems, Warnings: p.warnings, Live: p.live, Restart: p.restart,
	}, nil
}

// Save implements [adminapi.Settings].
func (s *settings) Save(ctx context.Context, changes []config.Set, base string) (saved *adminapi.Saved, err error) {
	if why := s.readOnly(); why != "" {
		return nil, fmt.Errorf("%w: %s", adminapi.ErrReadOnly, why)
	}
	called := s.atDesk(ctx, func(_ context.Context, d *desk) { saved, err = s.save(d, changes, base) })
	return saved, errors.Join(called, err)
}

// save is Save at the desk.
func (s *settings) save(d *desk, changes []config.Set, base string) (*adminapi.Saved, error) {
	file, err := s.read()
	if err != nil {
		return nil, err
	}
	if file.sum() != base {
		return nil, adminapi.ErrFileChanged
	}
	after, p := s.judge(s.pool.cfg, file.data, changes)
	if len(p.problems) > 0 {
		return nil, &config.InvalidError{Problems: p.problems}
	}
	backup, err := keepConfig(file, s.now())
	if err != nil {
		return nil, fmt.Errorf("the old file was not copied, so nothing was changed: %w", err)
	}
	if err := files.ReplaceDurably(file.path, after); err != nil {
		return nil, fmt.Errorf("the file was not written: %w", err)
	}
	adopted, err := s.pool.adopt(d.load)
	if err != nil {
		// What could not be known before. The file is to say what is in force.
		s.pool.reloads.refused.Add(1)
		s.pool.refuse(err)
		if undo := files.ReplaceDurably(file.path, file.data); undo != nil {
			return nil, fmt.Errorf("not taken, and the old file is only in %s: %w", backup, errors.Join(err, undo))
		}
		return nil, &config.InvalidError{Problems: problemsOf(s.pool.source.Path, err)}
	}
	live, restart := s.pool.tellChanges(adopted)
	return &adminapi.Saved{Live: live, Restart: restart, Backup: backup, Base: sumOf(after)}, nil
}

// keepConfig copies a configuration file for its owner alone, and deletes the
// oldest of such copies. It returns the copy's name.
func keepConfig(file *configFile, now time.Time) (name string, err error) {
	dir, base := filepath.Split(file.path)
	dir = filepath.Clean(dir)
	kept, err := keptCopies(dir, base)
	if err != nil {
		return "", err
	}
	if err := files.RemoveLeftovers(filepath.Join(dir, base)); err != nil {
		return "", err
	}
	stamp, number := now.UTC().Format(configStamp), 1
	for _, k := range kept {
		if k.stamp == stamp {
			number = max(number, k.number+1)
		}
	}
	name = base + "." + stamp + ".bak"
	if number > 1 {
		name = fmt.Sprintf("%s.%s-%d.bak", base, stamp, number)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.Write(file.data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(filepath.Join(dir, name)) // half a copy is none
		return "", err
	}
	var failed error
	for _, k := range kept[min(len(kept), keptConfigs-1):] {
		failed = errors.Join(failed, os.Remove(filepath.Join(dir, k.name)))
	}
	return name, errors.Join(failed, files.SyncDir(dir))
}

// configCopy is a copy of a configuration file.
type configCopy struct {
	name, stamp string
	number      int // of those of one second
}

// keptCopies lists the copies of a configuration file, the newest first. Files that
// only look alike are none.
func keptCopies(dir, base string) (all []configCopy, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		middle, is := strings.CutPrefix(e.Name(), base+".")
		middle, bak := strings.CutSuffix(middle, ".bak")
		stamp, more, numbered := strings.Cut(middle, "-")
		number, odd := 1, error(nil)
		if numbered {
			number, odd = strconv.Atoi(more)
		}
		if _, err := time.Parse(configStamp, stamp); is && bak && err == nil && odd == nil {
			all = append(all, configCopy{e.Name(), stamp, number})
		}
	}
	slices.SortFunc(all, func(a, b configCopy) int {
		return cmp.Or(strings.Compare(b.stamp, a.stamp), cmp.Compare(b.number, a.number))
	})
	return all, nil
}

// Restart implements [adminapi.Settings].
func (s *settings) Restart(ctx context.Context) (err error) {
	if s.pool.calls == nil {
		return fmt.Errorf("%w: the demo is ended and started by hand", adminapi.ErrNoRestart)
	}
	called := s.atDesk(ctx, func(ctx context.Context, d *desk) {
		if err = d.upgrade(ctx); err != nil {
			err = fmt.Errorf("%w, the pool goes on as it is: %w", adminapi.ErrNoRestart, err)
		}
	})
	return errors.Join(called, err)
}

// atDesk has something done at the operator's desk, and waits for it. Once it has
// begun it is done to its end. A panic in it does not end the pool.
func (s *settings) atDesk(ctx context.Context, do func(context.Context, *desk)) error {
	done := make(chan error, 1)
	call := func(ctx context.Context, d *desk) {
		var fault error
		defer func() {
			if v := recover(); v != nil {
				s.pool.log.Error("operator's call panicked", "panic", v, "stack", string(debug.Stack()))
				fault = fmt.Errorf("%w: %v", errPanic, v)
			}
			done <- fault
		}()
		do(ctx, d)
	}
	ctx, cancel := context.WithTimeout(ctx, deskTime)
	defer cancel()
	select {
	case s.pool.calls <- call:
		return <-done
	case <-ctx.Done():
		return ctx.Err()
	}
}
