package backup

import (
	"fmt"
	"slices"
	"time"
)

// Keep says how many archives are kept: the newest Last, and the newest of each
// of as many days, weeks (ISO 8601) and months, in UTC, that have any.
type Keep struct{ Last, Daily, Weekly, Monthly int }

// Generation is why an archive is kept.
type Generation string

// The generations.
const (
	Last    Generation = "last"
	Daily   Generation = "daily"
	Weekly  Generation = "weekly"
	Monthly Generation = "monthly"
	// Future is one with a time that has not come yet: the clock was wrong when it
	// was made, or is now. It stays until its time comes, and takes no other's place.
	Future Generation = "future"
)

// generations tells for each time why an archive made then is kept. Those that
// are not in the result may go. The newest that is not of the future always stays.
func (k Keep) generations(times []time.Time, now time.Time) map[time.Time][]Generation {
	kept := make(map[time.Time][]Generation)
	var newest []time.Time
	for _, at := range times {
		if at.After(now.Add(clockSlack)) {
			kept[at] = []Generation{Future}
		} else if !slices.Contains(newest, at) {
			newest = append(newest, at)
		}
	}
	slices.SortFunc(newest, func(a, b time.Time) int { return b.Compare(a) })
	for i, at := range newest {
		if i < max(k.Last, 1) {
			kept[at] = append(kept[at], Last)
		}
	}
	for _, g := range []struct {
		name   Generation
		most   int
		period func(time.Time) string
	}{
		{Daily, k.Daily, func(t time.Time) string { return t.Format(time.DateOnly) }},
		{Weekly, k.Weekly, func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, week) }},
		{Monthly, k.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	} {
		seen := make(map[string]bool)
		for _, at := range newest {
			if period := g.period(at.UTC()); !seen[period] && len(seen) < g.most {
				seen[period] = true
				kept[at] = append(kept[at], g.name)
			}
		}
	}
	return kept
}
