package relay

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

func TestLinesPassBothWays(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	say(t, miner, `{"id":1,"method":"mining.subscribe","params":["m/1"]}`+"\n")
	hear(t, pool, `{"id":1,"method":"mining.subscribe","params":["m/1"]}`+"\n")
	say(t, pool, `{"id":1,"result":[],"error":null}`+"\n")
	hear(t, miner, `{"id":1,"result":[],"error":null}`+"\n")

	_ = miner.Close()
	if _, err := pool.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the pool read %v, want EOF", err)
	}
	s := b.ended()
	if s.Reason != "miner_closed" || s.Messages != 2 || s.PoolPeer != b.pool.Addr().String() || s.Miner != miner.LocalAddr().String() {
		t.Errorf("session %+v", s)
	}
}

func TestInject(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	s := b.session()
	type outcome struct {
		line []byte
		err  error
	}
	done := make(chan outcome)
	var sent time.Time
	go func() {
		line, _, err := s.Inject(context.Background(), []byte(`{"id":"scope-1","method":"mining.submit","params":[]}`), `"scope-1"`, func(at time.Time) { sent = at })
		done <- outcome{line, err}
	}()
	hear(t, pool, `{"id":"scope-1","method":"mining.submit","params":[]}`+"\n")
	say(t, pool, `{"id":3,"result":true}`+"\n"+`{"id":"scope-1","result":false}`+"\n"+`{"id":4,"result":true}`+"\n")
	hear(t, miner, `{"id":3,"result":true}`+"\n"+`{"id":4,"result":true}`+"\n")
	if o := <-done; o.err != nil || string(o.line) != `{"id":"scope-1","result":false}`+"\n" || sent.IsZero() {
		t.Errorf("answer %q, %v, sent %v", o.line, o.err, sent)
	}
}
