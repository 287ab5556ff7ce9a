package ledger_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// harness is a ledger on a store in memory, with a clock that a test moves.
type harness struct {
	*ledger.Ledger
	t     testing.TB
	store *ledgertest.Memory
	now   time.Time
	runs  int
	opts  ledger.Options
}

func newHarness(t testing.TB, opts ledger.Options) *harness {
	h := &harness{t: t, store: ledgertest.NewMemory(), now: noon, opts: opts}
	h.restart()
	return h
}

// restart begins a new run on the same store, as after kill -9.
func (h *harness) restart() {
	h.t.Helper()
	h.runs++
	h.opts.RunID = fmt.Sprint("run ", h.runs)
	h.opts.Now = func() time.Time { return h.now }
	h.Ledger = ledger.New(h.store, h.opts, slog.New(slog.DiscardHandler))
	if err := h.Load(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// pass lets time go by, in seconds, as Run would.
func (h *harness) pass(d time.Duration) {
	for range int(d / time.Second) {
		h.now = h.now.Add(time.Second)
		h.Tick(h.now)
		h.Write(h.t.Context(), h.now)
	}
}

// connect opens an account.
func (h *harness) connect(worker, agent, remote string) *ledger.Account {
	return h.Connect(ledger.ConnInfo{
		ConnectionID: worker + "@" + remote, Worker: worker, Address: "addr", UserAgent: agent,
		Remote: remote, ConnectedAt: h.now,
	})
}

// share is an accepted share of the given difficulties, now.
func (h *harness) share(credit, difficulty float64) ledger.Share {
	return ledger.Share{Credit: credit, Difficulty: difficulty, Hash: bitcoin.Hash{byte(difficulty)}, At: h.now}
}

// view finds a worker in the snapshot.
func (h *harness) view(name string) ledger.WorkerView {
	h.t.Helper()
	for _, w := range h.Snapshot().Workers {
		if w.Name == name {
			return w
		}
	}
	h.t.Fatalf("worker %q is not in the snapshot", name)
	return ledger.WorkerView{}
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
