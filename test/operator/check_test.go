package operator

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// check runs config check and returns its exit code and what it said.
func check(t *testing.T, text string, flags ...string) (code int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), binary, append([]string{"config", "check", "--config", file}, flags...)...)
	run.Env = []string{}
	var out, complaints strings.Builder
	run.Stdout, run.Stderr = &out, &complaints
	err := run.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return run.ProcessState.ExitCode(), out.String(), complaints.String()
}

// TestConfigCheck says every mistake to people and to programs.
func TestConfigCheck(t *testing.T) {
	t.Parallel()
	const bad = "[stratum]\nlisten = [\"3333\"]\n\n  max_conections = 3\n[difficulty]\nmin = 1\nstart = \"hard\"\n"
	code, _, stderr := check(t, bad)
	for _, want := range []string{`p.toml:2:1: stratum.listen: "3333" must be host:port`, `p.toml:4:3: stratum.max_conections: unknown key, did you mean "max_connections"?`, "p.toml:7:1: difficulty.start: must be a number"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in:\n%s", want, stderr)
		}
	}
	if code != 2 {
		t.Errorf("exit code %d", code)
	}

	var report struct {
		Good     bool
		Problems []struct {
			Source, Key, Message string
			Line, Column         int
		}
	}
	code, stdout, _ := check(t, bad, "--json")
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if code != 2 || report.Good || len(report.Problems) != 3 || report.Problems[1].Key != "stratum.max_conections" || report.Problems[1].Line != 4 || report.Problems[1].Column != 3 {
		t.Errorf("code %d, report %+v", code, report)
	}

	// Integers are numbers, too.
	if code, stdout, stderr := check(t, "[difficulty]\nstart = 256\nmin = 1\n[payout]\nfee_percent = 0\n"); code != 0 || stdout != "The configuration is good.\n" {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, _ := check(t, "", "--json"); code != 0 || !strings.Contains(stdout, `"good": true`) {
		t.Errorf("code %d: %s", code, stdout)
	}
}
