package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// maxNames is how many workers a line names.
const maxNames = 10

// span writes a duration as people say it: 5m, 2h, 90s.
func span(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return fmt.Sprintf("%ds", d/time.Second)
	}
}

// presenceText tells of workers that went away or came back.
func presenceText(kind alert.Kind, names []string, after time.Duration) string {
	offline := kind == alert.WorkerOffline
	if len(names) == 1 {
		if offline {
			return fmt.Sprintf("Offline >%s: %s", span(after), names[0])
		}
		return fmt.Sprintf("Back online (%s+): %s", span(after), names[0])
	}
	what := fmt.Sprintf("%d miners back online (%s+): ", len(names), span(after))
	if offline {
		what = fmt.Sprintf("%d miners offline >%s: ", len(names), span(after))
	}
	return what + enumerate(names)
}

// enumerate lists names, the first of many.
func enumerate(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}

// titles are those of messages with events of one kind.
var titles = map[alert.Kind]string{
	alert.WorkerOffline:  "Worker offline",
	alert.WorkerOnline:   "Worker back online",
	alert.BestShare:      "New best share",
	alert.BlockFound:     "Block found",
	alert.BlockConfirmed: "Block confirmed",
	alert.BlockStale:     "Block lost",
	alert.RejectRate:     "Shares are rejected",
	alert.RejectRateOver: "Shares are accepted again",
	alert.NodeTrouble:    "Node trouble",
	alert.NodeRecovered:  "Node trouble is over",
	alert.ScopeAlarm:     "Scope alarm",
	alert.BackupFailed:   "Backup failed",
	alert.Test:           "Test",
}

// repetition is what is said to services that cannot tell one message from
// another.
const repetition = "(This may be a repetition: nobody knows whether the first one arrived.)"

// compose makes the message of a batch. The events are of one channel, oldest
// first.
func compose(id string, events []alert.Event, digest bool) Message {
	m := Message{ID: id, Events: events, Digest: digest}
	kinds := make(map[alert.Kind]bool)
	for _, e := range events {
		kinds[e.Kind] = true
		if e.At.After(m.At) {
			m.At = e.At
		}
	}
	m.Lines = lines(events)
	switch {
	case digest:
		m.Title = fmt.Sprintf("poolscope: %s in quiet hours", count(len(events), "event"))
	case len(kinds) == 1 && len(events) == 1:
		m.Title = "poolscope: " + titles[events[0].Kind]
	case len(kinds) == 1:
		m.Title = fmt.Sprintf("poolscope: %s (%d)", titles[events[0].Kind], len(events))
	default:
		m.Title = fmt.Sprintf("poolscope: %s", count(len(events), "event"))
	}
	return m
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// lines writes events, those of workers that came or went together as one.
func lines(events []alert.Event) []string {
	type group struct {
		kind  alert.Kind
		after string
	}
	var out []string
	at := make(map[group]int)
	names := make(map[group][]string)
	for _, e := range events {
		after, ok := afterOf(e)
		if !ok || e.Worker == "" {
			out = append(out, e.Text)
			continue
		}
		g := group{e.Kind, after.String()}
		if _, seen := at[g]; !seen {
			at[g] = len(out)
			out = append(out, "")
		}
		names[g] = append(names[g], e.Worker)
		out[at[g]] = presenceText(e.Kind, names[g], after)
	}
	return out
}

// afterOf is the threshold of an event about a worker that came or went.
func afterOf(e alert.Event) (time.Duration, bool) {
	if e.Kind != alert.WorkerOffline && e.Kind != alert.WorkerOnline {
		return 0, false
	}
	seconds, ok := e.Values["after_seconds"].(float64) // as JSON has it
	return time.Duration(seconds) * time.Second, ok
}
