//go:build unix

package stratum

import (
	"errors"
	"net"
	"syscall"
)

// rawWriter writes to a socket without ever waiting for it.
type rawWriter interface {
	// tryWrite writes as much of b as the socket takes now.
	tryWrite(b []byte) (n int, err error)
}

type socketWriter struct {
	conn  syscall.RawConn
	write func(fd uintptr) bool // made once, so that a write allocates nothing

	b   []byte
	n   int
	err error
}

// newRawWriter returns nil for connections that are no plain socket.
func newRawWriter(nc net.Conn) rawWriter {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	conn, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	w := &socketWriter{conn: conn}
	w.write = func(fd uintptr) bool {
		for {
			n, err := syscall.Write(int(fd), w.b)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			w.n, w.err = max(n, 0), err
			return true
		}
	}
	return w
}

func (w *socketWriter) tryWrite(b []byte) (int, error) {
	w.b, w.n, w.err = b, 0, nil
	err := w.conn.Write(w.write)
	w.b = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(w.err, syscall.EAGAIN):
		return 0, nil
	}
	return w.n, w.err
}
