package relay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// FuzzUplink writes a miner's stream in pieces and injects lines meanwhile: the
// pool gets the stream as it was, with whole lines of ours between its lines.
func FuzzUplink(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nthree"), uint64(1), uint8(3))
	f.Add([]byte("\n\n\n"), uint64(2), uint8(5))
	f.Add([]byte("no line at all"), uint64(3), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, lines uint8) {
		if bytes.Contains(stream, []byte("ours-")) {
			t.Skip()
		}
		b := newSieve(t, ReconnectHold)
		pool := &heard{}
		b.uplink.open(newWire(pool))
		random := rand.New(rand.NewPCG(seed, 0))
		sent := 0
		injected := 0
		inject := func() {
			in := &injection{line: fmt.Appendf(nil, "ours-%d\n", injected), wrote: make(chan struct{}), sent: func(time.Time) { sent++ }}
			injected++
			if !b.uplink.enqueue(in) {
				t.Fatal("the stream has ended")
			}
			b.background.Wait()
		}
		for rest := stream; len(rest) > 0; {
			for int(lines) > injected && random.IntN(2) == 0 {
				inject()
			}
			n := 1 + random.IntN(len(rest))
			if err := b.uplink.write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}

		var own []byte
		next := 0
		for _, line := range bytes.SplitAfter(pool.Bytes(), []byte("\n")) {
			if string(line) == fmt.Sprintf("ours-%d\n", next) {
				next++
				continue
			}
			own = append(own, line...)
		}
		if !bytes.Equal(own, stream) {
			t.Errorf("the pool got %q of %q", own, stream)
		}
		if next != sent || sent+len(b.uplink.queue) != injected {
			t.Errorf("%d injected, %d sent, %d arrived, %d wait", injected, sent, next, len(b.uplink.queue))
		}
		if whole := len(stream) == 0 || stream[len(stream)-1] == '\n'; whole && sent != injected {
			t.Errorf("%d of %d were sent", sent, injected)
		}
	})
}

// What waits is sent in its order, and what is withdrawn is not.
func TestUplinkQueue(t *testing.T) {
	b := newSieve(t, ReconnectHold)
	pool := &heard{}
	b.uplink.open(newWire(pool))
	if err := b.uplink.write([]byte("half ")); err != nil {
		t.Fatal(err)
	}
	var all []*injection
	for i := range 4 {
		all = append(all, &injection{line: fmt.Appendf(nil, "ours-%d\n", i), wrote: make(chan struct{})})
		b.uplink.enqueue(all[i])
	}
	b.background.Wait()
	if !b.uplink.withdraw(all[1]) || b.uplink.withdraw(all[1]) {
		t.Error("a line is not withdrawn once")
	}
	if err := b.uplink.write([]byte("a line\nand half ")); err != nil {
		t.Fatal(err)
	}
	if got, want := pool.String(), "half a line\nours-0\nours-2\nours-3\nand half "; got != want {
		t.Errorf("the pool got %q, want %q", got, want)
	}
	if slices.ContainsFunc(all, b.uplink.withdraw) {
		t.Error("a line that was sent is withdrawn")
	}
	b.uplink.end()
	if b.uplink.enqueue(all[0]) {
		t.Error("a line is taken after the end")
	}
}
