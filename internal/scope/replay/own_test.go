package replay

import "testing"

func TestOwnPools(t *testing.T) {
	own, err := OwnPools([]string{"stratum+tcp://Pool.Home:3333", "10.0.0.5:3334", "[2001:db8::1]:3335", "localhost:3336", "0.0.0.0:3337", "ssl://secure.home"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		pool, peer string
		want       bool
	}{
		{"pool.home:3333", "", true},
		{"POOL.HOME:3333", "203.0.113.1:3333", true},
		{"pool.home:3334", "203.0.113.1:3334", false},
		{"pool.home.evil.example:3333", "203.0.113.1:3333", false},
		{"other.example:3334", "10.0.0.5:3334", true}, // whatever it is called, it is that machine
		{"other.example:3334", "10.0.0.5:3333", false},
		{"10.0.0.5:3334", "", true},
		{"[2001:db8:0::1]:3335", "[2001:db8::1]:3335", true},
		{"127.0.0.1:3336", "127.0.0.1:3336", true},
		{"[::1]:3336", "[::1]:3336", true},
		{"x.example:3336", "203.0.113.1:3336", false},
		{"127.0.0.1:3337", "127.0.0.1:3337", true},
		{"x.example:3337", "203.0.113.1:3337", false},
		{"secure.home:3333", "203.0.113.1:3333", true},
		{"", "", false},
		{"://", "nonsense", false},
	} {
		if got := own(test.pool, test.peer); got != test.want {
			t.Errorf("%q at %q: %t", test.pool, test.peer, got)
		}
	}
	if _, err := OwnPools([]string{"pool.example:0"}); err == nil {
		t.Error("a bad address was taken")
	}
	if none, err := OwnPools(nil); err != nil || none("127.0.0.1:3333", "127.0.0.1:3333") {
		t.Error("nothing is listed, yet something is one's own")
	}
}
