package relay

import "testing"

func TestParseUpstream(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		// The forms that the original reads, and those that it gets wrong.
		{"stratum+tcp://p.x", "stratum+tcp://p.x:3333"},
		{"tcp://p.x/path", "stratum+tcp://p.x:3333"},
		{"http://p.x", "stratum+tcp://p.x:3333"},
		{"p.x:3333", "stratum+tcp://p.x:3333"},
		{"stratum+tcp://p.x:4444/", "stratum+tcp://p.x:4444"},
		{"STRATUM+TCP://p.x", "stratum+tcp://p.x:3333"},
		{"stratum+ssl://p.x", "stratum+ssl://p.x:3333"},
		{"ssl://p.x", "stratum+ssl://p.x:3333"},
		{"[::1]", "stratum+tcp://[::1]:3333"},
		{"stratum+tcp://user@p.x", "stratum+tcp://p.x:3333"},
		// The others.
		{"p.x", "stratum+tcp://p.x:3333"},
		{"stratum://p.x:1", "stratum+tcp://p.x:1"},
		{"tcp://p.x:65535", "stratum+tcp://p.x:65535"},
		{"stratum+tls://p.x:443", "stratum+ssl://p.x:443"},
		{"tls://p.x:443", "stratum+ssl://p.x:443"},
		{"https://p.x:443/stratum?x=1#y", "stratum+ssl://p.x:443"},
		{"SSL://Pool.Example.COM:4334", "stratum+ssl://pool.example.com:4334"},
		{" stratum+tcp://p.x:3333\n", "stratum+tcp://p.x:3333"},
		{"stratum+tcp://bc1q.rig:pass@word@p.x:25", "stratum+tcp://p.x:25"},
		{"user@p.x", "stratum+tcp://p.x:3333"},
		{"p.x.:3334", "stratum+tcp://p.x:3334"},
		{"my_pool-1:03333", "stratum+tcp://my_pool-1:3333"},
		{"192.0.2.7", "stratum+tcp://192.0.2.7:3333"},
		{"ssl://192.0.2.7:700", "stratum+ssl://192.0.2.7:700"},
		{"::1", "stratum+tcp://[::1]:3333"},
		{"[::1]:3334", "stratum+tcp://[::1]:3334"},
		{"2001:DB8:0::1", "stratum+tcp://[2001:db8::1]:3333"},
		{"stratum+ssl://2001:db8::1", "stratum+ssl://[2001:db8::1]:3333"},
		{"stratum+ssl://user@[2001:db8::1]:443/", "stratum+ssl://[2001:db8::1]:443"},
		{"TCP://[2001:DB8::1]", "stratum+tcp://[2001:db8::1]:3333"},
		{"[fe80::1%25eth0]:3333", "stratum+tcp://[fe80::1%eth0]:3333"},
		{"::ffff:192.0.2.7", "stratum+tcp://[::ffff:192.0.2.7]:3333"},
	} {
		u, err := ParseUpstream(tc.text)
		if err != nil || u.String() != tc.want {
			t.Errorf("%q: %s, %v; want %s", tc.text, u, err, tc.want)
		}
	}
}
