package fleet

import "testing"

// TestAgentIDsAreSeenAsTheyAre refuses what makes an id look like another.
func TestAgentIDsAreSeenAsTheyAre(t *testing.T) {
	for _, id := range []string{"eu-1", "a b", "ü", "日本", "a/b", "..."} {
		if err := CheckAgentID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", ".", "..", "a\u202eb", "a\u2066b", "a\u200bb", "\ufeffa", "a\u0085b", "a\u2028b", "a\nb", "\xff"} {
		if CheckAgentID(id) == nil {
			t.Errorf("%q is taken", id)
		}
	}
	if got := Clip("a\u202eb\u0085c", 100); got != "a b c" {
		t.Errorf("%q", got)
	}
}
