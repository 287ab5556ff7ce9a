package relay

import (
	"errors"
	"io"
	"testing"
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
