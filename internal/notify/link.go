package notify

import (
	"context"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// Managed channels belong to the part that has their service, such as the Discord
// bot: it links and unlinks persons by means of these.

// Link gives a person a channel of a managed service, or new settings to the one
// that they have. With a new channel comes a rule about their saved workers.
func (c *Center) Link(ctx context.Context, userID, service, name string, settings map[string]string) error {
	c.editing.Lock() // two at once would make two channels
	defer c.editing.Unlock()
	channels, _, err := c.list(ctx)
	if err != nil {
		return err
	}
	ch := alert.Channel{ID: newID(), UserID: userID, Kind: service, Name: name, Enabled: true, Confirmed: true, Created: time.Now()}
	fresh := true
	for _, old := range channels {
		if old.UserID == userID && old.Kind == service {
			ch, fresh = old.Clone(), false
		}
	}
	ch.Settings, ch.Enabled, ch.Confirmed = settings, true, true
	if err := c.cfg.Store.SaveChannel(ctx, ch); err != nil {
		return err
	}
	defer c.changed()
	if !fresh {
		return nil
	}
	r := newRule(Owner{UserID: userID})
	r.Name, r.Scope, r.Channels = name, alert.ScopeSaved, []string{ch.ID}
	r.Kinds = []alert.Kind{alert.WorkerOffline, alert.WorkerOnline, alert.BlockFound}
	return c.cfg.Store.SaveRule(ctx, r)
}

// SetLinked switches a person's channels of a managed service on or off; false
// when there is none.
func (c *Center) SetLinked(ctx context.Context, userID, service string, enabled bool) (linked bool, err error) {
	c.editing.Lock()
	defer c.editing.Unlock()
	channels, _, err := c.list(ctx)
	if err != nil {
		return false, err
	}
	for _, ch := range channels {
		if ch.UserID != userID || ch.Kind != service {
			continue
		}
		linked = true
		ch = ch.Clone()
		ch.Enabled = enabled
		if err := c.cfg.Store.SaveChannel(ctx, ch); err != nil {
			return true, err
		}
	}
	c.changed()
	return linked, nil
}

// Unlink removes a person's channels of a managed service.
func (c *Center) Unlink(ctx context.Context, userID, service string) error {
	c.editing.Lock()
	defer c.editing.Unlock()
	channels, _, err := c.list(ctx)
	if err != nil {
		return err
	}
	defer c.changed()
	for _, ch := range channels {
		if ch.UserID == userID && ch.Kind == service {
			if err := c.cfg.Store.DeleteChannel(ctx, ch.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
