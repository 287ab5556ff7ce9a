package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

const (
	// watchEvery is the distance of two looks at the world.
	watchEvery = 3 * time.Second
	// clockEvery is how often the watcher's clock is written when nothing else is.
	clockEvery = 30 * time.Second
	// maxAlarms bounds the scope's alarms that are told at one look.
	maxAlarms = 20
	// alarmDelay is how much later than its cause an alarm may be seen.
	alarmDelay = time.Minute
)

// ruleInForce is a rule with what has to be known to apply it.
type ruleInForce struct {
	alert.Rule
	person   Person
	channels []string // those that may be used
}

// wants says whether the rule is about a kind, and may be.
func (r *ruleInForce) wants(k alert.Kind) bool {
	if !r.Wants(k) {
		return false
	}
	info, _ := k.Info()
	switch {
	case r.person.Operator:
		return true
	case info.Operator:
		return false
	default:
		return r.Scope != alert.ScopePool || info.Pool
	}
}

// wantsAny says whether the rule is about one of the kinds.
func (r *ruleInForce) wantsAny(kinds ...alert.Kind) bool { return slices.ContainsFunc(kinds, r.wants) }

// wantsAlarm says whether the rule is about an alarm of the scope.
func (r *ruleInForce) wantsAlarm(a Alarm) bool {
	return r.wants(alert.ScopeAlarm) && !a.At.Before(r.Created) && (len(r.Alarms) == 0 || slices.Contains(r.Alarms, a.Kind))
}

// look is one look at the world.
type look struct {
	w       World
	m       *memory
	d       *draft
	rules   []*ruleInForce
	saved   map[string][]string // names that persons saved and want to be told about
	workers map[string]worker
	tallies map[string]tallies

	clock     time.Duration
	quiet     bool   // nobody is blamed for being away
	unwatched uint64 // workers beyond the limit
}

// watcher looks at the world again and again. All of it belongs to one
// goroutine.
type watcher struct {
	c *Center
	m *memory

	last    time.Time     // of the last look
	quiet   time.Duration // how much longer nobody is blamed for being away
	written time.Duration // the clock when it was last written
	alarms  uint64        // the cursor of the scope's alarms that were told
	tallies map[string]tallies
	waiting []alert.Event // posted, not written yet
}

// run looks until ctx ends. A store that fails is tried again at the next look:
// nothing is forgotten meanwhile, since what was noticed counts only when it is
// written.
func (w *watcher) run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		now := time.Now()
		if err := w.guarded(ctx, now); err != nil && ctx.Err() == nil {
			w.c.complain(faultWatch, "alerts were not noticed; tried again", err)
		}
		select {
		case <-ctx.Done():
			return
		case e := <-w.c.posted:
			w.waiting = append(w.waiting, e)
		case <-ticker.C:
		}
	}
}

// guarded is a look whose panic ends nothing else.
func (w *watcher) guarded(ctx context.Context, now time.Time) (err error) {
	defer func() {
		if v := recover(); v != nil {
			w.c.count.panicked(partWatcher)
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return w.tick(ctx, now)
}

// tick is one look.
func (w *watcher) tick(ctx context.Context, now time.Time) error {
	if w.m == nil {
		if err := w.begin(ctx); err != nil {
			return err
		}
	}
	w.take()
	rules, saved, err := w.c.inForce(ctx)
	if err != nil {
		return err
	}
	if len(rules) == 0 && !w.m.following {
		w.waiting, w.last = nil, now // nobody to be told
		return nil
	}
	world := w.c.cfg.World(w.alarms)
	l := &look{
		w: world, m: w.m, d: newDraft(now), rules: rules, saved: saved,
		workers: workersOf(world.Ledger), tallies: w.tallies, clock: w.m.clock,
	}
	passed := time.Duration(0)
	if !w.last.IsZero() {
		// A clock that was set, or a machine that slept, makes nobody late.
		passed = min(max(0, now.Sub(w.last)), 3*watchEvery)
	}
	quiet := w.quiet - passed
	if world.Trouble != "" || world.Ledger == nil {
		quiet = w.c.inUse.Load().QuietStart
	}
	if l.quiet = quiet > 0; !l.quiet {
		l.clock += passed
	}
	w.see(l)
	if l.clock != w.m.clock && (len(l.d.put)+len(l.d.forgets)+len(l.d.entries) > 0 || l.clock-w.written >= clockEvery) {
		l.d.set(aboutClock, l.clock)
	}
	if err := w.c.commit(ctx, l.d); err != nil {
		return err
	}

	// Now that it is written, it is so.
	for _, name := range l.d.forgets {
		w.m.forget(name)
	}
	for name, value := range l.d.put {
		w.m.adopt(name, value)
	}
	if _, ok := l.d.put[aboutClock]; ok {
		w.written = l.clock
	}
	w.quiet = max(0, quiet)
	w.m.clock, w.last, w.alarms, w.waiting = l.clock, now, max(w.alarms, world.AlarmCursor), nil
	w.c.count.dropped(dropUnwatched, l.unwatched)
	return nil
}

// begin reads what was noticed before.
func (w *watcher) begin(ctx context.Context) error {
	noticed, err := w.c.cfg.Store.Noticed(ctx)
	if err != nil {
		return err
	}
	m := newMemory()
	if unreadable := m.recall(noticed); len(unreadable) > 0 {
		w.c.log.Warn("what was noticed is not readable and is noticed anew", "names", len(unreadable), "first", unreadable[0])
	}
	w.m, w.written, w.tallies = m, m.clock, make(map[string]tallies)
	w.quiet = w.c.inUse.Load().QuietStart
	return nil
}

// take receives what was posted meanwhile.
func (w *watcher) take() {
	for {
		select {
		case e := <-w.c.posted:
			w.waiting = append(w.waiting, e)
		default:
			return
		}
	}
}

// see lets every rule look.
func (w *watcher) see(l *look) {
	for _, r := range l.rules {
		names := l.watched(r)
		if r.wantsAny(alert.WorkerOffline, alert.WorkerOnline) {
			l.seePresence(r, names)
		}
		if r.wants(alert.BestShare) {
			l.seeBest(r, names)
		}
		if r.wantsAny(alert.RejectRate, alert.RejectRateOver) {
			l.seeRejects(r, names)
		}
	}
	l.forgetRules()
	l.seeBlocks()
	l.seeNodes()
	for _, e := range w.waiting {
		l.tellAll(e)
	}
	w.seeAlarms(l)
}

// forgetRules forgets what rules noticed that are not in force any more.
func (l *look) forgetRules() {
	live := make(map[string]*ruleInForce, len(l.rules))
	for _, r := range l.rules {
		live[r.ID] = r
	}
	gone := func(what, name string, kinds ...alert.Kind) {
		if r := live[ruleOf(what, name)]; r == nil || !r.wantsAny(kinds...) {
			l.d.forget(name)
		}
	}
	for _, of := range l.m.presences {
		for name := range of {
			gone(aboutWorker, name, alert.WorkerOffline, alert.WorkerOnline)
		}
	}
	for name := range l.m.bests {
		gone(aboutBest, name, alert.BestShare)
	}
	for name := range l.m.rejects {
		gone(aboutReject, name, alert.RejectRate, alert.RejectRateOver)
	}
	for name := range l.tallies {
		if live[ruleOf(aboutReject, name)] == nil {
			delete(l.tallies, name)
		}
	}
}

// seeAlarms tells the scope's new alarms. Those that were raised before a rule
// was made are not for it.
func (w *watcher) seeAlarms(l *look) {
	told := 0
	for _, a := range l.w.Alarms {
		if !w.last.IsZero() && a.At.Before(w.last.Add(-alarmDelay)) {
			continue // an old one that was raised again
		}
		var wanting []*ruleInForce
		for _, r := range l.rules {
			if r.wantsAlarm(a) {
				wanting = append(wanting, r)
			}
		}
		if len(wanting) == 0 {
			continue
		}
		if told++; told > maxAlarms {
			w.c.count.dropped(dropFlood, 1)
			continue
		}
		e := alert.Event{
			Kind: alert.ScopeAlarm, Key: fmt.Sprintf("alarm:%s:%s:%d", a.Session, a.Kind, a.At.UnixMilli()), At: a.At,
			Severity: severityOf(a.Severity), Text: "Scope: " + Plain(a.Text, 500),
			Values: map[string]any{"alarm": a.Kind, "session": a.Session},
		}
		for _, r := range wanting {
			l.d.tell(r, e)
		}
	}
}
