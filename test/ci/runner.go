package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// reportVariable names a file for the counts of an inner run: .ci/run calls
// `make test`, which is this program again.
const reportVariable = "CI_REPORT"

// counts is the outcome of one or more steps.
type counts struct {
	passed, failed, skipped int
	failures, skips         []string // named, for the summary
}

func (c *counts) add(d counts) {
	c.passed += d.passed
	c.failed += d.failed
	c.skipped += d.skipped
	c.failures = append(c.failures, d.failures...)
	c.skips = append(c.skips, d.skips...)
}

// report is counts as they travel between two runs.
type report struct {
	Passed, Failed, Skipped int
	Failures, Skips         []string
}

// String is the closing line.
func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// runner carries out steps in the root of the repository and keeps their logs.
type runner struct {
	out   io.Writer
	root  string
	logs  string
	total counts
}

func newRunner(out io.Writer) (*runner, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find working directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(root, "test", "ci", "main.go")); err != nil {
		return nil, errors.New("run this in the root folder of the repository")
	}
	logs := filepath.Join(root, ".cache", "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	return &runner{out: out, root: root, logs: logs}, nil
}

func (r *runner) printf(format string, args ...any) { fmt.Fprintf(r.out, format, args...) }

// runStep runs one step and tells what came out of it.
func (r *runner) runStep(ctx context.Context, s step) {
	r.printf("\n== %s: %s\n", s.name, s.about)
	begin := time.Now()
	c := s.run(ctx, r)
	r.printf("-- %s: %s, %.1f s\n", s.name, c, time.Since(begin).Seconds())
	r.total.add(c)
}

// finish prints the summary, hands it to an outer run, and returns the exit
// code.
func (r *runner) finish(took time.Duration) int {
	if len(r.total.skips) > 0 {
		r.printf("\nSKIPPED, and so not proven on this machine:\n  %s\n", strings.Join(r.total.skips, "\n  "))
	}
	if len(r.total.failures) > 0 {
		r.printf("\nFAILED:\n  %s\n", strings.Join(r.total.failures, "\n  "))
	}
	r.printf("\nafter %s, logs in %s\n", took.Round(time.Second), r.relative(r.logs))

	if path := os.Getenv(reportVariable); path != "" {
		r.printf("make test counted %s\n", r.total)
		data, err := json.Marshal(report{r.total.passed, r.total.failed, r.total.skipped, r.total.failures, r.total.skips})
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			r.printf("write report: %v\n", err)
			return 1
		}
	} else {
		r.printf("%s\n", r.total)
	}
	if r.total.failed > 0 || r.total.passed == 0 {
		return 1
	}
	return 0
}

func (r *runner) relative(path string) string {
	if rel, err := filepath.Rel(r.root, path); err == nil {
		return rel
	}
	return path
}

// start makes a command that ends with ctx: first asked to, then made to.
func (r *runner) start(ctx context.Context, dir string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	cmd.Dir = filepath.Join(r.root, dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// execute runs a command with its output in a log; when it fails, the end of
// the log is shown.
func (r *runner) execute(ctx context.Context, log, dir string, arguments ...string) (output []byte, ok bool) {
	output, failure := r.logged(ctx, log, dir, arguments...)
	if failure != "" {
		r.printf("%s", failure)
	}
	return output, failure == ""
}

// logged is execute without showing what failed: the command and the end of the
// log, "" when nothing did.
func (r *runner) logged(ctx context.Context, log, dir string, arguments ...string) (output []byte, failure string) {
	var out bytes.Buffer
	cmd := r.start(ctx, dir, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()

	path := filepath.Join(r.logs, log+".log")
	if writeErr := os.WriteFile(path, out.Bytes(), 0o644); writeErr != nil {
		r.printf("write log: %v\n", writeErr)
	}
	if err != nil {
		failure = fmt.Sprintf("%s: %v\n%s\n(all of it: %s)\n", strings.Join(arguments, " "), err, lastLines(out.String(), 120), r.relative(path))
	}
	return out.Bytes(), failure
}

// one is the outcome of a step that counts as one.
func one(name string, ok bool) counts {
	if ok {
		return counts{passed: 1}
	}
	return counts{failed: 1, failures: []string{name}}
}

// lastLines is the end of a text.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("… %d lines before", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}
