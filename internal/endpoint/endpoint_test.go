package endpoint

import (
	"errors"
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		text string
		want error
	}{
		{"", ErrEmpty},
		{" \t", ErrEmpty},
		{"ftp://p.x", ErrScheme},
		{"stratum2+tcp://p.x", ErrScheme},
		{"://p.x", ErrScheme},
		{"p.x:0", ErrPort},
		{"p.x:65536", ErrPort},
		{"p.x:-1", ErrPort},
		{"p.x:+1", ErrPort},
		{"p.x:port", ErrPort},
		{"p.x:", ErrPort},
		{"p.x:33 33", ErrPort},
		{"[::1]:", ErrPort},
		{"[::1]:99999", ErrPort},
		{"stratum+tcp://", ErrHost},
		{"stratum+tcp:///path", ErrHost},
		{"stratum+tcp://user@", ErrHost},
		{":3333", ErrHost},
		{"[::1", ErrHost},
		{"[::1]3333", ErrHost},
		{"[p.x]:3333", ErrHost},
		{"::1:99999", ErrHost},
		{"a:b:c", ErrHost},
		{"p..x", ErrHost},
		{"p x:3333", ErrHost},
		{"pööl.example", ErrHost},
		{strings.Repeat("a", 64) + ".x", ErrHost},
		{strings.Repeat("a.", 130) + "x", ErrHost},
	} {
		if u, err := Parse(tc.text); !errors.Is(err, tc.want) {
			t.Errorf("%q: %+v, %v; want %v", tc.text, u, err, tc.want)
		}
	}
}

// What people write before and behind the host is not repeated: there may be a
// password in it.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, text := range []string{"tcp://me:hunter2@p.x:0", "tcp://me:hunter2@", "me:hunter2@p..x", "foo://me:hunter2@p.x"} {
		if _, err := Parse(text); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What was read once is read the same again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"stratum+ssl://user@[2001:db8::1]:443/x", "p.x:3333", "::1", "[fe80::1%25eth0]:1", "http://p.x.", "a:b:c", "x:0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		if err != nil {
			return
		}
		if u.Port == 0 {
			u.Port = 1 // there is none to be read again
		}
		if u.Host == "" || strings.ContainsAny(u.Host, " /@[]?#") || strings.ToLower(u.Host) != u.Host && !strings.Contains(u.Host, "%") {
			t.Fatalf("%q: %+v", text, u)
		}
		if again, err := Parse(u.String()); err != nil || again != u {
			t.Fatalf("%q: %+v, then %q: %+v, %v", text, u, u.String(), again, err)
		}
	})
}
