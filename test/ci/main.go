// Command ci runs poolscope's proofs and counts them. `make test` and .ci/run
// call it:
//
//	go run ./test/ci test     the tests: Go, page, whole program, browser
//	go run ./test/ci all      those, and formatting, vet, lint, race, fuzz
//	go run ./test/ci STEP …   some steps only; `list` names them
//
// Every Go test and subtest counts, every test of the page and of the browser
// counts, and every other step counts as one. What was skipped is named with
// its reason. The last line is "N passed, N failed, N skipped"; the exit code
// is 1 when something failed.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run carries out the named steps and returns the exit code.
func run(ctx context.Context, names []string) int {
	r, err := newRunner(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if len(names) == 0 || names[0] == "list" {
		for _, s := range steps {
			fmt.Printf("%-12s %s\n", s.name, s.about)
		}
		return 0
	}
	chosen, err := choose(names)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}

	begin := time.Now()
	for _, s := range chosen {
		r.runStep(ctx, s)
		if ctx.Err() != nil {
			r.total.add(counts{failed: 1, failures: []string{"interrupted"}})
			break
		}
	}
	return r.finish(time.Since(begin))
}

// step is one part of the proof.
type step struct {
	name  string
	about string
	run   func(context.Context, *runner) counts
}

// steps are all parts, in the order in which `all` runs them: what fails
// quickly first.
var steps = []step{
	{"prepare", "install what a fresh machine lacks, or say what is missing", prepare},
	{"fmt", "gofmt", formatting},
	{"vet", "go vet", command("go", "vet", "./...")},
	{"ui", "type-check, lint, formatting and build of the page", page},
	{"lint", "golangci-lint, built from tools/go.mod", command("make", "lint")},
	{"test", "make test", makeTest},
	{"race", "the Go tests of the packages under the race detector", raceTests},
	{"fuzz", "every fuzz target for a few seconds", fuzzTargets},
}

// testSteps are what `make test` is made of.
var testSteps = []step{
	{"prepare", "install what a fresh machine lacks, or say what is missing", prepare},
	{"build", "the page and the program", command("make", "build")},
	{"page", "tests of the page (vitest)", vitest},
	{"go", "Go tests of the packages", goTests},
	{"program", "the whole program: end to end, every known device, independent nodes, faults, kills", programTests},
	{"browser", "the page in a real browser", browserTests},
}

// choose finds steps by name; "all" and "test" stand for whole lists.
func choose(names []string) ([]step, error) {
	var chosen []step
	for _, name := range names {
		switch name {
		case "all":
			chosen = append(chosen, steps...)
			continue
		case "test":
			chosen = append(chosen, testSteps...)
			continue
		}
		all := slices.Concat(steps, testSteps)
		i := slices.IndexFunc(all, func(s step) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no step %q; `go run ./test/ci list` names them", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
