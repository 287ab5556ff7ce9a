package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// fuzzTimes is how long each fuzz target runs, and how long when that was not
// enough: what earlier runs found is in Go's cache, and is gone through first.
var fuzzTimes = [...]string{"5s", "20s", "60s"}

// fuzzMinimize keeps the fuzzer from making one interesting input smaller and
// smaller for up to a minute, whatever -fuzztime says: inputs of some kilobytes
// took all of it.
const fuzzMinimize = "-fuzzminimizetime=20x"

// command is a step that is one command and counts as one.
func command(arguments ...string) func(context.Context, *runner) counts {
	return func(ctx context.Context, r *runner) counts {
		name := strings.Join(arguments, " ")
		_, ok := r.execute(ctx, strings.NewReplacer(" ", "-", "/", "", ".", "").Replace(name), "", arguments...)
		return one(name, ok)
	}
}

// formatting compares every Go file with what gofmt would make of it.
func formatting(ctx context.Context, r *runner) counts {
	out, ok := r.execute(ctx, "gofmt", "", "gofmt", "-l", "cmd", "internal", "test", "ui/embed.go")
	if unformatted := bytes.TrimSpace(out); ok && len(unformatted) > 0 {
		r.printf("gofmt would change these; `make fmt` does:\n%s\n", unformatted)
		ok = false
	}
	return one("gofmt", ok)
}

// page checks and builds the user interface.
func page(ctx context.Context, r *runner) counts {
	var total counts
	for _, script := range []string{"typecheck", "lint", "format:check", "build"} {
		_, ok := r.execute(ctx, "ui-"+strings.ReplaceAll(script, ":", "-"), "ui", "npm", "run", "--silent", script)
		total.add(one("ui: npm run "+script, ok))
	}
	return total
}

// makeTest runs `make test`, which is this program with the steps of the tests,
// and takes over its counts.
func makeTest(ctx context.Context, r *runner) counts {
	path := filepath.Join(r.logs, "make-test.json")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		r.printf("remove old report: %v\n", err)
	}
	cmd := r.start(ctx, "", "make", "--no-print-directory", "test")
	cmd.Env = append(os.Environ(), reportVariable+"="+path)
	cmd.Stdout, cmd.Stderr = r.out, r.out
	runErr := cmd.Run()

	var inner report
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &inner)
	}
	if err != nil {
		r.printf("make test left no report: %v\n", err)
		return one("make test", false)
	}
	c := counts{inner.Passed, inner.Failed, inner.Skipped, inner.Failures, inner.Skips}
	if runErr != nil && c.failed == 0 {
		c.add(one("make test: "+runErr.Error(), false))
	}
	return c
}

// vitest runs the page's own tests.
func vitest(ctx context.Context, r *runner) counts {
	path := filepath.Join(r.logs, "vitest.json")
	_, ok := r.execute(ctx, "vitest", "ui", "npx", "--no-install", "vitest", "run", "--reporter=default", "--reporter=json", "--outputFile.json="+path)

	var result struct {
		NumPassedTests, NumFailedTests, NumPendingTests, NumTodoTests int
	}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &result)
	}
	if err != nil {
		r.printf("vitest left no report: %v\n", err)
		return one("vitest", false)
	}
	c := counts{passed: result.NumPassedTests, failed: result.NumFailedTests, skipped: result.NumPendingTests + result.NumTodoTests}
	if !ok || c.passed == 0 {
		c.failed = max(c.failed, 1)
		c.failures = append(c.failures, "vitest")
	}
	if c.skipped > 0 {
		c.skips = append(c.skips, fmt.Sprintf("%d tests of the page", c.skipped))
	}
	return c
}

// wholeProgram are the packages under test/ that start the program and watch
// what it does in time: each has the machine for itself.
var wholeProgram = []string{"e2e", "conformance", "operator", "nodes", "chaos", "crash", "scope", "fleet", "backup", "measure"}

// goTests runs every Go test but those of the whole program.
func goTests(ctx context.Context, r *runner) counts {
	packages, err := r.goPackages(ctx, func(p string) bool {
		room, isTest := strings.CutPrefix(p, modulePrefix+"test/")
		return !isTest || !slices.Contains(wholeProgram, room)
	})
	if err != nil {
		r.printf("%v\n", err)
		return one("go list", false)
	}
	return r.goTest(ctx, "go-test", append([]string{"-timeout=10m"}, packages...)...)
}

// programTests runs the tests of the whole program, one package after the other.
func programTests(ctx context.Context, r *runner) counts {
	arguments := []string{"-timeout=20m", "-p=1"}
	for _, room := range wholeProgram {
		arguments = append(arguments, "./test/"+room)
	}
	return r.goTest(ctx, "program", arguments...)
}

// raceTests repeats the tests of the packages under the race detector. They
// have been counted already, so together they count as one.
func raceTests(ctx context.Context, r *runner) counts {
	if reason := raceMissing(); reason != "" {
		return counts{skipped: 1, skips: []string{"race detector: " + reason}}
	}
	c := r.goTest(ctx, "race", "-race", "-timeout=20m", "./internal/...")
	if c.failed > 0 || c.passed == 0 {
		return counts{failed: 1, failures: append([]string{"race detector"}, c.failures...)}
	}
	return counts{passed: 1}
}

// fuzzTargets finds every fuzz target and gives each a few seconds.
func fuzzTargets(ctx context.Context, r *runner) counts {
	out, ok := r.execute(ctx, "fuzz-list", "", "go", "test", "-list", "^Fuzz", "./internal/...")
	if !ok {
		return one("fuzz: go test -list", false)
	}
	targets := parseTestList(string(out))
	if len(targets) == 0 {
		r.printf("there are no fuzz targets\n")
		return one("fuzz: no targets", false)
	}

	// One processor for each target, all at work: building a target takes as long
	// as fuzzing it.
	var total counts
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for _, t := range targets {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			name := t.name + " in " + strings.TrimPrefix(t.pkg, modulePrefix)
			ok := r.fuzz(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			r.printf("  %-6s %s\n", verdict(ok), name)
			total.add(one("fuzz: "+name, ok))
			return nil
		})
	}
	_ = group.Wait() // it has no errors
	return total
}

// fuzz runs one target. Until Go 1.27 the end of the time can come out as a
// failure of its own (golang/go#75804); that says nothing about the target, so
// it is tried again.
func (r *runner) fuzz(ctx context.Context, t target) bool {
	log := "fuzz-" + strings.ReplaceAll(strings.TrimPrefix(t.pkg, modulePrefix), "/", "-") + "-" + t.name
	var failure string
	for _, long := range fuzzTimes {
		var out []byte
		out, failure = r.logged(ctx, log, "", "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+long, fuzzMinimize, "-parallel=1", t.pkg)
		if failure == "" {
			return true
		}
		if !endedByClock(out) {
			break
		}
		r.printf("  again  %s: %s ended in the middle of an input\n", t.name, long)
	}
	r.printf("%s", failure)
	return false
}

// endedByClock tells whether a fuzzing run that failed did so without having
// found anything, only since its time was over.
func endedByClock(out []byte) bool {
	return bytes.Contains(out, []byte("\n    context deadline exceeded\nFAIL\n")) &&
		!bytes.Contains(out, []byte("Failing input written")) && !bytes.Contains(out, []byte("panic:"))
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "FAIL"
}

// target is one fuzz test.
type target struct{ pkg, name string }

// parseTestList reads what `go test -list` prints: the names of a package's
// tests, then "ok <tab> package".
func parseTestList(out string) []target {
	var targets []target
	var names []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				targets = append(targets, target{pkg: fields[1], name: name})
			}
			names = nil
		}
	}
	return targets
}
