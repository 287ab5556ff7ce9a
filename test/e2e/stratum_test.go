package e2e

import (
	"bufio"
	"encoding/json"
	"net"
	"testing"
	"time"
)

// Addresses on regtest whose keys are numbers that everybody knows, so that
// these tests depend on no code of ours for them.
const (
	minerAddress = "bcrt1qq6hag67dl53wl99vzg42z8eyzfz2xlkvwk6f7m" // key 2
	anyAddress   = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" // key 1
	minerScript  = "001406afd46bcdfd22ef94ac122aa11f241244a37ecc"
)

// stratumClient speaks Stratum V1 as a test needs it: lines of JSON, nothing
// shared with the pool's code.
type stratumClient struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Scanner
}

// message is any line of Stratum V1.
type message struct {
	ID     any    `json:"id"`
	Method string `json:"method"`
	Params []any  `json:"params"`
	Result any    `json:"result"`
	Error  []any  `json:"error"`
}

func dialStratum(t testing.TB, address string) *stratumClient {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	in := bufio.NewScanner(conn)
	in.Buffer(nil, 1<<20)
	return &stratumClient{t: t, conn: conn, in: in}
}

// call sends a request and returns the answer to it, passing over what the pool
// says unasked.
func (c *stratumClient) call(id int, method string, params ...any) message {
	c.t.Helper()
	if params == nil {
		params = []any{}
	}
	line, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		c.t.Fatalf("send %s: %v", method, err)
	}
	return c.await("the answer to "+method, func(m message) bool { return m.ID == float64(id) && m.Method == "" })
}

// await reads until a line is as wanted.
func (c *stratumClient) await(what string, wanted func(message) bool) message {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	for c.in.Scan() {
		var m message
		if err := json.Unmarshal(c.in.Bytes(), &m); err != nil {
			c.t.Fatalf("the pool sent %q: %v", c.in.Text(), err)
		}
		if wanted(m) {
			return m
		}
	}
	c.t.Fatalf("the connection ended before %s: %v", what, c.in.Err())
	return message{}
}

// wantError checks the code and the text of a refusal.
func (m message) wantError(t *testing.T, code float64, text string) {
	t.Helper()
	if len(m.Error) < 2 || m.Error[0] != code || m.Error[1] != text {
		t.Errorf("got result %v, error %v; want error %v %q", m.Result, m.Error, code, text)
	}
}
