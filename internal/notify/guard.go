package notify

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// What people enter as the address of a service must not lead the pool into the
// operator's own network. The rule is kept where it cannot be got around: at the
// moment of connecting, when names are resolved and all spellings of an address
// are the same.

// errPrivate says that a channel leads to where it must not.
var errPrivate = errors.New("the address is not a public one, or is this machine's own; only operators may use such, when alerts.allow_private is set")

// special are the networks that are not the public internet, besides those that
// netip knows (RFC 6890 and the registries of special-purpose addresses).
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
)

// publicV6 is all of IPv6 that is given out. What carries IPv4 inside (::ffff:0:0/96,
// 64:ff9b::/96) and unique local addresses are outside of it.
var publicV6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// isPublic says whether an address belongs to the public internet.
func isPublic(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !publicV6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// allowedPort keeps people from using the pool as a way to odd services: the
// ports of the web, and those that anybody may use.
func allowedPort(port uint16) bool { return port == 80 || port == 443 || port >= 1024 }

// guard is called with the resolved address right before each connection.
func guard(_, address string, _ syscall.RawConn) error { return mayReach(address, net.InterfaceAddrs) }

// mayReach says whether an address may be connected to from a machine that has own
// addresses: what listens there on other ports than those of the web, such as a
// node's RPC, trusts that a firewall keeps strangers out, and connections from the
// machine itself pass it.
func mayReach(address string, own func() ([]net.Addr, error)) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(at.Addr()) || !allowedPort(at.Port()) {
		return errPrivate
	}
	if at.Port() == 80 || at.Port() == 443 {
		return nil
	}
	list, err := own()
	if err != nil {
		return errPrivate
	}
	for _, a := range list {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().Unmap() == at.Addr().Unmap() {
			return errPrivate
		}
	}
	return nil
}

const (
	// maxAnswer is how much of an answer is read.
	maxAnswer = 64 << 10
	// connectTime bounds connecting.
	connectTime = 8 * time.Second
)

// newClient makes an HTTP client for senders. It follows no redirects, and goes
// through no proxy, which would connect to anything. guarded ones reach the public
// internet only.
func newClient(guarded bool, roots *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: connectTime}
	if guarded {
		dialer.Control = guard
	}
	return &http.Client{
		Timeout:       sendTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        roots.Clone(),
			TLSHandshakeTimeout:    connectTime,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: maxAnswer,
			DisableKeepAlives:      true, // messages are rare
		},
	}
}

// limitedBody is an answer of which a part is read.
type limitedBody struct {
	io.Reader
	io.Closer
}

// errAnswer is the answer of a service that did not take a message.
type errAnswer struct {
	code int
	text string // the service's words, short
}

func (e errAnswer) Error() string {
	text := "the service answered " + strconv.Itoa(e.code)
	if name := http.StatusText(e.code); name != "" {
		text += " " + name
	}
	if e.text != "" {
		text += ": " + e.text
	}
	return text
}

// judge says what an answer means: nil for success, temporary or permanent
// otherwise.
func judge(res *http.Response, body []byte, now time.Time) error {
	code := res.StatusCode
	err := error(errAnswer{code, Plain(string(body), 200)})
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return Permanent(errAnswer{code, "it points elsewhere, and redirects are not followed"})
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return Later(err, max(retryAfter(res.Header.Get("Retry-After"), now), retryIn(body)))
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		return Unsure(err) // a proxy got no answer from the service behind it
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return err
	default:
		return Permanent(err)
	}
}

// retryAfter reads the header Retry-After (RFC 9110 section 10.2.3); 0 when it
// cannot be understood.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// retryIn reads the pause that some services ask for in the answer instead: Discord
// (retry_after, seconds), Telegram (parameters.retry_after, seconds), Matrix
// (retry_after_ms); 0 without.
func retryIn(body []byte) time.Duration {
	var answer struct {
		Seconds      float64 `json:"retry_after"`
		Milliseconds float64 `json:"retry_after_ms"`
		Parameters   struct {
			Seconds float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return 0
	}
	seconds := max(answer.Seconds, answer.Milliseconds/1000, answer.Parameters.Seconds)
	return time.Duration(min(max(0, seconds), giveUpAfter.Seconds()) * float64(time.Second))
}

// explain says why a connection failed, without the address, the names and the
// tokens in errors of net/http: what they tell about the network is not for
// everybody.
func explain(err error) error {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var address *url.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errPrivate):
		return Permanent(errPrivate)
	case errors.As(err, &dns):
		return errors.New("the host of the service was not found")
	case errors.As(err, &certificate):
		return errors.New("the certificate of the service is not trusted")
	case errors.As(err, &record):
		return errors.New("the service does not speak TLS")
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return errors.New("the service did not answer in time")
	case errors.Is(err, context.Canceled):
		return errors.New("poolscope was stopped while sending")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the service refused the connection")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("the service broke the connection off")
	case errors.As(err, &address):
		return errors.New("the service could not be reached")
	}
	return err
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// post sends a request and reads the answer.
func post(client *http.Client, req *http.Request) error {
	req.Header.Set("User-Agent", userAgent)
	req, left := watched(req)
	res, err := client.Do(req)
	if err != nil {
		return unanswered(err, left)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil && res.StatusCode/100 != 2 {
		return explain(err)
	}
	return judge(res, body, time.Now())
}

// watched is a request that tells whether it left, all of it or its beginning.
func watched(req *http.Request) (out *http.Request, left *atomic.Bool) {
	left = new(atomic.Bool)
	trace := &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), trace)), left
}

// unanswered says why there was no answer: a request that had left may have had
// its effect.
func unanswered(err error, left *atomic.Bool) error {
	if err = explain(err); left.Load() && !IsPermanent(err) {
		return Unsure(err)
	}
	return err
}

// userAgent is how senders call themselves.
const userAgent = "poolscope"

// baseURL checks the address of a service as people enter it. Only operators may
// do without TLS.
func baseURL(label, text string, operator bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, badSetting("%s must be like https://host/path", label)
	case u.Scheme == "http" && !operator:
		return nil, badSetting("%s must begin with https://", label)
	case u.User != nil:
		return nil, badSetting("%s must not hold a user and password", label)
	case u.Fragment != "":
		return nil, badSetting("%s must not have a #fragment", label)
	}
	return u, nil
}

// clip cuts a text to at most limit characters.
func clip(s string, limit int) string {
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// redact takes the secrets of a channel and all addresses out of a text.
func redact(text string, settings map[string]string) string {
	for key, value := range settings {
		if !secretKeys[key] || len(value) < 4 {
			continue
		}
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value), strconv.Quote(value)} {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return Plain(addresses.ReplaceAllString(text, "[address]"), 300)
}

// describe is the error of a service through shoutrrr, whose texts may hold
// anything.
func describe(err error, settings map[string]string) error {
	text := redact(err.Error(), settings)
	if IsPermanent(err) {
		return Permanent(errors.New(text))
	}
	return fmt.Errorf("%s", text)
}
