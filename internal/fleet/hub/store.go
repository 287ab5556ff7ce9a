package hub

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // registers itself as driver

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/store"
)

const (
	driver = "sqlite"
	// applicationID marks our file: "psfl" in ASCII.
	applicationID = 0x7073666c
	schemaVersion = 2
	// maxUnwritten is how much telemetry may wait to be written.
	maxUnwritten = 4096
	// sweepShare is the part of the telemetry that goes when the file is too large.
	sweepShare = 10
)

//go:embed schema.sql
var schema string

// ErrNewerStore means that a later version of this program wrote the file.
var ErrNewerStore = errors.New("the fleet's file was written by a newer version of poolscope")

// StoreConfig bounds a store. A zero means the default.
type StoreConfig struct {
	KeepFor  time.Duration // age at which telemetry is deleted; 7 days
	MaxBytes int64         // of the file; 256 MiB
}

// Store keeps telemetry in a SQLite file. What is put is written by Flush.
type Store struct {
	cfg StoreConfig
	log *slog.Logger
	db  *sql.DB

	mu      sync.Mutex // guards the next two; never held while the disk works
	pending []record
	tips    []tipRecord

	writing sync.Mutex // held while they are written; guards failing
	failing bool

	stored, lost atomic.Uint64
}

// record is one telemetry event.
type record struct {
	event, run    string // event is the id of the Nostr event
	agent, author string
	at, received  time.Time
	telemetry     *fleet.Telemetry
	content       []byte
}

// tipRecord is when an agent saw a block.
type tipRecord struct {
	run, block, agent string
	height            int64
	seen              time.Time
}

// OpenStore opens the file at path, and makes it and its folder when they are
// missing. A damaged file, and one of an earlier version, is put aside under
// another name, and a new one begun.
func OpenStore(path string, cfg StoreConfig, log *slog.Logger) (*Store, error) {
	if cfg.KeepFor <= 0 {
		cfg.KeepFor = 7 * 24 * time.Hour
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 256 << 20
	}
	s := &Store{cfg: cfg, log: log}
	err := s.open(path)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrNewerStore):
		return nil, err
	}
	if _, missing := os.Stat(path); missing != nil {
		return nil, err
	}
	kept, asideErr := store.SetAside(path, time.Now())
	if asideErr != nil {
		return nil, errors.Join(err, asideErr)
	}
	log.Error("the fleet's file cannot be used; it was set aside and a new one begun", "path", path, "kept", kept, "err", err)
	if err := s.open(path); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) open(path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // for its owner only
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	_ = f.Close() // nothing was written
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=auto_vacuum(2)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=journal_size_limit(16777216)&_txlock=immediate"
	if s.db, err = sql.Open(driver, dsn); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.db.SetMaxOpenConns(2)
	if err := s.prepare(); err != nil {
		_ = s.db.Close() // the error that counts is the first
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// prepare checks the file, or makes its tables.
func (s *Store) prepare() error {
	var application, version int64
	var sound string
	if err := s.db.QueryRow("PRAGMA quick_check(1)").Scan(&sound); err != nil {
		return err
	}
	if sound != "ok" {
		return fmt.Errorf("file is damaged: %s", sound)
	}
	if err := errors.Join(s.db.QueryRow("PRAGMA application_id").Scan(&application), s.db.QueryRow("PRAGMA user_version").Scan(&version)); err != nil {
		return err
	}
	switch {
	case application == applicationID && version > schemaVersion:
		return fmt.Errorf("%w: schema %d", ErrNewerStore, version)
	case application == applicationID && version == schemaVersion:
		return nil
	case application == applicationID:
		return fmt.Errorf("file has schema %d, not %d", version, schemaVersion)
	case application != 0 || version != 0:
		return errors.New("file is of another program")
	}
	_, err := s.db.Exec(fmt.Sprintf("BEGIN IMMEDIATE;%s;PRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT", schema, applicationID, schemaVersion))
	return err
}

// Close writes what waits and closes the file.
func (s *Store) Close() error {
	return errors.Join(s.Flush(), s.db.Close())
}

// put queues telemetry, and drops it, counted, when too much waits.
func (s *Store) put(r record, tips []tipRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) >= maxUnwritten {
		s.lost.Add(1)
		return
	}
	s.pending = append(s.pending, r)
	s.tips = append(s.tips, tips...)
}

// Flush writes what waits. What cannot be written is lost, and counted: a full
// disk must not fill the memory.
func (s *Store) Flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	pending, tips := s.pending, s.tips
	s.pending, s.tips = nil, nil
	s.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	stored, err := s.write(pending, tips)
	switch {
	case err != nil:
		s.lost.Add(uint64(len(pending)))
		if !s.failing {
			s.log.Error("telemetry is not stored", "err", err)
		}
	default:
		s.stored.Add(uint64(stored))
		if s.failing {
			s.log.Info("telemetry is stored again")
		}
	}
	s.failing = err != nil
	return err
}

// write stores all or nothing, and says how much was not known.
func (s *Store) write(pending []record, tips []tipRecord) (stored int64, err error) {
	tx, err := s.db.Begin()
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // of no effect after the commit
	for _, r := range pending {
		var p50, p95, p99, connect *float64
		if report := r.telemetry.Report; report != nil {
			connect = report.ConnectMS
			if q := report.SubmitMS; q != nil && q.Count > 0 {
				p50, p95, p99 = &q.P50, &q.P95, &q.P99
			}
		} else {
			p50 = r.telemetry.Stats.LastLatency // all that HashScope's agents tell
		}
		t, at := &r.telemetry.Stats, min(r.at.UnixNano(), r.received.UnixNano())
		result, err := tx.Exec(`INSERT INTO telemetry (event, run, agent, author, at, received, connected, attempted, accepted, rejected, p50, p95, p99, connect, content)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event) DO NOTHING`,
			r.event, r.run, r.agent, r.author, at, r.received.UnixNano(), r.telemetry.ConnState == fleet.StateConnected,
			t.Attempted, t.Accepted, t.Rejected, p50, p95, p99, connect, string(r.content))
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		stored += n
	}
	for _, t := range tips {
		if _, err := tx.Exec(`INSERT INTO tips (run, block, agent, height, seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			t.run, t.block, t.agent, t.height, t.seen.UnixNano()); err != nil {
			return 0, err
		}
	}
	return stored, tx.Commit()
}

// sweep deletes what is too old, and the oldest when the file is too large.
func (s *Store) sweep(now time.Time) error {
	oldest := now.Add(-s.cfg.KeepFor).UnixNano()
	if _, err := s.db.Exec("DELETE FROM telemetry WHERE received < ?", oldest); err != nil {
		return err
	}
	if _, err := s.db.Exec("DELETE FROM tips WHERE seen < ?", oldest); err != nil {
		return err
	}
	var pages, free, size int64
	if err := errors.Join(s.db.QueryRow("PRAGMA page_count").Scan(&pages), s.db.QueryRow("PRAGMA freelist_count").Scan(&free), s.db.QueryRow("PRAGMA page_size").Scan(&size)); err != nil {
		return err
	}
	if (pages-free)*size > s.cfg.MaxBytes {
		if _, err := s.db.Exec(`DELETE FROM telemetry WHERE key IN (SELECT key FROM telemetry ORDER BY received LIMIT (SELECT count(*) / ? + 1 FROM telemetry))`, sweepShare); err != nil {
			return err
		}
	}
	_, err := s.db.Exec("PRAGMA incremental_vacuum")
	return err
}

// latest is the newest telemetry of each agent of a run that told something
// since a time, the one that was heard of last first.
func (s *Store) latest(run string, since time.Time, most int) (all []record, err error) {
	rows, err := s.db.Query(`SELECT agent, author, max(at), received, content FROM telemetry
		WHERE run = ? AND received >= ? GROUP BY agent ORDER BY received DESC LIMIT ?`, run, since.UnixNano(), most)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r record
		var at, received int64
		if err := rows.Scan(&r.agent, &r.author, &at, &received, &r.content); err != nil {
			return nil, err
		}
		r.at, r.received = time.Unix(0, at), time.Unix(0, received)
		all = append(all, r)
	}
	return all, rows.Err()
}

// events are the ids of the telemetry of a run that came since a time, the oldest
// first, and the newest of them when there are more than most.
func (s *Store) events(run string, since time.Time, most int) (ids []string, err error) {
	rows, err := s.db.Query("SELECT event FROM telemetry WHERE run = ? AND received >= ? ORDER BY received DESC, key DESC LIMIT ?", run, since.UnixNano(), most)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Reverse(ids)
	return ids, rows.Err()
}

// history is what an agent told in a run, the newest first.
func (s *Store) history(ctx context.Context, run, agent string, limit int) (list []json.RawMessage, err error) {
	_ = s.Flush() // its failure is logged, and the rest can be shown
	rows, err := s.db.QueryContext(ctx, "SELECT content FROM telemetry WHERE run = ? AND agent = ? ORDER BY at DESC, key DESC LIMIT ?", run, agent, limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var content []byte
		if err := rows.Scan(&content); err != nil {
			return nil, err
		}
		list = append(list, content)
	}
	return list, rows.Err()
}
