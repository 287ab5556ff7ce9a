package nodes

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs beside a test. It is ended with the test, and
// shows what it said when the test fails.
type Process struct {
	Name string

	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed when it has ended
	err    error         // how it ended; read after done
}

// Start runs a program until the test ends or Stop is called. Its output is
// kept for the report of a failure.
func Start(t testing.TB, name string, command ...string) *Process {
	t.Helper()
	p := &Process{Name: name, output: &tail{}, done: make(chan struct{})}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Env = environment()
	// In a group of its own, a Ctrl-C at the terminal ends it through us.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()

	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			said := p.Output()
			if cut := len(said) - shownOnFailure; cut > 0 {
				said = "…" + said[cut:]
			}
			t.Logf("the last that %s (%s) said:\n%s", p.Name, filepath.Base(command[0]), said)
		}
	})
	return p
}

// environment is ours without the variables that would configure poolscope.
func environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "POOLSCOPE_") {
			env = append(env, entry)
		}
	}
	return env
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is what the process has said so far: the last 256 KiB of standard
// output and standard error.
func (p *Process) Output() string { return p.output.String() }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process is still there.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ExitCode is the exit code of a process that has ended, -1 when it was killed.
func (p *Process) ExitCode() int {
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// Signal sends a signal; a process that is gone already is fine.
func (p *Process) Signal(s os.Signal) {
	_ = p.cmd.Process.Signal(s) // gone already: Stop and ExitCode will see
}

// Stop asks the process to end (SIGTERM) and returns how long that took; it
// fails the test when the limit passes.
func (p *Process) Stop(t testing.TB, limit time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(limit):
		p.Kill()
		t.Errorf("%s did not end within %s of SIGTERM", p.Name, limit)
	}
	return time.Since(start)
}

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// tail keeps the last of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const (
	tailSize       = 256 << 10
	shownOnFailure = 4 << 10
)

// Write keeps p, forgetting the oldest when there is too much.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*tailSize {
		t.buf = bytes.Clone(t.buf[len(t.buf)-tailSize:])
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
