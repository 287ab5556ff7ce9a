package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/pressly/goose/v3"
)

// ErrOtherSchema means that another version of this program is using the
// database.
var ErrOtherSchema = errors.New("the running poolscope is another version; use its own program")

// OpenShared opens books that another process has open, to change a little
// beside it. It neither makes the file, nor looks for damage, nor brings the
// schema up to date: it fails with an error that wraps fs.ErrNotExist or
// ErrOtherSchema.
func OpenShared(ctx context.Context, path string, log *slog.Logger) (*SQLite, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &SQLite{path: path, log: log}
	if err := s.openShared(ctx); err != nil {
		_ = s.Close() // the error that counts is the first
		return nil, fmt.Errorf("open database %s: %w", path, classify(err))
	}
	return s, nil
}

func (s *SQLite) openShared(ctx context.Context) (err error) {
	if s.writer, err = sql.Open(driver, s.dsn("_txlock=immediate")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := verifyPragmas(ctx, s.writer); err != nil {
		return err
	}
	provider, err := s.provider()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if current != target {
		return ErrOtherSchema
	}
	return s.openReader(ctx)
}

// openReader makes the connections that read.
func (s *SQLite) openReader(ctx context.Context) (err error) {
	if s.reader, err = sql.Open(driver, s.dsn("_pragma=query_only(1)")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	return verifyPragmas(ctx, s.reader)
}

// provider knows the migrations.
func (s *SQLite) provider() (*goose.Provider, error) {
	files, err := migrationFiles()
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	return provider, nil
}
