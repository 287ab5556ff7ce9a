package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// promptly is within what either side's end must be passed on.
const promptly = 100 * time.Millisecond

// readEnd reads until the stream ends and says how long that took.
func readEnd(t *testing.T, from net.Conn) (took time.Duration, err error) {
	t.Helper()
	began := time.Now()
	_, err = io.Copy(io.Discard, from)
	return time.Since(began), err
}

// TestEndings has each side end in each way: the other side is told so at
// once, and the session has ended for the right reason soon after.
func TestEndings(t *testing.T) {
	type act func(*net.TCPConn)
	closing := act(func(c *net.TCPConn) { _ = c.Close() })
	half := act(func(c *net.TCPConn) { _ = c.CloseWrite() })
	reset := act(func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() })
	for _, tc := range []struct {
		name   string
		miner  bool // ends it
		how    act
		reset  bool // the other side sees a reset
		reason Reason
	}{
		{"miner closes", true, closing, false, ReasonMinerClosed},
		{"pool closes", false, closing, false, ReasonPoolClosed},
		{"miner half", true, half, false, ReasonMinerClosed},
		{"pool half", false, half, false, ReasonPoolClosed},
		{"miner resets", true, reset, true, ReasonMinerReset},
		{"pool resets", false, reset, true, ReasonPoolReset},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// A busy machine may be late now and then; a slow relay is late always.
			took := time.Hour
			for tries := 0; tries < 5 && took > promptly; tries++ {
				took = min(took, endOnce(t, tc.miner, tc.how, tc.reset, tc.reason))
			}
			if took > promptly {
				t.Errorf("at best it took %v", took)
			}
		})
	}
}

// endOnce has one side end and says how long it took until the other side was
// told and the session had ended.
func endOnce(t *testing.T, minerEnds bool, how func(*net.TCPConn), reset bool, reason Reason) (took time.Duration) {
	t.Helper()
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	say(t, miner, "hello\n")
	hear(t, pool, "hello\n")
	first, second := pool, miner
	if minerEnds {
		first, second = miner, pool
	}
	began := time.Now()
	how(first)
	told, err := readEnd(t, second)
	if reset != errors.Is(err, syscall.ECONNRESET) || !reset && err != nil {
		t.Errorf("the other side reads %v", err)
	}
	s := b.ended()
	if s.Reason != string(reason) || s.Connected {
		t.Errorf("session ended for %q, connected %t", s.Reason, s.Connected)
	}
	if n := b.server.Stats().Closed[reason]; n != 1 {
		t.Errorf("counted %d times", n)
	}
	if _, live := b.server.Session(s.ID); live {
		t.Error("it is still listed as live")
	}
	t.Logf("told after %v, ended after %v", told, s.EndedAt.Sub(began))
	return max(told, s.EndedAt.Sub(began))
}

// What is on its way when one side ends its stream still arrives.
func TestHalfCloseDrains(t *testing.T) {
	for _, minerEnds := range []bool{true, false} {
		b := newBench(t, Config{}, ListenerOptions{})
		first, second := b.connect()
		if !minerEnds {
			first, second = second, first
		}
		say(t, first, "the last question\n")
		_ = first.CloseWrite()
		hear(t, second, "the last question\n")
		if _, err := second.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the other side reads %v", err)
		}
		answers := uint64(0)
		for began := time.Now(); time.Since(began) < 2*drainIdle; answers++ { // for longer than a silence may last
			say(t, second, "an answer\n")
			hear(t, first, "an answer\n")
		}
		_ = second.Close()
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("at last %v", err)
		}
		want := ReasonPoolClosed
		if minerEnds {
			want = ReasonMinerClosed
		}
		if s := b.ended(); s.Reason != string(want) || s.Messages != 1+answers {
			t.Errorf("ended for %q with %d messages", s.Reason, s.Messages)
		}
	}
}

// A side that goes on for ever after the other one ended does not keep the
// session.
func TestDrainIsBounded(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	say(t, miner, "hello\n")
	hear(t, pool, "hello\n")
	began := time.Now()
	_ = miner.CloseWrite()
	go func() {
		for {
			if _, err := pool.Write([]byte("notify\n")); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if _, err := io.Copy(io.Discard, miner); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > drainMax+2*time.Second {
		t.Errorf("it took %v", took)
	}
	if s := b.ended(); s.Reason != string(ReasonMinerClosed) {
		t.Errorf("ended for %q", s.Reason)
	}
}

// The pool's last words reach the miner even if the miner still talks.
func TestLastWordsOfPool(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	say(t, pool, "You are banned\n")
	_ = pool.Close()
	for range 20 {
		if _, err := miner.Write([]byte("submit\n")); err != nil {
			break
		}
	}
	hear(t, miner, "You are banned\n")
	if s := b.ended(); s.Reason != string(ReasonPoolClosed) && s.Reason != string(ReasonPoolReset) {
		t.Errorf("ended for %q", s.Reason)
	}
}

func TestShutdownWithIdleMiners(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	var miners []*net.TCPConn
	for range 20 {
		miner, _ := b.connect()
		miners = append(miners, miner)
	}
	b.wait("20 sessions", func() bool { return b.server.Stats().Live == 20 })
	began := time.Now()
	b.stop()
	<-b.stopped
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
	for _, miner := range miners {
		if _, err := readEnd(t, miner); err != nil {
			t.Errorf("a miner reads %v", err)
		}
	}
	st := b.server.Stats()
	if st.Live != 0 || st.Closed[ReasonShutdown] != 20 || st.Sessions != 20 || st.Upstreams[0].Live != 0 {
		t.Errorf("%+v", st)
	}
}

func TestDisconnect(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	s := b.session()
	s.Disconnect("")
	for _, side := range []net.Conn{miner, pool} {
		if _, err := readEnd(t, side); err != nil {
			t.Error(err)
		}
	}
	if got := b.ended(); got.Reason != string(ReasonDisconnected) {
		t.Errorf("ended for %q", got.Reason)
	}
	s.Disconnect("again") // does nothing
	if _, _, err := s.Inject(context.Background(), []byte(`{"id":1}`), "1", nil); !errors.Is(err, ErrSessionEnded) {
		t.Errorf("inject: %v", err)
	}
}

func TestTooManyConnections(t *testing.T) {
	b := newBench(t, Config{MaxConnections: 2}, ListenerOptions{})
	first, _ := b.connect()
	b.connect()
	third := b.dial()
	if _, err := readEnd(t, third); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	if n := b.server.Stats().Closed[ReasonTooMany]; n != 1 {
		t.Errorf("%d refused", n)
	}
	_ = first.Close()
	b.wait("room", func() bool {
		b.server.mu.Lock()
		defer b.server.mu.Unlock()
		return b.server.open < 2
	})
	b.connect()
}

// faulty is a connection that a mistake of ours shows itself in.
type faulty struct{ net.Conn }

func (f faulty) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if n > 0 && b[0] == '!' {
		panic("a mistake")
	}
	return n, err
}

// A panic ends its own session, and no other one.
func TestPanicEndsOneSession(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()

	side, inside := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.server.Accept(context.Background(), faulty{inside}, ListenerOptions{})
	}()
	otherPool := accept(t, b.pool)
	say(t, side, "fine\n")
	hear(t, otherPool, "fine\n")
	say(t, side, "!\n")
	<-done
	if _, err := readEnd(t, side); err != nil {
		t.Error(err)
	}
	if _, err := readEnd(t, otherPool); err != nil {
		t.Error(err)
	}
	if st := b.server.Stats(); st.Panics != 1 || st.Closed[ReasonPanic] != 1 || st.Live != 1 {
		t.Errorf("%+v", st)
	}
	if s := b.ended(); s.Reason != string(ReasonPanic) {
		t.Errorf("ended for %q", s.Reason)
	}
	say(t, miner, "unharmed\n")
	hear(t, pool, "unharmed\n")
}
