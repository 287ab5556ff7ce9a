package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// All connections of a worker are one worker.
func TestConnectionsAreMerged(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	first := h.connect("w", "bitaxe/1.0", "10.0.0.1:1000")
	h.pass(time.Minute)
	second := h.Connect(ledger.ConnInfo{
		ConnectionID: "tls", Worker: "w", Address: "addr", UserAgent: "cgminer/4.12",
		Remote: "10.0.0.2:1000", TLS: true, ConnectedAt: h.now,
	})
	first.SetDifficulty(100, 110)
	second.SetDifficulty(5000, 5500)
	for range 60 {
		h.pass(time.Second)
		first.Accept(h.share(100, 150))
		second.Accept(h.share(5000, 7000))
	}
	first.Reject(stratum.RejectDuplicate, ledger.Share{Credit: 100, At: h.now})
	second.Reject(stratum.RejectStale, ledger.Share{Credit: 5000, At: h.now})
	h.pass(time.Second)

	w := h.view("w")
	if want := (60*100./121 + 60*5000./61) * bitcoin.HashesPerDifficulty; w.Hashrate < want*0.999 || w.Hashrate > want*1.001 {
		t.Errorf("hashrate %g, want %g: each connection over its own time", w.Hashrate, want)
	}
	if got := first.Hashrate() + second.Hashrate(); got != w.Hashrate {
		t.Errorf("hashrates of the connections add up to %g, not to %g", got, w.Hashrate)
	}
	w.Hashrate, w.ShareRate = 0, 0
	equal(t, "worker", w, ledger.WorkerView{
		Name: "w", Address: "addr", UserAgents: []string{"bitaxe/1.0", "cgminer/4.12"},
		ConnectionIDs: []string{"w@10.0.0.1:1000", "tls"}, Connections: 2, TLS: true, Online: true,
		Accuracy: "≈", Difficulty: 5000, Vardiff: 5500,
		Accepted: 120, Rejected: 2, AcceptedWork: 60*100 + 60*5000, RejectedWork: 5100,
		RejectedByReason: []ledger.RejectCount{
			{Reason: stratum.RejectStale, Count: 1, Work: 5000}, {Reason: stratum.RejectDuplicate, Count: 1, Work: 100},
		},
		BestEver:  ledger.Best{Difficulty: 7000, At: noon.Add(61 * time.Second), Hash: bitcoin.Hash{88}},
		FirstSeen: noon, SessionAccepted: 120, SessionRejected: 2,
		BestNow:     ledger.Best{Difficulty: 7000, At: noon.Add(61 * time.Second), Hash: bitcoin.Hash{88}},
		ConnectedAt: noon, LastShare: h.now.Add(-time.Second), LastSeen: h.now,
	})

	s := h.Snapshot()
	equal(t, "connections", []int{s.Connections, s.TLSConnections, s.Online}, []int{2, 1, 1})
	equal(t, "types", s.MinerTypes, []ledger.MinerType{
		{Name: "bitaxe", Total: 1, Versions: []ledger.MinerVersion{{Version: "1.0", Total: 1}}},
		{Name: "cgminer", Total: 1, Versions: []ledger.MinerVersion{{Version: "4.12", Total: 1}}},
	})

	first.Close(h.now)
	first.Close(h.now) // harmless
	h.pass(time.Second)
	equal(t, "left", []any{h.view("w").ConnectionIDs, h.view("w").UserAgents, h.Snapshot().Connections},
		[]any{[]string{"tls"}, []string{"cgminer/4.12"}, 1})
	equal(t, "hashrate of a closed account", first.Hashrate(), 0)
}

// The pool's numbers are those of its workers.
func TestPoolIsTheSumOfItsWorkers(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	var accounts []*ledger.Account
	for i := range 5 {
		accounts = append(accounts, h.connect(fmt.Sprint("w", i), "agent", "10.0.0.1:1000"))
		h.pass(30 * time.Second)
	}
	for range 60 {
		for i, a := range accounts {
			a.Accept(h.share(float64(i+1), float64(i+2)))
		}
		accounts[0].Reject(stratum.RejectStale, ledger.Share{Credit: 1, At: h.now})
		h.pass(time.Second)
	}
	s := h.Snapshot()
	var sum ledger.Snapshot
	for _, w := range s.Workers {
		sum.Hashrate += w.Hashrate
		sum.SharesPerMinute += w.ShareRate
		sum.Accepted += w.Accepted
		sum.Rejected += w.Rejected
		sum.AcceptedWork += w.AcceptedWork
	}
	equal(t, "hashrate", s.Hashrate, sum.Hashrate)
	equal(t, "share rate", s.SharesPerMinute, sum.SharesPerMinute)
	equal(t, "counts", []uint64{s.Accepted, s.Rejected}, []uint64{sum.Accepted, sum.Rejected})
	equal(t, "work", s.AcceptedWork, sum.AcceptedWork)
	equal(t, "accuracy", s.Accuracy, "")

	// Who leaves counts no more; who stays silent sinks to zero.
	accounts[4].Close(h.now)
	h.pass(time.Second)
	equal(t, "gone", h.view("w4").Hashrate, 0)
	h.pass(10 * time.Minute)
	equal(t, "silent", []any{h.Snapshot().Hashrate, h.Snapshot().Accuracy, h.view("w0").Online}, []any{0., "~", true})
}

// A restart goes on where the books ended. Without a goodbye, less than five
// seconds are missing.
func TestRestart(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	h.SetHeight(900)
	block := ledger.Block{Height: 901, Hash: bitcoin.Hash{5}, Worker: "w", FoundAt: h.now, Value: 312_500_000}
	for i := range 300 {
		a.Accept(h.share(10, float64(i)))
		h.pass(time.Second)
	}
	a.Reject(stratum.RejectStale, ledger.Share{Credit: 10, At: h.now.Add(-10 * time.Second)})
	h.pass(4 * time.Second)
	h.BlockFound(block)
	before, pool := h.view("w"), h.Snapshot()
	for range 100 {
		a.Accept(h.share(10, 1)) // lost
	}

	h.restart()
	after := h.view("w")
	before.LastSeen, before.Hashrate, before.ShareRate, before.Accuracy = after.LastSeen, 0, 0, ""
	before.Online, before.Connections, before.ConnectionIDs = false, 0, nil
	before.SessionAccepted, before.SessionRejected, before.BestNow = 0, 0, ledger.Best{}
	before.ConnectedAt = time.Time{}
	equal(t, "worker", after, before)
	s := h.Snapshot()
	equal(t, "totals", []uint64{s.Accepted, s.Rejected}, []uint64{300, 1})
	equal(t, "best shares", s.BestShares, pool.BestShares)
	block.State = ledger.BlockPending
	equal(t, "blocks", h.OpenBlocks(), []ledger.Block{block})
	equal(t, "height", s.Height, 900)
	equal(t, "points of the last six minutes", len(s.History6m), 5*12+1) // five minutes in steps of five seconds, and now

	// New shares are added to the old ones.
	h.connect("w", "agent", "10.0.0.1:1000").Accept(h.share(10, 4000))
	h.pass(10 * time.Second)
	h.restart()
	equal(t, "accepted", h.view("w").Accepted, 301)
	equal(t, "best", h.view("w").BestEver.Difficulty, 4000)
	points, err := h.History(t.Context(), ledger.PoolName, ledger.Day, noon.AddDate(0, 0, -1), h.now)
	if err != nil || len(points) != 1 || points[0].Accepted != 301 {
		t.Errorf("day: %+v, %v", points, err)
	}
}

// A worker that the ledger has forgotten, or that comes after a restart, gets
// its past back a moment after it connects.
func TestPastIsLookedUp(t *testing.T) {
	h := newHarness(t, ledger.Options{IdleFor: time.Minute})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	a.Accept(h.share(10, 500))
	h.pass(10 * time.Second)
	a.Close(h.now)
	h.pass(2 * time.Minute)
	if n, _, _ := h.InMemory(); n != 0 {
		t.Fatalf("%d workers in memory", n)
	}

	a = h.connect("w", "agent", "10.0.0.1:1000")
	a.Accept(h.share(10, 20))
	h.pass(2 * time.Second)
	w := h.view("w")
	equal(t, "accepted", []uint64{w.Accepted, w.SessionAccepted}, []uint64{2, 1})
	equal(t, "best", []float64{w.BestEver.Difficulty, w.BestNow.Difficulty}, []float64{500, 20})
	equal(t, "first seen", w.FirstSeen, noon)
	h.pass(10 * time.Second)
	records, _ := h.store.Workers(t.Context(), []string{"w"})
	equal(t, "books", records[0].Totals.Accepted, 2)
}

// A name that never brought a share has no place in the books.
func TestMadeUpNamesAreNotStored(t *testing.T) {
	h := newHarness(t, ledger.Options{IdleFor: time.Minute})
	a := h.connect("junk", "agent", "10.0.0.1:1000")
	a.Reject(stratum.RejectLowDifficulty, ledger.Share{Credit: 10, At: h.now})
	h.pass(10 * time.Second)
	equal(t, "rejects in the snapshot", h.view("junk").Rejected, 1)
	records, _ := h.store.Workers(t.Context(), []string{"junk", ledger.PoolName})
	equal(t, "records", len(records), 1)
	equal(t, "rejects of the pool", records[0].Totals.Rejected, 1)

	// With its first share, the rejects before it are booked, too.
	a.Accept(h.share(10, 20))
	h.pass(10 * time.Second)
	records, _ = h.store.Workers(t.Context(), []string{"junk"})
	equal(t, "totals", []uint64{records[0].Totals.Accepted, records[0].Totals.Rejected}, []uint64{1, 1})
}

// Many workers that came once and left do not stay in memory, and lose nothing.
func TestMemoryIsBounded(t *testing.T) {
	const visitors = 100_000
	h := newHarness(t, ledger.Options{MaxIdle: 1000})
	most := 0
	for i := range visitors {
		a := h.connect(fmt.Sprint("w", i), "agent", "10.0.0.1:1000")
		a.Accept(h.share(1, 1))
		a.Close(h.now)
		if i%2000 == 1999 {
			n, _, _ := h.InMemory()
			most = max(most, n)
			h.pass(4 * time.Second)
			n, dirty, unlooked := h.InMemory()
			if n > 1000 || dirty > 1 || unlooked > 0 {
				t.Fatalf("%d workers in memory, %d to write, %d to look up", n, dirty, unlooked)
			}
		}
	}
	if most > 3000 {
		t.Errorf("up to %d workers were in memory", most)
	}
	s := h.Snapshot()
	if n := len(s.Workers); n == 0 || n > 1000 {
		t.Errorf("%d workers in the snapshot", n)
	}
	equal(t, "losses", s.Books.DroppedWorkers, 0)
	state, err := h.store.Load(t.Context(), noon, 2*visitors)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "workers in the books", len(state.Workers), visitors)

	h.now = h.now.Add(31 * time.Minute)
	h.pass(5 * time.Second)
	n, _, _ := h.InMemory()
	equal(t, "workers in memory after half an hour", n, 0)
}

// A snapshot never changes, whatever happens after it.
func TestSnapshotIsImmutable(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	work := func() {
		b := h.connect("w", "agent/2", "10.0.0.2:1000")
		c := h.connect("other", "agent/3", "10.0.0.2:1000")
		for i := range 20 {
			a.Accept(h.share(1, float64(1000+h.now.Second()+i)))
			c.Accept(h.share(1, 5))
			a.Reject(stratum.RejectStale, ledger.Share{Credit: 1, At: h.now})
			b.Reject(stratum.RejectDuplicate, ledger.Share{Credit: 1, At: h.now})
			h.pass(time.Second)
		}
		h.BlockFound(ledger.Block{Hash: bitcoin.Hash{byte(h.now.Second())}, FoundAt: h.now})
		h.BlockUpdated(h.OpenBlocks()[0].Hash, ledger.BlockAccepted, 1, "")
		h.pass(time.Second)
		b.Close(h.now)
	}
	work()
	snapshot := h.Snapshot()
	before := fmt.Sprintf("%+v", *snapshot)
	for range 5 {
		work()
	}
	if after := fmt.Sprintf("%+v", *snapshot); after != before {
		t.Errorf("snapshot changed from\n%s\nto\n%s", before, after)
	}
	if h.Snapshot() == snapshot {
		t.Error("there is no new snapshot")
	}
}

// The last six minutes are there in steps of five seconds.
func TestHistory6m(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	h.SetHeight(77)
	a := h.connect("w", "agent", "10.0.0.1:1000")
	for range 900 {
		a.Accept(h.share(1, 1))
		h.pass(time.Second)
	}
	points := h.Snapshot().History6m
	if n := len(points); n < 72 || n > 73 {
		t.Fatalf("%d points", n)
	}
	for i, p := range points {
		if i > 0 && p.At.Sub(points[i-1].At) != 5*time.Second {
			t.Errorf("points at %s and %s", points[i-1].At, p.At)
		}
		equal(t, "point", []any{p.Hashrate, p.BlockHeight}, []any{float64(bitcoin.HashesPerDifficulty), int64(77)})
		equal(t, "counts of a step", []any{p.Accepted, p.Rejected, p.Work, p.BestShare}, []any{uint64(5), uint64(0), 5.0, 1.0})
	}

	h.now = h.now.Add(-time.Hour) // the clock is put back
	h.pass(10 * time.Second)
	if points := h.Snapshot().History6m; len(points) < 2 || len(points) > 3 || points[0].At.After(h.now) {
		t.Errorf("after the clock was put back: %+v", points)
	}
}

// BenchmarkTick is one second of a pool: collect, estimate, publish.
func BenchmarkTick(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n, " workers"), func(b *testing.B) {
			h := newHarness(b, ledger.Options{})
			var accounts []*ledger.Account
			for i := range n {
				accounts = append(accounts, h.connect(fmt.Sprint("w", i), "agent", "10.0.0.1:1000"))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				h.now = h.now.Add(time.Second)
				for range n / 4 { // 15 shares a minute each
					i++
					accounts[i%n].Accept(h.share(1, 1))
				}
				h.Tick(h.now)
			}
		})
	}
}
