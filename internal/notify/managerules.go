package notify

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// RuleChange is what somebody enters for a rule. What is nil stays as it is.
type RuleChange struct {
	Name          *string
	Enabled       *bool
	Kinds         []alert.Kind
	Scope         *string
	Workers       []string
	Alarms        []string
	Channels      []string
	OfflineAfter  *time.Duration
	RejectPercent *float64
	RejectWindow  *time.Duration
	RejectShares  *uint64
	MinDifficulty *float64
}

// AddRule makes a rule.
func (c *Center) AddRule(ctx context.Context, o Owner, change RuleChange) (alert.Rule, error) {
	c.editing.Lock()
	defer c.editing.Unlock()
	_, rules, err := c.list(ctx)
	if err != nil {
		return alert.Rule{}, err
	}
	own := 0
	for _, r := range rules {
		if r.UserID == o.UserID {
			own++
		}
	}
	if own >= c.cfg.MaxRules {
		return alert.Rule{}, fmt.Errorf("%w: %d rules", ErrLimit, c.cfg.MaxRules)
	}
	return c.saveRule(ctx, o, newRule(o), change)
}

// newRule is a rule as it is without further wishes.
func newRule(o Owner) alert.Rule {
	r := alert.Rule{
		ID: newID(), UserID: o.UserID, Name: "Rule", Enabled: true, Scope: alert.ScopeSaved,
		OfflineAfter: 5 * time.Minute, RejectPercent: 5, RejectWindow: 30 * time.Minute, RejectShares: 50, Created: time.Now(),
	}
	if o.UserID == "" {
		r.Scope = alert.ScopePool // who has no account has no saved workers
	}
	return r
}

// ChangeRule changes a rule.
func (c *Center) ChangeRule(ctx context.Context, o Owner, id string, change RuleChange) (alert.Rule, error) {
	c.editing.Lock()
	defer c.editing.Unlock()
	r, err := c.ownRule(ctx, o, id)
	if err != nil {
		return r, err
	}
	return c.saveRule(ctx, o, r, change)
}

func (c *Center) saveRule(ctx context.Context, o Owner, r alert.Rule, change RuleChange) (alert.Rule, error) {
	change.apply(&r)
	channels, _, err := c.list(ctx)
	if err != nil {
		return r, err
	}
	if err := checkRule(&r, o, channels); err != nil {
		return r, err
	}
	if err := c.cfg.Store.SaveRule(ctx, r); err != nil {
		return r, err
	}
	c.changed()
	return r, nil
}

// set replaces a value that was given.
func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

func (change *RuleChange) apply(r *alert.Rule) {
	set(&r.Name, change.Name)
	r.Name = strings.TrimSpace(r.Name)
	set(&r.Enabled, change.Enabled)
	set(&r.Scope, change.Scope)
	set(&r.OfflineAfter, change.OfflineAfter)
	set(&r.RejectPercent, change.RejectPercent)
	set(&r.RejectWindow, change.RejectWindow)
	set(&r.RejectShares, change.RejectShares)
	set(&r.MinDifficulty, change.MinDifficulty)
	if change.Kinds != nil {
		r.Kinds = change.Kinds
	}
	if change.Workers != nil {
		r.Workers = change.Workers
	}
	if change.Alarms != nil {
		r.Alarms = change.Alarms
	}
	if change.Channels != nil {
		r.Channels = change.Channels
	}
}

// checkRule says what is wrong with a rule.
func checkRule(r *alert.Rule, o Owner, channels map[string]alert.Channel) error {
	if err := checkTitle(r.Name); err != nil {
		return err
	}
	if len(r.Kinds) == 0 {
		return badSetting("a rule needs at least one kind of events")
	}
	if r.Scope != alert.ScopeSaved && r.Scope != alert.ScopePool {
		return badSetting("the scope must be saved or pool")
	}
	for _, k := range r.Kinds {
		info, ok := k.Info()
		switch {
		case !ok:
			return badSetting("there is no kind of events %q", Plain(string(k), 40))
		case info.Operator && !o.Operator:
			return badSetting("%s is for operators", k)
		case r.Scope == alert.ScopePool && !info.Pool && !o.Operator:
			return badSetting("%s of the whole pool is for operators", k)
		}
	}
	if len(r.Workers) > maxPicked || len(r.Alarms) > maxPicked || len(r.Channels) > maxPicked || len(r.Kinds) > maxPicked {
		return badSetting("a list has more than %d entries", maxPicked)
	}
	for _, hash := range r.Workers {
		if len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
			return badSetting("workers are named by the SHA-256 of their names, 64 hex digits")
		}
	}
	for _, kind := range r.Alarms {
		if kind == "" || len(kind) > 64 || Plain(kind, 64) != kind {
			return badSetting("a kind of alarms is not valid")
		}
	}
	for _, id := range r.Channels {
		if ch, ok := channels[id]; !ok || !o.owns(ch.UserID) || ch.UserID != r.UserID {
			return badSetting("there is no channel %q", Plain(id, 32))
		}
	}
	switch {
	case r.OfflineAfter < 30*time.Second || r.OfflineAfter > 7*24*time.Hour:
		return badSetting("offline_after must be from 30 seconds to 7 days")
	case !(r.RejectPercent > 0 && r.RejectPercent <= 100): // false for NaN
		return badSetting("reject_percent must be above 0 and at most 100")
	case r.RejectWindow < time.Minute || r.RejectWindow > 24*time.Hour:
		return badSetting("reject_window must be from a minute to a day")
	case r.RejectShares > 1e9:
		return badSetting("reject_shares is too large")
	case !(r.MinDifficulty >= 0) || math.IsInf(r.MinDifficulty, 0): // false for NaN
		return badSetting("min_difficulty must be 0 or more")
	}
	return nil
}

func (c *Center) ownRule(ctx context.Context, o Owner, id string) (alert.Rule, error) {
	_, rules, err := c.list(ctx)
	if err != nil {
		return alert.Rule{}, err
	}
	for _, r := range rules {
		if r.ID == id && o.owns(r.UserID) {
			return r.Clone(), nil
		}
	}
	return alert.Rule{}, alert.ErrNotFound
}

// DeleteRule removes a rule.
func (c *Center) DeleteRule(ctx context.Context, o Owner, id string) (alert.Rule, error) {
	c.editing.Lock()
	defer c.editing.Unlock()
	r, err := c.ownRule(ctx, o, id)
	if err != nil {
		return r, err
	}
	err = c.cfg.Store.DeleteRule(ctx, id)
	c.changed()
	return r, err
}
