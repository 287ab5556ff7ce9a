// Package program builds the poolscope binary and runs it, for the tests that
// prove the whole program as people use it: test/e2e, test/conformance.
package program

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// StartLimit is how long the program may take until ports.json is there, on a
// busy machine.
const StartLimit = 20 * time.Second

// Main is the body of a TestMain: it builds the binary into a folder of its
// own, puts its path into binary, runs the tests and returns the exit code.
func Main(m *testing.M, binary *string) int {
	dir, err := os.MkdirTemp("", "poolscope-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make folder:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder that stays in /tmp harms nobody

	path := filepath.Join(dir, "poolscope")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./cmd/poolscope")
	build.Dir = nodes.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build poolscope: %v\n%s", err, out)
		return 1
	}
	*binary = path
	return m.Run()
}

// Ports is DATA/ports.json.
type Ports struct {
	HTTP       string `json:"http"`
	Stratum    string `json:"stratum"`
	StratumTLS string `json:"stratum_tls"`
	NodeRPC    string `json:"node_rpc"`
	NodeCookie string `json:"node_cookie"`
	NodeZMQ    string `json:"node_zmq"`
}

// Server is a poolscope that serves.
type Server struct {
	*nodes.Process
	Ports
	DataDir string
}

// Start runs a serving sub-command in dataDir and returns when its addresses
// are known. Arguments begin with the sub-command.
func Start(t testing.TB, binary, dataDir string, arguments ...string) *Server {
	t.Helper()
	path := filepath.Join(dataDir, "ports.json")
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err) // one that was left by a process that was killed must not be taken for news
	}
	command := append([]string{binary, arguments[0], "--data-dir", dataDir}, arguments[1:]...)
	p := &Server{Process: nodes.Start(t, "poolscope "+arguments[0], command...), DataDir: dataDir}
	nodes.WaitFor(t, StartLimit, "ports.json", func() bool {
		if !p.Running() {
			t.Fatalf("it ended at its start with code %d:\n%s", p.ExitCode(), p.Output())
		}
		data, err := os.ReadFile(path)
		return err == nil && json.Unmarshal(data, &p.Ports) == nil
	})
	return p
}

// AnyPorts are the flags of demo and pool that let the system choose the ports.
func AnyPorts(more ...string) []string {
	return append([]string{"--http", "127.0.0.1:0", "--stratum", "127.0.0.1:0", "--stratum-tls", "127.0.0.1:0"}, more...)
}

// Node is a client for the RPC server of a devnet or demo.
func (p *Server) Node() nodes.RPC {
	return nodes.RPC{URL: "http://" + p.NodeRPC, CookieFile: p.NodeCookie}
}
