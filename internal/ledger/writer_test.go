package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
)

var errDisk = errors.New("no space left on device")

// While the store fails, mining and counting go on; afterwards the books are
// complete, and the failure is gone from the snapshot.
func TestStoreFails(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	mine := func(d time.Duration) {
		for range int(d / time.Second) {
			a.Accept(h.share(1, 100))
			h.pass(time.Second)
		}
	}
	mine(time.Minute)
	h.store.Fail(errDisk)
	mine(20 * time.Minute)
	s := h.Snapshot()
	equal(t, "accepted", s.Accepted, 21*60)
	if s.Books.LastError == "" || s.Books.Errors < 100 || h.now.Sub(s.Books.LastErrorAt) > 5*time.Second {
		t.Errorf("failure is not shown: %+v", s.Books)
	}

	h.store.Fail(nil)
	mine(2 * time.Minute)
	b := h.Snapshot().Books
	equal(t, "failure", []any{b.LastError, b.LastErrorAt.IsZero(), b.DroppedMinutes, b.DroppedWorkers}, []any{"", true, uint64(0), uint64(0)})
	records, _ := h.store.Workers(t.Context(), []string{"w", ledger.PoolName})
	for _, r := range records {
		if r.Totals.Accepted < 23*60-5 {
			t.Errorf("books of %q have %d shares", r.Name, r.Totals.Accepted)
		}
	}
	points, err := h.History(t.Context(), "w", ledger.Minute, noon, noon.Add(22*time.Minute))
	if err != nil || len(points) != 22 {
		t.Fatalf("%d minutes, %v", len(points), err)
	}
	for _, p := range points {
		equal(t, p.At.String(), p.Accepted, 60)
	}
}

// Memory for unwritten changes is bounded: after half an hour minutes lose
// their detail, which is counted, and the sums stay right.
func TestStoreFailsForLong(t *testing.T) {
	h := newHarness(t, ledger.Options{MaxIdle: 5})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	h.pass(10 * time.Second)
	h.store.Fail(errDisk)
	for i := range 75 {
		a.Accept(h.share(1, 100))
		visitor := h.connect(fmt.Sprint("visitor", i), "agent", "10.0.0.9:1000")
		visitor.Accept(h.share(1, 100))
		visitor.Close(h.now)
		h.pass(time.Minute)
	}
	if n, dirty, unlooked := h.InMemory(); n > 51 || dirty > 52 || unlooked > 51 {
		t.Errorf("%d workers in memory, %d to write, %d to look up", n, dirty, unlooked)
	}
	b := h.Snapshot().Books
	if b.DroppedMinutes == 0 || b.DroppedWorkers == 0 {
		t.Errorf("losses are not counted: %+v", b)
	}

	h.store.Fail(nil)
	h.pass(10 * time.Second)
	records, _ := h.store.Workers(t.Context(), []string{"w"})
	equal(t, "sum of the worker", records[0].Totals.Accepted, 75)
	records, _ = h.store.Workers(t.Context(), []string{ledger.PoolName})
	equal(t, "sum of the pool", records[0].Totals.Accepted, 150)
}

// forgetful is a store that writes, but whose answer gets lost.
type forgetful struct {
	*ledgertest.Memory
	lose int
}

func (f *forgetful) Apply(ctx context.Context, b *ledger.Batch) error {
	err := f.Memory.Apply(ctx, b)
	if f.lose > 0 {
		f.lose--
		return errors.New("connection lost during commit")
	}
	return err
}

// A batch whose fate is unknown is sent again as it was, and counts once.
func TestLostAnswer(t *testing.T) {
	now := noon
	store := &forgetful{Memory: ledgertest.NewMemory()}
	l := ledger.New(store, ledger.Options{Now: func() time.Time { return now }}, slog.New(slog.DiscardHandler))
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := l.Connect(ledger.ConnInfo{Worker: "w", ConnectedAt: now})
	for i := range 60 {
		store.lose = i % 3
		a.Accept(ledger.Share{Credit: 1, Difficulty: 50, At: now})
		now = now.Add(time.Second)
		l.Tick(now)
		l.Write(t.Context(), now)
	}
	store.lose = 0
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, _ := store.Workers(t.Context(), []string{"w"})
	equal(t, "accepted", records[0].Totals.Accepted, 60)
	state, _ := store.Load(t.Context(), noon, 0)
	equal(t, "pool", state.Pool.Totals.Accepted, 60)
}

// An idle pool leaves the disk alone, but for one note a minute.
func TestIdlePoolWritesLittle(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	h.connect("w", "agent", "10.0.0.1:1000")
	h.pass(10 * time.Minute)
	if n := h.store.Applied(); n < 10 || n > 11 {
		t.Errorf("%d batches in ten minutes", n)
	}
	points, err := h.History(t.Context(), ledger.PoolName, ledger.Minute, noon, h.now)
	if err != nil || len(points) != 10 {
		t.Errorf("%d points in ten minutes, %v", len(points), err)
	}
}

// Run publishes every second, writes every three, and writes the rest when it
// is told to end.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ledgertest.NewMemory()
		l := ledger.New(store, ledger.Options{}, slog.New(slog.DiscardHandler))
		if err := l.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- l.Run(ctx) }()

		a := l.Connect(ledger.ConnInfo{Worker: "w", ConnectedAt: time.Now()})
		accepted := func() uint64 {
			records, err := store.Workers(t.Context(), []string{"w"})
			if err != nil {
				t.Fatal(err)
			}
			if len(records) == 0 {
				return 0
			}
			return records[0].Totals.Accepted
		}
		for i := range uint64(60) {
			a.Accept(ledger.Share{Credit: 1, Difficulty: 1, At: time.Now()})
			time.Sleep(time.Second)
			synctest.Wait()
			if s := l.Snapshot(); s.Accepted != i+1 || time.Since(s.At) != 0 {
				t.Fatalf("after %d s: snapshot of %s has %d shares", i+1, s.At, s.Accepted)
			}
			if got := accepted(); got+5 < i+1 {
				t.Fatalf("after %d s the books have %d shares", i+1, got)
			}
		}
		a.Accept(ledger.Share{Credit: 1, Difficulty: 1, At: time.Now()})
		cancel()
		if err := <-result; err != nil {
			t.Error(err)
		}
		equal(t, "at the end", accepted(), 61)
	})
}

// An end that cannot write says so, and does not hang.
func TestRunEndsWhenTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ledgertest.NewMemory()
		l := ledger.New(store, ledger.Options{}, slog.New(slog.DiscardHandler))
		store.Fail(errDisk)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := l.Run(ctx); !errors.Is(err, errDisk) {
			t.Errorf("Run returned %v", err)
		}
	})
}
