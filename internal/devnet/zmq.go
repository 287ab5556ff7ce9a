package devnet

import (
	"bufio"
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the publisher. A subscriber that does not keep up loses messages,
// as with libzmq's high-water mark; the counters in the messages tell it.
const (
	zmqQueueMessages = 1000
	zmqQueueBytes    = 32 << 20
	zmqMaxPeers      = 64
	zmqMaxTopics     = 64 // per subscriber
	zmqWriteTime     = 30 * time.Second
)

// publisher is a ZMQ PUB socket: messages of three frames, topic ‖ body ‖
// counter (4, LE, one per topic, counting also what nobody received).
type publisher struct {
	listener net.Listener
	log      *slog.Logger
	drops    atomic.Uint64
	wg       sync.WaitGroup

	mu       sync.Mutex // guards what follows
	counters map[topic]uint32
	peers    map[*subscriber]struct{}
	closed   bool
}

var _ announcer = (*publisher)(nil)

// subscriber is one connection with its queue.
type subscriber struct {
	conn   net.Conn
	queue  chan []byte
	queued atomic.Int64 // bytes in queue

	mu     sync.Mutex // guards topics
	topics map[string]struct{}
}

func newPublisher(l net.Listener, log *slog.Logger) *publisher {
	return &publisher{
		listener: l,
		log:      log,
		counters: make(map[topic]uint32),
		peers:    make(map[*subscriber]struct{}),
	}
}

// announce implements announcer: it queues a message for every subscriber of
// the topic and never waits.
func (p *publisher) announce(t topic, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	counter := p.counters[t]
	p.counters[t] = counter + 1

	var message []byte
	for s := range p.peers {
		if !s.wants(string(t)) {
			continue
		}
		if message == nil {
			message = zmtpMessage([]byte(t), body, binary.LittleEndian.AppendUint32(nil, counter))
		}
		if !s.enqueue(message) {
			p.drops.Add(1)
		}
	}
}

// run accepts subscribers until ctx ends.
func (p *publisher) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			p.close()
			p.wg.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			p.serve(conn)
		}()
	}
}

// close ends the listener and all connections.
func (p *publisher) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for s := range p.peers {
		_ = s.conn.Close()
	}
}

// serve speaks with one subscriber until it goes away.
func (p *publisher) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	s := &subscriber{
		conn:   conn,
		queue:  make(chan []byte, zmqQueueMessages),
		topics: make(map[string]struct{}),
	}
	if !p.join(s) {
		return
	}
	defer p.leave(s)

	in := bufio.NewReaderSize(conn, zmtpMaxFrame)
	if err := zmtpHandshake(conn, in); err != nil {
		p.log.Debug("zmq handshake failed", "remote", conn.RemoteAddr().String(), "error", err)
		return
	}

	done := make(chan struct{})
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		s.write(done)
	}()
	defer close(done)
	for {
		flags, body, err := zmtpReadFrame(in)
		if err != nil || !s.handle(flags, body) {
			return
		}
	}
}

// join registers a subscriber, unless there are too many already.
func (p *publisher) join(s *subscriber) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.peers) >= zmqMaxPeers {
		return false
	}
	p.peers[s] = struct{}{}
	return true
}

func (p *publisher) leave(s *subscriber) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.peers, s)
}

// wants tells whether the subscriber asked for a topic; a subscription is a
// prefix.
func (s *subscriber) wants(t string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for prefix := range s.topics {
		if strings.HasPrefix(t, prefix) {
			return true
		}
	}
	return false
}

// enqueue queues a message unless the queue is full.
func (s *subscriber) enqueue(message []byte) bool {
	if s.queued.Load()+int64(len(message)) > zmqQueueBytes {
		return false
	}
	select {
	case s.queue <- message:
		s.queued.Add(int64(len(message)))
		return true
	default:
		return false
	}
}

// write sends what is queued until done, or until the subscriber has not
// taken a message for too long.
func (s *subscriber) write(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case message := <-s.queue:
			s.queued.Add(-int64(len(message)))
			if err := s.conn.SetWriteDeadline(time.Now().Add(zmqWriteTime)); err != nil {
				return
			}
			if _, err := s.conn.Write(message); err != nil {
				_ = s.conn.Close() // ends the reader too
				return
			}
		}
	}
}

// handle takes a frame from the subscriber; false ends the connection.
func (s *subscriber) handle(flags byte, body []byte) bool {
	if flags&zmtpCommand != 0 {
		name, data, ok := zmtpCommandName(body)
		switch {
		case !ok:
			return false
		case name == "SUBSCRIBE": // ZMTP 3.1
			return s.subscribe(string(data))
		case name == "CANCEL":
			s.cancel(string(data))
		case name == "PING" && len(data) >= 2:
			pong := append([]byte("\x04PONG"), data[2:]...)
			if len(pong) > 255 {
				return false
			}
			return s.enqueue(append([]byte{zmtpCommand, byte(len(pong))}, pong...))
		}
		return true
	}
	if flags&zmtpMore != 0 || len(body) == 0 {
		return true // a message that is none of ours
	}
	switch body[0] {
	case 0:
		s.cancel(string(body[1:]))
	case 1:
		return s.subscribe(string(body[1:]))
	}
	return true
}

func (s *subscriber) subscribe(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.topics) >= zmqMaxTopics {
		return false
	}
	s.topics[prefix] = struct{}{}
	return true
}

func (s *subscriber) cancel(prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.topics, prefix)
}
