package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// deltas is what n active workers bring in one minute.
func deltas(n int, at time.Time) []ledger.Delta {
	list := make([]ledger.Delta, n)
	for i := range list {
		list[i] = ledger.Delta{
			Worker:  fmt.Sprintf("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig%d", i),
			Address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", UserAgent: "bitaxe/BM1370/v2.9.0",
			FirstSeen: at, LastSeen: at, LastShare: at,
			Best:   ledger.Best{Difficulty: 123456, At: at},
			Totals: ledger.Totals{Accepted: 15, Work: 15360},
			Rows:   []ledger.MinuteRow{{Minute: at.Unix() / 60, Accepted: 15, Work: 15360, BestShare: 4711.5, BlockHeight: 900000}},
		}
	}
	return list
}

// BenchmarkApply writes a minute of 10,000 workers in one batch.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n, " workers"), func(b *testing.B) {
			s := openStore(b, filepath.Join(b.TempDir(), "books.db"))
			at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			seq := uint64(0)
			for b.Loop() {
				seq++
				at = at.Add(3 * time.Second)
				batch := &ledger.Batch{Source: "bench", Seq: seq, At: at, Deltas: deltas(n, at)}
				if err := s.Apply(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/worker")
		})
	}
}

// BenchmarkRollUp adds one minute of 10,000 workers to their hours.
func BenchmarkRollUp(b *testing.B) {
	const n = 10_000
	s := openStore(b, filepath.Join(b.TempDir(), "books.db"))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seq := uint64(0)
	for b.Loop() {
		b.StopTimer()
		seq++
		at = at.Add(time.Minute)
		if err := s.Apply(context.Background(), &ledger.Batch{Source: "bench", Seq: seq, At: at, Deltas: deltas(n, at)}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := s.Maintain(context.Background(), at.Add(2*time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHistory reads one worker's 48 hours of minutes among those of 100.
func BenchmarkHistory(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "books.db"))
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	list := deltas(100, start)
	for i := range list {
		list[i].Rows = nil
		for m := range int64(2880) {
			list[i].Rows = append(list[i].Rows, ledger.MinuteRow{Minute: start.Unix()/60 + m, Accepted: 15})
		}
	}
	if err := s.Apply(context.Background(), &ledger.Batch{Source: "bench", Seq: 1, At: start, Deltas: list}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		points, err := s.History(context.Background(), list[50].Worker, ledger.Minute, start, start.Add(48*time.Hour))
		if err != nil || len(points) != 2880 {
			b.Fatal(len(points), err)
		}
	}
}
