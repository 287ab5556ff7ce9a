// Package operator proves what an operator does with a running pool: reload,
// upgrade, logs, monitoring; with the real binary, signals and sockets.
package operator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// binary is the path of the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(program.Main(m, &binary))
}

// patience is how long something may take on a busy machine.
const patience = 30 * time.Second

// miner is whom the tests' shares pay.
const miner = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// poolRig is a pool on a Bitcoin network of its own.
type poolRig struct {
	*program.Server
	t    *testing.T
	file string // its configuration
	base string // sections that every configuration has
}

// startPool runs the program at path as a pool, with further configuration.
func startPool(t *testing.T, path, text string, flags ...string) *poolRig {
	t.Helper()
	network := program.Start(t, binary, t.TempDir(), "devnet", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0")
	r := &poolRig{t: t, file: filepath.Join(t.TempDir(), "poolscope.toml")}
	r.base = fmt.Sprintf("[[node]]\nurl = \"http://%s\"\ncookie_file = %q\nzmq_hashblock = \"tcp://%s\"\n", network.NodeRPC, network.NodeCookie, network.NodeZMQ)
	r.configure(text)
	arguments := append([]string{"pool", "--config", r.file}, program.AnyPorts(flags...)...)
	r.Server = program.Start(t, path, t.TempDir(), arguments...)
	nodes.WaitFor(t, patience, "the pool is ready", r.ready)
	return r
}

// configure writes the configuration file.
func (r *poolRig) configure(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text+"\n"+r.base), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *poolRig) ready() bool {
	status, _, err := r.get("/readyz")
	return err == nil && status == http.StatusOK
}

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func (r *poolRig) get(path string) (status int, body string, err error) {
	resp, err := client.Get("http://" + r.HTTP + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// page is a response that must come. At an upgrade a request may meet a server
// that is just ending; browsers try again, and so does this.
func (r *poolRig) page(path string) string {
	r.t.Helper()
	status, body, err := r.get(path)
	if err != nil {
		status, body, err = r.get(path)
	}
	if err != nil || status != http.StatusOK {
		r.t.Fatalf("GET %s: %d %s %v", path, status, body, err)
	}
	return body
}

// metric reads one value of /metrics; the name has its labels.
func (r *poolRig) metric(name string) float64 {
	r.t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(r.page("/metrics"))
	if found == nil {
		r.t.Fatalf("there is no metric %s", name)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return value
}

// subscribe opens a connection and returns the session that the pool gives it,
// asking for an earlier one if that is not empty.
func subscribe(t *testing.T, address, earlier string) (session string, conn net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, `{"id":1,"method":"mining.subscribe","params":["cgminer/4.11.1","%s"]}`+"\n"+
		`{"id":2,"method":"mining.authorize","params":["%s.resumes","x"]}`+"\n", earlier, miner); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var reply struct {
			ID     int
			Method string
			Result []any
		}
		// Results of other shapes are not for us.
		_ = json.Unmarshal(lines.Bytes(), &reply)
		if reply.ID == 1 && len(reply.Result) == 3 {
			session, _ = reply.Result[1].(string)
		}
		if reply.Method == "mining.notify" {
			return session, conn
		}
	}
	t.Fatalf("no work: %v", lines.Err())
	return "", nil
}

// firstWork makes the handshake of a miner on a new connection and returns the
// first mining.notify.
func firstWork(address string) (notify string, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", fmt.Errorf("refused: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, `{"id":1,"method":"mining.subscribe","params":["test/1"]}`+"\n"+
		`{"id":2,"method":"mining.authorize","params":["`+miner+`.x","x"]}`+"\n"); err != nil {
		return "", fmt.Errorf("closed: %w", err)
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if strings.Contains(lines.Text(), "mining.notify") && !strings.Contains(lines.Text(), `"id":1`) {
			return lines.Text(), nil
		}
	}
	return "", fmt.Errorf("closed: %w", io.ErrUnexpectedEOF)
}
