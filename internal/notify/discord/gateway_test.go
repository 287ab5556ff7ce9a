package discord

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/notify/discord/discordtest"
)

// TestResume: a connection that is cut is resumed, and a command that was sent
// meanwhile is answered.
func TestResume(t *testing.T) {
	cuts := map[string]func(d *discordtest.Server){
		"cut":           (*discordtest.Server).Cut,
		"unknown error": func(d *discordtest.Server) { d.CloseAll(4000) },
		"reconnect":     func(d *discordtest.Server) { d.Send(context.Background(), 7, nil) },
		"resumable":     func(d *discordtest.Server) { d.Send(context.Background(), 9, true) },
		"odd frame":     func(d *discordtest.Server) { d.SendRaw(context.Background(), "null null") },
		"endless frame": func(d *discordtest.Server) {
			d.SendRaw(context.Background(), `{"op":0,"d":"`+strings.Repeat("x", maxFrame)+`"}`)
		},
		"service restarts": func(d *discordtest.Server) { d.CloseAll(1012) },
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			s := perform(t, nil)
			s.connected()
			code := s.newCode("ann")
			cut(s.discord)
			mustHave(t, s.say("111", "notify", code), "Linked")
			s.soon("resumed", func() bool { return s.discord.Counts().Resumed == 1 })
			if c := s.discord.Counts(); c.Identified != 1 || c.GatewayRequests != 1 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestNewSession: where a session cannot be resumed, a new one begins.
func TestNewSession(t *testing.T) {
	cuts := map[string]func(d *discordtest.Server){
		"forgotten":       func(d *discordtest.Server) { d.Forget(); d.Cut() },
		"invalid":         func(d *discordtest.Server) { d.Send(context.Background(), 9, false) },
		"session expired": func(d *discordtest.Server) { d.CloseAll(4009) },
		"invalid seq":     func(d *discordtest.Server) { d.CloseAll(4007) },
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			s := perform(t, nil)
			s.connected()
			cut(s.discord)
			s.soon("identified again", func() bool { return s.discord.Counts().Identified == 2 })
			s.connected()
			mustHave(t, s.say("111", "notify", s.newCode("ann")), "Linked")
		})
	}
}

// TestOddFrames of Discord, or of what stands in front of it, end nothing.
func TestOddFrames(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	for _, odd := range []string{`null`, `{}`, `{"op":99,"d":{}}`, `{"op":0,"t":"INTERACTION_CREATE","s":50,"d":null}`, `{"op":0,"t":"INTERACTION_CREATE","s":51,"d":[]}`, `{"op":1}`, `{"op":10,"d":{"heartbeat_interval":0}}`} {
		s.discord.SendRaw(t.Context(), odd)
	}
	mustHave(t, s.say("111", "notify", s.newCode("ann")), "Linked")
	if st := s.bot.Status(); st.Panics != 0 {
		t.Errorf("%d panics\n%s", st.Panics, s.log)
	}
}

func TestHeartbeats(t *testing.T) {
	s := perform(t, func(_ *Config, d *discordtest.Server) { d.SetHeartbeat(time.Second) })
	s.connected()
	s.soon("three heartbeats", func() bool { return s.discord.Counts().Heartbeats >= 3 })
	// A gateway that does not answer any more is left.
	s.discord.SetAcks(false)
	s.soon("left", func() bool { return s.bot.Status().Ended[endNoAck] >= 1 && s.discord.Counts().Resumed >= 1 })
	if n := s.discord.Counts().Identified; n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestHeartbeatInterval(t *testing.T) {
	s := perform(t, func(_ *Config, d *discordtest.Server) { d.SetHeartbeat(0) })
	s.soon("told", func() bool { return s.bot.Status().Ended[endOdd] >= 1 })
	s.discord.SetHeartbeat(time.Minute)
	s.connected()
}

// TestWrongToken is told, and Discord is not asked again and again.
func TestWrongToken(t *testing.T) {
	tests := map[string]func(c *Config, d *discordtest.Server){
		"at the gateway": func(_ *Config, d *discordtest.Server) { d.CloseIdentify(4004) },
		"at the API":     func(c *Config, _ *discordtest.Server) { c.Token = "not-" + c.Token + "-at-all" },
		"not allowed":    func(_ *Config, d *discordtest.Server) { d.CloseIdentify(4014) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := perform(t, change)
			s.soon("told", func() bool { return strings.Contains(s.log.String(), "Discord refuses the bot") })
			before := s.discord.Counts()
			time.Sleep(100 * time.Millisecond) // twenty of the pauses after other failures
			if after := s.discord.Counts(); after != before {
				t.Errorf("asked again: %+v, before %+v", after, before)
			}
			if st := s.bot.Status(); st.Connected || st.Ended[endRefused] != 1 {
				t.Errorf("%+v", st)
			}
			err := s.send("", message("m", alert.Test, "x"))
			if err == nil || notify.IsPermanent(err) || notify.RetryAfter(err) <= 0 {
				t.Errorf("a message: %v", err)
			}
		})
	}
}

func TestSessionLimit(t *testing.T) {
	s := perform(t, func(_ *Config, d *discordtest.Server) { d.SetStarts(0) })
	s.soon("told", func() bool { return s.bot.Status().Ended[endLimit] == 1 })
	if c := s.discord.Counts(); c.Identified != 0 {
		t.Errorf("%+v", c)
	}
}

// TestDownAtTheStart: the bot does not matter for the start, comes when Discord
// does, and what was to be told meanwhile can be told then.
func TestDownAtTheStart(t *testing.T) {
	s := perform(t, func(_ *Config, d *discordtest.Server) { d.SetDown(true) })
	s.soon("tried", func() bool { return s.bot.Status().Ended[endUnreachable] >= 2 })
	m := message("m", alert.WorkerOffline, "rig7 is offline")
	if err := s.send("", m); !errors.Is(err, errNotConnected) || notify.RetryAfter(err) <= 0 {
		t.Errorf("while Discord is down: %v", err)
	}
	s.discord.SetDown(false)
	s.connected()
	if err := s.send("", m); err != nil {
		t.Error(err)
	}
	if got := s.discord.Messages(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestQuietStart: after connecting, only blocks and tests are told for a while.
func TestQuietStart(t *testing.T) {
	s := perform(t, func(c *Config, _ *discordtest.Server) { c.QuietAfter = 0 })
	s.connected()
	err := s.send("", message("m1", alert.WorkerOffline, "rig7 is offline"))
	if !errors.Is(err, errQuiet) || notify.RetryAfter(err) > quietAfter || notify.RetryAfter(err) < quietAfter-time.Minute {
		t.Errorf("%v, again after %v", err, notify.RetryAfter(err))
	}
	if err := s.send("", message("m2", alert.BlockFound, "height 840,000")); err != nil {
		t.Error(err)
	}
	// A short cut is no new start.
	s.bot.mu.Lock()
	s.bot.quietUntil = time.Now().Add(-time.Second)
	s.bot.mu.Unlock()
	s.discord.Cut()
	s.soon("resumed", func() bool { return s.discord.Counts().Resumed == 1 })
	s.connected()
	if err := s.send("", message("m1", alert.WorkerOffline, "rig7 is offline")); err != nil {
		t.Error(err)
	}
	if st := s.bot.Status(); st.Deferred[reasonQuiet] != 1 || st.Delivered != 2 {
		t.Errorf("%+v", st)
	}
}

// TestAnswersOfTheAPI: what Discord answers to a message decides about it.
func TestAnswersOfTheAPI(t *testing.T) {
	tests := []struct {
		name      string
		fault     discordtest.Fault
		permanent bool
		after     time.Duration
		reason    string
		says      string
	}{
		{"missing permission", discordtest.Refused(403, 50013, "Missing Permissions"), true, 0, reasonForbidden, "answer 403 of Discord: Missing Permissions"},
		{"no such channel", discordtest.Refused(404, 10003, "Unknown Channel"), true, 0, reasonNotFound, "Unknown Channel"},
		{"revoked token", discordtest.Refused(401, 0, "401: Unauthorized"), false, pauseToken, reasonToken, "token"},
		{"rate limit", discordtest.RateLimited(3 * time.Second), false, 3 * time.Second, reasonRateLimit, "pause"},
		{"rate limit of a proxy", discordtest.Fault{Status: 429, Body: "<html>error 1015</html>", Header: map[string]string{"Retry-After": "40"}}, false, 40 * time.Second, reasonRateLimit, "pause"},
		{"server error", discordtest.Fault{Status: 500, Body: "<html>"}, false, 0, reasonServer, "500"},
		{"bad gateway", discordtest.Fault{Status: 502, Body: ""}, false, 0, reasonUnreachable, "arrived"},
		{"no answer", discordtest.Fault{}, false, 0, reasonUnreachable, "no way to reach"},
		{"endless answer", discordtest.Fault{Status: 200, Body: strings.Repeat(" ", maxAnswer+10)}, false, 0, reasonUnreachable, "no way to reach"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := perform(t, nil)
			s.connected()
			s.soon("commands", func() bool { _, w := s.discord.Commands(); return len(w) == 2 })
			s.discord.Fail(tt.fault)
			err := s.send("", message("m", alert.WorkerOffline, "x"))
			if err == nil || notify.IsPermanent(err) != tt.permanent || notify.RetryAfter(err) != tt.after || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("%v; permanent %t, after %v", err, notify.IsPermanent(err), notify.RetryAfter(err))
			}
			st := s.bot.Status()
			if tt.permanent && st.Dropped[tt.reason] != 1 || !tt.permanent && st.Deferred[tt.reason] != 1 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestRedirects are not followed: the token stays where it was told to go.
func TestRedirects(t *testing.T) {
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(elsewhere.Close)
	s := perform(t, nil)
	s.connected()
	s.soon("commands", func() bool { _, w := s.discord.Commands(); return len(w) == 2 })
	s.discord.Fail(discordtest.Fault{Status: 307, Body: "{}", Header: map[string]string{"Location": elsewhere.URL}})
	if err := s.send("", message("m", alert.WorkerOffline, "x")); err == nil {
		t.Error("no error")
	}
	if asked.Load() != 0 {
		t.Error("somebody else was asked")
	}
}

// TestLostAnswer: a message that arrived although nobody said so is sent again,
// and seen once, since Discord knows its nonce.
func TestLostAnswer(t *testing.T) {
	s := perform(t, nil)
	s.connected()
	s.soon("commands", func() bool { _, w := s.discord.Commands(); return len(w) == 2 })
	m := message("0123456789abcdef0123", alert.WorkerOffline, "rig7 is offline")
	for _, fault := range []discordtest.Fault{{Status: 504, After: true}, {After: true}} {
		s.discord.Fail(fault)
		if err := s.send("", m); err == nil {
			t.Error("no error")
		}
	}
	if err := s.send("", m); err != nil {
		t.Error(err)
	}
	if err := s.send("", m); err != nil { // and once more, of old habit
		t.Error(err)
	}
	if got := s.discord.Messages(); len(got) != 1 || got[0].Nonce != m.ID {
		t.Errorf("%+v", got)
	}
}
