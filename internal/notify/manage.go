package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// Owner is who looks at alerts or changes them. Everybody has their own; those
// that were made by the operator without an account are all operators'.
type Owner struct {
	UserID   string
	Operator bool
}

// ids are the persons whose channels and rules are the owner's.
func (o Owner) ids() []string {
	if o.Operator && o.UserID != "" {
		return []string{o.UserID, ""}
	}
	return []string{o.UserID}
}

func (o Owner) owns(userID string) bool { return slices.Contains(o.ids(), userID) }

// Errors of what people want to change. Those that wrap ErrSettings say what is
// wrong with it.
var (
	ErrLimit   = errors.New("limit reached")
	ErrTooMany = errors.New("too many requests")
)

// View is what an owner has.
type View struct {
	Channels []alert.Channel // with secrets: they are not to be shown
	Rules    []alert.Rule
	Recent   []alert.Entry // newest first
}

// View lists what an owner has, and the latest events.
func (c *Center) View(ctx context.Context, o Owner, recent int) (v View, err error) {
	channels, rules, err := c.list(ctx)
	if err != nil {
		return v, err
	}
	for _, ch := range channels {
		if o.owns(ch.UserID) {
			v.Channels = append(v.Channels, ch.Clone())
		}
	}
	slices.SortFunc(v.Channels, func(a, b alert.Channel) int {
		if d := a.Created.Compare(b.Created); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, r := range rules {
		if o.owns(r.UserID) {
			v.Rules = append(v.Rules, r.Clone())
		}
	}
	v.Recent, err = c.cfg.Store.Recent(ctx, o.ids(), recent)
	return v, err
}

// Services are the kinds of channels that an owner may have, in the order of the
// catalog.
func (c *Center) Services(o Owner) []Service {
	var list []Service
	for _, s := range c.cfg.Services {
		if o.Operator || !s.Operator {
			list = append(list, s)
		}
	}
	return list
}

// Service is a kind of channels by its id.
func (c *Center) Service(id string) (Service, bool) {
	s, ok := c.services[id]
	return s, ok
}

// newID names a channel or a rule.
func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// Bounds of what people enter.
const (
	maxTitle  = 80  // bytes of a name
	maxPicked = 100 // workers of a rule
)

// checkTitle checks the name of a channel or rule.
func checkTitle(name string) error {
	if name == "" || len(name) > maxTitle || plain(name, maxTitle) != name {
		return badSetting("the name must have 1 to %d bytes, without control characters", maxTitle)
	}
	return nil
}

// ChannelChange is what somebody enters for a channel. What is nil stays as it is.
type ChannelChange struct {
	Kind     string // of a new one
	Name     *string
	Enabled  *bool
	Settings map[string]string // those given replace the old ones; "" removes one
	Quiet    *alert.Quiet
}

// AddChannel makes a channel. One that leads to a mailbox gets a code sent.
func (c *Center) AddChannel(ctx context.Context, o Owner, change ChannelChange) (alert.Channel, error) {
	s, ok := c.services[change.Kind]
	switch {
	case !ok || s.Managed:
		return alert.Channel{}, badSetting("there is no such kind of channel")
	case s.Operator && !o.Operator:
		return alert.Channel{}, ErrOperator
	}
	channels, _, err := c.list(ctx)
	if err != nil {
		return alert.Channel{}, err
	}
	own := 0
	for _, ch := range channels {
		if ch.UserID == o.UserID {
			own++
		}
	}
	if own >= c.cfg.MaxChannels {
		return alert.Channel{}, fmt.Errorf("%w: %d channels", ErrLimit, c.cfg.MaxChannels)
	}
	ch := alert.Channel{ID: newID(), UserID: o.UserID, Kind: s.ID, Name: s.Name, Enabled: true, Settings: map[string]string{}, Created: time.Now()}
	return c.saveChannel(ctx, o, ch, change)
}

// ChangeChannel changes a channel.
func (c *Center) ChangeChannel(ctx context.Context, o Owner, id string, change ChannelChange) (alert.Channel, error) {
	ch, err := c.ownChannel(ctx, o, id)
	if err != nil {
		return ch, err
	}
	return c.saveChannel(ctx, o, ch, change)
}

func (c *Center) saveChannel(ctx context.Context, o Owner, ch alert.Channel, change ChannelChange) (alert.Channel, error) {
	s, ok := c.services[ch.Kind]
	if !ok {
		return ch, ErrService
	}
	before := ch.Clone()
	if change.Name != nil {
		ch.Name = strings.TrimSpace(*change.Name)
	}
	if change.Enabled != nil {
		ch.Enabled = *change.Enabled
	}
	if change.Quiet != nil {
		ch.Quiet = *change.Quiet
	}
	if !s.Managed {
		for key, value := range change.Settings {
			if ch.Settings[key] = value; value == "" {
				delete(ch.Settings, key)
			}
		}
	}
	if err := errors.Join(checkTitle(ch.Name), checkQuiet(ch.Quiet)); err != nil {
		return ch, err
	}
	if !s.Managed {
		if err := s.need(ch.Settings); err != nil {
			return ch, err
		}
		if _, err := s.Open(Opening{UserID: ch.UserID, Operator: o.Operator, Settings: ch.Settings}); err != nil {
			return ch, err
		}
	}
	changed := !maps.Equal(before.Settings, ch.Settings)
	if changed {
		ch.LastError, ch.ErrorAt = "", time.Time{}
	}
	var code string
	switch {
	case !s.Mailbox || o.Operator:
		ch.Confirmed = true
	case changed:
		if !c.limits.allow("code "+ch.UserID, codesPerHour, time.Now()) {
			return ch, ErrTooMany
		}
		ch.Confirmed = false
		code = newCode(&ch, time.Now())
	}
	if err := c.cfg.Store.SaveChannel(ctx, ch); err != nil {
		return ch, err
	}
	c.changed()
	if code != "" {
		return ch, c.sendCode(ctx, ch, code)
	}
	return ch, nil
}

// ownChannel finds a channel of an owner; [alert.ErrNotFound] for others'.
func (c *Center) ownChannel(ctx context.Context, o Owner, id string) (alert.Channel, error) {
	ch, ok, err := c.channel(ctx, id)
	if err == nil && (!ok || !o.owns(ch.UserID)) {
		err = alert.ErrNotFound
	}
	return ch, err
}

// DeleteChannel removes a channel, what waits for it, and its place in rules.
func (c *Center) DeleteChannel(ctx context.Context, o Owner, id string) (alert.Channel, error) {
	ch, err := c.ownChannel(ctx, o, id)
	if err != nil {
		return ch, err
	}
	err = c.cfg.Store.DeleteChannel(ctx, id)
	c.changed()
	return ch, err
}

// testsPerHour bounds the test button for each person.
const testsPerHour = 30

// Test sends a message through a channel at once and returns what came of it, in
// words for whoever owns it.
func (c *Center) Test(ctx context.Context, o Owner, id string) (alert.Channel, error) {
	ch, err := c.ownChannel(ctx, o, id)
	if err != nil {
		return ch, err
	}
	if !c.limits.allow("test "+o.UserID, testsPerHour, time.Now()) {
		return ch, ErrTooMany
	}
	person, _, err := c.person(ctx, ch.UserID)
	if err != nil {
		return ch, err
	}
	now := time.Now()
	e := alert.Event{Kind: alert.Test, Key: "test:" + newBatch(), At: now, Severity: alert.Info, Text: "This is a test of the channel " + ch.Name + ". Alerts will arrive like this."}
	outcome := alert.Outcome{State: alert.Sent, At: now}
	if err := c.send(ctx, ch, person, compose(newBatch(), []alert.Event{e}, false)); err != nil {
		outcome.Error = redact(err.Error(), ch.Settings)
	}
	if err := c.cfg.Store.NoteChannel(ctx, id, outcome); err != nil {
		return ch, err
	}
	c.noted(id, outcome)
	if outcome.Error != "" {
		return ch, fmt.Errorf("%w: %s", ErrTest, outcome.Error)
	}
	return ch, nil
}

// ErrTest says that the test of a channel failed, and why.
var ErrTest = errors.New("not sent")

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
			return badSetting("there is no kind of events %q", plain(string(k), 40))
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
		if kind == "" || len(kind) > 64 || plain(kind, 64) != kind {
			return badSetting("a kind of alarms is not valid")
		}
	}
	for _, id := range r.Channels {
		if ch, ok := channels[id]; !ok || !o.owns(ch.UserID) || ch.UserID != r.UserID {
			return badSetting("there is no channel %q", plain(id, 32))
		}
	}
	switch {
	case r.OfflineAfter < 30*time.Second || r.OfflineAfter > 7*24*time.Hour:
		return badSetting("offline_after must be from 30 seconds to 7 days")
	case !(r.RejectPercent > 0 && r.RejectPercent <= 100): //nolint:staticcheck // false for NaN
		return badSetting("reject_percent must be above 0 and at most 100")
	case r.RejectWindow < time.Minute || r.RejectWindow > 24*time.Hour:
		return badSetting("reject_window must be from a minute to a day")
	case r.RejectShares > 1e9:
		return badSetting("reject_shares is too large")
	case !(r.MinDifficulty >= 0) || math.IsInf(r.MinDifficulty, 0): //nolint:staticcheck // false for NaN
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
	r, err := c.ownRule(ctx, o, id)
	if err != nil {
		return r, err
	}
	err = c.cfg.Store.DeleteRule(ctx, id)
	c.changed()
	return r, err
}
