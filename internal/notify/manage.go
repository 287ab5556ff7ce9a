package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
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
	for _, s := range c.inUse.Load().Services {
		if o.Operator || !s.Operator {
			list = append(list, s)
		}
	}
	return list
}

// Service is a kind of channels by its id.
func (c *Center) Service(id string) (Service, bool) {
	s, ok := c.services()[id]
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
	maxPicked = 100 // entries of a list
)

// checkTitle checks the name of a channel or rule.
func checkTitle(name string) error {
	if name == "" || len(name) > maxTitle || Plain(name, maxTitle) != name {
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

// edit changes a channel while nobody else changes any, so that neither a limit
// nor a number of tries can be got around by asking at the same time; then it sends
// the code that the channel needs, if any.
func (c *Center) edit(ctx context.Context, do func() (ch alert.Channel, code string, err error)) (alert.Channel, error) {
	ch, code, err := func() (alert.Channel, string, error) {
		c.editing.Lock()
		defer c.editing.Unlock()
		return do()
	}()
	if err != nil || code == "" {
		return ch, err
	}
	return ch, c.sendCode(ctx, ch, code)
}

// AddChannel makes a channel. One that leads to a mailbox gets a code sent.
func (c *Center) AddChannel(ctx context.Context, o Owner, change ChannelChange) (alert.Channel, error) {
	return c.edit(ctx, func() (alert.Channel, string, error) { return c.addChannel(ctx, o, change) })
}

func (c *Center) addChannel(ctx context.Context, o Owner, change ChannelChange) (_ alert.Channel, code string, err error) {
	s, ok := c.services()[change.Kind]
	switch {
	case !ok || s.Managed:
		return alert.Channel{}, "", badSetting("there is no such kind of channel")
	case s.Operator && !o.Operator:
		return alert.Channel{}, "", ErrOperator
	}
	channels, _, err := c.list(ctx)
	if err != nil {
		return alert.Channel{}, "", err
	}
	own := 0
	for _, ch := range channels {
		if ch.UserID == o.UserID {
			own++
		}
	}
	if own >= c.cfg.MaxChannels {
		return alert.Channel{}, "", fmt.Errorf("%w: %d channels", ErrLimit, c.cfg.MaxChannels)
	}
	ch := alert.Channel{ID: newID(), UserID: o.UserID, Kind: s.ID, Name: s.Name, Enabled: true, Settings: map[string]string{}, Created: time.Now()}
	return c.saveChannel(ctx, o, ch, change)
}

// ChangeChannel changes a channel.
func (c *Center) ChangeChannel(ctx context.Context, o Owner, id string, change ChannelChange) (alert.Channel, error) {
	return c.edit(ctx, func() (alert.Channel, string, error) {
		ch, err := c.Channel(ctx, o, id)
		if err != nil {
			return ch, "", err
		}
		return c.saveChannel(ctx, o, ch, change)
	})
}

// saveChannel returns the code that the channel has to be confirmed by, if any.
func (c *Center) saveChannel(ctx context.Context, o Owner, ch alert.Channel, change ChannelChange) (_ alert.Channel, code string, err error) {
	s, ok := c.services()[ch.Kind]
	if !ok {
		return ch, "", ErrService
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
		return ch, "", err
	}
	if !s.Managed {
		if err := s.need(ch.Settings); err != nil {
			return ch, "", err
		}
		if _, err := s.Open(Opening{UserID: ch.UserID, Operator: o.Operator, Settings: ch.Settings}); err != nil {
			return ch, "", err
		}
		if err := s.secretsStay(before.Settings, ch.Settings, change.Settings); err != nil {
			return ch, "", err
		}
	}
	changed := !maps.Equal(before.Settings, ch.Settings)
	if changed {
		ch.LastError, ch.ErrorAt = "", time.Time{}
	}
	switch {
	case !s.Mailbox || o.Operator:
		ch.Confirmed = true
	case changed:
		if !c.limits.perHour("code "+ch.UserID, codesPerHour, time.Now()) {
			return ch, "", ErrTooMany
		}
		ch.Confirmed = false
		code = newCode(&ch, time.Now())
	}
	if err := c.cfg.Store.SaveChannel(ctx, ch); err != nil {
		return ch, "", err
	}
	c.changed()
	return ch, code, nil
}

// secretsStay refuses to send secrets that were given for one server to another:
// whoever may change a channel need not know them. When a place changes, all of
// them must be given again; "" gives up one that is not required.
func (s *Service) secretsStay(before, after, given map[string]string) error {
	var moved, missing []string
	for _, f := range s.Fields {
		was := strings.TrimSpace(before[f.Key])
		if f.Place && was != strings.TrimSpace(after[f.Key]) {
			moved = append(moved, "the "+inSentence(f.Label))
		}
		if _, again := given[f.Key]; f.Secret && was != "" && !again {
			missing = append(missing, "the "+inSentence(f.Label))
		}
	}
	if len(moved) == 0 || len(missing) == 0 {
		return nil
	}
	return badSetting("%s changed: enter %s again", strings.Join(moved, " and "), strings.Join(missing, " and "))
}

// inSentence is a label within a sentence: "Server" is "server", and "API token"
// stays.
func inSentence(label string) string {
	if len(label) > 1 && label[1] >= 'a' && label[1] <= 'z' {
		return strings.ToLower(label[:1]) + label[1:]
	}
	return label
}

// Channel finds a channel of an owner; [alert.ErrNotFound] for others'.
func (c *Center) Channel(ctx context.Context, o Owner, id string) (alert.Channel, error) {
	ch, ok, err := c.channel(ctx, id)
	if err == nil && (!ok || !o.owns(ch.UserID)) {
		err = alert.ErrNotFound
	}
	return ch, err
}

// DeleteChannel removes a channel, what waits for it, and its place in rules.
func (c *Center) DeleteChannel(ctx context.Context, o Owner, id string) (alert.Channel, error) {
	c.editing.Lock()
	defer c.editing.Unlock()
	ch, err := c.Channel(ctx, o, id)
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
	ch, err := c.Channel(ctx, o, id)
	if err != nil {
		return ch, err
	}
	if !c.limits.perHour("test "+o.UserID, testsPerHour, time.Now()) {
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
