package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// seen is a request as a service gets it.
type seen struct {
	method, path, body string
	header             http.Header
}

// services plays a service on loopback: it answers with code and remembers what it
// was asked.
func services(t *testing.T, code int, answer string) (base string, last func() seen) {
	t.Helper()
	requests := make(chan seen, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- seen{r.Method, r.URL.EscapedPath(), string(body), r.Header}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() seen {
		select {
		case r := <-requests:
			return r
		default:
			t.Fatal("nobody came")
			return seen{}
		}
	}
}

// Each service gets what its documentation says: the path, the headers and the
// fields that carry the message.
func TestShapesOfServices(t *testing.T) {
	const token = "123456:ABC-DEF1234ghIkl"
	for _, c := range []struct {
		service  string
		settings func(base string) map[string]string
		method   string
		path     string
		header   [2]string
		wants    []string // parts of the body
		never    []string
	}{
		{
			service: "telegram", settings: func(b string) map[string]string {
				return map[string]string{"server": b, "token": token, "chat": "-100123"}
			},
			method: "POST", path: "/bot" + token + "/sendMessage", wants: []string{`"chat_id":"-100123"`, `Offline`}, never: []string{"parse_mode"},
		},
		{
			service: "matrix", settings: func(b string) map[string]string {
				return map[string]string{"server": b, "room": "!abc/d:example.org", "token": "syt_x"}
			},
			method: "PUT", path: "/_matrix/client/v3/rooms/%21abc%2Fd:example.org/send/m.room.message/0123456789abcdef0123",
			header: [2]string{"Authorization", "Bearer syt_x"}, wants: []string{`"msgtype":"m.text"`, `"body":"poolscope: Worker offline\nOffline`},
		},
		{
			service: "discord_webhook", settings: func(b string) map[string]string { return map[string]string{"webhook": b + "/api/webhooks/1/tok"} },
			method: "POST", path: "/api/webhooks/1/tok", wants: []string{`"allowed_mentions":{"parse":[]}`, `"title":"poolscope: Worker offline"`}, never: []string{`"content"`, "@everyone"},
		},
		{
			service: "slack", settings: func(b string) map[string]string { return map[string]string{"webhook": b + "/services/T/B/x"} },
			method: "POST", path: "/services/T/B/x", wants: []string{`\u0026lt;b\u0026gt;`}, never: []string{`<b>`},
		},
		{
			service: "gotify", settings: func(b string) map[string]string {
				return map[string]string{"server": b + "/push", "token": "Axxxxxxxxxxxxxx"}
			},
			method: "POST", path: "/push/message", header: [2]string{"X-Gotify-Key", "Axxxxxxxxxxxxxx"}, wants: []string{`"priority":6`, `"message":"Offline`},
		},
		{
			service: "ntfy", settings: func(b string) map[string]string {
				return map[string]string{"server": b, "topic": "my_topic-1", "token": "tk_x"}
			},
			method: "POST", path: "/my_topic-1", header: [2]string{"Authorization", "Basic OnRrX3g="}, wants: []string{"Offline \u003e5m: addr.<b>"},
		},
		{
			service: "mattermost", settings: func(b string) map[string]string { return map[string]string{"server": b, "token": "abcdef123"} },
			method: "POST", path: "/hooks/abcdef123", wants: []string{"Offline"},
		},
		{
			service: "shoutrrr", settings: func(b string) map[string]string {
				return map[string]string{"url": "ntfy://" + strings.TrimPrefix(b, "http://") + "/t?scheme=http"}
			},
			method: "POST", path: "/t", wants: []string{"Offline"},
		},
	} {
		t.Run(c.service, func(t *testing.T) {
			base, last := services(t, http.StatusOK, "ok, and no JSON")
			center := New(Config{Settings: Settings{Services: Catalog(CatalogConfig{AllowPrivate: true})}}, quietLog)
			service := center.services()[c.service]
			settings := c.settings(base)
			if err := service.need(settings); err != nil {
				t.Fatal(err)
			}
			ch, err := service.Open(Opening{Operator: true, Settings: settings})
			if err != nil {
				t.Fatal(err)
			}
			if err := ch.Send(t.Context(), testMessage()); err != nil {
				t.Fatal(err)
			}
			r := last()
			if r.method != c.method || r.path != c.path {
				t.Errorf("%s %s", r.method, r.path)
			}
			if c.header[0] != "" && r.header.Get(c.header[0]) != c.header[1] {
				t.Errorf("%s: %q", c.header[0], r.header.Get(c.header[0]))
			}
			for _, want := range c.wants {
				if !strings.Contains(r.body, want) {
					t.Errorf("no %s in %s", want, r.body)
				}
			}
			for _, never := range c.never {
				if strings.Contains(r.body, never) {
					t.Errorf("%s in %s", never, r.body)
				}
			}

			// The same service without patience, and with a definite no.
			for code, permanent := range map[int]bool{429: false, 500: false, 503: false, 401: true, 404: true, 302: true} {
				base, last := services(t, code, `{"error":"no"}`)
				ch, err := service.Open(Opening{Operator: true, Settings: c.settings(base)})
				if err != nil {
					t.Fatal(err)
				}
				err = ch.Send(t.Context(), testMessage())
				if err == nil || IsPermanent(err) != permanent {
					t.Errorf("%d: %v, permanent %t", code, err, IsPermanent(err))
					continue
				}
				if code == 429 && RetryAfter(err) != 7*time.Second {
					t.Errorf("pause %v", RetryAfter(err))
				}
				for key, value := range c.settings(base) {
					if secretKeys[key] && strings.Contains(redact(err.Error(), c.settings(base)), value) {
						t.Errorf("%d: the error has the %s: %v", code, key, err)
					}
				}
				last()
			}
		})
	}
}

// Our own webhook: the shape that docs/alerts.md describes, and the signature.
func TestWebhook(t *testing.T) {
	base, last := services(t, http.StatusNoContent, "")
	ch, err := free(t).webhook(Opening{Operator: true, Settings: map[string]string{"webhook": base + "/x", "secret": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	r := last()
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(r.header.Get("X-Poolscope-Timestamp") + "." + r.body))
	if r.header.Get("X-Poolscope-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		t.Error("wrong signature")
	}
	if r.header.Get("Idempotency-Key") != "0123456789abcdef0123" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", r.header)
	}
	var body struct {
		ID, At, Title, Text, Severity string
		Digest                        bool
		Events                        []struct {
			Kind, Key, At, Severity, Worker, Text string
			Values                                map[string]float64
		}
	}
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		t.Fatal(err)
	}
	if body.ID != "0123456789abcdef0123" || body.At != "2026-03-01T12:05:03Z" || body.Severity != "warning" || len(body.Events) != 1 ||
		body.Events[0].Kind != "worker_offline" || body.Events[0].Values["after_seconds"] != 300 {
		t.Errorf("%+v", body)
	}
}

// What cannot be a channel is refused when it is entered.
func TestBadSettings(t *testing.T) {
	center := New(Config{Settings: Settings{Services: Catalog(CatalogConfig{Mail: MailServer{Host: "mail.example", From: "pool@example.org"}})}}, quietLog)
	for service, list := range map[string][]map[string]string{
		"telegram":        {{"token": "x/../..", "chat": "1"}, {"token": "123456:ABC-DEF1234ghIkl", "chat": "1&x=2"}, {"token": "123456:ABC-DEF1234ghIkl", "chat": "1", "server": "https://user:pass@host"}},
		"matrix":          {{"server": "https://m.example", "room": "#alias:m.example", "token": "x"}, {"server": "https://m.example", "room": "!a:b", "token": "x\r\ny"}, {"server": "ftp://x", "room": "!a:b", "token": "x"}},
		"discord_webhook": {{"webhook": "https://discord.com/"}, {"webhook": "discord.com/api/webhooks/1/2"}, {"webhook": "http://discord.com/api/webhooks/1/2"}},
		"ntfy":            {{"topic": "a/b"}, {"topic": "a", "server": "https://h/path"}, {"topic": "a?scheme=http"}},
		"webhook":         {{"webhook": ""}, {"webhook": "file:///etc/passwd"}, {"webhook": "gopher://x"}, {"webhook": "https://"}, {"webhook": "https://x", "unknown": "y"}},
		"email":           {{"address": "x"}, {"address": "Name <a@example.org>"}, {"address": "a@example.org, b@example.org"}, {"address": "a@example.org\r\nBcc: b@example.org"}},
		"shoutrrr":        {{"url": "logger://"}, {"url": "nothing://x"}, {"url": ":"}},
	} {
		s := center.services()[service]
		for _, settings := range list {
			err := s.need(settings)
			if err == nil {
				_, err = s.Open(Opening{Settings: settings})
			}
			if err == nil {
				t.Errorf("%s takes %v", service, settings)
			}
		}
	}
}

// FuzzSettings: whatever people enter, a channel is refused or leads by HTTPS to
// the host that was entered; nothing panics.
func FuzzSettings(f *testing.F) {
	f.Add("webhook", "https://example.org/x", "", "")
	f.Add("ntfy", "https://ntfy.sh", "topic", "tk")
	f.Add("telegram", "https://api.telegram.org", "123456:ABC-DEF1234ghIkl", "@chan")
	f.Add("matrix", "https://matrix.org", "!r:matrix.org", "tok")
	f.Add("mattermost", "https://host:8443/%2f..", "a", "b")
	center := New(Config{Settings: Settings{Services: Catalog(CatalogConfig{})}}, quietLog)
	f.Fuzz(func(t *testing.T, service, server, a, b string) {
		s, ok := center.services()[service]
		if !ok {
			return
		}
		settings := make(map[string]string)
		for i, field := range s.Fields {
			settings[field.Key] = []string{server, a, b}[i%3]
		}
		settings["server"] = server
		ch, err := s.Open(Opening{Settings: settings})
		if err != nil {
			return
		}
		if h, ok := ch.(httpChannel); ok {
			req, err := h.request(t.Context(), testMessage())
			if err != nil {
				return
			}
			if req.URL.Scheme != "https" || req.URL.Hostname() == "" || req.URL.User != nil {
				t.Errorf("%s leads to %s", service, req.URL)
			}
			if h.client != nil && h.client.CheckRedirect == nil {
				t.Error("redirects are followed")
			}
		}
	})
}
