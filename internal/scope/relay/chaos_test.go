package relay

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// misbehave does to a connection what networks and programs do, and ends it.
func misbehave(nc *net.TCPConn, random *rand.Rand) {
	lines := []string{"x\n", "half a line", `{"id":1,"method":"mining.submit"}` + "\n", `{"id":"scope-1","result":true}` + "\n", `{"id":null,"method":"client.reconnect","params":[]}` + "\n", `{"id":`}
	go func() { _, _ = io.Copy(io.Discard, nc) }()
	for range random.IntN(8) {
		if _, err := io.WriteString(nc, lines[random.IntN(len(lines))]); err != nil {
			break
		}
		if random.IntN(3) == 0 {
			time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
		}
	}
	switch random.IntN(4) {
	case 0:
		_ = nc.SetLinger(0)
	case 1:
		_ = nc.CloseWrite()
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
	}
	_ = nc.Close()
}

// TestChaos has miners, pools and the operator do everything at random: at the
// end no session is left, and each one ended for one reason.
func TestChaos(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	var all sync.WaitGroup
	all.Go(func() {
		for i := uint64(0); ; i++ {
			nc, err := b.pool.Accept()
			if err != nil {
				return
			}
			all.Go(func() { misbehave(nc.(*net.TCPConn), rand.New(rand.NewPCG(i, 1))) })
		}
	})

	const miners, each = 8, 25
	var clients sync.WaitGroup
	for m := range uint64(miners) {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(m, 2))
			for range each {
				nc, err := net.Dial("tcp", b.address)
				if err != nil {
					continue // reset by the pool, through the relay, as soon as it was accepted
				}
				misbehave(nc.(*net.TCPConn), random)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	var operator sync.WaitGroup
	operator.Go(func() {
		random := rand.New(rand.NewPCG(3, 3))
		for n := 0; ctx.Err() == nil; n++ {
			for _, known := range b.recorder.Store().Sessions() {
				s, ok := b.server.Session(known.ID)
				if !ok {
					continue
				}
				id := fmt.Sprintf(`"scope-%d"`, random.IntN(3))
				limit, done := context.WithTimeout(ctx, time.Duration(random.IntN(5))*time.Millisecond)
				_, _, _ = s.Inject(limit, []byte(`{"id":`+id+`}`), id, nil)
				done()
				if random.IntN(20) == 0 {
					s.Disconnect("")
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
	clients.Wait()
	b.wait("all sessions to end", func() bool { return b.server.Stats().Live == 0 && b.server.Stats().Sessions == miners*each })
	cancel()
	operator.Wait()
	_ = b.pool.Close()
	all.Wait()

	st := b.server.Stats()
	ended := uint64(0)
	for _, n := range st.Closed {
		ended += n
	}
	if ended != st.Sessions || st.Panics != 0 || st.Upstreams[0].Live != 0 || st.Injected < st.Answered+st.LateAnswers {
		t.Errorf("%d ended: %+v", ended, st)
	}
	b.wait("the recorder", func() bool {
		for _, s := range b.recorder.Store().Sessions() {
			if s.Live() || s.Reason == "" {
				return false
			}
		}
		return true
	})
	t.Logf("%v, %d injected, %d answered", st.Closed, st.Injected, st.Answered)
}
