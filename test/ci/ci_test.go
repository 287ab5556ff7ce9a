package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stream is what `go test -json` prints, shortened.
const stream = `{"Action":"start","Package":"github.com/poolscope/poolscope/internal/a"}
{"Action":"run","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestGood"}
{"Action":"output","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestGood/sub","Elapsed":0}
{"Action":"pass","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestGood","Elapsed":0}
{"Action":"output","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestNode","Output":"=== RUN   TestNode\n"}
{"Action":"output","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestNode","Output":"    x_test.go:3: SKIPPED LOUDLY: no node\n"}
{"Action":"output","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestNode","Output":"--- SKIP: TestNode (0.00s)\n"}
{"Action":"skip","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestNode","Elapsed":0}
{"Action":"output","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestBad","Output":"    x_test.go:9: one and one is three\n"}
{"Action":"fail","Package":"github.com/poolscope/poolscope/internal/a","Test":"TestBad","Elapsed":0.5}
{"Action":"fail","Package":"github.com/poolscope/poolscope/internal/a","Elapsed":0.6}
{"Action":"build-output","ImportPath":"github.com/poolscope/poolscope/internal/b","Output":"b.go:1:1: expected package\n"}
{"Action":"build-fail","ImportPath":"github.com/poolscope/poolscope/internal/b"}
{"Action":"fail","Package":"github.com/poolscope/poolscope/internal/b","Elapsed":0,"FailedBuild":"github.com/poolscope/poolscope/internal/b"}
{"Action":"output","Package":"github.com/poolscope/poolscope/internal/c","Output":"panic: test timed out\n"}
{"Action":"pass","Package":"github.com/poolscope/poolscope/internal/c","Test":"TestFine","Elapsed":0}
{"Action":"fail","Package":"github.com/poolscope/poolscope/internal/c","Elapsed":9}
{"Action":"skip","Package":"github.com/poolscope/poolscope/internal/empty","Elapsed":0}
`

func TestTallyOfGoTest(t *testing.T) {
	var out bytes.Buffer
	tally := newTally(&out)
	if err := tally.read(strings.NewReader(stream)); err != nil {
		t.Fatal(err)
	}

	want := counts{
		passed: 3, failed: 3, skipped: 1,
		failures: []string{"internal/a TestBad", "internal/b", "internal/c"},
		skips:    []string{"internal/a TestNode: x_test.go:3: SKIPPED LOUDLY: no node"},
	}
	if diff := cmp.Diff(want, tally.counts, cmp.AllowUnexported(counts{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, shown := range []string{"one and one is three", "expected package", "panic: test timed out"} {
		if !strings.Contains(out.String(), shown) {
			t.Errorf("%q is not shown:\n%s", shown, out.String())
		}
	}
	if strings.Contains(out.String(), "empty") {
		t.Errorf("a package without tests is shown:\n%s", out.String())
	}
	if got, want := tally.counts.String(), "3 passed, 3 failed, 1 skipped"; got != want {
		t.Errorf("closing line %q, want %q", got, want)
	}
}

func TestTallyOfNodesRunner(t *testing.T) {
	got := parseTAP([]byte("TAP version 13\nok 1 - a\n# a comment\n1..3\n# tests 5\n# suites 1\n# pass 2\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n# duration_ms 12.5\n"))
	if diff := cmp.Diff(counts{passed: 2, failed: 2, skipped: 1}, got, cmp.AllowUnexported(counts{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFuzzTargetsAreFound(t *testing.T) {
	got := parseTestList("FuzzA\nFuzzB\nok  \texample.com/one\t0.003s\nok  \texample.com/two\t0.002s\n?   \texample.com/three\t[no test files]\nFuzzC\nok  \texample.com/four\t0.002s\n")
	want := []target{{"example.com/one", "FuzzA"}, {"example.com/one", "FuzzB"}, {"example.com/four", "FuzzC"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(target{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNodeVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"v20.19.0\n": true, "v20.20.2\n": true, "v22.0.0\n": true, "v20.18.3\n": false, "v18.19.0\n": false, "": false,
	} {
		if got := nodeIsRecent(version); got != want {
			t.Errorf("%q is recent: %t", version, got)
		}
	}
}

func TestLastLines(t *testing.T) {
	if got := lastLines("a\nb\nc\n", 2); got != "… 1 lines before\nb\nc" {
		t.Errorf("got %q", got)
	}
}

// TestFuzzEndedByClock tells the end of the time, which Go reports as a failure
// now and then, from a finding.
func TestFuzzEndedByClock(t *testing.T) {
	const start = "fuzz: elapsed: 6s, execs: 15176 (0/sec), new interesting: 2 (total: 4)\n--- FAIL: FuzzParseHeader (6.04s)\n"
	for name, test := range map[string]struct {
		out  string
		want bool
	}{
		"clock":     {start + "    context deadline exceeded\nFAIL\nexit status 1\n", true},
		"finding":   {start + "    --- FAIL: FuzzParseHeader (0.00s)\n        x_test.go:9: wrong\n\n    Failing input written to testdata/fuzz/FuzzParseHeader/1\nFAIL\n", false},
		"both":      {start + "    Failing input written to testdata/fuzz/FuzzParseHeader/1\n    context deadline exceeded\nFAIL\n", false},
		"panic":     {start + "panic: boom\n    context deadline exceeded\nFAIL\n", false},
		"of a test": {"--- FAIL: TestX (1.00s)\n    x_test.go:9: dial: context deadline exceeded\nFAIL\n", false},
	} {
		if got := endedByClock([]byte(test.out)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
