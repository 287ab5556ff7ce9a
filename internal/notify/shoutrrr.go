package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/mattermost"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/rocketchat"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/incident/pagerduty"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"
)

// shoutrrrChannel sends through shoutrrr.
type shoutrrrChannel struct {
	to       string // shoutrrr's URL of the service
	client   *http.Client
	must     bool // refuse services that cannot be given the client
	settings map[string]string
	text     func(m *Message) string // without the title
	header   string                  // that takes the message's ID; "" for none
}

var _ Channel = shoutrrrChannel{}

// silent takes what shoutrrr would log: it may hold tokens.
var silent = log.New(io.Discard, "", 0)

// open makes the service with the client of ours, where it can be given one.
func (c shoutrrrChannel) open(client *http.Client) (types.Service, error) {
	service, err := (&router.ServiceRouter{}).Locate(c.to)
	if err != nil {
		return nil, Permanent(badSetting("shoutrrr does not understand the service URL"))
	}
	service.SetLogger(silent)
	if !inject(service, client) && c.must {
		return nil, badSetting("shoutrrr cannot confine this service to the public internet")
	}
	return service, nil
}

// inject has a service use a client of ours, where shoutrrr lets one do so.
func inject(service types.Service, client *http.Client) bool {
	switch s := service.(type) {
	case *ntfy.Service:
		s.SetHTTPClient(client)
	case *mattermost.Service:
		*s.GetHTTPClient() = *client
	case *rocketchat.Service:
		s.Client = client
	case *pagerduty.Service:
		s.SetHTTPClient(client)
	case *discord.Service:
		s.HTTPClient = client
	default:
		return false
	}
	return true
}

// Send implements [Channel]. shoutrrr knows no contexts: what takes longer than
// ctx allows is left to itself, with the time limits that it has.
func (c shoutrrrChannel) Send(ctx context.Context, m Message) error {
	seen := &observer{ctx: ctx, next: c.client.Transport, header: c.header, id: m.ID}
	client := *c.client
	client.Transport = seen
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("shoutrrr failed: %v", v)
			}
		}()
		service, err := c.open(&client) // some sign in here
		if err != nil {
			done <- err
			return
		}
		params := types.Params{}
		params.SetTitle(m.Title)
		done <- service.Send(c.text(&m), &params)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		return Unsure(errors.New("the service did not answer in time"))
	}
	if answered, verdict := seen.verdict(); answered {
		return verdict // shoutrrr stumbles over answers that it does not expect
	}
	if err == nil {
		return nil
	}
	if code := statusOf(err); code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout {
		err = Permanent(err)
	}
	return describe(err, c.settings)
}

// observer sees the last answer that a service got, within ctx and bounds.
type observer struct {
	ctx  context.Context //nolint:containedctx // shoutrrr has no way to hand it down
	next http.RoundTripper
	// header gets id, when it has a name.
	header, id string

	mu   sync.Mutex // guards the rest
	seen bool
	err  error
}

// RoundTrip implements [http.RoundTripper].
func (o *observer) RoundTrip(req *http.Request) (*http.Response, error) {
	req, left := watched(req.WithContext(o.ctx))
	if o.header != "" {
		req.Header = req.Header.Clone() // it is the caller's
		req.Header.Set(o.header, o.id)
	}
	res, err := o.next.RoundTrip(req)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = true
	if err != nil {
		o.err = unanswered(err, left)
		return nil, err
	}
	body, readErr := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	_ = res.Body.Close()
	o.err = judge(res, body, time.Now())
	res.Body = limitedBody{strings.NewReader(string(body)), io.NopCloser(nil)}
	if o.err == nil {
		readErr = nil // it was taken, whatever it says
	}
	return res, readErr
}

// verdict is what the last answer means; false when there was none.
func (o *observer) verdict() (answered bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen, o.err
}

// statusOf finds the status code in an error of shoutrrr; 0 without.
func statusOf(err error) int {
	var answer jsonclient.Error
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	if found := statusPattern.FindStringSubmatch(err.Error()); found != nil {
		code, _ := strconv.Atoi(found[1])
		return code
	}
	return 0
}

var statusPattern = regexp.MustCompile(`(?i)(?:status|code|HTTP)[^0-9]{0,12}([45][0-9]{2})\b`)

// ntfy sends to a topic (https://docs.ntfy.sh/publish/).
func (c *catalog) ntfy(o Opening) (Channel, error) {
	base, err := orDefault(o, "server", "https://ntfy.sh")
	if err != nil {
		return nil, err
	}
	topic, token := strings.TrimSpace(o.Settings["topic"]), o.Settings["token"]
	if !ntfyTopic.MatchString(topic) {
		return nil, badSetting("the topic must be of letters, digits, _ and -, at most 64")
	}
	if strings.Trim(base.Path, "/") != "" || base.RawQuery != "" {
		return nil, badSetting("the server must be like https://host, without a path")
	}
	to := url.URL{Scheme: "ntfy", Host: base.Host, Path: "/" + topic, RawQuery: "scheme=" + base.Scheme}
	if token != "" {
		if err := checkToken("the access token", token); err != nil {
			return nil, err
		}
		to.User = url.UserPassword("", token) // as ntfy takes tokens of those who send no headers
	}
	// What is longer than 4096 bytes would be an attachment, which many servers
	// refuse.
	text := func(m *Message) string { return m.fit(4096, inBytes, plain) }
	// Since 2.16, ntfy shows a message with the same sequence id in the place of the
	// first.
	return c.through(o, shoutrrrChannel{to: to.String(), text: text, header: "X-Sequence-ID"})
}

var ntfyTopic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// mattermost sends to an incoming webhook. What is in it is Markdown, and @channel
// would call everybody: names in it mean nothing.
func (c *catalog) mattermost(o Opening) (Channel, error) {
	base, err := baseURL("the server", o.Settings["server"], o.Operator)
	if err != nil {
		return nil, err
	}
	if !ntfyTopic.MatchString(o.Settings["token"]) {
		return nil, badSetting("the webhook key must be what follows /hooks/ in its address")
	}
	if strings.Trim(base.Path, "/") != "" || base.RawQuery != "" {
		return nil, badSetting("the server must be like https://host, without a path")
	}
	to := url.URL{Scheme: "mattermost", Host: base.Host, Path: "/" + o.Settings["token"]}
	if base.Scheme == "http" {
		to.RawQuery = "disabletls=yes"
	}
	text := func(m *Message) string { return m.fit(4000, inUTF16, markdown) }
	return c.through(o, shoutrrrChannel{to: to.String(), text: text})
}

// through opens a service of shoutrrr on a connection of ours.
func (c *catalog) through(o Opening, channel shoutrrrChannel) (Channel, error) {
	channel.client, channel.must, channel.settings = c.client(o), true, o.Settings
	_, err := channel.open(c.client(o))
	return channel, err
}

// raw sends to any service of shoutrrr. Only operators have it: most services make
// connections of their own, which nothing confines.
func (c *catalog) raw(o Opening) (Channel, error) {
	r := router.ServiceRouter{}
	scheme, _, err := r.ExtractServiceName(o.Settings["url"])
	if err != nil || scheme == "logger" || !slices.Contains(r.ListServices(), strings.ToLower(scheme)) {
		return nil, badSetting("the service URL must begin with the name of one of shoutrrr's services, such as zulip://")
	}
	// Nobody knows what the service takes for markup, or how long a text may be.
	text := func(m *Message) string { return harmless.Replace(m.Text()) }
	return shoutrrrChannel{to: o.Settings["url"], client: c.client(o), settings: o.Settings, text: text}, nil
}
