package miner

import (
	"errors"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"stratum+tcp://pool.example:3333", "stratum+tcp://pool.example:3333"},
		{"STRATUM+TCP://Pool.Example:3333", "stratum+tcp://pool.example:3333"},
		{"stratum+ssl://pool.example:4333", "stratum+ssl://pool.example:4333"},
		{"stratum+tls://pool.example:4333/", "stratum+ssl://pool.example:4333"},
		{"SSL://pool.example:443", "stratum+ssl://pool.example:443"},
		{"tls://pool.example", "stratum+ssl://pool.example:4333"},
		{"tcp://127.0.0.1:1", "stratum+tcp://127.0.0.1:1"},
		{"stratum://127.0.0.1", "stratum+tcp://127.0.0.1:3333"},
		{"127.0.0.1:65535", "stratum+tcp://127.0.0.1:65535"},
		{" localhost:03333\n", "stratum+tcp://localhost:3333"},
		{"localhost", "stratum+tcp://localhost:3333"},
		{"[::1]:3333", "stratum+tcp://[::1]:3333"},
		{"[::1]", "stratum+tcp://[::1]:3333"},
		{"::1", "stratum+tcp://[::1]:3333"},
		{"stratum+ssl://[2001:DB8::5]:4333", "stratum+ssl://[2001:db8::5]:4333"},
		{"pool.example:3333#xnsub", "stratum+tcp://pool.example:3333"},
	} {
		e, err := ParseEndpoint(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got := e.String(); got != c.want {
			t.Errorf("%q = %s, want %s", c.in, got, c.want)
		}
		if again, err := ParseEndpoint(e.String()); err != nil || again != e {
			t.Errorf("%q does not survive being written: %v, %v", c.in, again, err)
		}
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	for _, c := range []struct{ in, word string }{
		{"", "empty"},
		{"stratum+tcp://", "bad host"},
		{":3333", "bad host"},
		{"http://pool.example:3333", "unknown scheme"},
		{"stratum2+tcp://pool.example:3333", "Stratum V2"},
		{"pool.example:0", "port"},
		{"pool.example:65536", "port"},
		{"pool.example:stratum", "port"},
		{"pool.example:3333:4", ""},
		{"stratum+tcp://bc1qsecret:x@pool.example:3333", "setting of its own"},
		{"pool example:3333", "bad host"},
		{"[::1", ""},
	} {
		e, err := ParseEndpoint(c.in)
		if !errors.Is(err, ErrBadPool) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%q = %v, %v; want an error with %q", c.in, e, err, c.word)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats the credentials: %v", c.in, err)
		}
	}
}
