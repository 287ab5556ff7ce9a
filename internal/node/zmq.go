package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Topics of Bitcoin Core's publishers.
const (
	topicHashBlock = "hashblock"
	topicRawBlock  = "rawblock"
)

// handshakeTimeout bounds how long a server that accepts a connection may take
// to prove that it speaks ZMTP.
const handshakeTimeout = 10 * time.Second

// subscription is a connection to one publisher of a node. ZMQ is a hint
// only: whatever it fails to say is found out otherwise.
type subscription struct {
	address string // as configured
	network string // "tcp" or "unix"
	target  string // host:port or path
	topics  []string

	// Nodes.mu guards the rest.
	healthy     bool // the handshake succeeded, and no block was missed since
	everUp      bool
	connectedAt time.Time
	messageAt   time.Time // last announcement of a block
	lastErr     string
	cancel      context.CancelFunc // of the connection; nil: none
}

// newSubscriptions makes one subscription per distinct address.
func newSubscriptions(nc NodeConfig) ([]*subscription, error) {
	var list []*subscription
	for _, p := range []struct{ topic, address string }{
		{topicHashBlock, nc.ZMQHashBlock},
		{topicRawBlock, nc.ZMQRawBlock},
	} {
		if p.address == "" {
			continue
		}
		if i := slices.IndexFunc(list, func(s *subscription) bool { return s.address == p.address }); i >= 0 {
			list[i].topics = append(list[i].topics, p.topic)
			continue
		}
		network, target, err := parseZMQAddress(p.address)
		if err != nil {
			return nil, err
		}
		list = append(list, &subscription{address: p.address, network: network, target: target, topics: []string{p.topic}})
	}
	return list, nil
}

func parseZMQAddress(address string) (network, target string, err error) {
	if path, ok := strings.CutPrefix(address, "ipc://"); ok && path != "" {
		return "unix", path, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "tcp" || u.Hostname() == "" || u.Port() == "" || u.User != nil {
		return "", "", fmt.Errorf("%w: it has to look like tcp://127.0.0.1:28332", ErrZMQAddress)
	}
	return "tcp", u.Host, nil
}

// zmqHealthyLocked reports whether all publishers of the node can be relied
// on; a node without any has none.
func (m *member) zmqHealthyLocked() bool {
	return len(m.zmq) > 0 && !slices.ContainsFunc(m.zmq, func(s *subscription) bool { return !s.healthy })
}

// missedLocked reports whether the publisher was connected when the tip
// changed, but did not announce it.
func (s *subscription) missedLocked(tipAt time.Time) bool {
	return s.healthy && s.connectedAt.Before(tipAt.Add(-missedAfter)) && s.messageAt.Before(tipAt.Add(-missedAfter))
}

// abort ends the connection; subscribe makes another one.
func (s *subscription) abort() {
	if s.cancel != nil {
		s.cancel()
	}
}

// subscribe keeps the subscription going until ctx ends.
func (n *Nodes) subscribe(ctx context.Context, m *member, s *subscription) {
	defer n.publisherGone(s)
	var pause backoff
	for {
		err := n.receive(ctx, m, s)
		if ctx.Err() != nil {
			return
		}
		if n.publisherLost(m, s, err) {
			pause.reset()
		}
		if !sleep(ctx, pause.next()) {
			return
		}
	}
}

// receive connects and reads until the connection ends.
func (n *Nodes) receive(ctx context.Context, m *member, s *subscription) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := n.dial(ctx, s.network, s.target)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	// The handshake is the library's; the connection is ours, so that it has a
	// deadline and ends with ctx.
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	peer, err := zmq4.Open(conn, null.Security(), zmq4.Sub, nil, false, nil)
	if err != nil {
		return err
	}
	for _, topic := range s.topics {
		if err := peer.SendMsg(zmq4.NewMsg(append([]byte{1}, topic...))); err != nil {
			return err
		}
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	n.publisherFound(m, s, cancel)

	frames := frameReader{r: bufio.NewReader(conn)}
	sequence := make(map[string]uint32)
	for {
		message, err := frames.message(func(body []byte) error {
			if echo, ok := pingContext(body); ok {
				return peer.SendCmd(zmq4.CmdPong, echo)
			}
			return nil
		})
		if err != nil {
			return err
		}
		n.announced(m, s, message, sequence, time.Now())
	}
}

// publisherFound marks a subscription as working: the other end has completed
// a handshake as a publisher.
func (n *Nodes) publisherFound(m *member, s *subscription, cancel context.CancelFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.everUp {
		n.zmqReconnects++
		n.eventLocked("zmq", m.name+": "+s.address+" is connected again.")
		n.feedEventLocked("event: zmq connected (" + s.address + ")")
	}
	s.healthy, s.everUp, s.lastErr = true, true, ""
	s.connectedAt, s.cancel = time.Now(), cancel
}

// publisherGone says that nobody reads the subscription any more.
func (n *Nodes) publisherGone(s *subscription) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.healthy, s.cancel = false, nil
}

// publisherLost takes note that a connection ended, or could not be made, and
// reports whether it had been working.
func (n *Nodes) publisherLost(m *member, s *subscription, err error) (worked bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	worked = s.cancel != nil
	reason := explainZMQ(err, s.address)
	if worked {
		n.zmqDisconnects++
		n.feedEventLocked("event: zmq disconnected (" + s.address + ")")
	}
	if worked || reason != s.lastErr {
		n.eventLocked("zmq", m.name+": "+reason)
	}
	s.healthy, s.lastErr, s.cancel = false, reason, nil
	return worked
}

func explainZMQ(err error, address string) string {
	var network net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "The connection to " + address + " ended."
	case errors.As(err, &network) && network.Timeout():
		return address + " does not answer as a ZMQ publisher."
	case errors.Is(err, errFrame):
		return "What " + address + " sends is not ZMQ."
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return "Nothing listens at " + address + ". Is zmqpubhashblock or zmqpubrawblock set in bitcoin.conf?"
	}
	return address + " does not answer as a ZMQ publisher."
}

// announced acts on a message: topic, body, and a counter per topic of four
// bytes, little-endian. Anything else is ignored.
func (n *Nodes) announced(m *member, s *subscription, message []frame, sequence map[string]uint32, now time.Time) {
	if len(message) < 2 {
		return
	}
	topic := string(message[0].start)
	if !slices.Contains(s.topics, topic) {
		return
	}
	n.mu.Lock()
	s.messageAt = now
	n.mu.Unlock()

	if len(message) > 2 && len(message[2].start) == 4 {
		number := binary.LittleEndian.Uint32(message[2].start)
		last, ok := sequence[topic]
		if ok && number != last+1 {
			n.gap(m, s, topic, number-last-1)
		}
		sequence[topic] = number
	}

	body := message[1]
	switch topic {
	case topicHashBlock:
		// Core publishes hashes in display order.
		if len(body.start) == len(bitcoin.Hash{}) {
			hash := bitcoin.Hash(body.start)
			slices.Reverse(hash[:])
			n.hint(m, hash)
			if !m.announcesBlocks() {
				n.wantHeader(m, hash)
			}
		}
	case topicRawBlock:
		if block, ok := parseRawBlock(body.start); ok {
			n.hint(m, block.hash)
			n.rawTip(m, block, body.size, now)
		}
	}
}

// gap takes note of lost messages. One of them may have been the last block.
func (n *Nodes) gap(m *member, s *subscription, topic string, lost uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.zmqGaps += uint64(min(lost, 1000)) // a counter that went back is no loss of billions
	n.eventLocked("zmq", fmt.Sprintf("%s: %s lost messages of topic %s.", m.name, s.address, topic))
	if n.active == m {
		n.fetchNow()
	}
}
