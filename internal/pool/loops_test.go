//go:build linux

package pool

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A miner that waits holds no goroutine.
func TestIdleMinersHoldNoGoroutine(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	crowd(t, r, 10) // starts the loops
	eventually(t, "the clerks go home", func() bool { return r.pool.clerks.idle() })
	before := runtime.NumGoroutine()
	const miners = 300
	crowd(t, r, miners)
	eventually(t, "the clerks go home", func() bool { return r.pool.clerks.idle() })
	if got := r.pool.connections.Load(); got != miners+10 {
		t.Fatalf("%d connections", got)
	}
	if more := runtime.NumGoroutine() - before; more > miners/10 {
		t.Errorf("%d goroutines more for %d miners", more, miners)
	}
}

func (c *clerks) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy == 0
}

// Thousands of miners come and go, politely and not, in the middle of a line
// and before their answer; nothing is left of them.
func TestManyComeAndGo(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	total := 10_000
	if raceEnabled {
		total = 1000
	}
	var wg sync.WaitGroup
	const parts = 8
	for part := range parts {
		wg.Go(func() {
			for i := range total / parts {
				conn, err := net.Dial("tcp", r.listen)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.SetDeadline(time.Now().Add(time.Minute))
				hello := fmt.Sprintf(`{"id":1,"method":"mining.subscribe","params":["come-and-go"]}
{"id":2,"method":"mining.authorize","params":["%s.%d","x"]}
`, alice, part)
				if i%3 == 1 {
					hello = hello[:len(hello)-9]
				}
				if _, err := io.WriteString(conn, hello); err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Error(err)
				}
				if i%3 == 0 {
					if err := readLines(conn, 4); err != nil {
						t.Errorf("connection %d: %v", i, err)
					}
				}
				if i%2 == 0 {
					_ = conn.(*net.TCPConn).SetLinger(0)
				}
				_ = conn.Close()
			}
		})
	}
	wg.Wait()
	eventually(t, "all are gone", func() bool { return r.pool.connections.Load() == 0 })
	if got := r.pool.authorized.Load(); got != 0 {
		t.Errorf("%d count as authorized", got)
	}
	if n := r.pool.counters.panics.Load(); n != 0 {
		t.Errorf("%d panics: %v", n, r.pool.events.newestFirst())
	}
	m := r.connect(t)
	m.start(bob, "x")
	if got := m.share(); got != "" {
		t.Errorf("a share after all that: %q", got)
	}
}

// A segment with shares and other lines, mixed, is answered in its order.
func TestSegmentIsAnsweredInOrder(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	var segment string
	for id := 100; id < 200; id++ {
		switch id % 5 {
		case 0:
			segment += fmt.Sprintf(`{"id":%d,"method":"mining.ping","params":[]}`+"\n", id)
		case 1:
			segment += fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["%s","x"]}`+"\n", id, alice)
		default:
			s := m.solve(m.job, m.job.ofShare(), "", 0)
			segment += fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["%s","%s","%s","%s","%s"]}`+"\n", id, alice, s.job, s.en2, s.ntime, s.nonce)
		}
	}
	m.send(segment)
	for id := 100; id < 200; id++ {
		if got := m.reply(id); got.Error != nil {
			t.Errorf("reply %d: %v", id, got.Error)
		}
	}
}

// The last share of a miner that hangs up at once is judged.
func TestLastShareBeforeHangingUp(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	s := m.solve(m.job, m.job.ofBlock(), "", 0)
	m.send(fmt.Sprintf(`{"id":9,"method":"mining.submit","params":["%s","%s","%s","%s","%s"]}`+"\n", alice, s.job, s.en2, s.ntime, s.nonce))
	_ = m.conn.Close()
	eventually(t, "the block arrives", func() bool { return len(r.node.submitted()) == 1 })
}
