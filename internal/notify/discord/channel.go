package discord

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/notify"
)

// Kind is the name of this kind of channels.
const Kind = "discord"

// Service is the bot as a kind of channels: one for each person whose Discord
// account is linked, and one of nobody's for what concerns all. It is not
// idempotent: Discord knows a nonce for some minutes only, and after a crash a
// message that was posted together with others comes under another one. Where it
// does know it, it shows the first message, so the remark about a repetition is
// seen just where there may be one.
func (b *Bot) Service() notify.Service {
	return notify.Service{
		ID: Kind, Name: "Discord", Managed: true, Shared: true,
		Open: func(o notify.Opening) (notify.Channel, error) { return channel{b, o.UserID}, nil },
	}
}

// channel delivers what is for one person; user is "" for what is for all.
type channel struct {
	bot  *Bot
	user string
}

// Send implements [notify.Channel].
func (c channel) Send(ctx context.Context, m notify.Message) error {
	b, now := c.bot, time.Now()
	if b.refused.Load() {
		b.count.drop(reasonToken)
		return notify.Later(errToken, pauseToken)
	}
	it := &piece{id: m.ID, key: c.user}
	mention := ""
	if c.user == "" {
		if b.config.MentionEveryone && hasFoundBlock(&m) {
			mention, it.everyone = "@everyone", true
		}
	} else {
		l, err := b.config.Links.Link(ctx, c.user)
		switch {
		case errors.Is(err, link.ErrNotLinked), err == nil && !isID(l.DiscordID):
			b.count.failed(reasonUnlinked, true, 1)
			return notify.Permanent(errNotLinked)
		case err != nil:
			return fmt.Errorf("look up Discord account: %w", err)
		case !l.Enabled:
			b.count.failed(reasonUnlinked, true, 1)
			return notify.Permanent(errSwitchedOff)
		}
		mention, it.user = "<@"+l.DiscordID+">", l.DiscordID
	}
	wait, connected := b.quiet(now)
	switch {
	case !connected:
		b.count.drop(reasonNotConnected)
		return notify.Later(errNotConnected, pauseOffline)
	case wait > 0 && !isUrgent(&m):
		b.count.drop(reasonQuiet)
		return notify.Later(errQuiet, wait)
	}
	it.text = compose(mention, m, now)
	return b.poster.deliver(ctx, it)
}
