package architecture

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requirements are the groups of ids of the protocol's requirements, with the
// highest number of each.
var requirements = map[string]int{"F": 10, "S": 8, "V": 6, "J": 9, "U": 8, "C": 4, "A": 3, "D": 1, "X": 5}

// docs/stratum.md says of every requirement how it is met, and by which test
// that is known. All of that must exist.
func TestStratumDocument(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "stratum.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests, transcripts := provers(t, root)

	proofs := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+|[a-z0-9_-]+\\.txt)`")
	files := regexp.MustCompile("`((?:internal|test)/[a-z0-9_/]+\\.go)`")
	rows := map[string]int{}
	for line := range strings.Lines(string(text)) {
		for _, file := range files.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(root, file[1])); err != nil {
				t.Errorf("there is no %s: %s", file[1], line)
			}
		}
		found := proofs.FindAllStringSubmatch(line, -1)
		for _, proof := range found {
			if !tests[proof[1]] && !transcripts[proof[1]] {
				t.Errorf("there is no %s: %s", proof[1], line)
			}
		}
		id, _, isRow := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if !isRow || !strings.HasPrefix(id, "R-") {
			continue
		}
		rows[id]++
		if len(found) == 0 {
			t.Errorf("%s is not proven", id)
		}
	}
	for group, last := range requirements {
		for n := 1; n <= last; n++ {
			if id := fmt.Sprintf("R-%s%d", group, n); rows[id] != 1 {
				t.Errorf("%s has %d rows", id, rows[id])
			}
		}
	}
}

// provers lists the tests and the transcripts of the repository, by name.
func provers(t *testing.T, root string) (tests, transcripts map[string]bool) {
	t.Helper()
	tests, transcripts = map[string]bool{}, map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	for _, folder := range []string{"internal", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || entry.IsDir():
				return err
			case strings.HasSuffix(path, ".txt"):
				transcripts[filepath.Base(path)] = true
			case strings.HasSuffix(path, "_test.go"):
				source, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				for _, name := range function.FindAllStringSubmatch(string(source), -1) {
					tests[name[1]] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests, transcripts
}
