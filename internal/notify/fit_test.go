package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/poolscope/poolscope/internal/alert"
)

// crowdedMessage has more than any chat takes at once, of the characters that are
// longest.
func crowdedMessage() Message {
	var events []alert.Event
	for i := range maxBatch {
		events = append(events, alert.Event{
			Kind: alert.BestShare, At: time.Unix(1_800_000_000, 0), Severity: alert.Good,
			Text: fmt.Sprintf("Best share ever: difficulty %d by %s", i, strings.Repeat("😀*", 60)),
		})
	}
	return compose("0123456789abcdef0123", events, false)
}

// textOf finds the part of a request that people read.
func textOf(t *testing.T, service, body string) string {
	t.Helper()
	if service == "ntfy" {
		return body
	}
	var doc struct {
		Text, Body, Message string
		Embeds              []struct{ Description string }
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	text := doc.Text + doc.Body + doc.Message
	for _, e := range doc.Embeds {
		text += e.Description
	}
	return text
}

// elsewhere leads requests to a server of the test, whatever their address.
type elsewhere struct {
	t    *testing.T
	host string // that they must be for
	base *url.URL
}

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != e.host {
		e.t.Errorf("leads to %s", r.URL)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = e.base.Scheme, e.base.Host
	return http.DefaultTransport.RoundTrip(r)
}

// pushoverAt is a channel of Pushover whose server is at base.
func pushoverAt(t *testing.T, base string) Channel {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c := free(t)
	c.free.Transport = elsewhere{t, "api.pushover.net", to}
	ch, err := c.pushover(Opening{Operator: true, Settings: map[string]string{"token": "azGDORePK8gMaC0QOYAMyEEuzJnyUi", "user": "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"}})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// Services refuse what is longer than their limits, for good. So no message is;
// what is left out is counted.
func TestMessagesFit(t *testing.T) {
	bytes := func(s string) int { return len(s) }
	runes := func(s string) int { return len([]rune(s)) }
	units := func(s string) int { return len(utf16.Encode([]rune(s))) }
	for _, c := range []struct {
		service  string
		limit    int
		size     func(string) int
		settings map[string]string
	}{
		{"telegram", 4096, units, map[string]string{"token": "123456:ABC-DEF1234ghIkl", "chat": "1"}},
		{"discord_webhook", 4096, units, nil},
		{"slack", 40_000, units, nil},
		{"matrix", 60_000, bytes, map[string]string{"room": "!a:b", "token": "x"}},
		{"ntfy", 4096, bytes, map[string]string{"topic": "t"}},
		{"mattermost", 4000, runes, map[string]string{"token": "abc"}},
		{"pushover", 1024, runes, nil},
	} {
		t.Run(c.service, func(t *testing.T) {
			base, last := services(t, http.StatusOK, "{}")
			var ch Channel
			if c.service == "pushover" {
				ch = pushoverAt(t, base)
			} else {
				settings := map[string]string{"server": base, "webhook": base + "/api/webhooks/1/x"}
				for key, value := range c.settings {
					settings[key] = value
				}
				var err error
				ch, err = New(Config{Settings: Settings{Services: Catalog(CatalogConfig{AllowPrivate: true})}}, quietLog).services()[c.service].Open(Opening{Operator: true, Settings: settings})
				if err != nil {
					t.Fatal(err)
				}
			}
			m := crowdedMessage()
			m.Lines = append(m.Lines, repetition)
			if err := ch.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			text := textOf(t, c.service, last().body)
			if n := c.size(text); n > c.limit {
				t.Errorf("%d long", n)
			}
			shown := strings.Count(text, "Best share")
			if shown == 0 || shown < maxBatch && !strings.Contains(text, fmt.Sprintf("and %d more", maxBatch-shown)) {
				t.Errorf("%d shown, and nobody is told of the others: …%s", shown, text[max(0, len(text)-200):])
			}
			if !strings.HasSuffix(text, repetition) {
				t.Errorf("the remark is lost: …%s", text[max(0, len(text)-200):])
			}
		})
	}
}

// A worker called @channel calls nobody, and no chat's server loads what a name
// says.
func TestNamesCallNobody(t *testing.T) {
	for service, settings := range map[string]map[string]string{
		"telegram":        {"token": "123456:ABC-DEF1234ghIkl", "chat": "1"},
		"discord_webhook": nil,
		"slack":           nil,
		"mattermost":      {"token": "abc"},
		"shoutrrr":        nil,
	} {
		base, last := services(t, http.StatusOK, "{}")
		all := map[string]string{"server": base, "webhook": base + "/api/webhooks/1/x", "url": "mattermost://" + strings.TrimPrefix(base, "http://") + "/abc?disabletls=yes"}
		for key, value := range settings {
			all[key] = value
		}
		ch, err := New(Config{Settings: Settings{Services: Catalog(CatalogConfig{AllowPrivate: true})}}, quietLog).services()[service].Open(Opening{Operator: true, Settings: all})
		if err != nil {
			t.Fatal(err)
		}
		m := testMessage()
		m.Lines = []string{"Offline >5m: addr.@channel @all ![x](http://evil.example/x.png)"}
		if err := ch.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		text := textOf(t, service, last().body)
		for _, never := range []string{"@channel", "@all", "://", "![x]("} {
			isMarkdown := service == "discord_webhook" || service == "mattermost"
			if strings.Contains(text, never) && (isMarkdown || never != "![x](") {
				t.Errorf("%s: %s in %q", service, never, text)
			}
		}
		if !strings.Contains(text, "channel") || !strings.Contains(text, "evil.example") {
			t.Errorf("%s: the name is not there: %q", service, text)
		}
	}
}

// Pushover gets what its documentation says (https://pushover.net/api).
func TestPushover(t *testing.T) {
	base, last := services(t, http.StatusOK, `{"status":1,"request":"647d2300-702c-4b38-8b2f-d56326ae460b"}`)
	if err := pushoverAt(t, base).Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	r := last()
	var body map[string]any
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatal(err)
	}
	if r.method != "POST" || r.path != "/1/messages.json" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %s", r.method, r.path, r.header.Get("Content-Type"))
	}
	if body["token"] != "azGDORePK8gMaC0QOYAMyEEuzJnyUi" || body["user"] != "uQiRzpo4DXghDmr9QzzfQu27cmVRsG" ||
		body["title"] != "poolscope: Worker offline" || !strings.Contains(body["message"].(string), "Offline") || body["timestamp"] != float64(testMessage().At.Unix()) {
		t.Errorf("%v", body)
	}
	for code, permanent := range map[int]bool{400: true, 401: true, 429: false, 500: false} {
		base, _ := services(t, code, `{"user":"invalid","errors":["user identifier is invalid"],"status":0}`)
		err := pushoverAt(t, base).Send(t.Context(), testMessage())
		if err == nil || IsPermanent(err) != permanent || !strings.Contains(err.Error(), "user identifier is invalid") || strings.Contains(err.Error(), "uQiRzpo4") {
			t.Errorf("%d: %v", code, err)
		}
	}
}

// A message that is sent again has the same sequence id at ntfy, which shows it in
// the place of the first.
func TestNtfySequence(t *testing.T) {
	base, last := services(t, http.StatusOK, "{}")
	ch, err := free(t).ntfy(Opening{Operator: true, Settings: map[string]string{"server": base, "topic": "t"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := ch.Send(t.Context(), testMessage()); err != nil {
			t.Fatal(err)
		}
		if id := last().header.Get("X-Sequence-ID"); id != testMessage().ID {
			t.Errorf("sequence id %q", id)
		}
	}
}

// Pauses that services ask for in their answer are kept, too.
func TestPausesInAnswers(t *testing.T) {
	for answer, want := range map[string]time.Duration{
		`{"message":"You are being rate limited.","retry_after":64.5,"global":false}`:                                     64500 * time.Millisecond,
		`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`: 35 * time.Second,
		`{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}`:                                                            2 * time.Second,
		`{"retry_after":1e300}`:  24 * time.Hour,
		`{"retry_after":-5}`:     0,
		`{"retry_after":"soon"}`: 0,
		`slow down`:              0,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, answer)
		}))
		ch, err := free(t).slack(Opening{Operator: true, Settings: map[string]string{"webhook": s.URL}})
		if err != nil {
			t.Fatal(err)
		}
		if got := RetryAfter(ch.Send(t.Context(), testMessage())); got != want {
			t.Errorf("%s: %v, want %v", answer, got, want)
		}
		s.Close()
	}
}

// FuzzFit: whatever the names are, the text fits and says how much it leaves out.
func FuzzFit(f *testing.F) {
	f.Add("a", "b😀", 100, 20)
	f.Add("@", "://", 4096, 50)
	f.Fuzz(func(t *testing.T, a, b string, limit, n int) {
		if limit < 300 || limit > 10_000 || n < 1 || n > 60 {
			return
		}
		m := Message{Title: "t"}
		for i := range n {
			m.Lines = append(m.Lines, Plain([]string{a, b}[i%2], 1000))
		}
		for _, size := range []func(string) int{inBytes, inRunes, inUTF16} {
			if text := m.whole(limit, size, markdown); size(text) > limit {
				t.Errorf("%d of %d: %q", size(text), limit, text)
			}
		}
	})
}
