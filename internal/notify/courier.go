package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	mathrand "math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

const (
	// courierEvery is how often the courier looks for what is due.
	courierEvery = time.Second
	// sendTime bounds one attempt.
	sendTime = 15 * time.Second
	// farewell is how long attempts under way may take when the program ends.
	farewell = 500 * time.Millisecond
	// senders is how many messages are under way at once, sendersOfOne how many of
	// them are one person's: their servers may all hang.
	senders, sendersOfOne = 8, 4
	// sharedSenders is how many more are for a place that all share, where they wait
	// for their turn.
	sharedSenders = 64
	// maxBatch is how many events one message holds.
	maxBatch = 50
	// giveUpAfter is how long after an event it is tried to tell it.
	giveUpAfter = 24 * time.Hour
	// tooOld is how long an event may wait for its first attempt.
	tooOld = 48 * time.Hour
	// Ended entries are kept that long, and that many of them.
	keepFor, keepMost = 7 * 24 * time.Hour, 5000
	// tidyEvery is how often old ones are deleted.
	tidyEvery = 10 * time.Minute
	// Pauses between attempts.
	firstPause, lastPause = 5 * time.Second, time.Hour
)

// pauseAfter is how long to wait after so many attempts: 5 s, 10 s, 20 s … up to
// an hour, each give or take a fifth so that not all come at once.
func pauseAfter(attempts int) time.Duration {
	pause := min(float64(firstPause)*math.Pow(2, float64(max(0, attempts-1))), float64(lastPause))
	return time.Duration(pause * (0.8 + 0.4*mathrand.Float64()))
}

// newBatch names a message: 20 hex digits.
func newBatch() string {
	var id [10]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// courier empties the outbox. Its fields belong to the goroutine of run.
type courier struct {
	c        *Center
	busy     map[string]alert.Channel // those with a message under way
	held     map[string]bool          // channels whose messages wait for a limit
	own      map[string]bool          // batches of which this process knows what all attempts came to
	results  chan result
	unwritt  []result // that the store did not take yet
	lastTidy time.Time
}

// result is what became of an attempt.
type result struct {
	channel string
	batch   string
	ids     []int64
	outcome alert.Outcome
	unsure  bool // it may have arrived
}

func newCourier(c *Center) *courier {
	return &courier{
		c: c, busy: make(map[string]alert.Channel), held: make(map[string]bool), own: make(map[string]bool),
		results: make(chan result, senders+sharedSenders),
	}
}

// run sends until ctx ends; what is under way then may end, for a moment.
func (k *courier) run(ctx context.Context) {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ticker := time.NewTicker(courierEvery)
	defer ticker.Stop()
	for {
		k.guarded(ctx, sending)
		select {
		case <-ctx.Done():
			k.leave(stop)
			return
		case r := <-k.results:
			k.done(ctx, r)
		case <-k.c.wake:
		case <-ticker.C:
		}
	}
}

// leave waits for what is under way, a moment for it to end by itself and another
// one after it was told to.
func (k *courier) leave(stop context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*farewell)
	defer cancel()
	polite := time.AfterFunc(farewell, stop)
	defer polite.Stop()
	for len(k.busy) > 0 {
		select {
		case r := <-k.results:
			k.done(ctx, r)
		case <-ctx.Done():
			return // the next start sends it again, under the same id
		}
	}
	k.write(ctx)
}

// guarded is a round whose panic ends nothing else.
func (k *courier) guarded(ctx, sending context.Context) {
	defer func() {
		if v := recover(); v != nil {
			k.c.count.panicked(partCourier)
			k.c.log.Error("panic caught", "part", partCourier, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	if err := k.round(ctx, sending, time.Now()); err != nil && ctx.Err() == nil {
		k.c.complain(faultOutbox, "outbox not read or written; tried again", err)
	}
}

// round starts what is due.
func (k *courier) round(ctx, sending context.Context, now time.Time) error {
	if !k.write(ctx) {
		return nil // first of all the store has to know what became of the last ones
	}
	if now.Sub(k.lastTidy).Abs() >= tidyEvery {
		if err := k.c.cfg.Store.Trim(ctx, now.Add(-keepFor), keepMost); err != nil {
			return err
		}
		if err := k.c.forgetPersons(ctx); err != nil {
			return err
		}
		k.lastTidy = now
		k.c.limits.tidy(now)
	}
	open, err := k.c.cfg.Store.Open(ctx, 2*maxWaiting)
	if err != nil {
		return err
	}
	k.forget(open)
	k.c.crowd(open)
	channels, _, err := k.c.list(ctx)
	if err != nil {
		return err
	}
	if open, err = k.calm(ctx, open, channels, now); err != nil {
		return err
	}
	order, of := byChannel(open)
	for _, id := range order {
		if !k.hasRoom(channels[id]) {
			continue
		}
		if err := k.serve(ctx, sending, id, of[id], now); err != nil {
			return err
		}
	}
	return nil
}

// hasRoom says whether a message of a channel may be on its way now besides those
// that are.
func (k *courier) hasRoom(ch alert.Channel) bool {
	kinds := k.c.services()
	shared, own, others := 0, 0, 0
	for id, other := range k.busy {
		switch {
		case id == ch.ID:
			return false
		case kinds[other.Kind].Shared:
			shared++
		default:
			others++
			if other.UserID == ch.UserID {
				own++
			}
		}
	}
	if kinds[ch.Kind].Shared {
		return shared < sharedSenders
	}
	return others < senders && own < sendersOfOne
}

// forget drops what is known of messages and channels that are not in the outbox
// any more: a channel that is removed takes them with it.
func (k *courier) forget(open []alert.Entry) {
	if len(k.own)+len(k.held) == 0 {
		return
	}
	batches, channels := make(map[string]bool), make(map[string]bool)
	for i := range open {
		batches[open[i].Batch], channels[open[i].Channel] = true, true
	}
	maps.DeleteFunc(k.own, func(batch string, _ bool) bool { return !batches[batch] })
	maps.DeleteFunc(k.held, func(channel string, _ bool) bool { return !channels[channel] })
}

// crowd tells how much waits for each channel and each person.
func (c *Center) crowd(open []alert.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crowded = make(map[string]int)
	for i := range open {
		c.crowded[ofChannel+open[i].Channel]++
		c.crowded[ofPerson+open[i].UserID]++
	}
	c.waiting.Store(int64(len(open)))
}

// byChannel sorts entries by channel, both in the order of the oldest.
func byChannel(open []alert.Entry) (order []string, of map[string][]alert.Entry) {
	of = make(map[string][]alert.Entry)
	for _, e := range open {
		if of[e.Channel] == nil {
			order = append(order, e.Channel)
		}
		of[e.Channel] = append(of[e.Channel], e)
	}
	return order, of
}

// serve begins the next message of a channel if there is one due.
func (k *courier) serve(ctx, sending context.Context, id string, entries []alert.Entry, now time.Time) error {
	ch, exists, err := k.c.channel(ctx, id)
	if err != nil {
		return err
	}
	if !exists || !ch.Enabled {
		return k.drop(ctx, entries, dropGone, "the channel was removed or switched off", now)
	}
	person, known, err := k.c.person(ctx, ch.UserID)
	if err != nil {
		return err
	}
	if !known || person.Disabled {
		return k.drop(ctx, entries, dropGone, "the account was removed or may not sign in", now)
	}
	batch, id2, again, err := k.next(ctx, ch, entries, now)
	if err != nil || len(batch) == 0 {
		return err
	}
	limits := []limit{{"user " + ch.UserID, k.c.inUse.Load().UserPerHour}}
	if !person.Operator { // many messages of others must not hold up what the pool has to say
		limits = append(limits, limit{"", k.c.inUse.Load().PerHour})
	}
	if !k.c.limits.allPerHour(now, limits...) {
		if !k.held[id] {
			k.held[id] = true
			k.c.count.result(sentHeld)
		}
		return nil
	}
	delete(k.held, id)
	ids, events, digest := make([]int64, len(batch)), make([]alert.Event, len(batch)), false
	for i, e := range batch {
		ids[i], events[i] = e.ID, e.Event
		digest = digest || isQuiet(ch.Quiet, e.Created) && !passes(ch.Quiet, e.Event)
	}
	if err := k.c.cfg.Store.Begin(ctx, ids, id2, now); err != nil {
		return err
	}
	m := compose(id2, events, digest)
	if !again {
		k.own[id2] = true
	}
	if again && !k.c.services()[ch.Kind].Idempotent {
		m.Lines = append(m.Lines, repetition)
		for i := range m.Events {
			m.Events[i].Maybe = true
		}
	}
	k.busy[id] = ch
	attempts := batch[0].Attempts + 1
	since := batch[0].Event.At
	if since.After(batch[0].Created) || since.Before(batch[0].Created.Add(-giveUpAfter)) {
		since = batch[0].Created
	}
	go func() {
		o, unsure := k.attempt(sending, ch, person, m, attempts, since)
		if (again || unsure) && o.State == alert.Queued {
			o.State = alert.Sending // it may have arrived, now or before
		}
		k.results <- result{id, id2, ids, o, unsure}
	}()
	return nil
}

// next chooses the entries of the next message and its id: first of all one that
// was begun before. again says that it may have arrived already, unknown to us.
func (k *courier) next(ctx context.Context, ch alert.Channel, entries []alert.Entry, now time.Time) (batch []alert.Entry, id string, again bool, err error) {
	if i := slices.IndexFunc(entries, func(e alert.Entry) bool { return e.Batch != "" }); i >= 0 {
		first := entries[i]
		if now.Before(first.NextTry) {
			return nil, "", false, nil
		}
		for _, e := range entries {
			if e.Batch == first.Batch {
				batch = append(batch, e)
			}
		}
		if isQuiet(ch.Quiet, now) && !slices.ContainsFunc(batch, func(e alert.Entry) bool { return passes(ch.Quiet, e.Event) }) {
			return nil, "", false, nil
		}
		return batch, first.Batch, first.State == alert.Sending && !k.own[first.Batch], nil
	}

	quiet := isQuiet(ch.Quiet, now)
	var old []alert.Entry
	for _, e := range entries {
		switch {
		case now.Sub(e.Created) > tooOld:
			old = append(old, e)
		case quiet && !passes(ch.Quiet, e.Event):
		case len(batch) < maxBatch:
			batch = append(batch, e)
		}
	}
	if len(old) > 0 {
		if err := k.drop(ctx, old, dropOld, "it waited for too long", now); err != nil {
			return nil, "", false, err
		}
	}
	if len(batch) == 0 || len(batch) < maxBatch && now.Sub(batch[0].Created).Abs() < k.c.cfg.Batch {
		return nil, "", false, nil // others may come
	}
	return batch, newBatch(), false, nil
}

// drop ends entries without a try.
func (k *courier) drop(ctx context.Context, entries []alert.Entry, reason, text string, now time.Time) error {
	ids := make([]int64, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	if err := k.c.cfg.Store.Finish(ctx, ids, alert.Outcome{State: alert.Dropped, Error: text, At: now}); err != nil {
		return err
	}
	k.c.count.dropped(reason, uint64(len(ids)))
	return nil
}

// attempt sends a message and says what became of it; unsure, when it failed, that
// it may have arrived nevertheless.
func (k *courier) attempt(ctx context.Context, ch alert.Channel, p Person, m Message, attempts int, since time.Time) (o alert.Outcome, unsure bool) {
	err := k.c.send(ctx, ch, p, m)
	now := time.Now()
	if err == nil {
		k.c.count.result(sentOK)
		return alert.Outcome{State: alert.Sent, At: now}, false
	}
	o = alert.Outcome{State: alert.Failed, Error: redact(err.Error(), ch.Settings), At: now}
	switch {
	case IsPermanent(err):
		k.c.count.result(sentPermanent)
	case now.Sub(since) >= giveUpAfter:
		k.c.count.result(sentGivenUp)
		o.Error = "given up after a day: " + o.Error
	default:
		k.c.count.result(sentRetry)
		o.State = alert.Queued
		o.NextTry = now.Add(max(pauseAfter(attempts), min(RetryAfter(err), giveUpAfter)))
	}
	k.c.log.Warn("message not sent", "kind", ch.Kind, "channel", ch.ID, "attempt", attempts, "state", string(o.State), "err", o.Error)
	return o, IsUnsure(err)
}

// send opens a channel and sends, within time and without a panic.
func (c *Center) send(ctx context.Context, ch alert.Channel, p Person, m Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.count.panicked(partSender)
			c.log.Error("panic caught", "part", partSender, "kind", ch.Kind, "stack", string(debug.Stack()))
			err = fmt.Errorf("the sender of %s failed; the log has the details", ch.Kind)
		}
	}()
	sender, err := c.open(ch, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return sender.Send(ctx, m)
}

// done takes in a result and writes it down.
func (k *courier) done(ctx context.Context, r result) {
	delete(k.busy, r.channel)
	if r.unsure {
		delete(k.own, r.batch)
	}
	k.unwritt = append(k.unwritt, r)
	k.write(ctx)
}

// write tells the store what became of messages, and says whether it knows all.
func (k *courier) write(ctx context.Context) bool {
	for len(k.unwritt) > 0 {
		r := k.unwritt[0]
		err := k.c.cfg.Store.Finish(ctx, r.ids, r.outcome)
		if err == nil {
			err = k.c.cfg.Store.NoteChannel(ctx, r.channel, r.outcome)
		}
		if err != nil {
			k.c.complain(faultResult, "what became of a message was not written; tried again", err)
			return false
		}
		if r.outcome.State != alert.Queued && r.outcome.State != alert.Sending {
			delete(k.own, r.batch)
		}
		k.c.noted(r.channel, r.outcome)
		k.unwritt = k.unwritt[1:]
	}
	return true
}

// noted is what NoteChannel wrote.
func (c *Center) noted(id string, o alert.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, ok := c.channels[id]
	if !ok {
		return
	}
	if o.Error == "" {
		ch.LastSent, ch.LastError, ch.ErrorAt = o.At, "", time.Time{}
	} else {
		ch.LastError, ch.ErrorAt = o.Error, o.At
	}
	c.channels[id] = ch
}
