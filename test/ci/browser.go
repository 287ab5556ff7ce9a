package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// browserTests drives the page of a demo in Chromium, with Node's own test
// runner.
func browserTests(ctx context.Context, r *runner) counts {
	if reason := chromiumMissing(); reason != "" {
		return counts{skipped: 1, skips: []string{"browser tests: " + reason}}
	}
	files, err := filepath.Glob(filepath.Join(r.root, "test", "browser", "*.test.mjs"))
	if err != nil || len(files) == 0 {
		r.printf("there are no browser tests: %v\n", err)
		return one("browser tests", false)
	}
	d, err := startDemo(ctx, r)
	if err != nil {
		r.printf("%v\n", err)
		return one("browser tests: demo", false)
	}
	defer d.stop()

	out, ok := r.execute(ctx, "browser", "", append([]string{"env", "POOLSCOPE_URL=" + d.url,
		"POOLSCOPE_TOKEN_FILE=" + filepath.Join(d.dir, "scope-token"),
		"POOLSCOPE_BINARY=" + filepath.Join(r.root, "bin", "poolscope"),
		"POOLSCOPE_ARTEFACTS=" + filepath.Join(r.logs, "browser"),
		// A test that failed may leave a connection open, which would keep node for ever.
		"node", "--test", "--test-force-exit", "--test-reporter=tap"}, files...)...)
	c := parseTAP(out)
	if !ok || c.passed == 0 {
		c.failed = max(c.failed, 1)
		c.failures = append(c.failures, "browser tests")
	}
	if c.skipped > 0 {
		c.skips = append(c.skips, fmt.Sprintf("%d browser tests", c.skipped))
	}
	return c
}

// demo is a running `poolscope demo` for the browser to look at.
type demo struct {
	url  string
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startDemo starts the program that `make build` made, on free ports, and
// returns when its page can be asked for.
func startDemo(ctx context.Context, r *runner) (*demo, error) {
	dir, err := os.MkdirTemp("", "poolscope-browser-")
	if err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	log, err := os.Create(filepath.Join(r.logs, "browser-demo.log"))
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	defer log.Close() // the process has its own handle

	const free = "127.0.0.1:0"
	d := &demo{dir: dir, done: make(chan struct{})}
	d.cmd = r.start(ctx, "", filepath.Join(r.root, "bin", "poolscope"), "demo", "--data-dir", dir, "--http", free,
		"--stratum", free, "--stratum-tls", free, "--scope", free, "--node-rpc", free, "--node-zmq", free, "--block-interval", "4s")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start demo: %w", err)
	}
	go func() {
		_ = d.cmd.Wait() // how it ends is what other tests look at
		close(d.done)
	}()

	if err := d.awaitAddress(); err != nil {
		d.stop()
		return nil, fmt.Errorf("%w; see %s", err, r.relative(log.Name()))
	}
	return d, nil
}

// awaitAddress reads the page's address from ports.json once it is there.
func (d *demo) awaitAddress() error {
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-d.done:
			return errors.New("the demo ended at its start")
		case <-limit:
			return errors.New("the demo did not come up")
		case <-tick.C:
		}
		var ports struct {
			HTTP string `json:"http"`
		}
		data, err := os.ReadFile(filepath.Join(d.dir, "ports.json"))
		if err == nil && json.Unmarshal(data, &ports) == nil && ports.HTTP != "" {
			d.url = "http://" + ports.HTTP
			return nil
		}
	}
}

func (d *demo) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // gone already is fine
	kill := time.AfterFunc(10*time.Second, func() { _ = d.cmd.Process.Kill() })
	<-d.done
	kill.Stop()
	_ = os.RemoveAll(d.dir) // a folder that stays in /tmp harms nobody
}

// tapCount is a line of the summary that Node's test runner ends with.
var tapCount = regexp.MustCompile(`^# (pass|fail|cancelled|skipped|todo) (\d+)$`)

// parseTAP reads the summary of Node's test runner.
func parseTAP(out []byte) counts {
	var c counts
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		m := tapCount.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[2])
		if err != nil {
			continue // more digits than an int holds: not a count of tests
		}
		switch m[1] {
		case "pass":
			c.passed += n
		case "fail", "cancelled":
			c.failed += n
		default:
			c.skipped += n
		}
	}
	return c
}
