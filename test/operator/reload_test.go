package operator

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// TestReload changes keys of both kinds under a running pool, then makes
// mistakes.
func TestReload(t *testing.T) {
	t.Parallel()
	r := startPool(t, binary, "")
	log := filepath.Join(t.TempDir(), "pool.log")
	saysLog := func(line string) bool {
		data, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(data), line)
	}

	r.configure("[coinbase]\ntag = \"/renamed/\"\n[version]\nmask = \"00000000\"\n[log]\nformat = \"json\"\nfile = \"" + log + "\"\n")
	r.Signal(syscall.SIGHUP)
	nodes.WaitFor(t, patience, "the configuration is read", func() bool { return saysLog(`"msg":"configuration read"`) })
	for _, line := range []string{
		`"key":"coinbase.tag","result":"in force"`, `"key":"log.file","result":"in force"`, `"key":"log.format","result":"in force"`,
		`"key":"version.mask","result":"needs a restart"`, `"in_force":3,"need_restart":1`,
	} {
		if !saysLog(line) {
			t.Errorf("the log does not say %s", line)
		}
	}
	nodes.WaitFor(t, patience, "miners get the new tag", func() bool {
		notify, err := firstWork(r.Stratum)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(notify, "2f72656e616d65642f") // /renamed/ in hex
	})
	nodes.WaitFor(t, patience, "the page says what waits for a restart", func() bool {
		return strings.Contains(r.page("/api/pool-page"), "changes that need a restart: version.mask")
	})
	if r.metric(`poolscope_config_reloads_total{result="applied"}`) != 1 || r.metric("poolscope_config_restart_keys") != 1 {
		t.Error("the metrics do not count the reload")
	}

	// Mistakes change nothing, even where the rest of the file is right.
	r.configure("[coinbase]\ntag = \"/never/\"\nmax_sise = 1\n[difficulty]\nmin = -1\n")
	r.Signal(syscall.SIGHUP)
	nodes.WaitFor(t, patience, "the reload is refused", func() bool {
		return r.metric(`poolscope_config_reloads_total{result="refused"}`) == 1
	})
	for _, line := range []string{r.file + ":3:1: coinbase.max_sise: unknown key, did you mean \\\"max_size\\\"?", r.file + ":5:1: difficulty.min: must be above 0"} {
		if !saysLog(line) {
			t.Errorf("the log does not say %s", line)
		}
	}
	nodes.WaitFor(t, patience, "the page shows it", func() bool {
		return strings.Contains(r.page("/api/pool-page"), "not taken, the old one stays in force; 2 problems, the first: line 3: coinbase.max_sise")
	})
	if tag := "/renamed/"; !strings.Contains(r.page("/api/overview"), `"pool_tag":"`+tag+`"`) {
		t.Errorf("the tag is no longer %s", tag)
	}

	// Somebody's own tool rotates the log; the file with mistakes is mended.
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	r.configure("[coinbase]\ntag = \"/renamed/\"\n[log]\nfile = \"" + log + "\"\n")
	r.Signal(syscall.SIGHUP)
	nodes.WaitFor(t, patience, "the log goes on in a new file", func() bool { return saysLog(`msg="configuration read"`) })
	if r.metric("poolscope_config_restart_keys") != 0 {
		t.Error("the mask is what it was, and yet something waits for a restart")
	}
}

// TestTokenIsReloaded puts a token in force, and another one.
func TestTokenIsReloaded(t *testing.T) {
	t.Parallel()
	r := startPool(t, binary, "")
	if status, _, err := r.get("/metrics"); err != nil || status != 200 {
		t.Fatalf("without a token: %d, %v", status, err)
	}
	r.configure("[http]\ntoken = \"s3cret-token\"\n")
	r.Signal(syscall.SIGHUP)
	nodes.WaitFor(t, patience, "the token is asked for", func() bool {
		status, _, err := r.get("/metrics")
		return err == nil && status == 401
	})
	if out := r.Output(); !strings.Contains(out, "key=http.token") || strings.Contains(out, "s3cret") {
		t.Errorf("the log names the key and never the value: %s", out)
	}
}
