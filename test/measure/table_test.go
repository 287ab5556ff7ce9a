package measure

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/load"
)

// results collects figures by row of the table.
type results struct {
	figures []figure
	skipped int
}

// figure is one row.
type figure struct {
	scenario string
	metric   metric
	values   map[string][]float64 // by server: pool, floor
}

// add takes a report's figures over.
func (r *results) add(s scenario, server string, report *load.Report) {
	for _, m := range s.metrics {
		i := slices.IndexFunc(r.figures, func(f figure) bool { return f.scenario == s.name && f.metric.what == m.what })
		if i < 0 {
			r.figures = append(r.figures, figure{s.name, m, map[string][]float64{}})
			i = len(r.figures) - 1
		}
		if v := m.of(report); !math.IsNaN(v) {
			r.figures[i].values[server] = append(r.figures[i].values[server], v)
		}
	}
}

// String is the table, in Markdown.
func (r *results) String() string {
	var b strings.Builder
	b.WriteString("| what | pool | floor | pool ÷ floor | target |\n|---|---|---|---|---|\n")
	last := ""
	for _, f := range r.figures {
		if f.scenario != last {
			last = f.scenario
			fmt.Fprintf(&b, "| **%s** | | | | |\n", f.scenario)
		}
		what := f.metric.what
		if f.metric.unit != "" {
			what += ", " + f.metric.unit
		}
		ratio := ""
		if pool, floor := middle(f.values["pool"]), middle(f.values["floor"]); pool > 0 && floor > 0 {
			ratio = fmt.Sprintf("%.2f", pool/floor)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", what, f.metric.show(f.values["pool"]), f.metric.show(f.values["floor"]), ratio, f.metric.target)
	}
	if r.skipped > 0 {
		fmt.Fprintf(&b, "\n%d scenarios were not run again: the time was over.\n", r.skipped)
	}
	return b.String()
}

// show is the median with the smallest and the largest value.
func (m metric) show(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	if len(values) == 1 {
		return fmt.Sprintf("%.*f", m.digits, values[0])
	}
	return fmt.Sprintf("%.*f (%.*f to %.*f)", m.digits, middle(values), m.digits, slices.Min(values), m.digits, slices.Max(values))
}

// middle is the median, 0 of nothing.
func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// machine says what was measured on.
func machine() string {
	model, extensions := "unknown processor", ""
	text, _ := os.ReadFile("/proc/cpuinfo") // elsewhere: unknown
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "model name":
			model = strings.TrimSpace(value)
		case "flags":
			for _, flag := range []string{"sha_ni", "avx2", "avx512f"} {
				if slices.Contains(strings.Fields(value), flag) {
					extensions += " " + flag
				}
			}
		}
		if extensions != "" {
			break
		}
	}
	busy, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%s, %d cores,%s; %s %s/%s; load average at the end: %s\n", model, runtime.NumCPU(), extensions,
		runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(strings.Fields(string(busy))[:min(3, len(strings.Fields(string(busy))))], " "))
}

func TestTable(t *testing.T) {
	r := &results{}
	s := scenario{name: "s", metrics: []metric{{"cost", "µs", 1, "≤ 11", func(r *load.Report) float64 { return r.Shares.Seconds }}}}
	for _, v := range []float64{3, 1, 8} {
		r.add(s, "pool", &load.Report{Shares: &load.Shares{Seconds: v}})
	}
	r.add(s, "floor", &load.Report{Shares: &load.Shares{Seconds: 2}})
	if want := "| cost, µs | 3.0 (1.0 to 8.0) | 2.0 | 1.50 | ≤ 11 |\n"; !strings.HasSuffix(r.String(), want) {
		t.Errorf("%s\ndoes not end in %s", r, want)
	}
}
