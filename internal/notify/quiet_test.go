package notify

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

func TestQuietHours(t *testing.T) {
	night := alert.Quiet{From: "22:00", To: "07:00", Zone: "Europe/Berlin"}
	small := alert.Quiet{From: "02:15", To: "02:45", Zone: "Europe/Berlin"}
	noon := alert.Quiet{From: "12:00", To: "13:00", Zone: "America/New_York"}
	for _, c := range []struct {
		name string
		q    alert.Quiet
		at   string // UTC
		want bool
	}{
		{"none", alert.Quiet{}, "2026-03-01T12:00:00Z", false},
		{"winter, before", night, "2026-01-10T20:59:59Z", false},
		{"winter, begins", night, "2026-01-10T21:00:00Z", true},
		{"winter, ends", night, "2026-01-11T06:00:00Z", false},
		{"summer, begins", night, "2026-07-10T20:00:00Z", true},
		{"summer, last second", night, "2026-07-11T04:59:59Z", true},
		{"summer, ends", night, "2026-07-11T05:00:00Z", false},
		// The night of 29 March: 02:00 is 03:00, so seven o'clock is an hour earlier.
		{"spring, ends", night, "2026-03-29T05:00:00Z", false},
		{"spring, last second", night, "2026-03-29T04:59:59Z", true},
		{"spring, hours that are not there", small, "2026-03-29T01:20:00Z", false},
		// The night of 25 October: 02:15 is there twice.
		{"autumn, first time", small, "2026-10-25T00:20:00Z", true},
		{"autumn, between", small, "2026-10-25T00:50:00Z", false},
		{"autumn, second time", small, "2026-10-25T01:20:00Z", true},
		{"autumn, ends", night, "2026-10-25T06:00:00Z", false},
		{"autumn, last second", night, "2026-10-25T05:59:59Z", true},
		{"within a day", noon, "2026-07-01T16:30:00Z", true},
		{"within a day, after", noon, "2026-07-01T17:00:00Z", false},
		{"what cannot be understood is not quiet", alert.Quiet{From: "22:00", To: "07:00", Zone: "Mars/Olympus"}, "2026-07-01T23:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := isQuiet(c.q, at); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	for _, q := range []alert.Quiet{
		{From: "22:00"}, {To: "07:00"}, {From: "22:00", To: "22:00", Zone: "UTC"}, {From: "24:00", To: "07:00", Zone: "UTC"}, {From: "9:00", To: "17:00", Zone: "UTC"},
		{From: "22:00", To: "07:00"}, {From: "22:00", To: "07:00", Zone: "Local"}, {From: "22:00", To: "07:00", Zone: "../../etc/passwd"},
	} {
		if checkQuiet(q) == nil {
			t.Errorf("%+v is taken", q)
		}
	}
}

// FuzzQuiet: what checkQuiet takes is quiet at some minute of a day and not at
// some other.
func FuzzQuiet(f *testing.F) {
	f.Add("22:00", "07:00", "Europe/Berlin", int64(1_700_000_000))
	f.Add("00:00", "23:59", "Asia/Kathmandu", int64(0))
	f.Fuzz(func(t *testing.T, from, to, zone string, unix int64) {
		q := alert.Quiet{From: from, To: to, Zone: zone}
		if checkQuiet(q) != nil || !q.IsSet() {
			return
		}
		start := time.Unix(unix%4e9, 0)
		quiet, loud := false, false
		for minute := range 2*24*60 + 180 { // a day may have an hour less, or lack the hours that are quiet
			if isQuiet(q, start.Add(time.Duration(minute)*time.Minute)) {
				quiet = true
			} else {
				loud = true
			}
		}
		if !quiet || !loud {
			t.Errorf("%+v from %v: quiet %t, loud %t", q, start, quiet, loud)
		}
	})
}
