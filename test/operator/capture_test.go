package operator

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCaptureCommand records a handshake, with a token as an operator has one.
func TestCaptureCommand(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := startPool(t, binary, "[http]\ntoken_file = \""+token+"\"\n")
	arguments := []string{"capture", "--http", "http://" + r.HTTP, "--address", "127.0.0.1", "--duration", "2s"}
	if out, err := exec.CommandContext(t.Context(), binary, arguments...).CombinedOutput(); err == nil || !strings.Contains(string(out), "unauthorized") {
		t.Errorf("without the token: %v %s", err, out)
	}

	var output strings.Builder
	run := exec.CommandContext(t.Context(), binary, append(arguments, "--token-file", token)...)
	run.Stdout, run.Stderr = &output, &output
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	for waiting := true; waiting; {
		if _, err := firstWork(r.Stratum); err != nil {
			t.Error(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %s", err, output.String())
			}
			waiting = false
		default:
		}
	}
	files, err := filepath.Glob(filepath.Join(r.DataDir, "captures", "*.jsonl"))
	if err != nil || len(files) != 1 || !strings.Contains(output.String(), filepath.Base(files[0])) || !strings.Contains(output.String(), "ended by: time") {
		t.Fatalf("files %v, %v, it said %s", files, err, output.String())
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mining.subscribe", "mining.authorize", "[redacted]", "mining.notify"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the file lacks %s:\n%s", want, text)
		}
	}
}
