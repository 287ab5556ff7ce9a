package relay

import "sync"

// Reason says why a connection ended. Reasons are part of the API.
type Reason string

// The reasons of sessions.
const (
	ReasonMinerClosed     Reason = "miner_closed"     // the miner ended its stream
	ReasonPoolClosed      Reason = "pool_closed"      // the pool ended its stream
	ReasonMinerReset      Reason = "miner_reset"      // the miner's connection broke off
	ReasonPoolReset       Reason = "pool_reset"       // the pool's connection broke off
	ReasonMinerTimeout    Reason = "miner_timeout"    // the miner's network is gone
	ReasonPoolTimeout     Reason = "pool_timeout"     // the pool's network is gone
	ReasonPoolUnreachable Reason = "pool_unreachable" // no upstream could be connected to
	ReasonNoSockets       Reason = "no_sockets"       // this system has none left for the pool
	ReasonClientReconnect Reason = "client_reconnect" // the pool sent client.reconnect, which was held back
	ReasonDisconnected    Reason = "disconnected"     // by the operator
	ReasonShutdown        Reason = "shutdown"         // the program ends
	ReasonPanic           Reason = "panic"            // a mistake of ours
)

// The reasons of connections that never were sessions.
const (
	ReasonTooMany        Reason = "too_many_connections"
	ReasonProxyHeader    Reason = "proxy_header"    // no PROXY header, or a bad one
	ReasonUntrustedProxy Reason = "untrusted_proxy" // not one of the trusted proxies
	ReasonTLSHandshake   Reason = "tls_handshake"
)

var reasons = []Reason{
	ReasonMinerClosed, ReasonPoolClosed, ReasonMinerReset, ReasonPoolReset, ReasonMinerTimeout, ReasonPoolTimeout,
	ReasonPoolUnreachable, ReasonNoSockets, ReasonClientReconnect, ReasonDisconnected, ReasonShutdown, ReasonPanic,
	ReasonTooMany, ReasonProxyHeader, ReasonUntrustedProxy, ReasonTLSHandshake,
}

// tally counts endings by their reason.
type tally struct {
	mu     sync.Mutex
	counts map[Reason]uint64
}

func (t *tally) add(r Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = make(map[Reason]uint64)
	}
	t.counts[r]++
}

// all are the counts of every reason, those that never happened included.
func (t *tally) all() map[Reason]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[Reason]uint64, len(reasons))
	for _, r := range reasons {
		out[r] = 0
	}
	for r, n := range t.counts {
		out[r] = n
	}
	return out
}
