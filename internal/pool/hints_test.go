package pool

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseHints(t *testing.T) {
	for password, want := range map[string]hints{
		"": {}, "x": {}, "123": {}, "x,d=4096": {start: 4096}, "d=0.00015": {start: 0.00015}, "diff=1e3": {start: 1000},
		"difficulty:5": {start: 5}, "D=7": {start: 7}, "d=1,d=2": {start: 1}, "d=1;md=2 f=3": {start: 1, min: 2, fixed: 3},
		"mindiff=10|fixed=20": {min: 10, fixed: 20}, "d=": {}, "d=-1": {}, "d=0": {}, "d=NaN": {}, "d=Inf": {}, "d=1e999": {},
		"=5": {}, "d": {}, "d=x,d=5": {start: 5}, "p=secret&d=8": {start: 8}, "abcd=5": {},
		"sd=0x10": {start: 16}, "suggest_diff=5": {start: 5}, "Suggest-Difficulty:6": {start: 6}, "min-diff=3": {min: 3}, "d=0xzz,d=4": {start: 4}, "d=0x0": {},
	} {
		if diff := cmp.Diff(want, parseHints(password), cmp.AllowUnexported(hints{})); diff != "" {
			t.Errorf("%q: %s", password, diff)
		}
	}
}

// Wishes behind the user name, and names that only look like one.
func TestUserHints(t *testing.T) {
	for user, want := range map[string]struct {
		name  string
		hints hints
	}{
		"a.rig": {"a.rig", hints{}}, "a.rig+1024": {"a.rig", hints{start: 1024}}, "a.rig+d=0x400": {"a.rig", hints{start: 1024}},
		"a.rig#diff=2.5": {"a.rig", hints{start: 2.5}}, "a.rig,d=8,md=4": {"a.rig", hints{start: 8, min: 4}}, "a.rig:500": {"a.rig", hints{start: 500}},
		"a;f=3": {"a", hints{fixed: 3}}, "a|1e3": {"a", hints{start: 1000}}, "a&sd=9": {"a", hints{start: 9}}, "a d=7": {"a", hints{start: 7}},
		"a\tsuggest-diff:6": {"a", hints{start: 6}}, "a+Suggest_Difficulty=6": {"a", hints{start: 6}}, "a+x d=5": {"a", hints{start: 5}},
		"a+0": {"a+0", hints{}}, "a+": {"a+", hints{}}, "a+rig": {"a+rig", hints{}}, "a.rig 2": {"a.rig 2", hints{}}, "a,b": {"a,b", hints{}},
		"a+-5": {"a+-5", hints{}}, "a+inf": {"a+inf", hints{}}, "a+nan": {"a+nan", hints{}}, "a+0x": {"a+0x", hints{}}, "": {"", hints{}}, "+5": {"", hints{start: 5}},
	} {
		name, h := userHints(user)
		if name != want.name || h != want.hints {
			t.Errorf("%q: %q with %+v, want %q with %+v", user, name, h, want.name, want.hints)
		}
	}
}

func FuzzUserHints(f *testing.F) {
	f.Add("bc1q.rig+d=0x400,md=3")
	f.Fuzz(func(t *testing.T, user string) {
		name, h := userHints(user)
		if h == (hints{}) && name != user || !strings.HasPrefix(user, name) {
			t.Errorf("%q becomes %q with %+v", user, name, h)
		}
		for _, d := range []float64{h.start, h.min, h.fixed} {
			if !(d >= 0) || d > 1e308*1.7 {
				t.Errorf("%q wishes %v", user, d)
			}
		}
	})
}

func TestCleanText(t *testing.T) {
	for text, want := range map[string]string{
		"cgminer/4.11.1": "cgminer/4.11.1", "a\nb\x00\x1b[31mc": "ab[31mc", "é€😀": "é€😀", "\xff\xfeok": "ok",
		"a\u202eb": "ab", "": "", strings.Repeat("é", 100): strings.Repeat("é", 64),
	} {
		if got := cleanText(text, 128); got != want {
			t.Errorf("cleanText(%q) = %q, want %q", text, got, want)
		}
	}
	if got := cleanText(" a\t", 128); got != "a" {
		t.Errorf("white space is kept around %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		limit := rapid.IntRange(0, 20).Draw(t, "limit")
		got := cleanText(text, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00\x1b") {
			t.Fatalf("cleanText(%q, %d) = %q", text, limit, got)
		}
	})
}

// Precedence of what a miner may wish (R-A3), within the operator's limits.
func TestStartDifficulty(t *testing.T) {
	p := new(Pool)
	p.settings.Store(&settings{Config: Config{Difficulty: DifficultyConfig{Start: 512, Min: 0.001, Max: 100_000}}})
	for name, c := range map[string]struct {
		wish  wishes
		agent string
		want  float64
	}{
		"nothing":        {wishes{}, "x", 512},
		"class":          {wishes{}, "bitaxe", 1024},
		"suggested":      {wishes{suggested: 700}, "bitaxe", 700},
		"configured":     {wishes{suggested: 700, configured: 2000}, "bitaxe", 2000},
		"password":       {wishes{suggested: 700, configured: 2000, hints: hints{start: 5000}}, "bitaxe", 5000},
		"but the floor":  {wishes{configured: 2000, hints: hints{start: 500}}, "bitaxe", 2000},
		"fixed":          {wishes{hints: hints{start: 5000, fixed: 300}}, "bitaxe", 300},
		"password floor": {wishes{suggested: 10, hints: hints{min: 64}}, "x", 64},
		"operator's max": {wishes{hints: hints{start: 1e9}}, "x", 100_000},
		"max over floor": {wishes{hints: hints{min: 1e9}}, "x", 100_000},
		"operator's min": {wishes{suggested: 1e-9}, "x", 0.001},
	} {
		s := &session{pool: p, port: &port{}, wish: c.wish, device: profileOf(c.agent)}
		if got := s.startDifficulty(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
