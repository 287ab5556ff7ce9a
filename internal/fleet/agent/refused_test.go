package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/nostr"
)

// dishonest is a relay that sends what it likes to whoever subscribes.
func dishonest(t *testing.T, events []*nostr.Event) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = socket.CloseNow() }()
		socket.SetReadLimit(1 << 20)
		for {
			_, data, err := socket.Read(r.Context())
			if err != nil {
				return
			}
			var m []json.RawMessage
			if json.Unmarshal(data, &m) != nil || string(m[0]) != `"REQ"` {
				continue
			}
			for _, e := range events {
				text := append([]byte(`["EVENT",`), m[1]...)
				text = append(e.AppendJSON(append(text, ',')), ']')
				if socket.Write(r.Context(), websocket.MessageText, text) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// TestWhatARelayMakesUpIsNotSubmitted has one true share among events that are
// forged, changed, of another run or author, too old, too large or nonsense.
func TestWhatARelayMakesUpIsNotSubmitted(t *testing.T) {
	now := time.Now().Add(5 * time.Second) // after the agent asks
	content := func(job, run string) []byte {
		share := fleet.Share{
			RunID: run, EventID: "e-" + job, Seq: 1, Time: fleet.FormatTime(now), RepeatCount: 1,
			Stratum: fleet.Submit{Params: []json.RawMessage{[]byte(`"w"`), fmt.Appendf(nil, "%q", job), []byte(`"00"`), []byte(`"65"`), []byte(`"ab"`)}},
		}
		text, err := share.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	seal := func(author int, run string, text []byte, at time.Time) *nostr.Event {
		m, err := fleet.NewMember(run, fleet.DefaultKinds(), secret(t, author), nostr.SecretKey{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Seal(fleet.TypeShare, text, at)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	good := seal(1, "run1", content("good", "run1"), now)
	unsigned := seal(1, "run1", content("unsigned", "run1"), now)
	unsigned.Sig = strings.Repeat("0", 128)
	changed := seal(1, "run1", content("changed", "run1"), now)
	changed.Content = strings.Replace(changed.Content, "changed", "swapped", 1)
	events := []*nostr.Event{
		unsigned, changed,
		seal(1, "run2", content("foreign", "run2"), now),
		seal(3, "run1", content("stranger", "run1"), now),
		seal(1, "run1", content("old", "run1"), now.Add(-time.Hour)),
		seal(1, "run1", []byte(`{"x":"`+strings.Repeat("x", 70_000)+`"}`), now),
		seal(1, "run1", content("other", "run9"), now),
		seal(1, "run1", []byte(`{"schema":"hashscope.v1"}`), now),
		good, good,
	}
	s, p := newScope(t), newPool(t)
	a := start(t, s, p, func(c *Config) { c.Relays = []string{dishonest(t, events)} })
	eventually(t, "the true share is accepted", func() bool { return a.Telemetry().Stats.Accepted == 1 })
	tel := a.Telemetry()
	var refused uint64
	for _, n := range tel.Report.Refused {
		refused += n
	}
	// What the subscription did not ask for (run, author, age) is told apart by
	// the client already, as unasked.
	if r := tel.Report.Refused; refused != 8 || r["forged"] != 2 || r["unasked"] != 3 || r["oversized"] != 1 || r["malformed"] != 2 || tel.Stats.Received != 1 {
		t.Errorf("%v, received %d", r, tel.Stats.Received)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) != 1 || !strings.Contains(p.lines[0], `"good"`) {
		t.Errorf("submitted %v", p.lines)
	}
}
