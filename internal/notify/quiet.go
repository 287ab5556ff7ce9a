package notify

import (
	"fmt"
	"time"
	_ "time/tzdata" // quiet hours must not depend on the machine's files

	"github.com/poolscope/poolscope/internal/alert"
)

// checkQuiet says what is wrong with quiet hours.
func checkQuiet(q alert.Quiet) error {
	if !q.IsSet() && q.To == "" {
		return nil
	}
	from, err := minuteOf(q.From)
	if err != nil {
		return badSetting("quiet hours begin at %s", err)
	}
	to, err := minuteOf(q.To)
	if err != nil {
		return badSetting("quiet hours end at %s", err)
	}
	if from == to {
		return badSetting("quiet hours that begin and end at %s would never end", q.From)
	}
	if _, err := zoneOf(q.Zone); err != nil {
		return badSetting("the time zone of the quiet hours is not known; it is like Europe/Berlin")
	}
	return nil
}

// minuteOf reads "22:00" as minutes since midnight.
func minuteOf(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("%q, which is not like 22:00", Plain(s, 16))
	}
	return t.Hour()*60 + t.Minute(), nil
}

// zoneOf finds a time zone by its IANA name. "Local" is none: it is the
// machine's.
func zoneOf(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return time.LoadLocation(name)
}

// isQuiet says whether messages are held back at a time. It goes by what clocks
// on the wall show: an hour that is there twice when summer time ends is quiet
// twice, one that is left out when it begins is not there to be quiet.
func isQuiet(q alert.Quiet, at time.Time) bool {
	if !q.IsSet() {
		return false
	}
	from, err1 := minuteOf(q.From)
	to, err2 := minuteOf(q.To)
	zone, err3 := zoneOf(q.Zone)
	if err1 != nil || err2 != nil || err3 != nil {
		return false // what cannot be understood keeps nothing back
	}
	local := at.In(zone)
	minute := local.Hour()*60 + local.Minute()
	if from < to {
		return from <= minute && minute < to
	}
	return minute >= from || minute < to
}

// passes says whether an event is told in quiet hours nevertheless.
func passes(q alert.Quiet, e alert.Event) bool {
	return q.Blocks && e.Kind == alert.BlockFound
}
