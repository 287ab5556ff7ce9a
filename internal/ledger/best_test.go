package ledger

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// The list is what sorting everything and taking the first twelve gives.
func TestBestList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		difficulties := rapid.SliceOfN(rapid.Float64Range(0.001, 50), 0, 60).Draw(t, "difficulties")
		var l bestList
		var all []BestShare
		for i, d := range difficulties {
			s := BestShare{Worker: "w", Difficulty: d, At: epoch.Add(time.Duration(i) * time.Second), Hash: bitcoin.Hash{byte(i)}}
			all = append(all, s)
			if d > l.threshold() {
				l.offer(s)
			}
		}
		slices.SortStableFunc(all, func(a, b BestShare) int { return cmp.Compare(b.Difficulty, a.Difficulty) })
		list := l.list()
		if len(list) != min(len(all), MaxBestShares) {
			t.Fatalf("%d rows of %d shares", len(list), len(all))
		}
		for i := range list {
			if list[i].Difficulty != all[i].Difficulty {
				t.Fatalf("row %d: %v, want %v", i, list[i].Difficulty, all[i].Difficulty)
			}
		}
		// What is handed over for writing leads to the same list.
		var other bestList
		other.load(l.drain())
		if !slices.Equal(other.list(), list) || l.drain() != nil {
			t.Fatalf("drained: %v, want %v", other.list(), list)
		}
	})
}

func TestBestListTiesAndRepeats(t *testing.T) {
	var l bestList
	for i := range 3 {
		s := BestShare{Worker: "w", Difficulty: 7, At: epoch.Add(time.Duration(i) * time.Second), Hash: bitcoin.Hash{byte(i)}}
		l.offer(s)
		l.offer(s)
	}
	list := l.list()
	if len(list) != 3 || list[0].Hash[0] != 2 || list[2].Hash[0] != 0 {
		t.Errorf("list %v: want each once, the newest first", list)
	}
}
