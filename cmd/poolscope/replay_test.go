package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Load is for one's own pools: nothing is sent to others, and their names are
// looked up first.
func TestReplayMayHurry(t *testing.T) {
	for _, test := range []struct {
		host  string
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
		{"::ffff:127.0.0.1", 0, false, true},
		{"localhost", 0, false, true},
		{"::", 0, false, false},
	} {
		c := replayCommand{Speed: test.speed, Own: test.own, Patience: 10 * time.Second}
		if err := c.mayHurry(t.Context(), test.host); (err == nil) != test.want {
			t.Errorf("speed %v to %s, own %t: %v", test.speed, test.host, test.own, err)
		}
		ip := net.ParseIP(test.host)
		if ip == nil {
			continue
		}
		if err := c.mayHurryTo(&net.TCPAddr{IP: ip, Port: 3333}); (err == nil) != test.want {
			t.Errorf("speed %v to %s when connected, own %t: %v", test.speed, test.host, test.own, err)
		}
	}
}

// A foreign pool is not even connected to. The unspecified address is none of
// loopback, but leads to this machine.
func TestReplayRefusesBeforeDialling(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	came := make(chan struct{}, 1)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
			came <- struct{}{}
		}
	}()
	path := filepath.Join(t.TempDir(), "recorded")
	if err := os.WriteFile(path, []byte(recorded), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	var out, complaints bytes.Buffer
	code := run(t.Context(), []string{"replay", path, "--session", "0a", "--to", "pool", "--pool", "stratum+tcp://0.0.0.0:" + port, "--speed", "2"}, &out, &complaints)
	if code != exitFailure || !strings.Contains(complaints.String(), "say --own if it is yours") {
		t.Errorf("exit code %d: %s%s", code, &out, &complaints)
	}
	select {
	case <-came:
		t.Error("the pool was connected to")
	case <-time.After(100 * time.Millisecond):
	}
}
