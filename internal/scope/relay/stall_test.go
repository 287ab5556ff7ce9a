package relay

import (
	"bytes"
	"testing"
	"time"
)

// A pool that takes nothing does not keep a miner's session for ever, not even
// when the miner is gone, whose end nobody reads.
func TestStalledPool(t *testing.T) {
	b := newBench(t, Config{StallTimeout: 200 * time.Millisecond}, ListenerOptions{})
	miner, _ := b.connect()
	fill(t, miner)
	_ = miner.Close()
	if s := b.ended(); s.Reason != string(ReasonPoolTimeout) {
		t.Errorf("ended for %q", s.Reason)
	}
}

// The same with a miner that takes nothing.
func TestStalledMiner(t *testing.T) {
	b := newBench(t, Config{StallTimeout: 200 * time.Millisecond}, ListenerOptions{})
	_, pool := b.connect()
	fill(t, pool)
	if s := b.ended(); s.Reason != string(ReasonMinerTimeout) {
		t.Errorf("ended for %q", s.Reason)
	}
}

// fill writes until nothing more is taken.
func fill(t *testing.T, conn interface {
	Write(b []byte) (int, error)
	SetWriteDeadline(t time.Time) error
}) {
	t.Helper()
	block := bytes.Repeat([]byte(`{"id":1,"method":"mining.submit"}`+"\n"), 1000)
	for {
		// Longer than the relay takes to pass on what it can.
		_ = conn.SetWriteDeadline(time.Now().Add(150 * time.Millisecond))
		if _, err := conn.Write(block); err != nil {
			return
		}
	}
}
