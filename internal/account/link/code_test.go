package link

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWordList(t *testing.T) {
	list := words()
	if len(list) < 2048 {
		t.Fatalf("%d words", len(list))
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(list))); len(sorted) != len(list) {
		t.Errorf("%d words, %d different ones", len(list), len(sorted))
	}
	for _, w := range list {
		if !regexp.MustCompile(`^[a-z]{3,6}$`).MatchString(w) {
			t.Errorf("odd word %q", w)
		}
	}
}

func TestCodesLookAsPromised(t *testing.T) {
	form := regexp.MustCompile(`^[2-9A-HJ-NP-Z]{4}-[a-z]{3,6}-[a-z]{3,6}-[a-z]{3,6}$`)
	seen := map[string]bool{}
	for range 2000 {
		code := newCode(newTag())
		if !form.MatchString(code) {
			t.Fatalf("code %q", code)
		}
		if seen[code] {
			t.Errorf("%q twice", code)
		}
		seen[code] = true
	}
}

func TestNormal(t *testing.T) {
	tests := []struct{ typed, want string }{
		{"K7Q2-tulip-anchor-maple", "k7q2-tulip-anchor-maple"},
		{"  k7q2 Tulip  ANCHOR maple ", "k7q2-tulip-anchor-maple"},
		{"`K7Q2-tulip-anchor-maple`", "k7q2-tulip-anchor-maple"},
		{"K7Q2–tulip—anchor_maple.", "k7q2-tulip-anchor-maple"},
		{"tulip-anchor-maple", ""},
		{"K7Q2-tulip-anchor-maple-more", ""},
		{"", ""},
		{"----", ""},
		{"\xff\xfe", ""},
		{strings.Repeat("a", 300), ""},
	}
	for _, tt := range tests {
		if got := normal(tt.typed); got != tt.want {
			t.Errorf("%q → %q, want %q", tt.typed, got, tt.want)
		}
	}
}

// FuzzNormal: whatever is typed, the form that is compared is one that typing it
// again gives.
func FuzzNormal(f *testing.F) {
	f.Add("K7Q2-tulip-anchor-maple")
	f.Add("\u0130\u0130\u0130\u0130 a b c")
	f.Fuzz(func(t *testing.T, typed string) {
		n := normal(typed)
		if n != "" && strings.Count(n, "-") != codeWords {
			t.Errorf("%q → %q", typed, n)
		}
		if again := normal(n); len(n) <= maxCode && strings.ToLower(n) == n && again != n {
			t.Errorf("%q → %q → %q", typed, n, again)
		}
	})
}

func TestAttempts(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	a := newAttempts(3, 10, time.Minute)
	for i := range 3 {
		if wait := a.try("ann", now); wait != 0 {
			t.Fatalf("try %d waits %v", i, wait)
		}
	}
	if wait := a.try("ann", now.Add(20*time.Second)); wait != 40*time.Second {
		t.Errorf("waits %v", wait)
	}
	if wait := a.try("bob", now); wait != 0 {
		t.Errorf("bob pays for ann: %v", wait)
	}
	a.forgive("ann")
	if wait := a.try("ann", now); wait != 0 {
		t.Errorf("not forgiven: %v", wait)
	}
	for i := range 8 {
		a.try(strings.Repeat("x", i+1), now)
	}
	if wait := a.try("new", now); wait != time.Minute {
		t.Errorf("eleven of ten: %v", wait)
	}
	if wait := a.try("new", now.Add(time.Minute)); wait != 0 {
		t.Errorf("a minute later: %v", wait)
	}
}

// TestAttemptsAreForgotten: names are free to choose, so no more of them are
// remembered than tries are allowed.
func TestAttemptsAreForgotten(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	a := newAttempts(2, 50, time.Minute)
	for i := range 100_000 {
		now = now.Add(100 * time.Millisecond)
		a.try(strings.Repeat("n", i%977), now)
		if len(a.names) > 2*a.all+1 {
			t.Fatalf("%d names are remembered", len(a.names))
		}
	}
}
