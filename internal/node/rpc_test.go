package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// serve runs a fake node on a real socket.
func serve(t *testing.T, f *fakeNode, address string) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(f)
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// Over real sockets: IPv6, a path, user and password, a block found, the end.
func TestRealSockets(t *testing.T) {
	f := newFakeNode(bitcoin.Regtest, 10)
	f.txs = makeTxs(300, 100)
	f.auth = "alice:se:cret"
	server := serve(t, f, "[::1]:0")
	n, err := New(Config{Nodes: []NodeConfig{{URL: server.URL + "/wallet/x", User: "alice", Password: "se:cret"}}}, discard())
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	if tmpl := next(t, n, 10*time.Second); len(tmpl.Transactions) != 300 {
		t.Errorf("%d transactions", len(tmpl.Transactions))
	}
	tip := f.mine(1)
	if tmpl := next(t, n, 10*time.Second); tmpl.PrevHash != tip {
		t.Error("template of another tip")
	}
	if got := n.SubmitBlock(t.Context(), make([]byte, 1<<20), tip); got[0].Verdict != Accepted {
		t.Errorf("got %+v", got)
	}
	if s := n.Status().Nodes[0]; !strings.HasPrefix(s.Address, "[::1]:") || s.Name != s.Address {
		t.Errorf("node %+v", s)
	}
}

// A redirect is not followed, so that credentials stay.
func TestRedirectKeepsCredentials(t *testing.T) {
	asked := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer thief.Close()
	server := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer server.Close()

	c := newTestClient(t, server.URL, newCredentials("u", "p", ""))
	if err := c.call(t.Context(), time.Minute, nil, "x"); !errors.Is(err, ErrRedirect) || asked {
		t.Errorf("error %v, followed %v", err, asked)
	}
}

func newTestClient(t *testing.T, url string, creds *credentials) *rpcClient {
	t.Helper()
	e, _, _, err := parseEndpoint(url, "")
	if err != nil {
		t.Fatal(err)
	}
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return newRPCClient(e, creds, transport)
}

// Nothing that a call fails with holds the password or the cookie.
func TestErrorsHoldNoSecret(t *testing.T) {
	cookie := filepath.Join(t.TempDir(), "cookie")
	if err := os.WriteFile(cookie, []byte("__cookie__:hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.Close()
		case "/junk":
			conn, buf, _ := w.(http.Hijacker).Hijack()
			_, _ = buf.WriteString("\x16\x03\x01 no http")
			_ = buf.Flush()
			_ = conn.Close()
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for _, url := range []string{server.URL, server.URL + "/hang", server.URL + "/junk", "https://" + host, "http://127.0.0.1:1", "http://nowhere.invalid"} {
		for _, creds := range []*credentials{newCredentials("user", "hunter2", ""), newCredentials("", "", cookie)} {
			c := newTestClient(t, strings.Replace(url, "://", "://other:hunter2@", 1), creds)
			err := c.call(t.Context(), 10*time.Second, nil, "getblockcount")
			if err == nil {
				t.Fatalf("%s: no error", url)
			}
			state, reason := explain(err, c.endpoint.address)
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "error", err, "creds", creds, "config", NodeConfig{URL: url, Password: "hunter2"})
			for _, text := range []string{err.Error(), reason, state, log.String(), c.endpoint.url} {
				if strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyM") || reason == "" {
					t.Errorf("%s: %q", url, text)
				}
			}
		}
	}
}

func TestEndpoint(t *testing.T) {
	for raw, want := range map[string]string{
		"http://127.0.0.1:8332":         "http://127.0.0.1:8332/ 127.0.0.1:8332",
		"127.0.0.1:18443":               "http://127.0.0.1:18443/ 127.0.0.1:18443",
		"localhost":                     "http://localhost:38332/ localhost:38332",
		"https://node.example/wallet/a": "https://node.example:38332/wallet/a node.example:38332",
		"http://[::1]:8332":             "http://[::1]:8332/ [::1]:8332",
		"http://[fe80::1%25eth0]":       "http://[fe80::1%25eth0]:38332/ [fe80::1%eth0]:38332",
		"http://u:p@h:1/x?y=z#f":        "http://h:1/x h:1",
		"http://":                       "", "": "", "ftp://h": "", "http://h:port": "", "http://[::1": "",
	} {
		e, _, _, err := parseEndpoint(raw, bitcoin.Signet)
		if got := strings.TrimSpace(e.url + " " + e.address); err == nil && got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	for network, port := range map[bitcoin.Network]string{"": "8332", bitcoin.Mainnet: "8332", bitcoin.Testnet3: "18332", bitcoin.Testnet4: "48332", bitcoin.Regtest: "18443"} {
		if e, _, _, _ := parseEndpoint("http://h", network); e.address != "h:"+port {
			t.Errorf("%s: %s", network, e.address)
		}
	}
}

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ".cookie")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	header := func(c *credentials, want string) {
		t.Helper()
		if got, err := c.header(); got != want || (err == nil) != (want != "") {
			t.Errorf("header %q, %v; want %q", got, err, want)
		}
	}

	if got, err := newCredentials("", "", "").header(); got != "" || err != nil {
		t.Errorf("no credentials: %q, %v", got, err)
	}
	inDir, inFile, both := newCredentials("", "", dir), newCredentials("", "", path), newCredentials("u", "p", path)
	header(both, basicAuth([]byte("u:p")))
	if _, err := inFile.header(); !errors.Is(err, ErrCookie) || !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), dir) {
		t.Errorf("error %v", err)
	}
	write("c:1\r\n")
	for _, c := range []*credentials{inDir, inFile, both} {
		header(c, basicAuth([]byte("c:1")))
	}
	write("c:22")
	header(inDir, basicAuth([]byte("c:22")))
	if inDir.renew(basicAuth([]byte("c:22"))) || !inDir.renew(basicAuth([]byte("c:1"))) {
		t.Error("renew has to compare with what was used")
	}
	for _, bad := range []string{"", "nothing", "a:b\nc:d", strings.Repeat("x:", maxCookieSize)} {
		write(bad)
		if _, err := newCredentials("", "", path).header(); !errors.Is(err, ErrCookie) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	header(inDir, "") // a node that is down has no cookie, and the old one is worthless
	if got := both.String() + newCredentials("", "", "").String(); got != "cookie file, user and passwordnone" {
		t.Errorf("%q", got)
	}
}

func TestExplainNetwork(t *testing.T) {
	for words, err := range map[string]error{
		"no route":               &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH},
		"cannot be resolved":     &net.DNSError{Err: "no such host", Name: "h"},
		"closed the connection":  &net.OpError{Op: "read", Err: syscall.ECONNRESET},
		"did not answer in time": &timeoutError{"m", time.Second},
		"cannot be reached":      errors.New("something new"),
		"may not be read":        cookieError(&os.PathError{Op: "open", Path: "/secret", Err: syscall.EACCES}),
		"does not hold a cookie": ErrCookie,
	} {
		if _, reason := explain(err, "h:1"); !strings.Contains(reason, words) || strings.Contains(reason, "/secret") {
			t.Errorf("%v: %q", err, reason)
		}
	}
	if _, reason := explain(context.DeadlineExceeded, "h:1"); !strings.Contains(reason, "in time") {
		t.Errorf("%q", reason)
	}
}

// An error text of a node is cut to a length that fits a page, and to whole
// letters.
func TestRPCErrorIsBounded(t *testing.T) {
	e := (&RPCError{Code: 1, Message: strings.Repeat("ä", 1000)}).bounded()
	if len(e.Message) > maxErrorText+len("…") || strings.ToValidUTF8(e.Message, "") != e.Message {
		t.Errorf("%d bytes: %q", len(e.Message), e.Message)
	}
}

func TestRequest(t *testing.T) {
	c := newTestClient(t, "http://h", newCredentials("", "", ""))
	var got struct {
		JSONRPC, Method string
		ID              int
		Params          []any
	}
	if err := json.Unmarshal(c.request("m", quoteJSON("a\"b"), []byte("true"), quoteHex([]byte{1, 0xab})), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != 1 || got.Method != "m" || len(got.Params) != 3 || got.Params[0] != `a"b` || got.Params[1] != true || got.Params[2] != "01ab" {
		t.Errorf("got %+v", got)
	}
}

func TestLatency(t *testing.T) {
	var l latency
	now := time.Unix(1_700_000_000, 0)
	if got := l.stats(now); got != (LatencyStats{}) {
		t.Errorf("empty: %+v", got)
	}
	l.add(9*time.Second, now)
	l.add(time.Second, now.Add(30*time.Minute))
	l.add(3*time.Second, now.Add(30*time.Minute))
	want := LatencyStats{Count: 3, Last: 3 * time.Second, Max: 9 * time.Second, Min1h: time.Second, Avg1h: 13 * time.Second / 3, Max1h: 9 * time.Second}
	if got := l.stats(now.Add(59 * time.Minute)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want.Min1h, want.Avg1h, want.Max1h = time.Second, 2*time.Second, 3*time.Second
	if got := l.stats(now.Add(61 * time.Minute)); got != want {
		t.Errorf("after an hour: %+v, want %+v", got, want)
	}
	l.add(2*time.Second, now.Add(60*time.Minute)) // takes the slot of the first
	if got := l.stats(now.Add(61 * time.Minute)); got.Max1h != 3*time.Second || got.Avg1h != 2*time.Second || got.Count != 4 {
		t.Errorf("slot taken over: %+v", got)
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	for i := range 12 {
		d := b.next()
		center := min(firstPause<<i, longestPause)
		if d < center*79/100 || d > center*121/100 {
			t.Errorf("pause %d is %v", i, d)
		}
	}
	b.reset()
	if d := b.next(); d > 2*firstPause {
		t.Errorf("after reset %v", d)
	}
}
