package journal

import "testing"

func TestSplitMessageID(t *testing.T) {
	for id, want := range map[string]struct {
		session string
		n       uint64
	}{
		"s-1":                     {"s", 1},
		"8e8d-4c-12":              {"8e8d-4c", 12},
		"s-":                      {},
		"s-0":                     {},
		"s-01":                    {},
		"s-+1":                    {},
		"s":                       {},
		"":                        {},
		"s-9223372036854775808":   {},
		"s-99999999999999999999":  {},
		"-7":                      {"", 7},
		"a\x00b-9223372036854775": {"a\x00b", 9223372036854775},
	} {
		session, n, ok := splitMessageID(id)
		if ok != (want.n > 0) || session != want.session || n != want.n {
			t.Errorf("%q: %q %d %t", id, session, n, ok)
		}
	}
}
