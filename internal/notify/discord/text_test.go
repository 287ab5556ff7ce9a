package discord

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/notify"
)

func TestEscape(t *testing.T) {
	tests := []struct{ in, want string }{
		{"rig7", "rig7"},
		{"**bold** _it_ `code` ||spoiler||", `\*\*bold\*\* \_it\_ \` + "`code\\`" + ` \|\|spoiler\|\|`},
		{"@everyone", "@\u200beveryone"},
		{"<@123>", "\\<@\u200b123\\>"},
		{"<@&5><#6></x:7><t:1:R>", "\\<@\u200b&5\\>\\<#6\\>\\</x:7\\>\\<t:1:R\\>"},
		{"https://evil.example/[x](y)", `https\:\/\/evil.example/\[x\]\(y\)`},
		{`\@here`, `\\` + "@\u200bhere"},
	}
	for _, tt := range tests {
		if got := escape(tt.in); got != tt.want {
			t.Errorf("%q → %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCensor(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Offline >5m: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.rigA", "Offline >5m: 1A1zP1eP...v7DivfNa.rigA"},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.attic, BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508...7kv8f3t4.attic, BC1QW508...7KV8F3T4"},
		{"bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", "bcrt1p0x...vqc8gma6"},
		{"hash 00000000000000000001bd61ee4f46e8ba3c40b0a0f0d8ab9f98263f25a3577e", "hash 00000000000000000001bd61ee4f46e8ba3c40b0a0f0d8ab9f98263f25a3577e"},
		{"rig7 is offline, height 840000", "rig7 is offline, height 840000"},
	}
	for _, tt := range tests {
		if got := censor(tt.in); got != tt.want {
			t.Errorf("%q → %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCompose(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	tests := []struct {
		name, mention string
		m             notify.Message
		want          string
	}{
		{"one line", "<@1>", notify.Message{At: now, Title: "Worker offline", Lines: []string{"rig7 is offline"}}, "<@1> rig7 is offline"},
		{"one old line", "<@1>", notify.Message{At: now.Add(-time.Hour), Lines: []string{"rig7 is offline"}}, "<@1> rig7 is offline · <t:1799996400:R>"},
		{"lines", "<@1>", notify.Message{At: now, Title: "2 events", Lines: []string{"a", "b_c"}}, "<@1> **2 events**\n• a\n• b\\_c"},
		{"for all", "", notify.Message{At: now, Title: "2 events", Lines: []string{"a", "b"}}, "**2 events**\n• a\n• b"},
		{"for all, one", "", notify.Message{At: now, Lines: []string{"a"}}, "a"},
		{"line in a line", "<@1>", notify.Message{At: now, Lines: []string{"a\n# b\u202ec"}}, "<@1> a # bc"},
	}
	for _, tt := range tests {
		if got := compose(tt.mention, tt.m, now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestComposeFits(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for n := 1; n < 200; n += 7 {
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf("worker %d *%s*", i, strings.Repeat("😀", i%60)))
		}
		got := compose("<@12345678901234567890>", notify.Message{At: now.Add(-time.Hour), Title: "many", Lines: lines}, now)
		if length(got) > maxContent {
			t.Errorf("%d lines: %d characters", n, length(got))
		}
		shown := strings.Count(got, "\n• ")
		if n > 1 && shown < n && !strings.HasSuffix(got, fmt.Sprintf("\n… and %d more", n-shown)) {
			t.Errorf("%d lines, %d shown: …%q", n, shown, got[len(got)-40:])
		}
	}
}

// FuzzCompose: whatever workers are called, the message fits, has one line for
// each, and pings nobody but who is meant.
func FuzzCompose(f *testing.F) {
	f.Add("@everyone", "<@1> <@!2> <@&3>", "t")
	f.Add("\\", "\\\\@here\n@here", "**")
	f.Add("http://x", "\xff\u200b\u202e", "a\nb")
	f.Fuzz(func(t *testing.T, a, b, title string) {
		now := time.Unix(1_800_000_000, 0)
		for _, lines := range [][]string{{a}, {a, b}, slices.Repeat([]string{a, b}, 40)} {
			got := compose("<@77>", notify.Message{At: now, Title: title, Lines: lines}, now)
			if length(got) > maxContent {
				t.Errorf("%d characters", length(got))
			}
			if !strings.HasPrefix(got, "<@77>") {
				t.Errorf("%q is not for whom it is", got)
			}
			rest := strings.TrimPrefix(got, "<@77>")
			for i, r := range rest {
				switch before := rest[:i]; {
				case r == '@' && !strings.HasPrefix(rest[i+1:], zeroWidth):
					t.Errorf("a mention in %q", got)
				case r == '<' && (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0:
					t.Errorf("%q is not escaped in %q", r, got)
				}
			}
			if strings.Contains(rest, "://") {
				t.Errorf("a link in %q", got)
			}
			if n := strings.Count(got, "\n"); n > len(lines) {
				t.Errorf("%d lines of %d: %q", n, len(lines), got)
			}
		}
	})
}
