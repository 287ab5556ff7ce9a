package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const modulePrefix = "github.com/poolscope/poolscope/"

// slowTest is from when on a test gets a line of its own.
const slowTest = 5 * time.Second

// goPackages lists the packages of the module that keep says yes to.
func (r *runner) goPackages(ctx context.Context, keep func(string) bool) ([]string, error) {
	out, err := r.start(ctx, "", "go", "list", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	packages := strings.Fields(string(out))
	return slices.DeleteFunc(packages, func(p string) bool { return !keep(p) }), nil
}

// goTest runs `go test -json` and counts. Failures are shown in full as they
// come; the whole stream is kept in a log.
func (r *runner) goTest(ctx context.Context, log string, arguments ...string) counts {
	path := filepath.Join(r.logs, log+".json")
	file, err := os.Create(path)
	if err != nil {
		r.printf("create log: %v\n", err)
		return one(log, false)
	}
	defer file.Close()

	cmd := r.start(ctx, "", append([]string{"go", "test", "-json", "-count=1"}, arguments...)...)
	cmd.Stderr = r.out
	stream, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.printf("start go test: %v\n", err)
		return one(log, false)
	}
	tally := newTally(r.out)
	readErr := tally.read(io.TeeReader(stream, file))
	runErr := cmd.Wait()

	c := tally.counts
	if readErr != nil {
		r.printf("read go test: %v\n", readErr)
		c.add(one(log+": unreadable output", false))
	}
	if runErr != nil && c.failed == 0 {
		c.add(one(log+": "+runErr.Error(), false))
	}
	return c
}

// event is a line of `go test -json` (cmd/test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build events
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

// tally turns the events into counts and readable lines.
type tally struct {
	out      io.Writer
	counts   counts
	packages map[string]*packageTally
	output   map[string]*strings.Builder // by package and test, and by import path for builds
}

// packageTally is what is known of a package that is being tested.
type packageTally struct{ passed, failed, skipped int }

func newTally(out io.Writer) *tally {
	return &tally{out: out, packages: make(map[string]*packageTally), output: make(map[string]*strings.Builder)}
}

// read consumes a whole stream.
func (t *tally) read(stream io.Reader) error {
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if jsonErr := json.Unmarshal(line, &e); jsonErr != nil {
				fmt.Fprintf(t.out, "%s", line) // a message of the go command itself
			} else {
				t.event(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
}

func (t *tally) event(e event) {
	switch e.Action {
	case "output":
		t.remember(e.Package+" "+e.Test, e.Output)
	case "build-output":
		t.remember(e.ImportPath, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.packageEnded(e)
		} else {
			t.testEnded(e)
		}
	}
}

func (t *tally) remember(key, text string) {
	b := t.output[key]
	if b == nil {
		b = &strings.Builder{}
		t.output[key] = b
	}
	b.WriteString(text)
}

// forget returns what was remembered, and drops it.
func (t *tally) forget(key string) string {
	b := t.output[key]
	delete(t.output, key)
	if b == nil {
		return ""
	}
	return b.String()
}

func (t *tally) of(pkg string) *packageTally {
	p := t.packages[pkg]
	if p == nil {
		p = &packageTally{}
		t.packages[pkg] = p
	}
	return p
}

func (t *tally) testEnded(e event) {
	p, name := t.of(e.Package), shortName(e.Package)+" "+e.Test
	said := t.forget(e.Package + " " + e.Test)
	took := time.Duration(e.Elapsed * float64(time.Second))

	switch e.Action {
	case "pass":
		p.passed++
		if took >= slowTest && !strings.Contains(e.Test, "/") {
			fmt.Fprintf(t.out, "  ok     %-58s %7.1f s\n", name, e.Elapsed)
		}
	case "skip":
		p.skipped++
		t.counts.skips = append(t.counts.skips, name+": "+skipReason(said))
	case "fail":
		p.failed++
		t.counts.failures = append(t.counts.failures, name)
		fmt.Fprintf(t.out, "  FAIL   %-58s %7.1f s\n%s\n", name, e.Elapsed, indent(lastLines(said, 400)))
	}
}

func (t *tally) packageEnded(e event) {
	p := t.of(e.Package)
	said := t.forget(e.Package + " ")
	if e.Action == "fail" && p.failed == 0 {
		// No test failed and yet the package did: it does not compile, or a
		// panic or the time limit ended it.
		p.failed++
		t.counts.failures = append(t.counts.failures, shortName(e.Package))
		fmt.Fprint(t.out, indent(lastLines(t.forget(e.FailedBuild)+said, 400)), "\n")
	}
	t.counts.add(counts{passed: p.passed, failed: p.failed, skipped: p.skipped})
	delete(t.packages, e.Package)

	if p.passed+p.failed+p.skipped == 0 {
		return // a package without tests
	}
	word := "ok"
	if p.failed > 0 {
		word = "FAIL"
	}
	fmt.Fprintf(t.out, "  %-6s %-30s %s %7.1f s\n", word, shortName(e.Package), tests(*p), e.Elapsed)
}

// tests is "12 passed, 1 failed" in a column.
func tests(p packageTally) string {
	s := fmt.Sprintf("%d passed", p.passed)
	if p.failed > 0 {
		s += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.skipped > 0 {
		s += fmt.Sprintf(", %d skipped", p.skipped)
	}
	return fmt.Sprintf("%-27s", s)
}

func shortName(pkg string) string { return strings.TrimPrefix(pkg, modulePrefix) }

// skipReason is what a skipped test said, without the framing of go test.
func skipReason(output string) string {
	var kept []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, " ")
}

func indent(s string) string {
	return "      | " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n      | ")
}
