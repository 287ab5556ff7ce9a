package pool

import (
	"net"
	"testing"
)

// A listener's own difficulties go before those of the pool and of the kind of
// miner, and its own bound of connections is its own.
func TestListenerLimits(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	options := ListenerOptions{Name: "large", Start: 4 * easy, Min: 2 * easy, Max: 8 * easy, MaxConnections: 2}
	shared := &port{ListenerOptions: options}
	connect := func() *testMiner {
		server, client := net.Pipe()
		r.pool.accept(server, shared)
		return newTestMiner(t, client)
	}
	for password, want := range map[string]float64{"x": 4 * easy, "d=1e-9": 2 * easy, "d=1": 8 * easy, "f=3e-7": 3 * easy} {
		m := connect()
		m.call("mining.subscribe", "cpuminer/2.5.1")
		m.call("mining.authorize", alice, password)
		if m.nextJob(); m.difficulty != want {
			t.Errorf("%s: difficulty %v, want %v", password, m.difficulty, want)
		}
		m.conn.Close()
		eventually(t, "the end of the session", func() bool { return r.pool.connections.Load() == 0 })
	}
	first, second := connect(), connect()
	first.settle()
	second.settle()
	connect().wantEnd()
	if n := r.closes("too_many_connections"); n != 1 {
		t.Errorf("%d connections were turned away", n)
	}
	other := r.connect(t) // another listener has room
	other.settle()
}
