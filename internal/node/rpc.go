package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How long a call may take. Nodes on small computers need more than five
// seconds for a template, and answer nothing at all while they connect a
// block.
const (
	quickTimeout    = 15 * time.Second // hashes and headers
	infoTimeout     = 30 * time.Second
	templateTimeout = 90 * time.Second
	// spareTimeout is for a template when another node could give one.
	spareTimeout  = 30 * time.Second
	submitTimeout = 60 * time.Second
	// longPollTimeout ends a long poll that nothing happened to. Bitcoin Core
	// waits without an end when the mempool does not change.
	longPollTimeout = 10 * time.Minute
)

// How large an answer may be. A full block is 8 MB of hex digits, and each of
// at most some 16,000 transactions adds about 300 bytes of JSON.
const (
	maxAnswer         = 4 << 20
	maxTemplateAnswer = 32 << 20
)

// maxErrorText bounds a node's error message.
const maxErrorText = 300

// rpcClient calls one node. It makes one attempt per call; who needs another
// one makes it.
type rpcClient struct {
	endpoint endpoint
	creds    *credentials
	http     *http.Client
	id       atomic.Uint64
	buffers  sync.Pool // of *bytes.Buffer: answers are megabytes
}

func newRPCClient(e endpoint, creds *credentials, transport http.RoundTripper) *rpcClient {
	c := &rpcClient{
		endpoint: e,
		creds:    creds,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.buffers.New = func() any { return new(bytes.Buffer) }
	return c
}

// newTransport is for one node. It never uses a proxy from the environment: a
// proxy would see the credentials.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         newDialer().DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 8,
		// Bitcoin Core closes a silent connection after 30 s (rpcservertimeout).
		IdleConnTimeout:        20 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}

// newDialer makes connections whose other end cannot vanish unnoticed: a long
// poll or a ZMQ subscription is silent for minutes when all is well, so the
// kernel asks, and gives up after 15 s + 4·10 s.
func newDialer() *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 4,
		},
	}
}

// request encodes a call. Its params are JSON already.
func (c *rpcClient) request(method string, params ...[]byte) []byte {
	size := 80 + len(method)
	for _, p := range params {
		size += len(p) + 1
	}
	b := make([]byte, 0, size)
	b = append(b, `{"jsonrpc":"1.0","id":`...)
	b = strconv.AppendUint(b, c.id.Add(1), 10)
	b = append(b, `,"method":"`...)
	b = append(b, method...)
	b = append(b, `","params":[`...)
	for i, p := range params {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, p...)
	}
	return append(b, "]}"...)
}

// quoteHex is data as a JSON string of hex digits.
func quoteHex(data []byte) []byte {
	b := make([]byte, 0, 2*len(data)+2)
	b = append(b, '"')
	b = hex.AppendEncode(b, data)
	return append(b, '"')
}

// call makes a small call and decodes its result with encoding/json; a result
// of null leaves the value alone.
func (c *rpcClient) call(ctx context.Context, timeout time.Duration, result any, method string, params ...[]byte) error {
	return c.post(ctx, timeout, maxAnswer, method, c.request(method, params...), func(body []byte) error {
		var answer struct {
			Result json.RawMessage `json:"result"`
			Error  *RPCError       `json:"error"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return fmt.Errorf("%w: %s", ErrMalformed, method)
		}
		if answer.Error != nil {
			return answer.Error.bounded()
		}
		if result == nil || len(answer.Result) == 0 {
			return nil
		}
		if err := json.Unmarshal(answer.Result, result); err != nil {
			return fmt.Errorf("%w: result of %s", ErrMalformed, method)
		}
		return nil
	})
}

// post sends a request and hands the body of the answer to read. The body is
// valid only during that call. A JSON-RPC error counts more than the HTTP
// status that carries it: Core sends 404 for an unknown method and 500 for
// most other errors. Errors are RPCError, HTTPError, timeoutError, one of the
// sentinels, or the network's; when ctx itself ended, ctx.Err().
func (c *rpcClient) post(ctx context.Context, timeout time.Duration, limit int64, method string, request []byte, read func([]byte) error) error {
	callCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	err := c.attempt(callCtx, limit, request, read)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case callCtx.Err() != nil:
		return &timeoutError{method: method, after: timeout}
	}
	return err
}

func (c *rpcClient) attempt(ctx context.Context, limit int64, request []byte, read func([]byte) error) error {
	auth, err := c.creds.header()
	if err != nil {
		return err
	}
	resp, err := c.send(ctx, request, auth)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusUnauthorized && c.creds.renew(auth) {
		_ = resp.Body.Close()
		if auth, err = c.creds.header(); err != nil {
			return err
		}
		if resp, err = c.send(ctx, request, auth); err != nil {
			return err
		}
	}
	defer func() { _ = resp.Body.Close() }()

	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return ErrRedirect
	}
	buf := c.buffers.Get().(*bytes.Buffer)
	defer c.buffers.Put(buf)
	buf.Reset()
	if resp.ContentLength > limit {
		return ErrTooLarge
	}
	if resp.ContentLength > 0 {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1)); err != nil {
		return plainError(err)
	}
	if int64(buf.Len()) > limit {
		return ErrTooLarge
	}
	return interpret(resp.StatusCode, buf.Bytes(), read)
}

// interpret decides what an answer is.
func interpret(status int, body []byte, read func([]byte) error) error {
	first := bytes.TrimLeft(body[:min(len(body), 64)], " \t\r\n")
	isJSON := len(first) > 0 && first[0] == '{'
	if status == http.StatusOK {
		if !isJSON {
			return ErrNotJSON
		}
		return read(body)
	}
	if isJSON && status != http.StatusUnauthorized {
		var answer struct {
			Error *RPCError `json:"error"`
		}
		if json.Unmarshal(body, &answer) == nil && answer.Error != nil {
			return answer.Error.bounded()
		}
	}
	return &HTTPError{Status: status, HTML: len(first) > 0 && first[0] == '<'}
}

func (c *rpcClient) send(ctx context.Context, request []byte, auth string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.url, bytes.NewReader(request))
	if err != nil {
		return nil, fmt.Errorf("%w: no request can be made for it", ErrURL)
	}
	req.Header.Set("Content-Type", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	// Every call may be repeated. An empty list lets net/http do that when the
	// node closes an idle connection at the wrong moment; nothing is sent.
	req.Header["Idempotency-Key"] = nil

	resp, err := c.http.Do(req)
	if err != nil {
		return nil, plainError(err)
	}
	return resp, nil
}

// plainError strips the URL that net/http puts into its errors.
func plainError(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// bounded cuts the node's words to a length that fits a page.
func (e *RPCError) bounded() *RPCError {
	if len(e.Message) > maxErrorText {
		e.Message = strings.ToValidUTF8(e.Message[:maxErrorText], "") + "…"
	}
	return e
}
