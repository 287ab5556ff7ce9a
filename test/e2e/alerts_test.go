package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// alertSink is somebody else's program that gets our webhook. It goes by the
// message's id, as docs/alerts.md tells.
type alertSink struct {
	*httptest.Server
	mu    sync.Mutex
	ids   map[string]bool
	told  map[string]int // found blocks, by the end of the hash: miners may find two of one height
	again int            // messages that came once more
}

func newAlertSink(t *testing.T) *alertSink {
	s := &alertSink{ids: make(map[string]bool), told: make(map[string]int)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     string
			Events []struct {
				Values struct{ Hash string }
			}
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &m); err != nil || m.ID == "" {
			t.Errorf("not a message: %s", body)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ids[m.ID] {
			s.again++
			return
		}
		s.ids[m.ID] = true
		for _, e := range m.Events {
			s.told[endOf(e.Values.Hash)]++
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// knows says whether a block was told.
func (s *alertSink) knows(hash string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told[endOf(hash)] > 0
}

// endOf is the part of a block's hash that is not hidden from strangers.
func endOf(hash string) string { return hash[max(0, len(hash)-8):] }

// post sends JSON to the program as the operator who can read its data folder,
// with the token in there.
func post[T any](t *testing.T, p *running, dir, path, body string) (answer T) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(dir, "scope-token"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.HTTP+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 || json.Unmarshal(text, &answer) != nil {
		t.Fatalf("POST %s: %d %s %v", path, resp.StatusCode, text, err)
	}
	return answer
}

// TestAlertsOverKills kills the program (SIGKILL) while it finds blocks and tells
// of them. Every block of the books is told once.
func TestAlertsOverKills(t *testing.T) {
	t.Parallel()
	sink, dir := newAlertSink(t), t.TempDir()
	p := start(t, dir, demoFlags()...)
	type made struct{ ID string }
	channel := post[made](t, p, dir, "/api/alerts/channels", `{"kind":"webhook","settings":{"webhook":"`+sink.URL+`"}}`)
	post[made](t, p, dir, "/api/alerts/rules", `{"name":"blocks","scope":"pool","events":["block_found"],"channels":["`+channel.ID+`"]}`)
	var first foundBlock
	nodes.WaitFor(t, 3*time.Minute, "the first block to be told", func() bool {
		for _, b := range p.blocks(t) {
			if sink.knows(b.Hash) {
				first = b
				return true
			}
		}
		return false
	})

	for round := range 5 {
		blocks := len(p.blocks(t))
		nodes.WaitFor(t, 3*time.Minute, "blocks to kill in between", func() bool { return len(p.blocks(t)) > blocks })
		// At another point on a message's way each time: noticed, waiting, being sent.
		time.Sleep(time.Duration(round) * 1700 * time.Millisecond)
		p.Kill()
		p = start(t, dir, demoFlags()...)
	}

	found := p.blocks(t)
	var untold []foundBlock
	nodes.WaitFor(t, 3*time.Minute, "all blocks to be told", func() bool {
		untold = nil
		for _, b := range found {
			if b.Height >= first.Height && !sink.knows(b.Hash) {
				untold = append(untold, b)
			}
		}
		return len(untold) == 0
	})
	p.stop(t)
	sink.mu.Lock()
	defer sink.mu.Unlock()
	for hash, n := range sink.told {
		if n != 1 {
			t.Errorf("block %s was told %d times", hash, n)
		}
	}
	t.Logf("%d blocks told once, %d messages came again under their ids", len(sink.told), sink.again)
}
