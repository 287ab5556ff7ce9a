package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/miner"
)

// goTransport is a transport of goroutines, two for each connection, which
// works on every system and with TLS.
type goTransport struct {
	h       handler
	address *net.TCPAddr
	cfg     *Config
	tls     *tls.Config // nil without
	events  chan goEvent
	ctx     context.Context // ends with shutdown
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	conns   []*goConn
}

// goEvent is one thing that happened: opened if it holds neither bytes nor an
// error.
type goEvent struct {
	conn  *goConn
	bytes []byte
	at    time.Duration
	err   error
}

type goConn struct {
	i      int
	cancel context.CancelFunc
	dead   bool // hung up; events that are still queued do not count

	mu   sync.Mutex
	out  [][]byte // guarded by mu
	more chan struct{}
}

func newGoTransport(e miner.Endpoint, address *net.TCPAddr, cfg *Config, h handler) *goTransport {
	t := &goTransport{
		h:       h,
		address: address,
		cfg:     cfg,
		events:  make(chan goEvent, 1024),
		conns:   make([]*goConn, cfg.Connections),
	}
	if e.TLS {
		t.tls = &tls.Config{ServerName: e.Host, InsecureSkipVerify: cfg.InsecureTLS, MinVersion: tls.VersionTLS12}
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *goTransport) dial(i int) {
	c := &goConn{i: i, more: make(chan struct{}, 1)}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(t.ctx)
	t.conns[i] = c
	t.wg.Go(func() {
		defer c.cancel()
		t.post(goEvent{conn: c, err: t.serve(ctx, c)})
	})
}

// serve connects, reads, and returns why the connection ended.
func (t *goTransport) serve(ctx context.Context, c *goConn) error {
	var d net.Dialer
	source, target := t.cfg.addresses(c.i, t.address)
	if source != nil {
		d.LocalAddr = &net.TCPAddr{IP: source}
	}
	conn, err := d.DialContext(ctx, "tcp", target.String())
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()

	if t.tls != nil {
		secured := tls.Client(conn, t.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			var unknown x509.UnknownAuthorityError
			if errors.As(err, &unknown) {
				return errTLSAuthority
			}
			return err
		}
		conn = secured
	}
	t.post(goEvent{conn: c})

	var writer sync.WaitGroup
	defer writer.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writer.Go(func() { c.write(ctx, conn) })

	buffer := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buffer)
		at := t.h.now()
		if n > 0 {
			t.post(goEvent{conn: c, bytes: append([]byte(nil), buffer[:n]...), at: at})
		}
		if errors.Is(err, io.EOF) {
			return errClosed
		}
		if err != nil {
			return err
		}
	}
}

// write sends what is queued; an error closes the connection, which the reader
// sees.
func (c *goConn) write(ctx context.Context, conn net.Conn) {
	for {
		select {
		case <-c.more:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		out := net.Buffers(c.out)
		c.out = nil
		c.mu.Unlock()
		if _, err := out.WriteTo(conn); err != nil {
			_ = conn.Close()
			return
		}
	}
}

func (t *goTransport) post(e goEvent) {
	select {
	case t.events <- e:
	case <-t.ctx.Done():
	}
}

func (t *goTransport) write(i int, b []byte) {
	c := t.conns[i]
	if c == nil || c.dead {
		return
	}
	c.mu.Lock()
	c.out = append(c.out, b)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (t *goTransport) hangUp(i int) {
	if c := t.conns[i]; c != nil {
		c.dead = true
		c.cancel()
	}
}

func (t *goTransport) wait(d time.Duration) {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case e := <-t.events:
			t.handle(e)
		case <-timer.C:
			return
		}
	}
	for range cap(t.events) {
		select {
		case e := <-t.events:
			t.handle(e)
		default:
			return
		}
	}
}

func (t *goTransport) handle(e goEvent) {
	c := e.conn
	switch {
	case c.dead:
	case e.err != nil:
		t.hangUp(c.i)
		t.h.closed(c.i, e.err)
	case e.bytes != nil:
		t.h.received(c.i, e.bytes, e.at)
	default:
		t.h.opened(c.i)
	}
}

// timestamps has no effect: bytes are read by goroutines, at once.
func (t *goTransport) timestamps(bool) {}

func (t *goTransport) shutdown() {
	t.cancel()
	t.wg.Wait()
}

var _ transport = (*goTransport)(nil)
