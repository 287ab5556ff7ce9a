//go:build !unix

package stratum

import "net"

// rawWriter writes to a socket without ever waiting for it. Where there is no
// way to try, every write goes through the connection's writing goroutine.
type rawWriter interface {
	tryWrite(b []byte) (n int, err error)
}

func newRawWriter(net.Conn) rawWriter { return nil }
