package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/notify"
)

// quietAfter is how long the bot tells nothing but what is urgent after it has
// connected: what went wrong while it was away has mostly been mended by then.
const quietAfter = 5 * time.Minute

// shortOutage is an outage that needs no quiet time after it.
const shortOutage = time.Minute

// Links are what the bot asks of the links. *link.Service is them.
type Links interface {
	Redeem(ctx context.Context, discordID, discordName, code string) (link.Redeemed, error)
	Stop(ctx context.Context, discordID string) (was bool, err error)
	Link(ctx context.Context, userID string) (link.Link, error)
}

var _ Links = (*link.Service)(nil)

// Config says which bot it is.
type Config struct {
	Token     string
	ServerID  string // the Discord server ("guild")
	ChannelID string // where notifications go
	// MentionEveryone has found blocks told to @everyone.
	MentionEveryone bool
	// APIURL takes the place of https://discord.com/; "" for that.
	APIURL string
	// QuietAfter is how long nothing but what is urgent is told after connecting;
	// 0 is five minutes, below 0 none.
	QuietAfter time.Duration
	Links      Links
}

// Bot is the bot. It is made by New, and does nothing before Run.
type Bot struct {
	config  Config
	base    *url.URL // nil for Discord's own
	session *discordgo.Session
	log     *slog.Logger
	count   *counters
	poster  *poster
	busy    chan struct{} // a value for each interaction that is being answered

	firstPause time.Duration // before another connection; shorter in tests

	resume      gatewaySession // belongs to the goroutine of the gateway
	application string         // so does this; the bot's id as an application
	registered  atomic.Bool    // the slash commands are
	refused     atomic.Bool    // Discord does not take the token

	mu         sync.Mutex // guards the rest
	connected  bool
	since      time.Time // connected, or not, since then
	quietUntil time.Time
	name       string // of the bot
}

// New returns a bot. It connects to nothing.
func New(c Config, log *slog.Logger) (*Bot, error) {
	b := &Bot{config: c, log: log, count: newCounters(), busy: make(chan struct{}, maxInteractions), firstPause: firstBackOff}
	if c.APIURL != "" {
		var err error
		if b.base, err = url.Parse(c.APIURL); err != nil {
			return nil, fmt.Errorf("address of Discord's API: %w", err)
		}
	}
	if b.config.QuietAfter == 0 {
		b.config.QuietAfter = quietAfter
	}
	var err error
	if b.session, err = newSession(c.Token, b.base); err != nil {
		return nil, err
	}
	b.poster = newPoster(b.postMessage, b.count, log)
	return b, nil
}

// Run keeps the bot connected until ctx ends, and posts what it is given.
func (b *Bot) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var failed atomic.Bool
	for part, run := range map[string]func(context.Context){"poster": b.poster.run, "gateway": b.stayConnected} {
		wg.Go(func() {
			defer cancel() // one without the other is of no use
			defer func() {
				if v := recover(); v != nil {
					b.panicked(part, v)
					failed.Store(true)
				}
			}()
			run(ctx)
		})
	}
	wg.Wait()
	if failed.Load() {
		return errPanic
	}
	return nil
}

// Status says how the bot is doing.
type Status struct {
	Connected bool
	Refused   bool              // Discord does not take the token
	Name      string            // of the bot at Discord; "" before the first connection
	Since     time.Time         // when that began; zero before the first connection
	Delivered uint64            // messages that are at Discord …
	Posts     uint64            // … in so many messages there
	Dropped   map[string]uint64 // messages given up, by reason
	Deferred  map[string]uint64 // messages that had to come again, by reason
	Ended     map[string]uint64 // connections to the gateway, by why they ended
	Commands  map[string]uint64 // slash commands, by result
	Panics    uint64            // that the bot survived
}

// Status says how the bot is doing.
func (b *Bot) Status() Status {
	c := b.count
	b.mu.Lock()
	s := Status{Connected: b.connected, Name: b.name, Since: b.since}
	b.mu.Unlock()
	s.Refused = b.refused.Load()
	s.Delivered, s.Posts, s.Panics = c.delivered.Load(), c.posts.Load(), c.panics.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Dropped, s.Deferred, s.Ended, s.Commands = maps.Clone(c.dropped), maps.Clone(c.deferred), maps.Clone(c.ended), maps.Clone(c.commands)
	return s
}

// dispatch takes an event of the gateway.
func (b *Bot) dispatch(ctx context.Context, f frame) error {
	switch f.Type {
	case "READY":
		var r ready
		if json.Unmarshal(f.Data, &r) != nil || r.SessionID == "" || r.Application.ID == "" {
			return errOddFrame
		}
		seq := int64(0)
		if f.Seq != nil {
			seq = *f.Seq
		}
		b.resume = gatewaySession{id: r.SessionID, url: r.ResumeURL, seq: seq}
		b.application = r.Application.ID
		b.registered.Store(false)
		b.ready(r.User.Username)
		go b.keepCommands(ctx, b.application)
	case "RESUMED":
		b.ready("")
		if !b.registered.Load() {
			go b.keepCommands(ctx, b.application)
		}
	case "INTERACTION_CREATE":
		b.interaction(ctx, f.Data)
	}
	return nil
}

// ready notes that the bot is connected.
func (b *Bot) ready(name string) {
	b.refused.Store(false)
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if name != "" {
		b.name = name
		b.log.Info("connected to Discord", "as", notify.Plain(name, 100))
	}
	if b.since.IsZero() || now.Sub(b.since) > shortOutage {
		b.quietUntil = now.Add(b.config.QuietAfter)
	}
	b.connected, b.since = true, now
}

// disconnected notes that the bot is not connected.
func (b *Bot) disconnected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.connected {
		b.connected, b.since = false, time.Now()
	}
}

// quiet is how long nothing but what is urgent is told, 0 when all is. ok is
// false while the bot is not connected, and was not a moment ago.
func (b *Bot) quiet(now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since.IsZero() || !b.connected && now.Sub(b.since) > shortOutage {
		return 0, false
	}
	return max(b.quietUntil.Sub(now), 0), true
}

// panicked counts and logs a panic.
func (b *Bot) panicked(part string, v any) {
	b.count.panics.Add(1)
	b.log.Error("panic caught", "of", part, "panic", v, "stack", string(debug.Stack()))
}
