package conformance

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of README.md anew")

// entry is a case in the table of README.md, from a device file or from the
// comment above a Go test.
type entry struct {
	id, title, device, file string
	proves                  []string
}

// TestReadme keeps the tables of README.md as they are in truth: the language,
// the cases, and which requirement is proven where. docs/stratum.md links them.
func TestReadme(t *testing.T) {
	entries := slices.Concat(scriptEntries(t), goEntries(t))
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.file, b.file)) })
	for n := 1; n <= 20; n++ {
		id := fmt.Sprintf("C%02d", n)
		if !slices.ContainsFunc(entries, func(e entry) bool { return e.id == id }) {
			t.Errorf("there is no case %s", id)
		}
	}

	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, table := range map[string]string{
		"headers": headerTable(), "words": wordTable(), "cases": caseTable(entries), "requirements": requirementTable(entries),
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		before, rest, ok1 := strings.Cut(text, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok1 || !ok2 {
			t.Fatalf("README.md lacks %q or %q", begin, end)
		}
		text = before + begin + table + end + after
	}
	if text == string(data) {
		return
	}
	if !*update {
		t.Fatal("README.md is not up to date: go test ./test/conformance -run TestReadme -update")
	}
	if err := os.WriteFile("README.md", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func scriptEntries(t *testing.T) (entries []entry) {
	for _, path := range deviceFiles(t) {
		s, err := readScript(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, c := range s.cases {
			entries = append(entries, entry{c.id, c.title, s.device, path, c.proves})
		}
	}
	return entries
}

// goHeader is the comment that a case in Go must have: the same words as a
// device file.
var goHeader = regexp.MustCompile(`(?m)^// case +(C\d\d) (.+)\n// device (.+)\n// source .+\n// proves (.+)\nfunc (Test\w+)\(`)

func goEntries(t *testing.T) (entries []entry) {
	paths, err := filepath.Glob("c[0-9][0-9]_*_test.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in Go, %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := goHeader.FindAllStringSubmatch(string(data), -1)
		if tests := strings.Count(string(data), "\nfunc Test"); len(found) != tests {
			t.Errorf("%s: %d tests, and %d with a comment of case, device, source and proves above it", path, tests, len(found))
		}
		for _, f := range found {
			e := entry{f[1], f[2], f[3], path, strings.Fields(f[4])}
			for _, id := range e.proves {
				if !requirementID.MatchString(id) {
					t.Errorf("%s: %q is no requirement id such as R-F1", path, id)
				}
			}
			if want := "Test" + e.id; !strings.HasPrefix(f[5], want) {
				t.Errorf("%s: %s should begin with %s", path, f[5], want)
			}
			entries = append(entries, e)
		}
	}
	return entries
}

func headerTable() string {
	var b strings.Builder
	b.WriteString("| line | meaning |\n|---|---|\n")
	for _, h := range headers {
		fmt.Fprintf(&b, "| `%s` | %s |\n", h.usage, h.meaning)
	}
	return b.String()
}

func wordTable() string {
	var b strings.Builder
	b.WriteString("| line | meaning |\n|---|---|\n")
	for _, w := range words {
		fmt.Fprintf(&b, "| `%s` | %s |\n", w.usage, w.meaning)
	}
	return b.String()
}

func caseTable(entries []entry) string {
	var b strings.Builder
	b.WriteString("| case | device | what it shows | proves | file |\n|---|---|---|---|---|\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | [%s](%s) |\n", e.id, e.device, e.title, strings.Join(e.proves, " "), filepath.Base(e.file), e.file)
	}
	return b.String()
}

// requirementTable lists for each requirement the cases that prove it.
func requirementTable(entries []entry) string {
	proven := make(map[string][]string)
	for _, e := range entries {
		link := fmt.Sprintf("[%s %s](%s)", e.id, strings.TrimSuffix(strings.TrimSuffix(filepath.Base(e.file), ".txt"), "_test.go"), e.file)
		for _, id := range e.proves {
			if !slices.Contains(proven[id], link) {
				proven[id] = append(proven[id], link)
			}
		}
	}
	var b strings.Builder
	b.WriteString("| requirement | cases |\n|---|---|\n")
	for _, id := range slices.SortedFunc(maps.Keys(proven), byRequirement) {
		fmt.Fprintf(&b, "| %s | %s |\n", id, strings.Join(proven[id], ", "))
	}
	return b.String()
}

// byRequirement sorts R-F2 before R-F10.
func byRequirement(a, b string) int {
	return cmp.Or(cmp.Compare(a[:3], b[:3]), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
