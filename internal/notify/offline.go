package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

const (
	// maxWatched bounds the workers that one rule follows.
	maxWatched = 10_000
	// forgetAfter is when a rule about the whole pool forgets a worker that does
	// not come back.
	forgetAfter = 24 * time.Hour
	// outageSpan is how far apart workers may have gone to count as one outage, …
	outageSpan = time.Minute
	// … outageLeast is how many that are at least, …
	outageLeast = 5
	// … and they are that part of all that the rule follows.
	outagePart = 0.5
)

// watched are the names of the workers that a rule is about.
func (l *look) watched(r *ruleInForce) []string {
	var names []string
	if r.Scope == alert.ScopePool {
		for name := range l.workers {
			names = append(names, name)
		}
		prefix := about(aboutWorker, r.ID, "")
		for key := range l.m.presences[r.ID] { // those that left the books' view
			if name, ok := strings.CutPrefix(key, prefix); ok {
				if _, in := l.workers[name]; !in {
					names = append(names, name)
				}
			}
		}
	} else {
		names = slices.Clone(l.saved[r.UserID])
	}
	if len(r.Workers) > 0 {
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(r.Workers, hashOf(name)) })
	}
	slices.Sort(names)
	if len(names) > maxWatched {
		l.unwatched += uint64(len(names) - maxWatched)
		names = names[:maxWatched]
	}
	return names
}

// seePresence looks who is there.
func (l *look) seePresence(r *ruleInForce, names []string) {
	type gone struct {
		name string
		presence
	}
	var ready, missing []gone // to be told as offline; those, and who will be soon
	keep := make(map[string]bool, len(names))
	for _, name := range names {
		key := about(aboutWorker, r.ID, name)
		keep[key] = true
		online := l.workers[name].online
		p, known := l.m.presences[r.ID][key]
		switch {
		case !known:
			l.d.set(key, presence{Online: online, Since: l.clock})
			continue
		case l.quiet && !online:
			// Whoever is away now may not have had the time to come back.
		case p.see(online, l.clock, r.OfflineAfter):
			l.d.set(key, p)
		}
		switch p.due(l.clock, r.OfflineAfter) {
		case alert.WorkerOnline:
			l.tellPresence(r, alert.WorkerOnline, name, p)
		case alert.WorkerOffline:
			ready = append(ready, gone{name, p})
		}
		if p.Armed == alert.WorkerOffline && p.due(l.clock+outageSpan, r.OfflineAfter) != "" {
			missing = append(missing, gone{name, p})
		}
		if r.Scope == alert.ScopePool && !p.Online && p.Armed == "" && l.clock-p.Since > max(forgetAfter, 2*r.OfflineAfter) {
			delete(keep, key)
		}
	}
	for key := range l.m.presences[r.ID] {
		if !keep[key] {
			l.d.forget(key)
			delete(l.d.put, key)
		}
	}
	if len(ready) == 0 {
		return
	}

	// When most of them go at once, that is one thing to tell, as soon as all of
	// them have been away for long enough.
	slices.SortStableFunc(ready, func(a, b gone) int { return cmp.Compare(a.Since, b.Since) })
	outage := len(missing) >= max(outageLeast, int(outagePart*float64(len(names))))
	if outage && len(missing) > len(ready) && l.clock-ready[0].Since < r.OfflineAfter+outageSpan {
		return
	}
	if !outage || len(ready) < outageLeast {
		for _, g := range ready {
			l.tellPresence(r, alert.WorkerOffline, g.name, g.presence)
		}
		return
	}
	all := make([]string, 0, len(ready))
	for _, g := range ready {
		g.Armed = ""
		l.d.set(about(aboutWorker, r.ID, g.name), g.presence)
		all = append(all, Plain(g.name, maxName))
	}
	if !r.wants(alert.WorkerOffline) {
		return
	}
	first := ready[0].Since
	l.d.tell(r, alert.Event{
		Kind:     alert.WorkerOffline,
		Key:      fmt.Sprintf("outage:%s:%d:%d", r.ID, first.Milliseconds(), len(ready)),
		Severity: alert.Critical,
		Text:     fmt.Sprintf("%d of %d miners went offline at once, >%s ago: %s", len(all), len(names), span(r.OfflineAfter), enumerate(all)),
		Values:   map[string]any{"after_seconds": r.OfflineAfter.Seconds(), "offline": float64(len(all)), "watched": float64(len(names)), "workers": all},
	})
}

// tellPresence tells of one worker, once.
func (l *look) tellPresence(r *ruleInForce, kind alert.Kind, name string, p presence) {
	p.Armed = ""
	l.d.set(about(aboutWorker, r.ID, name), p)
	if !r.wants(kind) {
		return
	}
	shown, severity := Plain(name, maxName), alert.Warning
	if kind == alert.WorkerOnline {
		severity = alert.Good
	}
	l.d.tell(r, alert.Event{
		Kind: kind,
		// Rules with the same threshold see the same: one message is enough.
		Key:      fmt.Sprintf("%s:%s:%d:%d", kind, hashOf(name), p.Since.Milliseconds(), int64(r.OfflineAfter/time.Second)),
		Severity: severity,
		Worker:   shown,
		Text:     presenceText(kind, []string{shown}, r.OfflineAfter),
		Values:   map[string]any{"after_seconds": r.OfflineAfter.Seconds()},
	})
}
