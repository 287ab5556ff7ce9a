package node

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// member is one configured node. Nodes.mu guards everything below the blank
// line.
type member struct {
	name  string
	index int // place in the order of preference
	rpc   *rpcClient
	zmq   []*subscription
	wake  chan struct{} // capacity 1: have a look at the node now

	state        string
	reason       string
	readyAt      time.Time // since when the state is ready
	proven       bool      // gave a template since it last failed
	answered     bool      // answered its last call
	everUp       bool      // answered any call
	lastErr      string
	latency      time.Duration
	chain        chainInfo
	net          networkInfo
	peers        []Peer
	peersKnown   bool          // peers and net were told at the last look
	failed       bool          // was found useless at least once
	genesis      *bitcoin.Hash // hash of its block 0
	genesisKnown bool          // genesis was asked since the node last failed
	segwit       bool          // its list of soft forks says that segwit is active
	height       int64         // of its tip, from whatever spoke last
	behindAt     time.Time     // since when another node has been ahead; zero: not behind
	splitAt      time.Time     // since when it is on another branch than the active node; zero: it is not
	splitTold    bool          // an event says so
	overweight   bool          // its last template exceeded its own limit
	longPollOK   bool          // its last long poll brought a template
}

// chainInfo is the part of getblockchaininfo that is of use.
type chainInfo struct {
	Chain         string          `json:"chain"`
	Blocks        int64           `json:"blocks"`
	Headers       int64           `json:"headers"`
	BestBlockHash string          `json:"bestblockhash"`
	ChainWork     string          `json:"chainwork"` // hex, 64 digits
	IBD           bool            `json:"initialblockdownload"`
	Progress      float64         `json:"verificationprogress"`
	Pruned        bool            `json:"pruned"`
	SizeOnDisk    int64           `json:"size_on_disk"`
	SoftForks     json.RawMessage `json:"softforks"`      // object up to Core 23, list in btcd
	BIP9SoftForks json.RawMessage `json:"bip9_softforks"` // btcd
}

// segwitActive reads btcd's list of soft forks: Core says it in each template.
func (c *chainInfo) segwitActive() bool {
	var bip9 map[string]struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(c.BIP9SoftForks, &bip9) != nil {
		return false
	}
	return bip9["segwit"].Status == "active"
}

// networkInfo is the part of getnetworkinfo that is of use.
type networkInfo struct {
	Version         int64  `json:"version"`
	Subversion      string `json:"subversion"`
	ProtocolVersion int64  `json:"protocolversion"`
	Connections     int    `json:"connections"`
	ConnectionsIn   int    `json:"connections_in"`
	ConnectionsOut  int    `json:"connections_out"`
}

// usableLocked reports whether templates may come from the node.
func (m *member) usableLocked() bool { return m.state == StateReady }

// call makes a small call to the node and keeps count of it.
func (n *Nodes) call(ctx context.Context, m *member, timeout time.Duration, result any, method string, params ...[]byte) error {
	err := m.rpc.call(ctx, timeout, result, method, params...)
	n.observe(ctx, m, err)
	return err
}

// fetchTemplate asks the node for a template, or, with the id of one, waits
// until there is a better one. It checks what it gets. A long poll that nothing
// happened to ends with errQuiet, which is not a failure. A panic over what the
// node sent ends with ErrFault, so that another node gets its turn.
func (n *Nodes) fetchTemplate(ctx context.Context, m *member, longPollID string) (t *Template, err error) {
	defer func() {
		if p := recover(); p != nil {
			n.fault("template of "+m.name, p)
			t, err = nil, ErrFault
		}
	}()
	n.mu.Lock()
	network, segwit, spare := n.network, m.segwit, n.spareLocked(m)
	n.mu.Unlock()
	timeout := templateTimeout
	switch {
	case longPollID != "":
		timeout = longPollTimeout
	case spare:
		timeout = spareTimeout
	}

	var raw *rawTemplate
	requested := time.Now()
	request := m.rpc.request("getblocktemplate", templateParams(network, longPollID))
	err = m.rpc.post(ctx, timeout, maxTemplateAnswer, "getblocktemplate", request, func(body []byte) (err error) {
		raw, err = decodeTemplate(body, *n.known.Load())
		return err
	})
	received := time.Now()
	if err == nil {
		err = checkTemplate(raw, network, segwit)
	}
	var late *timeoutError
	if longPollID != "" && errors.As(err, &late) {
		return nil, errQuiet
	}
	n.observe(ctx, m, err)
	if err != nil {
		return nil, err
	}
	if longPollID == "" {
		n.timeTemplate(requested, received)
	}
	t = &raw.Template
	t.Network, t.Node = network, m.name
	t.RequestedAt, t.ReceivedAt = requested, received
	return t, nil
}

func (n *Nodes) timeTemplate(requested, received time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gbt.add(received.Sub(requested), received)
}

// templateParams is the request object of getblocktemplate. A node refuses to
// make templates for miners that do not name the rules it needs (BIP9).
func templateParams(network bitcoin.Network, longPollID string) []byte {
	params := []byte(`{"rules":["segwit"`)
	if network == bitcoin.Signet {
		params = append(params, `,"signet"`...)
	}
	params = append(params, ']')
	if longPollID != "" {
		params = append(params, `,"longpollid":`...)
		params = append(params, quoteJSON(longPollID)...)
	}
	return append(params, '}')
}

// quoteJSON is text as a JSON string.
func quoteJSON(text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // cannot happen with a string
		return strconv.AppendQuoteToASCII(nil, text)
	}
	return quoted
}

// observe counts a call's outcome.
func (n *Nodes) observe(ctx context.Context, m *member, err error) {
	if err != nil && ctx.Err() != nil {
		return // we gave up, not the node
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		n.rpcErrors++
		_, m.lastErr = explain(err, m.rpc.endpoint.address)
	} else {
		m.lastErr = ""
	}
	switch lost := connectivity(err); {
	case lost && m.answered:
		m.answered = false
		n.rpcDisconnects++
		n.eventLocked("rpc", m.name+": "+m.lastErr)
	case !lost && !m.answered:
		m.answered = true
		if m.everUp {
			n.rpcReconnects++
			n.eventLocked("rpc", m.name+": The node answers again.")
		}
		m.everUp = true
	}
}

// notFound reports whether a node answered that it has no such block.
func notFound(err error) bool {
	var rpc *RPCError
	return errors.As(err, &rpc) && rpc.Code == codeNotFound
}
