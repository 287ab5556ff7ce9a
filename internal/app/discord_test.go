package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/notify/discord/discordtest"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// site is a running pool and a browser at it.
type site struct {
	t       *testing.T
	base    string
	browser *http.Client
	parts   *poolParts
}

// startSite runs a pool until the test ends, and signs its first operator in.
func startSite(t *testing.T, cfg *config.Config) *site {
	t.Helper()
	return startLoggedSite(t, cfg, slog.New(slog.DiscardHandler))
}

func startLoggedSite(t *testing.T, cfg *config.Config, log *slog.Logger) *site {
	t.Helper()
	p := &poolParts{cfg: cfg, log: log}
	if err := p.bind(t.Context(), telemetry.Build{}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- runStages(ctx, log, append(p.keeping(), p.front())...) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		p.close()
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, base: "http://" + p.http.Addr().String(), browser: &http.Client{Jar: jar, Timeout: 10 * time.Second}, parts: p}
	s.ask("POST", "/api/auth/sign-in", map[string]any{"name": account.FirstOperator, "password": p.people.password}, 200)
	return s
}

// ask sends a request and returns the answer, which must have a status.
func (s *site) ask(method, path string, body any, want int) string {
	s.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, sent)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := s.browser.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		s.t.Fatalf("%s %s: %d %s (%v)", method, path, resp.StatusCode, text, err)
	}
	return string(text)
}

// decode reads a JSON answer.
func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so in time: %s", what)
		}
	}
}

// TestDiscordOfAPool is the way of a person through the whole program: a code of
// the page, the bot's answer, a message with a mention, the switch, the end.
func TestDiscordOfAPool(t *testing.T) {
	d := discordtest.New()
	t.Cleanup(d.Close)
	cfg := poolConfig(t)
	cfg.HTTP.TLSListen = ""
	cfg.Discord = config.Discord{
		ServerID: discordtest.GuildID, NotifyChannelID: discordtest.ChannelID, Token: config.NewSecret(discordtest.Token),
		URL: "https://discord.gg/abc", APIURL: d.URL(),
	}
	s := startSite(t, cfg)
	eventually(t, "the bot is connected", func() bool {
		return strings.Contains(s.ask("GET", "/metrics", nil, 200), "poolscope_discord_connected 1")
	})

	if got := s.ask("GET", "/api/saved-workers", nil, 200); !strings.Contains(got, `"discord_registered":false`) {
		t.Errorf("before: %s", got)
	}
	code := decode[struct{ Code string }](t, s.ask("POST", "/api/saved-workers/one-time-code", nil, 200)).Code
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	reply, err := d.Command(ctx, "111", "ann", "notify", map[string]string{"code": code})
	if err != nil || !reply.Ephemeral || !strings.Contains(reply.Content, "Linked") {
		t.Fatalf("%+v, %v", reply, err)
	}
	if got := s.ask("GET", "/api/saved-workers", nil, 200); !strings.Contains(got, `"discord_registered":true,"discord_notify_enabled":true`) {
		t.Errorf("after: %s", got)
	}
	if got := s.ask("GET", "/api/discord", nil, 200); !strings.Contains(got, `"name":"ann"`) || !strings.Contains(got, "https://discord.gg/abc") {
		t.Errorf("%s", got)
	}

	// Linking made a channel, and there is one for all.
	type channels struct {
		Channels []struct {
			ID, Kind, Name string
			Enabled        bool
		}
	}
	mine := func() (id string, enabled bool) {
		for _, c := range decode[channels](t, s.ask("GET", "/api/alerts", nil, 200)).Channels {
			if c.Kind == "discord" && c.Name == "Discord" {
				return c.ID, c.Enabled
			}
		}
		return "", false
	}
	id, enabled := mine()
	if id == "" || !enabled {
		t.Fatalf("no channel: %s", s.ask("GET", "/api/alerts", nil, 200))
	}
	s.ask("POST", "/api/alerts/channels/"+id+"/test", nil, 200)
	eventually(t, "the test is at Discord", func() bool { return len(d.Messages()) == 1 })
	if m := d.Messages()[0]; !strings.HasPrefix(m.Content, "<@111> ") || len(m.Pings) != 1 || m.Pings[0] != "111" {
		t.Errorf("%+v", m)
	}

	if got := s.ask("POST", "/api/discord/notify-enabled", map[string]any{"enabled": false}, 200); !strings.Contains(got, `"enabled":false`) {
		t.Errorf("%s", got)
	}
	if _, enabled := mine(); enabled {
		t.Error("the channel is still on")
	}
	s.ask("POST", "/api/discord/notify-enabled", map[string]any{"enabled": true}, 200)
	if reply, err = d.Command(ctx, "111", "ann", "notify-stop", nil); err != nil || !strings.Contains(reply.Content, "not be notified") {
		t.Errorf("%+v, %v", reply, err)
	}
	if _, enabled := mine(); enabled {
		t.Error("the channel is on after /notify-stop")
	}
	s.ask("POST", "/api/discord/unlink", nil, 200)
	s.ask("POST", "/api/discord/notify-enabled", map[string]any{"enabled": true}, 404)
	if id, _ := mine(); id != "" {
		t.Error("the channel is left")
	}
}

func TestPoolWithoutDiscordAndPrice(t *testing.T) {
	cfg := poolConfig(t)
	cfg.HTTP.TLSListen = ""
	s := startSite(t, cfg)
	s.ask("POST", "/api/saved-workers/one-time-code", nil, 404)
	s.ask("POST", "/api/discord/notify-enabled", map[string]any{"enabled": true}, 404)
	if got := s.ask("GET", "/api/saved-workers", nil, 200); strings.Contains(got, "discord") {
		t.Errorf("%s", got)
	}
	if got := s.ask("GET", "/api/overview", nil, 200); strings.Contains(got, "fiat") {
		t.Errorf("%s", got)
	}
	if got := s.ask("GET", "/metrics", nil, 200); strings.Contains(got, "poolscope_discord") || strings.Contains(got, "poolscope_price") {
		t.Error("figures of what is not there")
	}
}

func TestPriceOfAPool(t *testing.T) {
	var asked atomic.Int64
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, `{"bitcoin":{"`+r.URL.Query().Get("in")+`":61234.5}}`)
	}))
	t.Cleanup(feed.Close)
	cfg := poolConfig(t)
	cfg.HTTP.TLSListen = ""
	cfg.Price.Feed, cfg.Price.Path, cfg.Price.Currency = feed.URL+"/?in={currency}", "bitcoin.{currency}", "EUR"
	s := startSite(t, cfg)
	eventually(t, "the price is there", func() bool {
		return strings.Contains(s.ask("GET", "/metrics", nil, 200), "poolscope_price_fetched_total 1")
	})
	eventually(t, "the overview has it", func() bool {
		o := decode[struct {
			Price    float64   `json:"btc_price_fiat"`
			At       time.Time `json:"btc_price_updated_at"`
			Currency string    `json:"fiat_currency"`
		}](t, s.ask("GET", "/api/overview", nil, 200))
		return o.Price == 61234.5 && o.Currency == "eur" && time.Since(o.At) < time.Minute
	})
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
