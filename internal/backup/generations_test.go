package backup

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestGenerationsOfAYear makes a backup every six hours for four hundred days,
// pruning each time, and looks at what is left.
func TestGenerationsOfAYear(t *testing.T) {
	keep := Keep{Last: 3, Daily: 7, Weekly: 4, Monthly: 6}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var times []time.Time
	for at := begin; at.Before(begin.AddDate(0, 0, 400)); at = at.Add(6 * time.Hour) {
		kept := keep.generations(append(times, at), at)
		times = slices.DeleteFunc(append(times, at), func(t time.Time) bool { return len(kept[t]) == 0 })
		if len(times) > 3+7+4+6 {
			t.Fatalf("%d archives at %s", len(times), at)
		}
	}
	end := times[len(times)-1]
	within := func(d time.Duration) (n int) {
		for _, at := range times {
			if end.Sub(at) <= d {
				n++
			}
		}
		return n
	}
	const day = 24 * time.Hour
	if n := within(12 * time.Hour); n != 3 {
		t.Errorf("%d of the last twelve hours", n)
	}
	if n := within(6*day + 18*time.Hour); n < 7 {
		t.Errorf("%d of the last seven days", n)
	}
	if n := within(29 * day); n < 10 {
		t.Errorf("%d of the last four weeks", n)
	}
	if oldest := end.Sub(times[0]); oldest < 120*day {
		t.Errorf("the oldest is %s old", oldest)
	}
}

// TestGenerations checks the promises on any set of times.
func TestGenerations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := Keep{rapid.IntRange(0, 5).Draw(t, "last"), rapid.IntRange(0, 5).Draw(t, "daily"), rapid.IntRange(0, 5).Draw(t, "weekly"), rapid.IntRange(0, 5).Draw(t, "monthly")}
		hours := rapid.SliceOfNDistinct(rapid.IntRange(0, 24*900), 1, 60, rapid.ID).Draw(t, "hours")
		var times []time.Time
		for _, h := range hours {
			times = append(times, time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC))
		}
		kept := keep.generations(times, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		newest := slices.MaxFunc(times, time.Time.Compare)
		if len(kept[newest]) == 0 {
			t.Fatal("the newest is not kept")
		}
		count := make(map[Generation]int)
		for at, why := range kept {
			if !slices.ContainsFunc(times, at.Equal) {
				t.Fatalf("%s was never made", at)
			}
			for _, g := range why {
				count[g]++
			}
		}
		for g, most := range map[Generation]int{Last: max(keep.Last, 1), Daily: keep.Daily, Weekly: keep.Weekly, Monthly: keep.Monthly} {
			if count[g] > most {
				t.Fatalf("%d of generation %s", count[g], g)
			}
		}
	})
}

func TestParseName(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 5, 6, 789, time.UTC)
	for _, encrypted := range []bool{false, true} {
		got, secret, ok := ParseName(nameOf(at, encrypted))
		if !ok || secret != encrypted || !got.Equal(at.Truncate(time.Second)) {
			t.Errorf("%s: %v %v %v", nameOf(at, encrypted), got, secret, ok)
		}
	}
	for _, other := range []string{"", "poolscope.db", "poolscope-20261122T140506Z.tar.zst.sha256", "poolscope-2026.tar.zst", "poolscope-20261322T140506Z.tar.zst", "../poolscope-20261122T140506Z.tar.zst", "holiday.jpg"} {
		if _, _, ok := ParseName(other); ok {
			t.Errorf("%q is the name of an archive", other)
		}
	}
}
