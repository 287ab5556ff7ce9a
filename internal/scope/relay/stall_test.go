package relay

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// A pool that takes nothing does not keep a miner's session for ever, not even
// when the miner is gone, whose end nobody reads.
func TestStalledPool(t *testing.T) {
	// The test itself says when it is too long: the watch comes every half minute.
	b := newBench(t, Config{StallTimeout: 2 * time.Minute}, ListenerOptions{})
	miner, _ := b.connect()
	since := func() int64 {
		b.server.mu.Lock()
		defer b.server.mu.Unlock()
		for _, s := range b.server.sessions {
			return s.since[capture.MinerToPool].Load()
		}
		return 0
	}
	// Full is when one write of the relay stays under way while the miner could
	// write nothing more, time after time.
	for still, last := 0, int64(0); still < 10; {
		if err := flood(miner, 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if now := since(); now != 0 && now == last {
			still++
		} else {
			still, last = 0, now
		}
	}
	_ = miner.Close()
	b.server.endStalled(time.Now().UnixNano())
	if s := b.ended(); s.Reason != string(ReasonPoolTimeout) {
		t.Errorf("ended for %q", s.Reason)
	}
}

// The same with a miner that takes nothing, ended by the relay's own watch.
func TestStalledMiner(t *testing.T) {
	b := newBench(t, Config{StallTimeout: 200 * time.Millisecond}, ListenerOptions{})
	_, pool := b.connect()
	if err := flood(pool, patience); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the relay took all, or kept the session")
	}
	if s := b.ended(); s.Reason != string(ReasonMinerTimeout) {
		t.Errorf("ended for %q", s.Reason)
	}
}

// flood writes until nothing was taken for so long, or the connection ends.
func flood(conn net.Conn, blocked time.Duration) error {
	block := bytes.Repeat([]byte(`{"id":1,"method":"mining.submit"}`+"\n"), 1000)
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(blocked))
		if _, err := conn.Write(block); err != nil {
			return err
		}
	}
}
