package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// crowdLeast is how many people may be called at once in a place that all share, and
// crowdPart which part of those who are linked there when that is more.
const (
	crowdLeast = 100
	crowdPart  = 10 // a tenth
)

// calm ends what would call a crowd about workers that went and came: when so many
// lose theirs at once it is the pool's or the network's trouble, and one message for
// all says it. What is on its way already, and whatever is not about coming and
// going, stays. It returns the entries that are left.
func (k *courier) calm(ctx context.Context, open []alert.Entry, channels map[string]alert.Channel, now time.Time) ([]alert.Entry, error) {
	kinds := k.c.services()
	linked, called := make(map[string]int), make(map[string]map[string]bool) // by kind of channels
	for _, ch := range channels {
		if kinds[ch.Kind].Shared && ch.UserID != "" && ch.Enabled {
			linked[ch.Kind]++
		}
	}
	if len(linked) == 0 {
		return open, nil
	}
	calls := func(e *alert.Entry) (kind string, is bool) {
		ch := channels[e.Channel]
		_, busy := k.busy[e.Channel]
		comesOrGoes := e.Event.Kind == alert.WorkerOffline || e.Event.Kind == alert.WorkerOnline
		return ch.Kind, comesOrGoes && !busy && ch.UserID != "" && kinds[ch.Kind].Shared
	}
	for i := range open {
		if kind, is := calls(&open[i]); is {
			if called[kind] == nil {
				called[kind] = make(map[string]bool)
			}
			called[kind][open[i].UserID] = true
		}
	}
	for kind, people := range called {
		most := max(crowdLeast, linked[kind]/crowdPart)
		if len(people) <= most {
			continue
		}
		var crowd, rest []alert.Entry
		for i := range open {
			if in, is := calls(&open[i]); is && in == kind {
				crowd = append(crowd, open[i])
			} else {
				rest = append(rest, open[i])
			}
		}
		// First the message for all: whoever is killed in between finds the same crowd
		// again, and the message there already.
		told, err := k.c.tellShared(ctx, kind, crowd, len(people), channels, now)
		if err != nil {
			return nil, err
		}
		text := fmt.Sprintf("more than %d people would have been called at once", most)
		if told {
			text += ": one message for all tells it"
		}
		if err := k.drop(ctx, crowd, dropCrowd, text, now); err != nil {
			return nil, err
		}
		open = rest
	}
	return open, nil
}

// tellShared puts what a crowd would have been called for into the outbox as one
// message for all, who are not called. It says whether there is a channel for that.
func (c *Center) tellShared(ctx context.Context, kind string, crowd []alert.Entry, people int, channels map[string]alert.Channel, now time.Time) (told bool, err error) {
	gone, back := 0, 0
	for i := range crowd {
		if crowd[i].Event.Kind == alert.WorkerOffline {
			gone++
		} else {
			back++
		}
	}
	e := alert.Event{
		Kind: alert.WorkerOffline, Key: fmt.Sprintf("crowd:%d", crowd[0].ID), At: crowd[0].Event.At, Severity: alert.Critical,
		Text: fmt.Sprintf("Workers of %d people came or went at once (%s of going, %s of coming back). So many are not called one by one.",
			people, count(gone, "message"), count(back, "message")),
		Values: map[string]any{"people": float64(people), "offline": float64(gone), "online": float64(back)},
	}
	d := newDraft(now)
	d.operators[""] = true // there is room for it
	for id, ch := range channels {
		if ch.Kind == kind && ch.UserID == "" && ch.Enabled {
			d.tell(&ruleInForce{person: Person{Operator: true}, channels: []string{id}}, e)
			told = true
		}
	}
	return told, c.commit(ctx, d)
}
