package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// process is the server whose use of the machine is measured.
type process struct {
	stat, status, limits string // files in /proc
}

// clockTick is the unit of processor times in /proc: USER_HZ is 100 on every
// architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// openProcess fails if there is no such process, or no /proc.
func openProcess(pid int) (*process, error) {
	folder := fmt.Sprintf("/proc/%d/", pid)
	p := &process{stat: folder + "stat", status: folder + "status", limits: folder + "limits"}
	if _, err := os.ReadFile(p.stat); err != nil {
		return nil, fmt.Errorf("measure process %d: %w", pid, err)
	}
	return p, nil
}

// cpu returns the processor time used so far, 0 without a process or after its
// end.
func (p *process) cpu() time.Duration {
	if p == nil {
		return 0
	}
	text, err := os.ReadFile(p.stat)
	if err != nil {
		return 0
	}
	return parseStat(string(text))
}

// files returns how many files the process may have open, 0 if that is not
// known. What is unlimited is as good as unknown.
func (p *process) files() int {
	text, err := os.ReadFile(p.limits)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			n, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			v, _ := strconv.Atoi(n)
			return v
		}
	}
	return 0
}

// rss returns the resident memory in KiB. Sockets and what waits in them are
// the kernel's memory and not in it.
func (p *process) rss() int64 {
	if p == nil {
		return 0
	}
	text, err := os.ReadFile(p.status)
	if err != nil {
		return 0
	}
	return parseRSS(string(text))
}

// parseStat returns user and system time from /proc/PID/stat: the 14th and
// 15th field, counted behind the name, which may hold anything.
func parseStat(text string) time.Duration {
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(f) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * clockTick
}

// parseRSS returns VmRSS from /proc/PID/status, in KiB.
func parseRSS(text string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}
