// Package storetest is the suite of tests that every [ledger.Store] has to
// pass.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// noon is the time around which the suite's events happen.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Run checks a kind of store. Open makes an empty one; the suite opens many.
func Run(t *testing.T, open func(t *testing.T) ledger.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s ledger.Store)
	}{
		{"Empty", testEmpty},
		{"Totals", testTotals},
		{"RepeatedBatch", testRepeatedBatch},
		{"Names", testNames},
		{"ManyNames", testManyNames},
		{"RecentWorkers", testRecentWorkers},
		{"BestShares", testBestShares},
		{"Blocks", testBlocks},
		{"HistoryPeriods", testHistoryPeriods},
		{"HistoryRange", testHistoryRange},
		{"RollUpKeepsSums", testRollUpKeepsSums},
		{"UnknownResolution", testUnknownResolution},
		{"Canceled", testCanceled},
		{"Concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func testEmpty(t *testing.T, s ledger.Store) {
	state, err := s.Load(t.Context(), time.Time{}, 10)
	check(t, err)
	equal(t, "state", state, &ledger.State{})
	records, err := s.Workers(t.Context(), []string{"nobody", ledger.PoolName})
	check(t, err)
	equal(t, "records", records, nil)
	for _, res := range []ledger.Resolution{ledger.Minute, ledger.Hour, ledger.Day} {
		equal(t, "history", history(t, s, "nobody", res, noon, noon.Add(48*time.Hour)), nil)
	}
	more, err := s.Maintain(t.Context(), noon)
	check(t, err)
	equal(t, "more", more, false)
}

func testTotals(t *testing.T, s ledger.Store) {
	best := ledger.Best{Difficulty: 1000.5, At: noon.Add(1500 * time.Millisecond), Hash: bitcoin.Hash{1, 2, 3}}
	apply(t, s, 1, ledger.Delta{
		Worker: "bc1q.rig", Address: "bc1q", UserAgent: "bitaxe/1",
		FirstSeen: noon, LastSeen: noon.Add(time.Minute), LastShare: noon.Add(30 * time.Second), Best: best,
		Pace: ledger.Pace{Hashrate: 1.5e12, Agent: "bitaxe/1", At: noon.Add(time.Minute)},
		Totals: ledger.Totals{Accepted: 3, Rejected: 1, Work: 0.0003, RejectedWork: 2.5,
			Rejects: []ledger.RejectCount{{Reason: stratum.RejectStale, Count: 1, Work: 2.5}}},
	})
	apply(t, s, 2, ledger.Delta{
		Worker: "bc1q.rig", Address: "bc1q", UserAgent: "bitaxe/2",
		FirstSeen: noon.Add(time.Hour), LastSeen: noon.Add(time.Hour), // no share, so LastShare stays
		Best: ledger.Best{Difficulty: 999, At: noon.Add(time.Hour), Hash: bitcoin.Hash{9}},
		Totals: ledger.Totals{Accepted: 0, Rejected: 3, RejectedWork: 30,
			Rejects: []ledger.RejectCount{{Reason: stratum.RejectDuplicate, Count: 1, Work: 10}, {Reason: stratum.RejectStale, Count: 2, Work: 20}}},
	})

	records, err := s.Workers(t.Context(), []string{"bc1q.rig"})
	check(t, err)
	equal(t, "records", records, []ledger.WorkerRecord{{
		Name: "bc1q.rig", Address: "bc1q", UserAgent: "bitaxe/2",
		FirstSeen: noon, LastSeen: noon.Add(time.Hour), LastShare: noon.Add(30 * time.Second), Best: best,
		Pace: ledger.Pace{Hashrate: 1.5e12, Agent: "bitaxe/1", At: noon.Add(time.Minute)}, // none since, so it stays
		Totals: ledger.Totals{Accepted: 3, Rejected: 4, Work: 0.0003, RejectedWork: 32.5,
			Rejects: []ledger.RejectCount{
				{Reason: stratum.RejectStale, Count: 3, Work: 22.5},
				{Reason: stratum.RejectDuplicate, Count: 1, Work: 10},
			}},
	}})

	better := ledger.Best{Difficulty: 2000, At: noon.Add(2 * time.Hour), Hash: bitcoin.Hash{7}}
	newer := ledger.Pace{Hashrate: 2e12, Agent: "bitaxe/2", At: noon.Add(2 * time.Hour)}
	apply(t, s, 3, ledger.Delta{Worker: "bc1q.rig", Best: better, Pace: newer})
	apply(t, s, 4, ledger.Delta{Worker: ledger.PoolName, Totals: ledger.Totals{Accepted: 5, Work: 50}})
	state, err := s.Load(t.Context(), time.Time{}, 10)
	check(t, err)
	equal(t, "best", state.Workers[0].Best, better)
	equal(t, "pace", state.Workers[0].Pace, newer)
	equal(t, "last seen", state.Workers[0].LastSeen, noon.Add(time.Hour))
	equal(t, "workers", len(state.Workers), 1)
	equal(t, "pool", state.Pool.Totals, ledger.Totals{Accepted: 5, Work: 50})
}

func testRepeatedBatch(t *testing.T, s ledger.Store) {
	batch := &ledger.Batch{Source: "a", Seq: 1, At: noon, Deltas: []ledger.Delta{{
		Worker: "w", Totals: ledger.Totals{Accepted: 1, Work: 8},
		Rows: []ledger.MinuteRow{{Minute: noon.Unix() / 60, Accepted: 1, Work: 8}},
	}}}
	for range 3 {
		check(t, s.Apply(t.Context(), batch))
	}
	other := *batch
	other.Source = "b"
	check(t, s.Apply(t.Context(), &other))
	next := *batch
	next.Seq = 5
	check(t, s.Apply(t.Context(), &next))
	check(t, s.Apply(t.Context(), batch))

	equal(t, "accepted", worker(t, s, "w").Totals.Accepted, 3)
	points := history(t, s, "w", ledger.Minute, noon, noon.Add(time.Minute))
	equal(t, "points", points, []ledger.HistoryPoint{{At: noon, Accepted: 3, Work: 24}})
}

// Names come from strangers.
func testNames(t *testing.T, s ledger.Store) {
	names := []string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig", "BC1Q.rig", "bc1q.rig", "bc1q.rig ", "bc1q.Rig",
		"bc1q.'; DROP TABLE workers; --", `bc1q."%_?`, "bc1q.Zürich-⛏", "bc1q." + strings.Repeat("x", 251),
	}
	for i, name := range names {
		apply(t, s, uint64(i+1), ledger.Delta{Worker: name, Totals: ledger.Totals{Accepted: uint64(i + 1)}})
	}
	for i, name := range names {
		equal(t, name, worker(t, s, name).Totals.Accepted, uint64(i+1))
	}
}

func testManyNames(t *testing.T, s ledger.Store) {
	const n = 1100
	var names []string
	var deltas []ledger.Delta
	for i := range n {
		name := fmt.Sprintf("worker-%d", i)
		names = append(names, name, "unknown-"+name)
		deltas = append(deltas, ledger.Delta{Worker: name, Totals: ledger.Totals{Accepted: uint64(i)}})
	}
	apply(t, s, 1, deltas...)
	records, err := s.Workers(t.Context(), names)
	check(t, err)
	equal(t, "number", len(records), n)
	for _, r := range records {
		equal(t, "name", r.Name, fmt.Sprintf("worker-%d", r.Totals.Accepted))
	}
	records, err = s.Workers(t.Context(), nil)
	check(t, err)
	equal(t, "records of nobody", len(records), 0)
}

func testRecentWorkers(t *testing.T, s ledger.Store) {
	for i := range 10 {
		apply(t, s, uint64(i+1), ledger.Delta{Worker: fmt.Sprint(i), LastSeen: noon.Add(time.Duration(i) * time.Minute)})
	}
	state, err := s.Load(t.Context(), noon.Add(5*time.Minute), 3)
	check(t, err)
	equal(t, "limited", namesOf(state.Workers), []string{"9", "8", "7"})
	state, err = s.Load(t.Context(), noon.Add(7*time.Minute), 10)
	check(t, err)
	equal(t, "since", namesOf(state.Workers), []string{"9", "8", "7"})
}

func testBestShares(t *testing.T, s ledger.Store) {
	var all []ledger.BestShare
	for i := range 30 {
		all = append(all, ledger.BestShare{
			Worker: "w", Difficulty: float64((i*7)%30) + 0.25, At: noon.Add(time.Duration(i) * time.Second), Hash: bitcoin.Hash{byte(i)},
		})
	}
	for i := range 10 {
		b := &ledger.Batch{Source: "a", Seq: uint64(i + 1), At: noon, BestShares: all[i*3 : i*3+3]}
		check(t, s.Apply(t.Context(), b))
	}
	// Again, as after a crash between writing and noting that it was written.
	check(t, s.Apply(t.Context(), &ledger.Batch{Source: "b", Seq: 1, At: noon, BestShares: all}))

	state, err := s.Load(t.Context(), noon, 0)
	check(t, err)
	slices.SortFunc(all, func(a, b ledger.BestShare) int { return int(b.Difficulty - a.Difficulty) })
	equal(t, "best", state.BestShares, all[:ledger.MaxBestShares])
}

func testBlocks(t *testing.T, s ledger.Store) {
	b := ledger.Block{
		Height: 840003, Hash: bitcoin.Hash{31: 7, 0: 1}, Worker: "bc1q.rig", Address: "bc1q", FoundAt: noon,
		ShareDifficulty: 1.5e14, NetworkDifficulty: 1.25e14,
		Value: 312_512_345, WorkerPayout: 306_262_098, PoolFee: 6_000_247, Donation: 250_000,
		JobID: "5f", State: ledger.BlockPending,
	}
	check(t, s.SaveBlock(t.Context(), b))
	b.State, b.Confirmations, b.Reason = ledger.BlockStale, -1, "inconclusive"
	for range 2 {
		check(t, s.SaveBlock(t.Context(), b))
	}
	state, err := s.Load(t.Context(), noon, 0)
	check(t, err)
	equal(t, "blocks", state.Blocks, []ledger.Block{b})

	// An old block that is still open stays; an old one that is settled goes.
	old := b
	old.Hash[1], old.FoundAt, old.State = 2, noon.Add(-time.Hour), ledger.BlockAccepted
	check(t, s.SaveBlock(t.Context(), old))
	for i := range ledger.MaxBlocks {
		n := b
		n.Hash[2], n.Height, n.FoundAt, n.State = byte(i+1), b.Height+int64(i), noon.Add(time.Duration(i+1)*time.Minute), ledger.BlockConfirmed
		check(t, s.SaveBlock(t.Context(), n))
	}
	state, err = s.Load(t.Context(), noon, 0)
	check(t, err)
	equal(t, "number", len(state.Blocks), ledger.MaxBlocks+1)
	equal(t, "newest", state.Blocks[0].FoundAt, noon.Add(ledger.MaxBlocks*time.Minute))
	equal(t, "oldest", state.Blocks[ledger.MaxBlocks], old)
	equal(t, "in the chain, of all", state.BlocksAccepted, uint64(ledger.MaxBlocks+1))
	b.State = ledger.BlockRejected
	check(t, s.SaveBlock(t.Context(), b))
	state, err = s.Load(t.Context(), noon, 0)
	check(t, err)
	equal(t, "refused, of all", state.BlocksRejected, uint64(1))
}

// Periods begin at full minutes, hours and days of UTC.
func testHistoryPeriods(t *testing.T, s ledger.Store) {
	midnight := noon.Add(12 * time.Hour)
	at := []time.Time{noon, noon.Add(59 * time.Minute), noon.Add(time.Hour), midnight.Add(-time.Minute), midnight}
	for i, m := range at {
		row := ledger.MinuteRow{Minute: m.Unix() / 60, Accepted: 1, Rejected: uint64(i), Work: float64(int(1) << i), BestShare: float64(100 - i), BlockHeight: int64(800 + i)}
		apply(t, s, uint64(2*i+1), ledger.Delta{Worker: "w", Rows: []ledger.MinuteRow{row}})
		apply(t, s, uint64(2*i+2), ledger.Delta{Worker: "other", Rows: []ledger.MinuteRow{{Minute: row.Minute, Accepted: 77}}})
	}

	day := noon.Truncate(24 * time.Hour)
	want := map[ledger.Resolution][]ledger.HistoryPoint{
		ledger.Minute: {
			{At: at[0], Accepted: 1, Rejected: 0, Work: 1, BestShare: 100, BlockHeight: 800},
			{At: at[1], Accepted: 1, Rejected: 1, Work: 2, BestShare: 99, BlockHeight: 801},
			{At: at[2], Accepted: 1, Rejected: 2, Work: 4, BestShare: 98, BlockHeight: 802},
			{At: at[3], Accepted: 1, Rejected: 3, Work: 8, BestShare: 97, BlockHeight: 803},
			{At: at[4], Accepted: 1, Rejected: 4, Work: 16, BestShare: 96, BlockHeight: 804},
		},
		ledger.Hour: {
			{At: noon, Accepted: 2, Rejected: 1, Work: 3, BestShare: 100, BlockHeight: 801},
			{At: noon.Add(time.Hour), Accepted: 1, Rejected: 2, Work: 4, BestShare: 98, BlockHeight: 802},
			{At: midnight.Add(-time.Hour), Accepted: 1, Rejected: 3, Work: 8, BestShare: 97, BlockHeight: 803},
			{At: midnight, Accepted: 1, Rejected: 4, Work: 16, BestShare: 96, BlockHeight: 804},
		},
		ledger.Day: {
			{At: day, Accepted: 4, Rejected: 6, Work: 15, BestShare: 100, BlockHeight: 803},
			{At: midnight, Accepted: 1, Rejected: 4, Work: 16, BestShare: 96, BlockHeight: 804},
		},
	}
	// Before, while and after the roll-up the answers are the same.
	for _, now := range []time.Time{noon, noon.Add(30 * time.Minute), noon.Add(90 * time.Minute), midnight, midnight.Add(26 * time.Hour)} {
		maintain(t, s, now)
		for res, points := range want {
			equal(t, fmt.Sprintf("%s at %s", res, now), history(t, s, "w", res, day, midnight.Add(24*time.Hour)), points)
		}
	}
}

func testHistoryRange(t *testing.T, s ledger.Store) {
	var rows []ledger.MinuteRow
	for i := range 10 {
		rows = append(rows, ledger.MinuteRow{Minute: noon.Unix()/60 + int64(i), Accepted: uint64(i + 1)})
	}
	apply(t, s, 1, ledger.Delta{Worker: "w", Rows: rows})
	for _, c := range []struct {
		from, to    time.Duration
		first, last int // accepted shares of the minutes; 0 = none
	}{
		{0, 10 * time.Minute, 1, 10},
		{-time.Hour, time.Hour, 1, 10},
		{time.Nanosecond, 10 * time.Minute, 2, 10},
		{time.Minute, 2 * time.Minute, 2, 2},
		{time.Minute, 2*time.Minute + time.Nanosecond, 2, 3},
		{time.Minute, time.Minute, 0, 0},
		{time.Hour, 2 * time.Hour, 0, 0},
		{-2 * time.Hour, -time.Hour, 0, 0},
	} {
		points := history(t, s, "w", ledger.Minute, noon.Add(c.from), noon.Add(c.to))
		var got, want []int
		for _, p := range points {
			got = append(got, int(p.Accepted))
		}
		for i := c.first; i <= c.last && i > 0; i++ {
			want = append(want, i)
		}
		equal(t, fmt.Sprintf("range %s to %s", c.from, c.to), got, want)
	}
	// All of time is a range, too.
	equal(t, "all", len(history(t, s, "w", ledger.Day, time.Time{}, noon.AddDate(5000, 0, 0))), 1)
}

// Whatever comes when, minutes, hours and days add up to the same.
func testRollUpKeepsSums(t *testing.T, s ledger.Store) {
	start := noon.Truncate(24 * time.Hour).Add(20 * time.Hour)
	var seq, total uint64
	for i := range 300 { // five hours, across midnight
		now := start.Add(time.Duration(i) * time.Minute)
		late := []time.Duration{0, -time.Minute, -40 * time.Minute, -100 * time.Minute, -4 * time.Hour}[i%5]
		seq++
		total++
		apply(t, s, seq, ledger.Delta{Worker: "w", Rows: []ledger.MinuteRow{{Minute: now.Add(late).Unix() / 60, Accepted: 1}}})
		if i%7 == 0 {
			maintain(t, s, now)
		}
	}
	for _, after := range []time.Duration{0, 30 * time.Hour} {
		maintain(t, s, start.Add(5*time.Hour+after))
		for _, res := range []ledger.Resolution{ledger.Minute, ledger.Hour, ledger.Day} {
			var sum uint64
			for _, p := range history(t, s, "w", res, start.AddDate(0, 0, -2), start.AddDate(0, 0, 2)) {
				sum += p.Accepted
			}
			equal(t, "sum of "+string(res), sum, total)
		}
	}
}

func testUnknownResolution(t *testing.T, s ledger.Store) {
	if _, err := s.History(t.Context(), "w", "week", noon, noon.Add(time.Hour)); err == nil {
		t.Error("history in weeks gave no error")
	}
}

// A call whose context has ended does nothing.
func testCanceled(t *testing.T, s ledger.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := &ledger.Batch{Source: "a", Seq: 1, At: noon, Deltas: []ledger.Delta{{Worker: "w", Totals: ledger.Totals{Accepted: 1}}}}
	if err := s.Apply(ctx, batch); err == nil {
		t.Error("Apply gave no error")
	}
	if err := s.SaveBlock(ctx, ledger.Block{Hash: bitcoin.Hash{1}, FoundAt: noon}); err == nil {
		t.Error("SaveBlock gave no error")
	}
	state, err := s.Load(t.Context(), time.Time{}, 10)
	check(t, err)
	equal(t, "state", state, &ledger.State{})

	check(t, s.Apply(t.Context(), batch))
	equal(t, "accepted", worker(t, s, "w").Totals.Accepted, 1)
}

// Readers and writers at the same time; a reader sees whole batches only.
func testConcurrent(t *testing.T, s ledger.Store) {
	const batches = 60
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for {
				state, err := s.Load(t.Context(), time.Time{}, 10)
				if err != nil {
					t.Errorf("load: %v", err)
					return
				}
				for _, w := range state.Workers {
					if w.Totals.Accepted != state.Pool.Totals.Accepted {
						t.Errorf("worker has %d, pool %d", w.Totals.Accepted, state.Pool.Totals.Accepted)
						return
					}
				}
				if _, err := s.History(t.Context(), "w", ledger.Hour, noon, noon.Add(time.Hour)); err != nil {
					t.Errorf("history: %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	var writers sync.WaitGroup
	writers.Go(func() {
		for i := range 20 {
			if err := s.SaveBlock(t.Context(), ledger.Block{Hash: bitcoin.Hash{byte(i)}, FoundAt: noon, State: ledger.BlockPending}); err != nil {
				t.Errorf("save block: %v", err)
			}
		}
	})
	writers.Go(func() {
		for i := range 20 {
			if _, err := s.Maintain(t.Context(), noon.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Errorf("maintain: %v", err)
			}
		}
	})
	for i := range batches {
		one := ledger.Totals{Accepted: 1}
		rows := []ledger.MinuteRow{{Minute: noon.Unix()/60 + int64(i%20), Accepted: 1}}
		apply(t, s, uint64(i+1), ledger.Delta{Worker: "w", Totals: one, Rows: rows}, ledger.Delta{Worker: ledger.PoolName, Totals: one, Rows: rows})
	}
	writers.Wait()
	close(done)
	readers.Wait()

	equal(t, "accepted", worker(t, s, "w").Totals.Accepted, batches)
	points := history(t, s, "w", ledger.Hour, noon, noon.Add(time.Hour))
	equal(t, "hour", points, []ledger.HistoryPoint{{At: noon, Accepted: batches}})
	state, err := s.Load(t.Context(), noon, 0)
	check(t, err)
	equal(t, "blocks", len(state.Blocks), 20)
}

// Helpers.

func apply(t *testing.T, s ledger.Store, seq uint64, deltas ...ledger.Delta) {
	t.Helper()
	check(t, s.Apply(t.Context(), &ledger.Batch{Source: "test", Seq: seq, At: noon, Deltas: deltas}))
}

// maintain repeats Maintain until there is nothing left to do.
func maintain(t *testing.T, s ledger.Store, now time.Time) {
	t.Helper()
	for range 1000 {
		more, err := s.Maintain(t.Context(), now)
		check(t, err)
		if !more {
			return
		}
	}
	t.Fatal("Maintain never ends")
}

func history(t *testing.T, s ledger.Store, worker string, res ledger.Resolution, from, to time.Time) []ledger.HistoryPoint {
	t.Helper()
	points, err := s.History(t.Context(), worker, res, from, to)
	check(t, err)
	return points
}

func worker(t *testing.T, s ledger.Store, name string) ledger.WorkerRecord {
	t.Helper()
	records, err := s.Workers(t.Context(), []string{name})
	check(t, err)
	if len(records) != 1 || records[0].Name != name {
		t.Fatalf("worker %q: got %d records", name, len(records))
	}
	return records[0]
}

func namesOf(list []ledger.WorkerRecord) []string {
	var names []string
	for _, r := range list {
		names = append(names, r.Name)
	}
	return names
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
