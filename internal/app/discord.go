package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/discordapi"
	"github.com/poolscope/poolscope/internal/api/savedapi"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/notify/discord"
)

// discordParts are the bot and the links between accounts; nil when Discord is
// not configured.
type discordParts struct {
	bot   *discord.Bot
	links *discordLinks
}

// openDiscord makes the bot of a configuration; nil without.
func openDiscord(ctx context.Context, cfg *config.Config, store link.Store, trail account.Trail, log *slog.Logger) (*discordParts, error) {
	d := &cfg.Discord
	if !d.On() {
		return nil, nil
	}
	service, err := link.Open(ctx, store, trail)
	if err != nil {
		return nil, err
	}
	parts := &discordParts{links: &discordLinks{Service: service, log: log}}
	parts.bot, err = discord.New(discord.Config{
		Token: d.Token.Reveal(), ServerID: d.ServerID, ChannelID: d.NotifyChannelID,
		MentionEveryone: d.MentionEveryone, APIURL: d.APIURL, Links: parts.links,
	}, log.With("part", "discord"))
	if err != nil {
		return nil, err
	}
	return parts, nil
}

// services is the bot as a kind of channels.
func (d *discordParts) services() []notify.Service {
	if d == nil {
		return nil
	}
	return []notify.Service{d.bot.Service()}
}

// use has the bot tell what alerts notice: to those who linked their account,
// and to all, in the channel of the pool, about blocks.
func (d *discordParts) use(ctx context.Context, alerts *notify.Center, store alert.Store) error {
	if d == nil {
		return nil
	}
	d.links.alerts = alerts
	return addPoolChannel(ctx, store)
}

// part runs the bot.
func (d *discordParts) part(log *slog.Logger) stage {
	if d == nil {
		return nil
	}
	return stage{aside(part{"discord", d.bot.Run}, log)}
}

// saved is what the list of saved workers tells of Discord; nil when it is not
// configured.
func (d *discordParts) saved() savedapi.Discord {
	if d == nil {
		return nil
	}
	return d.links
}

// discordPart answers for links.
func (p *poolParts) discordPart() api.Part {
	c := discordapi.Config{Gate: p.people.gate, Trail: p.people.accounts, InviteURL: p.cfg.Discord.URL}
	if p.discord != nil {
		c.Links = p.discord.links
	}
	return discordapi.New(c, p.log.With("part", "http"))
}

// addPoolChannel makes the channel that all people read, and its rule, unless it
// was made before: it can be switched off, or made to tell more, like others.
func addPoolChannel(ctx context.Context, store alert.Store) error {
	channels, err := store.Channels(ctx)
	if err != nil {
		return fmt.Errorf("channel of the pool at Discord: %w", err)
	}
	if slices.ContainsFunc(channels, func(c alert.Channel) bool { return c.UserID == "" && c.Kind == discord.Kind }) {
		return nil
	}
	id := sha256.Sum256([]byte("channel of the pool at Discord"))
	now := time.Now()
	c := alert.Channel{ID: hex.EncodeToString(id[:8]), Kind: discord.Kind, Name: "Discord, for all", Enabled: true, Confirmed: true, Settings: map[string]string{}, Created: now}
	r := alert.Rule{
		ID: c.ID, Name: c.Name, Enabled: true, Kinds: []alert.Kind{alert.BlockFound, alert.BlockStale}, Scope: alert.ScopePool, Channels: []string{c.ID},
		OfflineAfter: 5 * time.Minute, RejectPercent: 5, RejectWindow: 30 * time.Minute, RejectShares: 50, Created: now,
	}
	if err := store.SaveChannel(ctx, c); err != nil {
		return fmt.Errorf("channel of the pool at Discord: %w", err)
	}
	if err := store.SaveRule(ctx, r); err != nil {
		return fmt.Errorf("rule of the pool's channel at Discord: %w", err)
	}
	return nil
}

// discordLinks are the links, of which alerts are told: who links an account
// gets a channel, and a rule about their saved workers.
type discordLinks struct {
	*link.Service
	alerts *notify.Center
	log    *slog.Logger
}

var (
	_ discord.Links    = (*discordLinks)(nil)
	_ discordapi.Links = (*discordLinks)(nil)
	_ savedapi.Discord = (*discordLinks)(nil)
)

// Redeem links an account. When alerts could not be told, it fails although the
// link is there; with another code it is made again, and they are told again.
func (d *discordLinks) Redeem(ctx context.Context, discordID, discordName, code string) (link.Redeemed, error) {
	r, err := d.Service.Redeem(ctx, discordID, discordName, code)
	if err != nil {
		return r, err
	}
	if r.MovedFrom != "" {
		err = d.alerts.Unlink(ctx, r.MovedFrom, discord.Kind)
	}
	return r, errors.Join(err, d.alerts.Link(ctx, r.UserID, discord.Kind, "Discord", map[string]string{}))
}

// SetEnabled switches an account's notifications.
func (d *discordLinks) SetEnabled(ctx context.Context, userID string, enabled bool) error {
	if err := d.Service.SetEnabled(ctx, userID, enabled); err != nil {
		return err
	}
	_, err := d.alerts.SetLinked(ctx, userID, discord.Kind, enabled)
	return err
}

// Stop ends notifications at the wish of somebody at Discord.
func (d *discordLinks) Stop(ctx context.Context, discordID string) (was bool, err error) {
	l, err := d.LinkOf(ctx, discordID)
	if err != nil {
		return false, err
	}
	return l.Enabled, d.SetEnabled(ctx, l.UserID, false)
}

// Unlink removes an account's link.
func (d *discordLinks) Unlink(ctx context.Context, userID string) error {
	if err := d.Service.Unlink(ctx, userID); err != nil {
		return err
	}
	return d.alerts.Unlink(ctx, userID, discord.Kind)
}

// Linked implements [savedapi.Discord].
func (d *discordLinks) Linked(ctx context.Context, userID string) (registered, enabled bool) {
	l, err := d.Link(ctx, userID)
	if err != nil && !errors.Is(err, link.ErrNotLinked) {
		d.log.Warn("Discord link not read", "err", err)
	}
	return err == nil, l.Enabled
}

// figures are what the bot counts, for /metrics.
func (d *discordParts) figures() []api.Figure {
	if d == nil {
		return nil
	}
	s, codes := d.bot.Status(), d.links.Counts()
	connected := 0.0
	if s.Connected {
		connected = 1
	}
	counter := func(name, help string, n uint64) api.Figure {
		return api.Figure{Name: "discord_" + name, Help: help, Number: float64(n), Counter: true}
	}
	all := []api.Figure{
		{Name: "discord_connected", Help: "1 while the bot is connected to Discord's gateway.", Number: connected},
		counter("messages_delivered_total", "Messages of alerts that are at Discord.", s.Delivered),
		counter("posts_total", "Messages at Discord; each holds several messages of alerts.", s.Posts),
		counter("panics_total", "Faults of the bot that were survived.", s.Panics),
		counter("codes_issued_total", "One-time codes that were made.", codes.Issued),
		counter("codes_redeemed_total", "One-time codes that linked an account.", codes.Redeemed),
		counter("codes_wrong_total", "Codes that were given to the bot and were not right.", codes.Wrong),
		counter("codes_limited_total", "Attempts to get or to give a code that were turned away: too many.", codes.Limited),
	}
	for _, by := range []struct {
		name, help, label string
		counts            map[string]uint64
	}{
		{"messages_dropped_total", "Messages of alerts that will never be at Discord, by reason.", "reason", s.Dropped},
		{"messages_deferred_total", "Messages of alerts that Discord did not take yet, by reason; they come again.", "reason", s.Deferred},
		{"gateway_ended_total", "Connections to Discord's gateway that ended or could not be made, by reason.", "reason", s.Ended},
		{"commands_total", "Slash commands, by result.", "result", s.Commands},
	} {
		for _, value := range slices.Sorted(maps.Keys(by.counts)) {
			f := counter(by.name, by.help, by.counts[value])
			f.Label, f.Value = by.label, value
			all = append(all, f)
		}
	}
	return all
}
