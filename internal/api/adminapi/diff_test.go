package adminapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUnifiedDiff(t *testing.T) {
	before := "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14"
	after := "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n"
	want := "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -11,4 +11,5 @@\n 11\n 12\n 13\n-14\n\\ No newline at end of file\n+14\n+15\n"
	if got := unifiedDiff("f", before, after); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := unifiedDiff("f", before, before); got != "" {
		t.Errorf("%s", got)
	}
}

// TestDiffIsAPatch makes the second text of the first by what the diff says alone.
func TestDiffIsAPatch(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", "[x]", "y = 1", "-- z", "++ z", "\\ z", "@@ z"}), 0, 30).Draw(t, "lines")
		return strings.Join(lines, "\n") + rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after := text.Draw(t, "before"), text.Draw(t, "after")
		diff := unifiedDiff("f", before, after)
		if before == after {
			if diff != "" {
				t.Fatalf("nothing changed:\n%s", diff)
			}
			return
		}
		got, err := applyPatch(before, diff)
		if err != nil || got != after {
			t.Fatalf("%q, %v, want %q\n%s", got, err, after, diff)
		}
	})
}

// applyPatch reads a unified diff as POSIX has it (diff, "Diff -u Output Format"),
// and makes its changes in a text. Every count, place and unchanged line must be
// right.
func applyPatch(before, diff string) (string, error) {
	old := strings.SplitAfter(before, "\n")
	if old[len(old)-1] == "" {
		old = old[:len(old)-1]
	}
	lines := strings.SplitAfter(diff, "\n")
	if len(lines) < 3 || lines[0] != "--- f\n" || lines[1] != "+++ f\n" || lines[len(lines)-1] != "" {
		return "", errors.New("no diff")
	}
	lines = lines[2 : len(lines)-1]
	var out []string
	at := 0 // lines of old that are done
	for i := 0; i < len(lines); {
		var oldFrom, oldCount, newFrom, newCount int
		if _, err := fmt.Sscanf(lines[i], "@@ -%d,%d +%d,%d @@", &oldFrom, &oldCount, &newFrom, &newCount); err != nil {
			return "", fmt.Errorf("%q: %w", lines[i], err)
		}
		// The place of no lines is the line before it.
		skip := oldFrom - min(oldCount, 1) - at
		if skip < 0 || at+skip > len(old) {
			return "", fmt.Errorf("%q: out of place", lines[i])
		}
		out, at = append(out, old[at:at+skip]...), at+skip
		if newFrom-min(newCount, 1) != len(out) {
			return "", fmt.Errorf("%q: the new text is at line %d", lines[i], len(out))
		}
		for i++; oldCount > 0 || newCount > 0; i++ {
			if i == len(lines) {
				return "", errors.New("it is cut")
			}
			kind, text := lines[i][0], lines[i][1:]
			if i+1 < len(lines) && lines[i+1][0] == '\\' {
				text = strings.TrimSuffix(text, "\n")
				lines = slices.Delete(lines, i+1, i+2)
			}
			if kind != '+' {
				if at == len(old) || old[at] != text {
					return "", fmt.Errorf("%q is not what is there", lines[i])
				}
				at, oldCount = at+1, oldCount-1
			}
			if kind != '-' {
				out, newCount = append(out, text), newCount-1
			}
			if oldCount < 0 || newCount < 0 || !strings.ContainsRune(" -+", rune(kind)) {
				return "", fmt.Errorf("%q does not belong there", lines[i])
			}
		}
	}
	return strings.Join(append(out, old[at:]...), ""), nil
}
