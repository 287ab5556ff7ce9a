package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// outcome is what Inject returned.
type outcome struct {
	line []byte
	at   time.Time
	err  error
}

// inject injects in the background.
func inject(ctx context.Context, s *Session, id string, sent func(time.Time)) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		line, at, err := s.Inject(ctx, []byte(`{"id":`+id+`,"method":"mining.submit"}`), id, sent)
		done <- outcome{line, at, err}
	}()
	return done
}

func injectedLine(id string) string { return `{"id":` + id + `,"method":"mining.submit"}` + "\n" }

func TestInject(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	s := b.session()
	var sent time.Time
	done := inject(context.Background(), s, `"scope-1"`, func(at time.Time) { sent = at })
	hear(t, pool, injectedLine(`"scope-1"`))
	say(t, pool, `{"id":3,"result":true}`+"\n"+`{"id":"scope-1","result":false}`+"\n"+`{"id":4,"result":true}`+"\n")
	hear(t, miner, `{"id":3,"result":true}`+"\n"+`{"id":4,"result":true}`+"\n")
	o := <-done
	if o.err != nil || string(o.line) != `{"id":"scope-1","result":false}`+"\n" || sent.IsZero() || o.at.Before(sent) {
		t.Errorf("answer %q at %v, %v, sent %v", o.line, o.at, o.err, sent)
	}
	_ = miner.Close()
	if got := b.ended(); got.Messages != 2 || got.ByDirection[capture.PoolToMiner] != 2 {
		t.Errorf("the answer was captured as one to the miner: %+v", got.ByDirection)
	}
	if st := b.server.Stats(); st.Injected != 1 || st.Answered != 1 || st.LateAnswers != 0 {
		t.Errorf("%+v", st)
	}
}

// A line of ours waits for the end of the miner's line.
func TestInjectBetweenLines(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	s := b.session()
	say(t, miner, `{"id":1,"met`)
	hear(t, pool, `{"id":1,"met`)
	done := inject(context.Background(), s, `"scope-1"`, nil)
	b.wait("the line to be queued", func() bool { return s.uplink.waiting.Load() == 1 && !s.uplink.flushing.Load() })
	say(t, miner, `hod":"mining.`)
	hear(t, pool, `hod":"mining.`)
	say(t, miner, `submit"}`+"\n"+`{"id":2,`)
	hear(t, pool, `submit"}`+"\n"+injectedLine(`"scope-1"`)+`{"id":2,`)
	say(t, miner, "}\n")
	hear(t, pool, "}\n")
	say(t, pool, `{"id":"scope-1"}`+"\n")
	if o := <-done; o.err != nil {
		t.Error(o.err)
	}
}

// Who does not wait any more is not sent for, or its answer is swallowed.
func TestInjectGivenUp(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	s := b.session()

	ctx, cancel := context.WithCancel(context.Background())
	done := inject(ctx, s, `"scope-1"`, nil)
	hear(t, pool, injectedLine(`"scope-1"`))
	cancel()
	if o := <-done; !errors.Is(o.err, context.Canceled) {
		t.Errorf("%q, %v", o.line, o.err)
	}
	if o := <-inject(context.Background(), s, `"scope-1"`, nil); !errors.Is(o.err, ErrWireID) {
		t.Errorf("the id is given out again: %v", o.err)
	}
	say(t, pool, "a\n"+`{"id":"scope-1"}`+"\nb\n")
	hear(t, miner, "a\nb\n")
	if st := b.server.Stats(); st.LateAnswers != 1 || st.Answered != 0 {
		t.Errorf("%+v", st)
	}

	say(t, miner, "half a ")
	hear(t, pool, "half a ")
	ctx, cancel = context.WithCancel(context.Background())
	sent := false
	done = inject(ctx, s, `"scope-2"`, func(time.Time) { sent = true })
	b.wait("the line to be queued", func() bool { return s.uplink.waiting.Load() == 1 })
	cancel()
	if o := <-done; !errors.Is(o.err, context.Canceled) || sent {
		t.Errorf("%v, sent %t", o.err, sent)
	}
	say(t, miner, "line\n")
	hear(t, pool, "line\n")
	say(t, miner, "next\n")
	hear(t, pool, "next\n")
	if n := s.private.active.Load(); n != 0 {
		t.Errorf("%d ids are still looked for", n)
	}
}

func TestInjectEndsWithSession(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	_, pool := b.connect()
	s := b.session()
	done := inject(context.Background(), s, `"scope-1"`, nil)
	hear(t, pool, injectedLine(`"scope-1"`))
	_ = pool.Close()
	if o := <-done; !errors.Is(o.err, ErrSessionEnded) {
		t.Errorf("%q, %v", o.line, o.err)
	}
}

// While the pool is being dialled an injection waits with everybody else.
func TestInjectBeforePool(t *testing.T) {
	silent := listen(t, "127.0.0.1:0")
	u := upstreamOf(t, silent)
	u.TLS = true
	b := newBench(t, Config{Upstreams: []Upstream{u}}, ListenerOptions{})
	b.dial()
	s := b.session()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := s.Inject(ctx, []byte(`{"id":1}`), "1", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if pool, peer := s.Upstream(); pool != "" || peer != "" {
		t.Errorf("connected to %s, %s", pool, peer)
	}
}

// Only so many may wait, and a pool that does not read keeps nobody.
func TestInjectBounds(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	_, pool := b.connect()
	s := b.session()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range maxInjected {
		id := fmt.Sprintf(`"scope-%d"`, i)
		all.Go(func() {
			if _, _, err := s.Inject(ctx, []byte(`{"id":`+id+`}`), id, nil); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	b.wait("all to be sent", func() bool { return b.server.Stats().Injected == maxInjected })
	if o := <-inject(ctx, s, "1", nil); !errors.Is(o.err, ErrTooManyInjected) {
		t.Errorf("one more: %v", o.err)
	}
	cancel()
	all.Wait()

	// Fill the way to the pool, which reads nothing.
	big := make([]byte, maxInjectedLine-100)
	for i := range big {
		big[i] = 'x'
	}
	stuck := 0
	for i := 0; i < 400 && stuck < 3; i++ {
		id := fmt.Sprintf(`"big-%d"`, i)
		limit, done := context.WithTimeout(context.Background(), 20*time.Millisecond)
		sent := make(chan struct{})
		_, _, err := s.Inject(limit, []byte(`{"id":`+id+`,"x":"`+string(big)+`"}`), id, func(time.Time) { close(sent) })
		done()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		select {
		case <-sent:
		default:
			stuck++
		}
	}
	if stuck < 3 {
		t.Error("the pool took everything")
	}
	_ = pool.SetLinger(0)
	_ = pool.Close()
	b.ended()
}

// Answers for several that wait come back to who asked, in any order.
func TestInjectSeveral(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	s := b.session()
	const n = 20
	var waiting []<-chan outcome
	for i := range n {
		id := fmt.Sprintf(`"scope-%d"`, i)
		waiting = append(waiting, inject(context.Background(), s, id, nil))
		hear(t, pool, injectedLine(id))
	}
	for i := n - 1; i >= 0; i-- {
		say(t, pool, fmt.Sprintf(`{"result":%d,"id":"scope-%d"}`+"\n"+`{"id":%d}`+"\n", i, i, i))
		hear(t, miner, fmt.Sprintf(`{"id":%d}`+"\n", i))
	}
	for i, done := range waiting {
		if o := <-done; o.err != nil || string(o.line) != fmt.Sprintf(`{"result":%d,"id":"scope-%d"}`+"\n", i, i) {
			t.Errorf("%d: %q, %v", i, o.line, o.err)
		}
	}
}

var _ net.Conn = (*heard)(nil)
