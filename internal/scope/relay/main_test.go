package relay

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// bench is a relay between a miner and a pool that a test plays.
type bench struct {
	t        testing.TB
	server   *Server
	recorder *capture.Recorder
	address  string       // where miners connect
	pool     net.Listener // where the pool listens; nil when the test has its own
	stop     context.CancelFunc
	stopped  chan struct{}
}

// upstreamOf is the upstream that dials a listener.
func upstreamOf(t testing.TB, l net.Listener) Upstream {
	t.Helper()
	u, err := ParseUpstream(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// newBench starts a relay. Without upstreams in the configuration it relays to
// a pool of its own.
func newBench(t testing.TB, cfg Config, o ListenerOptions) *bench {
	t.Helper()
	b := &bench{t: t, stopped: make(chan struct{})}
	if len(cfg.Upstreams) == 0 {
		b.pool = listen(t, "127.0.0.1:0")
		cfg.Upstreams = []Upstream{upstreamOf(t, b.pool)}
	}
	log := slog.New(slog.DiscardHandler)
	b.recorder = capture.New(capture.Config{}, log)
	var err error
	if b.server, err = New(cfg, b.recorder, log); err != nil {
		t.Fatal(err)
	}
	l := listen(t, "127.0.0.1:0")
	b.address = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	recording := make(chan struct{})
	recordCtx, stopRecording := context.WithCancel(context.Background())
	go func() {
		defer close(recording)
		_ = b.recorder.Run(recordCtx)
	}()
	go func() {
		defer close(b.stopped)
		if err := b.server.Serve(ctx, l, o); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-b.stopped
		stopRecording()
		<-recording
	})
	return b
}

// dial connects a miner.
func (b *bench) dial() *net.TCPConn {
	b.t.Helper()
	nc, err := net.Dial("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc.(*net.TCPConn)
}

// accept takes a connection as the pool.
func accept(t testing.TB, l net.Listener) *net.TCPConn {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc.(*net.TCPConn)
}

// connect connects a miner through to the pool.
func (b *bench) connect() (miner, pool *net.TCPConn) {
	b.t.Helper()
	miner = b.dial()
	return miner, accept(b.t, b.pool)
}

// say writes all of a text.
func say(t testing.TB, to io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

// hear reads exactly a text.
func hear(t testing.TB, from io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(from, got); err != nil {
		t.Fatalf("heard %q, then %v; want %q", got[:n], err, text)
	}
	if string(got) != text {
		t.Fatalf("heard %q, want %q", got, text)
	}
}

// session waits for the only session, and returns it.
func (b *bench) session() *Session {
	b.t.Helper()
	var id string
	b.wait("a session", func() bool {
		for _, s := range b.recorder.Store().Sessions() {
			if s.Live() {
				id = s.ID
			}
		}
		return id != ""
	})
	s, ok := b.server.Session(id)
	if !ok {
		b.t.Fatalf("no live session %s", id)
	}
	return s
}

// ended waits until the newest session is over and returns what is known of it.
func (b *bench) ended() capture.Session {
	b.t.Helper()
	var last capture.Session
	b.wait("the end of the session", func() bool {
		all := b.recorder.Store().Sessions()
		if len(all) == 0 {
			return false
		}
		last = all[len(all)-1]
		return !last.Live()
	})
	return last
}

// wait polls until something holds.
func (b *bench) wait(what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}
