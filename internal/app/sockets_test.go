package app

import (
	"net"
	"testing"
)

// An operator changes "127.0.0.1:8000" to ":8000", or to another spelling, and
// restarts: the socket that the last program passed on must not be in the way.
func TestSocketsPassedOnYieldToAWiderAddress(t *testing.T) {
	for _, host := range []string{"", "localhost"} {
		old, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(old.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		file, err := old.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}

		passed := &Sockets{list: []socket{{roleHTTP, old.Addr().String(), file}}}
		l, err := passed.listen(roleHTTP, net.JoinHostPort(host, port))
		if err != nil {
			_ = passed.drop()
			t.Fatalf("host %q: %v", host, err)
		}
		conn, err := net.Dial("tcp4", old.Addr().String())
		if err != nil {
			t.Fatalf("host %q: %v", host, err)
		}
		_ = conn.Close()
		_ = l.Close()
		_ = passed.drop()
	}
}
