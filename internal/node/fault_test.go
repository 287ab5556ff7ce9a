package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// panicky is a transport that panics when a call to its method is made, on the
// goroutine that makes it: where a fault in reading an answer would.
type panicky struct {
	next   http.RoundTripper
	method atomic.Value // string; "" is none
}

func (p *panicky) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	if method := p.method.Load().(string); method != "" && bytes.Contains(body, []byte(`"method":"`+method+`"`)) {
		panic("fault in " + method)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return p.next.RoundTrip(req)
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newPanickyNodes makes a client of the fakes, the first of which is behind a
// panicky transport.
func newPanickyNodes(t *testing.T, fakes ...*fakeNode) (*Nodes, *panicky, *lockedBuffer) {
	t.Helper()
	p := &panicky{next: fakes[0]}
	p.method.Store("")
	n := newTestNodes(t, Config{}, fakes...)
	n.members[0].rpc.http.Transport = p
	written := new(lockedBuffer)
	n.log = slog.New(slog.NewTextHandler(written, nil))
	return n, p, written
}

// A panic in a part of the client is logged and counted; the part begins anew,
// with pauses, and works when the cause is gone.
func TestActorsSurvivePanics(t *testing.T) {
	for method, part := range map[string]string{
		"getblockchaininfo": "part=monitor",
		"getpeerinfo":       "part=monitor",
		"getbestblockhash":  "part=watch",
		"getblockheader":    "part=headers",
		"getblocktemplate":  `part="template of a"`,
	} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNode(bitcoin.Regtest, 10)
				n, p, written := newPanickyNodes(t, f)
				p.method.Store(method)
				run(t, n)
				time.Sleep(time.Minute)
				s := n.Status()
				if s.Faults < 3 || s.Faults > 60 {
					t.Errorf("%d faults in a minute", s.Faults)
				}
				if !slices.ContainsFunc(s.Errors, func(e Event) bool { return e.Type == "fault" }) {
					t.Errorf("events %+v", s.Errors)
				}
				for _, want := range []string{"level=ERROR", part, `panic="fault in ` + method, "panicky"} {
					if !strings.Contains(written.String(), want) {
						t.Errorf("%q is not in the log:\n%.2000s", want, written)
					}
				}

				p.method.Store("")
				time.Sleep(20 * time.Second)
				before := n.Status().Faults
				tip := f.mine(1)
				for tmpl := next(t, n, time.Second); tmpl.PrevHash != tip; {
					tmpl = next(t, n, time.Second)
				}
				time.Sleep(time.Second)
				s = n.Status()
				if s.Faults != before || s.Nodes[0].State != StateReady || s.Tip == nil || s.Tip.Hash != tip || len(s.RecentBlockTimes) != recentBlocks || s.Nodes[0].Subversion == "" {
					t.Errorf("%d faults after %d, tip %+v, node %+v", s.Faults, before, s.Tip, s.Nodes[0])
				}
			})
		})
	}
}

// A template that this program cannot digest is no reason to stand still while
// another node has one.
func TestFaultyTemplateFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 10), newFakeNode(bitcoin.Regtest, 10)
		n, p, _ := newPanickyNodes(t, a, b)
		run(t, n)
		nextFrom(t, n, "a", time.Second)
		time.Sleep(5 * time.Second)
		p.method.Store("getblocktemplate")
		n.Refresh()
		if tmpl := next(t, n, time.Second); tmpl.Node != "b" {
			t.Errorf("template from %s", tmpl.Node)
		}
		if s := n.Status().Nodes[0]; s.State != StateRefused || !strings.Contains(s.Reason, "This program has a fault") {
			t.Errorf("node %+v", s)
		}
	})
}

// The part that reads a publisher begins anew too, and does not count as
// healthy meanwhile.
func TestSubscriberSurvivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := newTestNodes(t, Config{Nodes: []NodeConfig{{ZMQHashBlock: "tcp://127.0.0.1:1"}}}, f)
		var dials atomic.Int32
		n.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			if dials.Add(1) < 4 {
				n.publisherFound(n.members[0], n.members[0].zmq[0], func() {})
				panic("fault")
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		run(t, n)
		time.Sleep(10 * time.Second)
		if s := n.Status(); dials.Load() != 4 || s.Faults != 3 || s.ZMQ.Healthy {
			t.Errorf("%d dials, status %+v", dials.Load(), s)
		}
	})
}

// A panic in the submission to one node costs neither the process nor the
// submissions to the others.
func TestSubmitSurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeNode(bitcoin.Regtest, 3), newFakeNode(bitcoin.Regtest, 3)
		b.delay["submitblock"] = time.Second
		n, p, _ := newPanickyNodes(t, a, b)
		p.method.Store("submitblock")
		got := n.SubmitBlock(t.Context(), []byte{1}, someHash)
		if got[0].Verdict != Unreachable || !errors.Is(got[0].Err, ErrFault) || got[0].Node != "a" || got[1].Verdict != Accepted || n.Status().Faults != 1 {
			t.Errorf("got %+v", got)
		}
	})
}
