package top

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of one question.
const (
	askTimeout = 20 * time.Second
	maxAnswer  = 64 << 20 // bytes: 100,000 workers take about 40 MB
	maxWords   = 4 << 10  // bytes of an error's text
	maxAlarms  = 10_000   // that are asked for
)

// Config says which server to watch.
type Config struct {
	URL      string // of its web page; http:// may be left out
	Token    string // access token, "" without
	Insecure bool   // take any TLS certificate
}

// Client asks one server.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// NewClient checks the configuration. It asks nothing yet.
func NewClient(cfg Config) (*Client, error) {
	address := strings.TrimSpace(cfg.URL)
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(address)
	if err != nil || base.Hostname() == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil {
		return nil, fmt.Errorf("%w: %q; it looks like http://127.0.0.1:8000", ErrBadURL, clean(cfg.URL))
	}
	if strings.ContainsFunc(cfg.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%w: the given one has spaces or odd characters in it", ErrToken)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawQuery, base.Fragment = "", ""

	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: cfg.Insecure} //nolint:gosec // G402: only when the user says so
	return &Client{base: base, token: cfg.Token, http: &http.Client{
		Transport: transport,
		// A server that sends us elsewhere is named, rather than another asked with the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Host is the server's host and port, as the screen shows it.
func (c *Client) Host() string { return clean(c.base.Host + c.base.Path) }

// at is the address of a path, which may have a query.
func (c *Client) at(path string) string { return c.base.String() + path }

// header is what every request carries.
func (c *Client) header() http.Header {
	h := make(http.Header)
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	return h
}

// Check asks the server who it is: an error says why it cannot be watched.
func (c *Client) Check(ctx context.Context) (err error) {
	var s status
	if err := c.get(ctx, "/api/status", &s); err != nil {
		if isMissing(err) {
			return c.notPoolscope("it does not know /api/status")
		}
		return err
	}
	if s.APIVersion != "1" || s.State == "" {
		return c.notPoolscope("its /api/status is another program's")
	}
	if c.token == "" {
		return nil
	}
	// Public figures are told to everybody, even with a wrong token. Who gives
	// one wants to know.
	var sessions []session
	if err := c.get(ctx, "/api/sessions?limit=1", &sessions); errors.Is(err, ErrToken) {
		return err
	}
	return nil
}

func (c *Client) notPoolscope(why string) error {
	return fmt.Errorf("%w: %s: %s", ErrNotPoolscope, c.base, why)
}

// get asks for a path and decodes the answer.
func (c *Client) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.at(path), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadURL, err)
	}
	request.Header = c.header()
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return c.refusal(response)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		return c.notPoolscope("it answers " + path + " with no JSON")
	}
	limited := &io.LimitedReader{R: response.Body, N: maxAnswer}
	if err := json.NewDecoder(limited).Decode(into); err != nil {
		switch {
		case ctx.Err() != nil:
			return c.unreachable(ctx.Err())
		case limited.N <= 0:
			return fmt.Errorf("%s is larger than %d MB", path, maxAnswer>>20)
		}
		return c.notPoolscope("its " + path + " cannot be read: " + err.Error())
	}
	return nil
}

// unreachable explains a request that got no answer.
func (c *Client) unreachable(err error) error {
	if wrapped := new(url.Error); errors.As(err, &wrapped) {
		err = wrapped.Err // its text repeats the address
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in " + strconv.Itoa(int(askTimeout/time.Second)) + " s")
	}
	return fmt.Errorf("%w at %s (%w)", ErrUnreachable, c.base, err)
}

// refusal explains a status that is no success.
func (c *Client) refusal(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxWords)) // what came until an error is text enough
	words := string(body)
	var detail struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &detail) == nil && detail.Detail != "" {
		words = detail.Detail
	}
	words = oneLine(errors.New(words))
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized && c.token != "":
		return fmt.Errorf("%w, and refused the given one: it is `token` of section [http], or in DATA/scope-token on the server", ErrToken)
	case status == http.StatusUnauthorized, status == http.StatusForbidden && c.token == "":
		return fmt.Errorf("%w for this: give it with --token-file. It is `token` of section [http], or in DATA/scope-token on the server", ErrToken)
	case status == http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrToken, words)
	case status >= 300 && status < 400:
		return c.notPoolscope("it sends us to " + clean(response.Header.Get("Location")))
	default:
		if words == "" {
			words = http.StatusText(status)
		}
		return &refused{status, words}
	}
}

// alarms asks for all alarms: they come in pages, those that changed first first.
func (c *Client) alarms(ctx context.Context) (all alarmPage, err error) {
	for len(all.Alarms) < maxAlarms {
		var page alarmPage
		if err := c.get(ctx, "/api/alarms?limit=1000&since="+strconv.FormatUint(all.Cursor, 10), &page); err != nil {
			return all, err
		}
		all.Alarms = append(all.Alarms, page.Alarms...)
		stuck := page.Cursor <= all.Cursor
		all.Cursor, all.Dropped, all.More = page.Cursor, page.Dropped, page.More
		if !page.More || stuck {
			break
		}
	}
	return all, nil
}

// workers asks for the workers. A server without the list has at least those of
// the last half hour in its overview.
func (c *Client) workers(ctx context.Context) (workerPage, error) {
	var page workerPage
	err := c.get(ctx, "/api/workers", &page)
	if !isMissing(err) {
		return page, err
	}
	var o overview
	if err := c.get(ctx, "/api/overview", &o); err != nil {
		return page, err
	}
	for _, w := range o.Workers {
		row := worker{
			ID: w.Name, Name: w.Name, Online: w.Connection != "", Hashrate: w.Hashrate, Accuracy: w.Accuracy,
			ShareRate: w.ShareRate, Difficulty: w.Difficulty, Vardiff: w.Vardiff, Accepted: w.Accepted,
		}
		if row.Online {
			page.Online++
		}
		page.Workers = append(page.Workers, row)
	}
	page.Total = len(page.Workers)
	return page, nil
}
