//go:build linux

package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/poolscope/poolscope/test/nodes"
)

// terminal is a program on a terminal of its own: a pty of the kernel, and an
// emulator that somebody else wrote.
type terminal struct {
	vt10x.Terminal
	master, slave *os.File
	program       *exec.Cmd
	before        unix.Termios
	done          chan struct{} // closed when the program has ended
}

// typed is what stood on the terminal before the program began.
const typed = "$ poolscope top"

// onTerminal starts the program on a terminal of so many columns and lines.
func onTerminal(t *testing.T, columns, lines int, arguments ...string) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty here: %v", err)
	}
	term := &terminal{
		Terminal: vt10x.New(vt10x.WithSize(columns, lines), vt10x.WithWriter(master)),
		master:   master, slave: slave, done: make(chan struct{}),
		program: exec.Command(binary, arguments...),
	}
	term.resize(t, columns, lines)
	term.before = term.settings(t)
	_, _ = term.Write([]byte(typed + "\r\n")) // an emulator in memory
	term.program.Stdin, term.program.Stdout, term.program.Stderr = slave, slave, slave
	term.program.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "COLORTERM=")
	term.program.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.program.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(term, master) // ends when both sides are closed
	}()
	go func() {
		defer close(term.done)
		_ = term.program.Wait() // its code is looked at by who waits
	}()
	t.Cleanup(func() {
		_ = term.program.Process.Kill()
		<-term.done
		_ = slave.Close()
		<-read
		_ = master.Close()
	})
	return term
}

// resize makes the terminal another size; the kernel tells the program.
func (term *terminal) resize(t *testing.T, columns, lines int) {
	t.Helper()
	term.Resize(columns, lines)
	if err := pty.Setsize(term.master, &pty.Winsize{Cols: uint16(columns), Rows: uint16(lines)}); err != nil {
		t.Fatal(err)
	}
}

// settings are those of the terminal's line discipline.
func (term *terminal) settings(t *testing.T) unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *settings
}

// press sends keys.
func (term *terminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(term.master, keys); err != nil {
		t.Fatal(err)
	}
}

// lines are those of the screen, without spaces at their ends.
func (term *terminal) lines() []string {
	lines := strings.Split(strings.TrimRight(term.String(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// wantOnScreen waits until every one of the patterns is on the screen.
func (term *terminal) wantOnScreen(t *testing.T, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		pattern := regexp.MustCompile("(?m)" + p)
		deadline := time.Now().Add(startLimit)
		for !pattern.MatchString(strings.Join(term.lines(), "\n")) {
			select {
			case <-term.done:
				t.Fatalf("it ended with %v:\n%s", term.program.ProcessState, strings.Join(term.lines(), "\n"))
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatalf("there is no %q on the screen:\n%s", p, strings.Join(term.lines(), "\n"))
			}
		}
	}
}

// wantLeft waits for the program's end, with the terminal as it was before.
func (term *terminal) wantLeft(t *testing.T, screen string) {
	t.Helper()
	select {
	case <-term.done:
	case <-time.After(startLimit):
		t.Fatalf("it goes on:\n%s", strings.Join(term.lines(), "\n"))
	}
	if got := term.program.ProcessState.ExitCode(); got != 0 {
		t.Errorf("it ended with code %d", got)
	}
	if diff := cmp.Diff(term.before, term.settings(t)); diff != "" {
		t.Errorf("the terminal's settings are not as before:\n%s", diff)
	}
	for deadline := time.Now().Add(startLimit); ; time.Sleep(20 * time.Millisecond) {
		lines := strings.TrimRight(strings.Join(term.lines(), "\n"), "\n")
		if term.Mode()&vt10x.ModeAltScreen == 0 && term.CursorVisible() && lines == screen {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the screen is not as before: mode %b, cursor %t, %q", term.Mode(), term.CursorVisible(), lines)
		}
	}
}

// TestTopOnTerminal is a person at a terminal in front of the demo.
func TestTopOnTerminal(t *testing.T) {
	dir, whole := t.TempDir(), t
	p := start(t, dir, demoFlags("--scope", "127.0.0.1:0")...)
	term := onTerminal(t, 80, 24, "top", "--url", p.HTTP)

	const clock = `\d\d:\d\d:\d\d$`
	term.wantOnScreen(t, `^poolscope  127\.0\.0\.1:\d+  regtest  mining .*● live  `+clock, `^\[1 Workers\] 2  2 Sessions \d`,
		`miner1 .* [kM]H/s`, `^Node devnet ready · block \d+`, `^Pool hashrate +Miners +Shares$`, `^\S+ [kM]H/s +2 +\S+ /min$`, `^q quit`)
	if lines := term.lines(); len(lines) != 24 {
		t.Errorf("24 lines of screen, %d are used:\n%s", len(lines), strings.Join(lines, "\n"))
	}

	t.Run("keys", func(t *testing.T) {
		term.press(t, "2")
		term.wantOnScreen(t, `\[2 Sessions\] \d`, `^Miner +State`, ` live `)
		term.press(t, "1/miner2\r")
		term.wantOnScreen(t, `/miner2: 1$`, `\.miner2 `)
		if screen := term.String(); strings.Contains(screen, "miner1") {
			t.Errorf("miner1 is none of those searched:\n%s", screen)
		}
		term.press(t, "\r")
		term.wantOnScreen(t, `^Worker +bcrt1\w+\.miner2$`, `^Best share`, `^Connections +\w+  difficulty `)
		term.press(t, "?")
		term.wantOnScreen(t, `^Keys$`, `the terminal|quit`)
		term.press(t, "\x1b")
		term.wantOnScreen(t, `^Worker +bcrt1`)
		term.press(t, "\x1b")
		term.wantOnScreen(t, `^Worker +Hashrate▼`)
	})

	t.Run("sizes", func(t *testing.T) {
		term.press(t, "3")
		for _, size := range [][2]int{{60, 15}, {40, 10}, {200, 60}, {120, 40}} {
			term.resize(t, size[0], size[1])
			if size[0] < 60 {
				term.wantOnScreen(t, `^This terminal is 40×10`)
				continue
			}
			term.wantOnScreen(t, `● live  `+clock, `^\S+ +1 Workers|1 Workers`, `#\d`)
			nodes.WaitFor(t, startLimit, "the last line is the foot", func() bool {
				lines := term.lines()
				return len(lines) == size[1] && strings.HasPrefix(lines[len(lines)-1], "q quit")
			})
		}
	})

	t.Run("the server goes and comes back", func(t *testing.T) {
		p.stop(t)
		term.wantOnScreen(t, `○ not live`, `^Figures of .*Connecting again`)
		p = start(whole, dir, demoFlags("--scope", "127.0.0.1:0", "--http", p.HTTP)...)
		term.wantOnScreen(t, `● live  `+clock)
	})

	t.Run("q quits", func(t *testing.T) {
		term.press(t, "q")
		term.wantLeft(t, "") // the emulator forgets the first screen when it is resized on the second
	})

	for name, end := range map[string]func(*testing.T, *terminal){
		"Ctrl-C quits": func(t *testing.T, term *terminal) { term.press(t, "\x03") },
		"SIGTERM ends it": func(t *testing.T, term *terminal) {
			if err := term.program.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			term := onTerminal(t, 80, 24, "top", "--url", p.HTTP)
			term.wantOnScreen(t, `● live`)
			end(t, term)
			term.wantLeft(t, typed)
		})
	}

	t.Run("without a terminal there is one frame", func(t *testing.T) {
		for _, arguments := range [][]string{{"--once"}, nil} {
			stdout, stderr, code := runTop(t, append(arguments, "--url", p.HTTP)...)
			if code != 0 || !strings.Contains(stdout, "Pool hashrate") || !strings.Contains(stdout, "miner1") {
				t.Errorf("top %v: code %d\n%s%s", arguments, code, stdout, stderr)
			}
			if at := strings.IndexFunc(stdout, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); at >= 0 {
				t.Errorf("there is a control character in it: %q", stdout[at:])
			}
			if said := strings.Contains(stderr, "one frame only"); said == (len(arguments) > 0) {
				t.Errorf("top %v says %q", arguments, stderr)
			}
		}
	})

	t.Run("what cannot be watched is told", func(t *testing.T) {
		for name, c := range map[string]struct {
			arguments []string
			code      int
			want      string
		}{
			"a wrong token":  {[]string{"--url", p.HTTP, "--token", "wrong"}, 1, "refused the given one"},
			"nobody":         {[]string{"--url", "127.0.0.1:1"}, 1, "Is a poolscope running there?"},
			"a miner's port": {[]string{"--url", p.Stratum}, 1, "nothing answers"},
			"no address":     {[]string{"--url", "ftp://x"}, 2, "not the address of a web page"},
		} {
			stdout, stderr, code := runTop(t, c.arguments...)
			if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) {
				t.Errorf("%s: code %d, %q, %q; want %d and %q", name, code, stdout, stderr, c.code, c.want)
			}
		}
	})
}

// runTop runs the command without a terminal.
func runTop(t *testing.T, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, problems bytes.Buffer
	command := exec.Command(binary, append([]string{"top"}, arguments...)...)
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); command.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), problems.String(), command.ProcessState.ExitCode()
}
