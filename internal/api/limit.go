package api

import (
	"net"
	"sync"
	"sync/atomic"
)

// limitListener closes connections above a limit as soon as they come, so
// that web clients cannot use up the file descriptors that miners need.
type limitListener struct {
	net.Listener
	free    chan struct{} // one token per connection that may still come
	refused *atomic.Uint64
}

func newLimitListener(ln net.Listener, limit int, refused *atomic.Uint64) *limitListener {
	l := &limitListener{Listener: ln, free: make(chan struct{}, limit), refused: refused}
	for range limit {
		l.free <- struct{}{}
	}
	return l
}

// Accept returns the next connection that is within the limit.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case <-l.free:
			return &limitConn{Conn: conn, release: sync.OnceFunc(func() { l.free <- struct{}{} })}, nil
		default:
			l.refused.Add(1)
			_ = conn.Close() // it was not ours yet
		}
	}
}

// limitConn gives its token back when it is closed.
type limitConn struct {
	net.Conn
	release func()
}

// Close closes the connection.
func (c *limitConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
