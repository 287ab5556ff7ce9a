// Package interop lets an implementation of Nostr that is not ours, nostr-tools
// from npm, talk with our relay, our client, our events, keys and ciphers.
package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// binary is the poolscope under test.
var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

// peer is a Node process with nostr-tools.
type peer struct {
	t       *testing.T
	in      io.Writer
	answers chan answer
	id      int
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *string         `json:"error"`
}

// startPeer starts nostr-tools. It fails, and does not skip, without it.
func startPeer(t *testing.T) *peer {
	t.Helper()
	if _, err := os.Stat(filepath.Join(nodes.Root(), "ui", "node_modules", "nostr-tools")); err != nil {
		t.Fatalf("nostr-tools is not installed; `make ui-deps` does: %v", err)
	}
	// Node 20 has a WebSocket, behind this flag; later ones take the flag too.
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-websocket", "--no-warnings", filepath.Join(nodes.Root(), "test", "interop", "peer.mjs"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, in: in, answers: make(chan answer, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.answers)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			var a answer
			if err := json.Unmarshal(line, &a); err != nil {
				return
			}
			p.answers <- a
		}
	}()
	t.Cleanup(func() {
		_ = in.Close() // ends it
		<-read
		_ = cmd.Wait()
	})
	return p
}

// try asks for something and reads the result.
func (p *peer) try(result any, do string, arguments map[string]any) error {
	p.t.Helper()
	p.id++
	request := map[string]any{"do": do, "id": p.id}
	for name, value := range arguments {
		request[name] = value
	}
	line, err := json.Marshal(request)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.t.Fatal(err)
	}
	select {
	case a, ok := <-p.answers:
		if !ok || a.ID != p.id {
			p.t.Fatalf("%s: nostr-tools has gone, or answers something else", do)
		}
		if a.Error != nil {
			return errors.New(*a.Error)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(a.Result, result); err != nil {
			p.t.Fatalf("%s: %s: %v", do, a.Result, err)
		}
		return nil
	case <-time.After(time.Minute):
		p.t.Fatalf("%s: no answer", do)
		return nil
	}
}

// do is try that must not fail.
func (p *peer) do(result any, do string, arguments map[string]any) {
	p.t.Helper()
	if err := p.try(result, do, arguments); err != nil {
		p.t.Fatalf("%s: %v", do, err)
	}
}

// sign lets nostr-tools sign an event, and is the event as we read it.
func (p *peer) sign(secret string, kind int, at int64, content string, tags ...[]string) *nostr.Event {
	p.t.Helper()
	if tags == nil {
		tags = [][]string{}
	}
	var raw json.RawMessage
	p.do(&raw, "sign", map[string]any{"secret": secret, "event": map[string]any{"kind": kind, "created_at": at, "content": content, "tags": tags}})
	e, err := nostr.ParseEvent(raw)
	if err != nil {
		p.t.Fatalf("%s: %v", raw, err)
	}
	return e
}

// wire is an event as it stands in JSON.
func wire(e *nostr.Event) json.RawMessage { return e.AppendJSON(nil) }

var relayAddress = regexp.MustCompile(`(?m)^  relay  (ws://\S+)$`)

// startRelay runs `poolscope relay` and returns its address.
func startRelay(t *testing.T, flags ...string) (address string, process *nodes.Process) {
	t.Helper()
	process = nodes.Start(t, "poolscope relay", append([]string{binary, "relay", "--listen", "127.0.0.1:0"}, flags...)...)
	nodes.WaitFor(t, program.StartLimit, "the relay's address", func() bool {
		if !process.Running() {
			t.Fatalf("it ended at its start:\n%s", process.Output())
		}
		if m := relayAddress.FindStringSubmatch(process.Output()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	return address, process
}

// key is a secret key, by number, in both forms that the tests need.
func key(t *testing.T, n int) (text string, k nostr.SecretKey) {
	t.Helper()
	text = fmt.Sprintf("%064x", n)
	k, err := nostr.ParseSecretKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return text, k
}
