package telemetry

import (
	"os"
	"syscall"
	"time"
)

// readOS asks Linux: getrusage for processor time, /proc for the rest.
func readOS() osSample {
	var o osSample

	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		o.cpu = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		o.rss = parseStatm(string(text)) * uint64(os.Getpagesize())
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		o.memTotal, o.memFree = parseMeminfo(string(text))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		o.load1, o.load5, o.load15 = parseLoadavg(string(text))
	}
	return o
}
