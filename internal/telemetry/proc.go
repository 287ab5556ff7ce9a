package telemetry

import (
	"strconv"
	"strings"
)

// parseStatm returns the resident pages from /proc/self/statm, whose second
// field they are; 0 when the text has another shape.
func parseStatm(text string) uint64 {
	f := strings.Fields(text)
	if len(f) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages
}

// parseMeminfo returns the machine's memory and how much of it could be had,
// in bytes, from /proc/meminfo. Kernels before 3.14 have no MemAvailable; then
// it is MemFree.
func parseMeminfo(text string) (total, free uint64) {
	var available uint64
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "MemTotal":
			total = kib << 10
		case "MemFree":
			free = kib << 10
		case "MemAvailable":
			available = kib << 10
		}
	}
	if available > 0 {
		free = available
	}
	return total, free
}

// parseLoadavg returns the three averages of /proc/loadavg, zeros when the
// text has another shape.
func parseLoadavg(text string) (l1, l5, l15 float64) {
	f := strings.Fields(text)
	if len(f) < 3 {
		return 0, 0, 0
	}
	var v [3]float64
	for i := range v {
		n, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			return 0, 0, 0
		}
		v[i] = n
	}
	return v[0], v[1], v[2]
}
