package ledger_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

func TestAcceptAllocatesNothing(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	for range 20 { // the list of best shares is full
		a.Accept(h.share(16, 1e12))
	}
	s := h.share(16, 100)
	if n := testing.AllocsPerRun(1000, func() { a.Accept(s) }); n != 0 {
		t.Errorf("Accept allocates %v times", n)
	}
	s.Difficulty = 1e12
	if n := testing.AllocsPerRun(1000, func() {
		s.Difficulty++ // each one a new best share
		a.Accept(s)
	}); n > 0.1 {
		t.Errorf("Accept of a best share allocates %v times", n)
	}
}

func BenchmarkAccept(b *testing.B) {
	h := newHarness(b, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	for range 20 {
		a.Accept(h.share(16, 1e12))
	}
	s := h.share(16, 100)
	b.ReportAllocs()
	for b.Loop() {
		a.Accept(s)
	}
}

// BenchmarkAcceptParallel is two sessions at once: they share nothing.
func BenchmarkAcceptParallel(b *testing.B) {
	h := newHarness(b, ledger.Options{})
	for range 20 {
		h.connect("best", "agent", "10.0.0.1:1000").Accept(h.share(16, 1e12))
	}
	b.RunParallel(func(pb *testing.PB) {
		a := h.connect("w", "agent", "10.0.0.1:1000")
		s := h.share(16, 100)
		for pb.Next() {
			a.Accept(s)
		}
	})
}

// Nothing is lost or counted twice when accounts count while the ledger
// collects, closes and writes.
func TestAccountsCountEverything(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	const sessions, shares = 8, 2000
	at := h.now
	var group sync.WaitGroup
	for range sessions {
		group.Go(func() {
			a := h.connect("w", "agent", "10.0.0.1:1000")
			for i := range shares {
				a.Accept(ledger.Share{Credit: 2, Difficulty: 3, At: at})
				if i%2 == 0 {
					a.Reject(stratum.RejectStale, ledger.Share{Credit: 4, At: at})
				}
				if i == shares/2 {
					a.Close(at) // the rest comes late
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	for collecting := true; collecting; {
		select {
		case <-done:
			collecting = false
		default:
			h.Tick(at)
			h.Write(t.Context(), at)
		}
	}
	h.pass(5 * time.Second)

	want := ledger.Totals{
		Accepted: sessions * shares, Rejected: sessions * shares / 2,
		Work: sessions * shares * 2, RejectedWork: sessions * shares * 2,
		Rejects: []ledger.RejectCount{{Reason: stratum.RejectStale, Count: sessions * shares / 2, Work: sessions * shares * 2}},
	}
	records, err := h.store.Workers(t.Context(), []string{"w", ledger.PoolName})
	if err != nil || len(records) != 2 {
		t.Fatal(len(records), err)
	}
	for _, r := range records {
		equal(t, "books of "+r.Name, r.Totals, want)
	}
	s := h.Snapshot()
	equal(t, "accepted", s.Accepted, want.Accepted)
	equal(t, "rejected", s.RejectedByReason, want.Rejects)
	equal(t, "connections", s.Connections, 0)
}

// One broken number must not spoil the sums for ever.
func TestAccountIgnoresWhatIsNoWork(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	for _, d := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -5, 0} {
		a.Accept(ledger.Share{Credit: d, Difficulty: d, At: h.now})
		a.Reject(stratum.RejectStale, ledger.Share{Credit: d, At: h.now})
	}
	a.Accept(h.share(8, 9))
	h.pass(10 * time.Second)

	w := h.view("w")
	equal(t, "accepted", w.Accepted, 6)
	equal(t, "work", w.AcceptedWork, 8)
	equal(t, "rejected work", w.RejectedWork, 0)
	equal(t, "best", w.BestEver.Difficulty, 9)
	equal(t, "best shares", len(h.Snapshot().BestShares), 1)
	equal(t, "hashrate", w.Hashrate, 8*bitcoin.HashesPerDifficulty/10)
}

// A share belongs to the minute in which it came, not to that in which the
// ledger looked.
func TestSharesFallIntoTheirMinute(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	h.pass(59 * time.Second)
	a.Accept(ledger.Share{Credit: 1, At: noon.Add(59*time.Second + 999*time.Millisecond)})
	a.Accept(ledger.Share{Credit: 2, At: noon.Add(60 * time.Second)})
	a.Reject(stratum.RejectStale, ledger.Share{Credit: 1, At: noon.Add(59*time.Second + 500*time.Millisecond)})
	h.pass(2 * time.Minute)

	points, err := h.History(t.Context(), "w", ledger.Minute, noon, h.now)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "history", points, []ledger.HistoryPoint{
		{At: noon, Accepted: 1, Rejected: 1, Work: 1, Hashrate: bitcoin.HashesPerDifficulty / 60.},
		{At: noon.Add(time.Minute), Accepted: 1, Work: 2, Hashrate: 2 * bitcoin.HashesPerDifficulty / 60.},
	})
}

// A ledger that did not look for minutes still counts everything.
func TestLateLookCountsEverything(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	for i := range 10 {
		a.Accept(ledger.Share{Credit: 1, At: noon.Add(time.Duration(i) * time.Minute)})
	}
	h.now = noon.Add(10 * time.Minute)
	h.pass(10 * time.Second)
	equal(t, "work", h.view("w").AcceptedWork, 10)
}
