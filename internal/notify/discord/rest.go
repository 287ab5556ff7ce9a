package discord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"
)

// Bounds of REST calls.
const (
	restTimeout = 10 * time.Second
	maxAnswer   = 1 << 20 // bytes
)

// errAnswer says that an answer is larger than any that is expected.
var errAnswer = errors.New("answer too large")

// newSession makes discordgo's REST client. base takes the place of
// https://discord.com/; nil for that itself.
func newSession(token string, base *url.URL) (*discordgo.Session, error) {
	s, err := discordgo.New("Bot " + token)
	if err != nil {
		return nil, fmt.Errorf("make Discord client: %w", err)
	}
	s.Client = &http.Client{
		Timeout:   restTimeout,
		Transport: transport{base},
		// The token goes where it was told to go, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// What is sent again, and when, is decided here.
	s.ShouldRetryOnRateLimit, s.MaxRestRetries = false, 0
	s.UserAgent = "DiscordBot (https://github.com/poolscope/poolscope, 1)"
	return s, nil
}

// transport sends discordgo's requests to where the API is, and bounds the
// answers.
type transport struct{ base *url.URL }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.base != nil {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = t.base.Scheme, t.base.Host
		r.URL.Path = strings.TrimSuffix(t.base.Path, "/") + r.URL.Path
		r.Host = ""
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errAnswer
	}
	// A limit that is not Discord's own but that of a proxy before it comes as a
	// page; discordgo would take that for another kind of failure.
	if resp.StatusCode == http.StatusTooManyRequests && !strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
		after, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31)
		if err != nil {
			after = uint64(pauseLimit.Seconds())
		}
		body = fmt.Appendf(nil, `{"message":"rate limited","retry_after":%d}`, after)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// call runs a REST call of discordgo, which may sleep until a rate limit is over,
// and returns when ctx ends, whatever it does. A panic of it is an error.
func call(ctx context.Context, do func(discordgo.RequestOption) error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("%w: %v", errPanic, v)
			}
		}()
		done <- do(discordgo.WithContext(ctx))
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errPanic says that discordgo panicked.
var errPanic = errors.New("panic")

// outgoing is a message as the API takes it. discordgo knows no nonces.
type outgoing struct {
	*discordgo.MessageSend
	// Nonce names the message. Discord makes no second one with the same nonce
	// within a few minutes.
	Nonce        string `json:"nonce"`
	EnforceNonce bool   `json:"enforce_nonce"`
}

// postMessage sends a message to the channel of notifications.
func (b *Bot) postMessage(ctx context.Context, p post) error {
	message := outgoing{
		MessageSend: &discordgo.MessageSend{
			Content: p.content, Flags: discordgo.MessageFlagsSuppressEmbeds,
			AllowedMentions: &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}, Users: p.users},
		},
		Nonce: p.nonce, EnforceNonce: true,
	}
	if p.everyone {
		message.AllowedMentions.Parse = []discordgo.AllowedMentionType{discordgo.AllowedMentionTypeEveryone}
	}
	endpoint := discordgo.EndpointChannelMessages(b.config.ChannelID)
	return call(ctx, func(o discordgo.RequestOption) error {
		_, err := b.session.RequestWithBucketID(http.MethodPost, endpoint, message, endpoint, o)
		return err
	})
}
