package top

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"plain rig-1":                      "plain rig-1",
		"a\r\nb\tc":                        "a b c",
		"\x1b[31mred":                      "�[31mred",
		"\u009b2J":                         "�2J",
		"a\x00b\x7f":                       "a�b�",
		"\xff\xfe":                         "��",
		"矿机":                               "矿机",
		"e\u0301tude":                      "e\u0301tude",
		"\u0301x":                          "�x",
		"a\u202eb":                         "a�b",
		"👩‍👩‍👧‍👦":                          "�",
		"😀":                                "😀",
		"\u200b":                           "�",
		"\u3164":                           "�",
		"x\u00ady":                         "x�y",
		"⸻":                                "�",
		"e" + strings.Repeat("\u0301", 20): "�",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%+q) = %+q, want %+q", in, got, want)
		}
	}
	if got := clean(strings.Repeat("矿", 5000)); len(got) > maxText+maxCluster {
		t.Errorf("%d bytes are kept", len(got))
	}
}

func TestFitting(t *testing.T) {
	for _, s := range append(hostile, "", "a", "abc", "矿机一号", "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.矿机一号") {
		s = clean(s)
		for w := range 40 {
			for name, fitted := range map[string]string{"left": left(s, w), "right": right(s, w), "worker": fitWorker(s, w)} {
				if got := uniseg.StringWidth(fitted); got != w {
					t.Errorf("%s(%q, %d) takes %d cells: %q", name, s, w, got, fitted)
				}
			}
			if got := uniseg.StringWidth(cutLeft(s, w)); got > w {
				t.Errorf("cutLeft(%q, %d) takes %d cells", s, w, got)
			}
			for _, line := range wrap(s, w+2) {
				if got := uniseg.StringWidth(line); got > w+2 {
					t.Errorf("a line of wrap(%q, %d) takes %d cells", s, w+2, got)
				}
			}
		}
	}
	if got, want := strings.Join(wrap("one two three", 7), "|"), "one two|three"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fitWorker("bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.rig7", 30), "bc1qxy2k...fjhx0wlh.rig7      "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fitWorker("bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.rig7", 8), "…lh.rig7"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestToASCII(t *testing.T) {
	if got, want := toASCII("\x1b[1m≈2 · 矿▁█\x1b[m"), "\x1b[1m~2 | ??_#\x1b[m"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// FuzzClean feeds it what no test thought of: nothing that comes out may steer
// a terminal, be invisible, or be long.
func FuzzClean(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if !utf8.ValidString(got) || len(got) > maxText+maxCluster {
			t.Fatalf("%d bytes, valid: %t", len(got), utf8.ValidString(got))
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U comes out of %+q", r, s)
			}
		}
		for _, w := range []int{0, 1, 7, 80} {
			if n := width(left(got, w)); n != w {
				t.Fatalf("%+q takes %d cells instead of %d", got, n, w)
			}
			if n := width(fitWorker(got, w)); n != w {
				t.Fatalf("as a worker %+q takes %d cells instead of %d", got, n, w)
			}
		}
		if ascii := toASCII(got); strings.IndexFunc(ascii, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
			t.Fatalf("not ASCII: %+q", ascii)
		}
	})
}
