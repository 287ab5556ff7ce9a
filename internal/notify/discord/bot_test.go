package discord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/notify/discord/discordtest"
)

// shelf keeps links in memory; link.Service itself is used with it, so that the
// rules are the true ones.
type shelf struct {
	mu    sync.Mutex
	codes map[string]string // hash → user
	links map[string]link.Link
	fail  error
}

var _ link.Store = (*shelf)(nil)

func newShelf() *shelf { return &shelf{codes: map[string]string{}, links: map[string]link.Link{}} }

func (s *shelf) LinkTag(context.Context, string) (string, error) { return "TAGS", nil }

func (s *shelf) SaveLinkCode(_ context.Context, user string, hash []byte, _, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[string(hash)] = user
	return nil
}

func (s *shelf) ClearLinkCode(context.Context, string, []byte, time.Time) (bool, error) {
	return false, nil
}

func (s *shelf) RedeemLinkCode(_ context.Context, hash []byte, id, name string, now time.Time) (r link.Redeemed, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.UserID, ok = s.codes[string(hash)]; !ok || s.fail != nil {
		return r, false, s.fail
	}
	delete(s.codes, string(hash))
	for user, l := range s.links {
		if l.DiscordID == id && user != r.UserID {
			r.MovedFrom = user
			delete(s.links, user)
		}
	}
	if old := s.links[r.UserID]; old.DiscordID != id {
		r.Replaced = old.DiscordID
	}
	s.links[r.UserID] = link.Link{UserID: r.UserID, DiscordID: id, DiscordName: name, Enabled: true, Linked: now}
	return r, true, nil
}

func (s *shelf) DiscordLink(_ context.Context, user string) (link.Link, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.links[user]
	return l, ok, s.fail
}

func (s *shelf) DiscordLinkOf(_ context.Context, id string) (link.Link, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		if l.DiscordID == id {
			return l, true, nil
		}
	}
	return link.Link{}, false, s.fail
}

func (s *shelf) EnableDiscord(_ context.Context, user string, enabled bool, _ time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.links[user]
	l.Enabled = enabled
	if ok {
		s.links[user] = l
	}
	return ok, nil
}

func (s *shelf) Unlink(context.Context, string) (bool, error) { return false, nil }

// logbook is a log that tests can read while it is written.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// stage is a Discord and a bot at it.
type stage struct {
	t       *testing.T
	discord *discordtest.Server
	bot     *Bot
	links   *link.Service
	shelf   *shelf
	log     *logbook
	stop    func()
}

// perform starts a Discord and, unless it is to wait, the bot, which pauses for
// milliseconds where it would for seconds.
func perform(t *testing.T, change func(c *Config, d *discordtest.Server)) *stage {
	t.Helper()
	t.Parallel()
	s := &stage{t: t, discord: discordtest.New(), shelf: newShelf(), log: &logbook{}}
	var err error
	if s.links, err = link.Open(t.Context(), s.shelf, nil); err != nil {
		t.Fatal(err)
	}
	c := Config{
		Token: discordtest.Token, ServerID: discordtest.GuildID, ChannelID: discordtest.ChannelID,
		APIURL: s.discord.URL(), QuietAfter: -1, Links: s.links,
	}
	if change != nil {
		change(&c, s.discord)
	}
	if s.bot, err = New(c, slog.New(slog.NewTextHandler(s.log, nil))); err != nil {
		t.Fatal(err)
	}
	s.bot.firstPause, s.bot.poster.pace, s.bot.poster.wait = 5*time.Millisecond, 50*time.Millisecond, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.bot.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.discord.Close()
		if strings.Contains(s.log.String(), discordtest.Token) {
			t.Errorf("the token is in the log: %s", s.log)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// soon waits until something holds.
func (s *stage) soon(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.discord.Wait(ctx, holds); err != nil {
		s.t.Fatalf("not so in time: %s\n%+v\n%s", what, s.discord.Counts(), s.log)
	}
}

func (s *stage) connected() {
	s.t.Helper()
	s.soon("connected", func() bool { return s.bot.Status().Connected && s.discord.Counts().Connected == 1 })
}

// say sends a slash command as somebody and returns the answer.
func (s *stage) say(user, command, code string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	options := map[string]string{}
	if code != "" {
		options["code"] = code
	}
	reply, err := s.discord.Command(ctx, user, "name-of-"+user, command, options)
	if err != nil {
		s.t.Fatalf("/%s: %v\n%s", command, err, s.log)
	}
	if !reply.Ephemeral {
		s.t.Errorf("everybody sees the answer to /%s", command)
	}
	return reply.Content
}

func (s *stage) newCode(user string) string {
	s.t.Helper()
	code, _, err := s.links.NewCode(s.t.Context(), user)
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// send sends a message to somebody's channel, "" for that of all.
func (s *stage) send(user string, m notify.Message) error {
	s.t.Helper()
	ch, err := s.bot.Service().Open(notify.Opening{UserID: user})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 15*time.Second)
	defer cancel()
	return ch.Send(ctx, m)
}

func message(id string, kind alert.Kind, lines ...string) notify.Message {
	return notify.Message{ID: id, At: time.Now(), Title: "Title", Lines: lines, Events: []alert.Event{{Kind: kind}}}
}

func mustHave(t *testing.T, reply, want string) {
	t.Helper()
	if !strings.Contains(reply, want) {
		t.Errorf("the bot says %q, which does not have %q", reply, want)
	}
}

// TestLinkAtDiscord is the way of a person: a code from the page, given to the
// bot, a message with a mention, and the end of it.
func TestLinkAtDiscord(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	code := s.newCode("ann")
	mustHave(t, s.say("111", "notify", ""), "give the code")
	mustHave(t, s.say("111", "notify", "TAGS-not-the-code"), "wrong, was used before, or has expired")
	mustHave(t, s.say("111", "notify", "ELSE-not-the-code"), "no code of this pool")
	mustHave(t, s.say("111", "notify", " "+strings.ToLower(code)+" "), "Linked. You will be notified in <#"+discordtest.ChannelID+">")
	mustHave(t, s.say("222", "notify", code), "wrong, was used before")

	if err := s.send("ann", message("m1", alert.WorkerOffline, "rig7 is offline")); err != nil {
		t.Fatal(err)
	}
	if m := s.discord.Messages(); len(m) != 1 || m[0].Content != "<@111> rig7 is offline" || fmt.Sprint(m[0].Pings) != "[111]" {
		t.Errorf("%+v", m)
	}

	reply := s.say("111", "notify", s.newCode("bob"))
	mustHave(t, reply, "was linked to another account at the pool until now")
	reply = s.say("333", "notify", s.newCode("bob"))
	mustHave(t, reply, "Another Discord account was linked to your account")
	if err := s.send("ann", message("m2", alert.WorkerOffline, "x")); !notify.IsPermanent(err) {
		t.Errorf("to somebody without a link: %v", err)
	}

	mustHave(t, s.say("333", "notify-stop", ""), "will not be notified here any more")
	mustHave(t, s.say("333", "notify-stop", ""), "off already")
	mustHave(t, s.say("444", "notify-stop", ""), "not linked to any account")
	if err := s.send("bob", message("m3", alert.WorkerOffline, "x")); !notify.IsPermanent(err) {
		t.Errorf("to somebody who stopped: %v", err)
	}
	c := s.bot.Status().Commands
	if c[resultLinked] != 3 || c[resultStopped] != 1 || c[resultNothing] != 2 || c[resultWrong] != 4 {
		t.Errorf("counted %v", c)
	}
}

func TestGuessingAtDiscord(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	code := s.newCode("ann")
	for i := range 5 {
		mustHave(t, s.say("666", "notify", fmt.Sprintf("TAGS-wrong-wrong-wrong%d", i)), "wrong")
	}
	mustHave(t, s.say("666", "notify", code), "too many wrong codes")
	mustHave(t, s.say("111", "notify", code), "Linked")
}

func TestTroubleAtThePool(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	code := s.newCode("ann")
	s.shelf.mu.Lock()
	s.shelf.fail = errors.New("disk full at 127.0.0.1")
	s.shelf.mu.Unlock()
	reply := s.say("111", "notify", code)
	mustHave(t, reply, "Something went wrong")
	if strings.Contains(reply, "127") {
		t.Errorf("the error is told: %q", reply)
	}
	mustHave(t, s.say("111", "notify-stop", ""), "Something went wrong")
	if err := s.send("ann", message("m", alert.WorkerOffline, "x")); err == nil || notify.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

// TestForeignInteractions are answered by nobody, and harm nobody.
func TestForeignInteractions(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	member := map[string]any{"user": map[string]any{"id": "111"}}
	for _, odd := range []map[string]any{
		{"type": 2, "guild_id": "1", "member": member, "data": map[string]any{"name": "notify-stop", "type": 1}},
		{"type": 2, "guild_id": discordtest.GuildID, "member": member, "data": map[string]any{"name": "other", "type": 1}},
		{"type": 2, "user": map[string]any{"id": "111"}, "data": map[string]any{"name": "notify-stop", "type": 1}},
		{"type": 2, "guild_id": discordtest.GuildID, "member": map[string]any{}, "data": map[string]any{"name": "notify-stop", "type": 1}},
		{"type": 2, "guild_id": discordtest.GuildID, "member": map[string]any{"user": map[string]any{"id": "1> @everyone"}}, "data": map[string]any{"name": "notify-stop", "type": 1}},
		{"type": 1},
		{"type": 3, "data": map[string]any{"custom_id": 7}},
		{"type": 2, "data": "text"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		if reply, err := s.discord.Interaction(ctx, odd); err == nil {
			t.Errorf("%v was answered: %q", odd, reply.Content)
		}
		cancel()
	}
	s.soon("counted", func() bool { return s.bot.Status().Commands[resultForeign] == 8 })
	// A code that is no text is no code.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	reply, err := s.discord.Interaction(ctx, map[string]any{
		"type": 2, "guild_id": discordtest.GuildID, "member": member,
		"data": map[string]any{"name": "notify", "type": 1, "options": []any{map[string]any{"name": "code", "type": 4, "value": 7}, nil}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, reply.Content, "give the code")
	if n := s.bot.Status().Panics; n != 0 {
		t.Errorf("%d panics\n%s", n, s.log)
	}
}

// TestNamesPingNobody: names of workers are other people's to choose.
func TestNamesPingNobody(t *testing.T) {
	s := perform(t, func(c *Config, _ *discordtest.Server) { c.MentionEveryone = true })
	s.connected()
	s.say("111", "notify", s.newCode("ann"))
	evil := []string{"@everyone is offline", "<@999> is offline", "rig @here <@!999>"}
	if err := s.send("ann", message("m1", alert.WorkerOffline, evil...)); err != nil {
		t.Fatal(err)
	}
	if err := s.send("", message("m2", alert.BestShare, evil...)); err != nil {
		t.Fatal(err)
	}
	if err := s.send("", message("m3", alert.BlockFound, "height 840,000 by <@999>")); err != nil {
		t.Fatal(err)
	}
	m := s.discord.Messages()
	if len(m) != 3 {
		t.Fatalf("%+v", m)
	}
	for i, want := range []string{"[111]", "[]", "[everyone]"} {
		if got := fmt.Sprint(m[i].Pings); got != want {
			t.Errorf("message %q pings %s, want %s", m[i].Content, got, want)
		}
	}
	if m[0].Flags&4 == 0 {
		t.Error("links would be shown with a preview")
	}
}

func TestEveryoneOnlyWhenConfigured(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	if err := s.send("", message("m", alert.BlockFound, "height 840,000")); err != nil {
		t.Fatal(err)
	}
	if m := s.discord.Messages(); len(m) != 1 || len(m[0].Pings) != 0 || m[0].Content != "height 840,000" {
		t.Errorf("%+v", m)
	}
}

// TestOthersCommands: commands of the same application that are not ours stay,
// and ours are not written again when they are there.
func TestOthersCommands(t *testing.T) {
	d := func(_ *Config, d *discordtest.Server) {
		d.AddCommand(discordtest.Command{Name: "weather", Type: 1, Description: "of tomorrow"})
		d.AddCommand(discordtest.Command{Name: "notify-stop", Type: 1, Description: "an old text"})
		d.Fail(discordtest.Refused(403, 50001, "Missing Access"))
	}
	s := perform(t, func(c *Config, server *discordtest.Server) { d(c, server) })
	s.soon("refusal told", func() bool { return strings.Contains(s.log.String(), "applications.commands") })
	s.discord.Cut() // the next connection tries again
	s.soon("commands", func() bool { _, w := s.discord.Commands(); return len(w) == 2 })
	there, _ := s.discord.Commands()
	var names []string
	for _, c := range there {
		names = append(names, c.Name+": "+c.Description)
	}
	if len(there) != 3 || names[0] != "weather: of tomorrow" {
		t.Errorf("%q", names)
	}
	s.discord.Forget()
	s.discord.Cut()
	s.soon("a new session", func() bool {
		return s.discord.Counts().Identified == 2 && s.bot.Status().Connected && s.bot.registered.Load()
	})
	if _, written := s.discord.Commands(); len(written) != 2 {
		t.Errorf("written again: %q", written)
	}
}
