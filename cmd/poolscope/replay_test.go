package main

import (
	"net"
	"testing"
)

// connTo is a connection to an address.
type connTo struct {
	net.Conn
	ip net.IP
}

func (c connTo) RemoteAddr() net.Addr { return &net.TCPAddr{IP: c.ip, Port: 3333} }

// Load is for one's own pools.
func TestReplayMayHurry(t *testing.T) {
	for _, test := range []struct {
		ip    string
		speed float64
		own   bool
		want  bool
	}{
		{"203.0.113.1", 1, false, true},
		{"203.0.113.1", 0.5, false, true},
		{"203.0.113.1", 1.1, false, false},
		{"203.0.113.1", 0, false, false},
		{"192.168.1.2", 0, false, false},
		{"203.0.113.1", 0, true, true},
		{"127.0.0.1", 0, false, true},
		{"127.1.2.3", 100, false, true},
		{"::1", 0, false, true},
	} {
		c := replayCommand{Speed: test.speed, Own: test.own}
		if err := c.mayHurry(connTo{ip: net.ParseIP(test.ip)}); (err == nil) != test.want {
			t.Errorf("speed %v to %s, own %t: %v", test.speed, test.ip, test.own, err)
		}
	}
}
