package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// checkTime is how long the new program may take to look at its configuration.
const checkTime = 10 * time.Second

// errNoUpgrade says that the system has no way to replace a running program.
var errNoUpgrade = errors.New("an upgrade without a restart is not supported on this system")

// Program is a poolscope on disk, and how it is called.
type Program struct {
	// Path is where the program was called from, links kept: what is installed
	// there later is what an upgrade starts.
	Path string
	// Arguments are those after the program's name.
	Arguments []string
	// Check are arguments that make it check its configuration.
	Check []string
}

// ThisProgram is the running program, called with arguments; check are those
// that make it check its configuration.
func ThisProgram(arguments, check []string) Program {
	path, err := exec.LookPath(os.Args[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		// Linux knows, even if whoever called us did not say.
		path, _ = os.Executable()
	}
	return Program{Path: path, Arguments: arguments, Check: check}
}

// check says whether the program on disk is able to start.
func (p Program) check(ctx context.Context) error {
	if !canBecome {
		return errNoUpgrade
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, p.Path, p.Check...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", p.Path, strings.Join(p.Check[:min(2, len(p.Check))], " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
