package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// httpChannel is a service that takes one request.
type httpChannel struct {
	client *http.Client
	// request makes it.
	request func(ctx context.Context, m Message) (*http.Request, error)
}

var _ Channel = httpChannel{}

// Send implements [Channel].
func (c httpChannel) Send(ctx context.Context, m Message) error {
	req, err := c.request(ctx, m)
	if err != nil {
		return Permanent(err)
	}
	return post(c.client, req)
}

// jsonRequest is a request with a JSON body.
func jsonRequest(ctx context.Context, method string, to *url.URL, body any) (*http.Request, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("the address of the service is not valid")
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// orDefault is the address of a service, or its usual one.
func orDefault(o Opening, key, usual string) (*url.URL, error) {
	text := strings.TrimSpace(o.Settings[key])
	if text == "" {
		text = usual
	}
	return baseURL("the server", text, o.Operator)
}

// telegram sends with a bot (https://core.telegram.org/bots/api#sendmessage), as
// plain text, so that nobody's name is taken for markup.
func (c *catalog) telegram(o Opening) (Channel, error) {
	base, err := orDefault(o, "server", "https://api.telegram.org")
	if err != nil {
		return nil, err
	}
	token, chat := o.Settings["token"], strings.TrimSpace(o.Settings["chat"])
	if !telegramToken.MatchString(token) {
		return nil, badSetting("the bot token must be like 123456:ABC-DEF")
	}
	if !telegramChat.MatchString(chat) {
		return nil, badSetting("the chat ID must be a number, or @ and a name")
	}
	to := base.JoinPath("bot"+token, "sendMessage")
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		return jsonRequest(ctx, http.MethodPost, to, map[string]any{
			"chat_id":              chat,
			"text":                 m.whole(4096, inUTF16, harmless),
			"link_preview_options": map[string]any{"is_disabled": true},
		})
	}}, nil
}

var (
	telegramToken = regexp.MustCompile(`^[0-9]{3,20}:[A-Za-z0-9_-]{10,100}$`)
	telegramChat  = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z0-9_]{3,64})$`)
)

// discordWebhook sends to a webhook of Discord
// (https://discord.com/developers/docs/resources/webhook#execute-webhook). Names
// in it mention nobody.
func (c *catalog) discordWebhook(o Opening) (Channel, error) {
	to, err := baseURL("the webhook", o.Settings["webhook"], o.Operator)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(to.Path, "/api/webhooks/") {
		return nil, badSetting("the webhook must be like https://discord.com/api/webhooks/…")
	}
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		return jsonRequest(ctx, http.MethodPost, to, map[string]any{
			"embeds": []map[string]any{{
				"title": clip(m.Title, 250), "description": m.fit(4096, inUTF16, markdown),
				"color": colors[m.Severity()], "timestamp": m.At.UTC().Format(time.RFC3339),
			}},
			"allowed_mentions": map[string]any{"parse": []string{}},
		})
	}}, nil
}

// colors of messages, as 0xRRGGBB.
var colors = map[string]int{alert.Good: 0x2e9e5b, alert.Info: 0x3b82c4, alert.Warning: 0xd9922e, alert.Critical: 0xc93c3c}

// slack sends to an incoming webhook of Slack or of what speaks the same
// (https://api.slack.com/messaging/webhooks).
func (c *catalog) slack(o Opening) (Channel, error) {
	to, err := baseURL("the webhook", o.Settings["webhook"], o.Operator)
	if err != nil {
		return nil, err
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@"+zeroWidth, "://", ":"+zeroWidth+"//")
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		return jsonRequest(ctx, http.MethodPost, to, map[string]any{
			"text": m.whole(35_000, inUTF16, escape), "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
		})
	}}, nil
}

// matrix sends to a room (Matrix specification, client-server API, PUT
// …/send/{eventType}/{txnId}). A homeserver shows messages with the same
// transaction id once.
func (c *catalog) matrix(o Opening) (Channel, error) {
	base, err := baseURL("the homeserver", o.Settings["server"], o.Operator)
	if err != nil {
		return nil, err
	}
	room, token := strings.TrimSpace(o.Settings["room"]), o.Settings["token"]
	if !matrixRoom.MatchString(room) {
		return nil, badSetting("the room ID must begin with ! (it is in the room's settings)")
	}
	if err := checkToken("the access token", token); err != nil {
		return nil, err
	}
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		to := base.JoinPath("_matrix/client/v3/rooms", url.PathEscape(room), "send/m.room.message", m.ID)
		req, err := jsonRequest(ctx, http.MethodPut, to, map[string]any{
			"msgtype": "m.text", "body": m.whole(32_000, inBytes, plain), "m.mentions": map[string]any{}, // an event has at most 64 KiB
		})
		if err == nil {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return req, err
	}}, nil
}

var matrixRoom = regexp.MustCompile(`^![[:graph:]]{1,255}$`)

// gotify sends to a Gotify server (https://gotify.net/docs/pushmsg).
func (c *catalog) gotify(o Opening) (Channel, error) {
	base, err := baseURL("the server", o.Settings["server"], o.Operator)
	if err != nil {
		return nil, err
	}
	token := o.Settings["token"]
	if err := checkToken("the application token", token); err != nil {
		return nil, err
	}
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		req, err := jsonRequest(ctx, http.MethodPost, base.JoinPath("message"), map[string]any{
			"title": m.Title, "message": m.Text(), "priority": map[string]int{alert.Good: 4, alert.Info: 2, alert.Warning: 6, alert.Critical: 9}[m.Severity()],
		})
		if err == nil {
			req.Header.Set("X-Gotify-Key", token)
		}
		return req, err
	}}, nil
}

// pushover sends by Pushover (https://pushover.net/api).
func (c *catalog) pushover(o Opening) (Channel, error) {
	for _, key := range []string{"token", "user"} {
		if err := checkToken("the "+key, o.Settings[key]); err != nil {
			return nil, err
		}
	}
	to := &url.URL{Scheme: "https", Host: "api.pushover.net", Path: "/1/messages.json"}
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		return jsonRequest(ctx, http.MethodPost, to, map[string]any{
			"token": o.Settings["token"], "user": o.Settings["user"], "title": clip(m.Title, 250), "message": m.fit(1024, inRunes, plain), "timestamp": m.At.Unix(),
		})
	}}, nil
}

// checkToken keeps out what cannot be in a header.
func checkToken(label, token string) error {
	if !tokenPattern.MatchString(token) {
		return badSetting("%s must be of plain characters, without spaces", label)
	}
	return nil
}

var tokenPattern = regexp.MustCompile(`^[[:graph:]]+$`)

// need says which settings are missing or unknown.
func (s *Service) need(settings map[string]string) error {
	known := make(map[string]bool, len(s.Fields))
	for _, f := range s.Fields {
		known[f.Key] = true
		if f.Required && strings.TrimSpace(settings[f.Key]) == "" {
			return badSetting("%s is missing", f.Label)
		}
		if len(settings[f.Key]) > 2048 {
			return badSetting("%s is too long", f.Label)
		}
	}
	for key := range settings {
		if !known[key] {
			return fmt.Errorf("%w: %s has no %q", ErrSettings, s.Name, Plain(key, 32))
		}
	}
	return nil
}
