package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/stratum"
)

// copyBooks is what the disk holds at this moment, as after kill -9.
func copyBooks(t *testing.T, path, folder string) (left string) {
	t.Helper()
	left = filepath.Join(folder, "books.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// The whole ledger on real books, for half an hour of pretended time:
// it is killed at many moments, and each time less than five seconds are
// missing, the pool is the sum of its workers, and no found block is lost.
func TestLedgerKilled(t *testing.T) {
	var left []string
	var alive []uint64 // accepted shares when it was killed
	outer := t         // its folders outlive the bubble
	path := filepath.Join(outer.TempDir(), "books.db")
	synctest.Test(t, func(t *testing.T) {
		books, err := store.Open(t.Context(), path, quiet)
		if err != nil {
			t.Fatal(err)
		}
		l := ledger.New(books, ledger.Options{}, quiet)
		if err := l.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- l.Run(ctx) }()

		var accounts []*ledger.Account
		for i := range 5 {
			accounts = append(accounts, l.Connect(ledger.ConnInfo{Worker: fmt.Sprint("w", i), ConnectedAt: time.Now()}))
		}
		accepted := uint64(0)
		for second := range 30 * 60 {
			a := accounts[second%5]
			a.Accept(ledger.Share{Credit: 16, Difficulty: float64(second), At: time.Now()})
			accepted++
			if second%7 == 0 {
				a.Reject(stratum.RejectStale, ledger.Share{Credit: 16, At: time.Now()})
			}
			if second%211 == 210 {
				l.BlockFound(ledger.Block{Hash: bitcoin.Hash{byte(accepted), byte(accepted >> 8)}, Height: int64(second), FoundAt: time.Now()})
				left, alive = append(left, copyBooks(t, path, outer.TempDir())), append(alive, accepted)
			}
			time.Sleep(time.Second)
		}
		cancel()
		if err := errors.Join(<-result, books.Close()); err != nil {
			t.Error(err)
		}
		left, alive = append(left, path), append(alive, accepted)
	})

	for i, path := range left {
		s := openStore(t, path)
		state, err := s.Load(t.Context(), time.Time{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		if n := state.Pool.Totals.Accepted; n+5 < alive[i] || n > alive[i] {
			t.Errorf("killed with %d shares, the books have %d", alive[i], n)
		}
		if want := min(i+1, len(left)-1); len(state.Blocks) != want {
			t.Errorf("killed after %d blocks, the books have %d", want, len(state.Blocks))
		}
		var sum ledger.Totals
		for _, w := range state.Workers {
			sum.Accepted += w.Totals.Accepted
			sum.Rejected += w.Totals.Rejected
			sum.Work += w.Totals.Work
		}
		if p := state.Pool.Totals; p.Accepted != sum.Accepted || p.Rejected != sum.Rejected || p.Work != sum.Work {
			t.Errorf("pool %+v, workers together %+v", p, sum)
		}
		for _, res := range []ledger.Resolution{ledger.Minute, ledger.Hour, ledger.Day} {
			points, err := s.History(t.Context(), ledger.PoolName, res, time.Time{}, time.Now().AddDate(100, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			var shares uint64
			for _, p := range points {
				shares += p.Accepted
			}
			if shares != state.Pool.Totals.Accepted {
				t.Errorf("%ss add up to %d shares, want %d", res, shares, state.Pool.Totals.Accepted)
			}
		}
	}
	if n := alive[len(alive)-1]; len(left) != 9 || n != 30*60 {
		t.Errorf("killed %d times, %d shares", len(left), n)
	}
}
