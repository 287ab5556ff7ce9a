package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/store"
)

// scopeAccounts is the file in the data folder of a scope without a pool that
// keeps its accounts: it has no books.
const scopeAccounts = "accounts.db"

// Accounts opens the accounts of a pool, or of a scope without one, for the
// command line, whether that runs or not. close is to be called at the end.
func Accounts(ctx context.Context, cfg *config.Config, ofScope bool, log *slog.Logger) (accounts *account.Service, closeAll func() error, err error) {
	path := cfg.DatabasePath()
	if ofScope {
		path = filepath.Join(cfg.DataDir, scopeAccounts)
	}
	if info, err := os.Stat(cfg.DataDir); err != nil || !info.IsDir() {
		return nil, nil, fmt.Errorf("there is no data folder %s: name it with --data-dir, or start the program once", cfg.DataDir)
	}
	open := store.Open
	lock, err := files.Lock(filepath.Join(cfg.DataDir, lockName))
	switch {
	case errors.Is(err, files.ErrLocked):
		open = store.OpenShared
	case err != nil:
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	unlock := func() error {
		if lock == nil {
			return nil
		}
		return lock.Close()
	}
	books, err := open(ctx, path, log)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("no accounts at %s: is this the data folder of the program that runs? (--scope for that of poolscope scope)", path)
	}
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	accounts = account.New(accountConfigOf(cfg), books, log)
	return accounts, func() error {
		accounts.Flush(context.WithoutCancel(ctx))
		return errors.Join(books.Close(), unlock())
	}, nil
}
