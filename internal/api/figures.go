package api

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// Figure is one number that a part shows at /metrics, as
// poolscope_NAME{LABEL="VALUE"}. All figures of one name have the same Help,
// Label and Counter, and each Value once; a part gives the same names always.
type Figure struct {
	Name    string // such as "notify_messages_dropped_total", in snake_case
	Help    string
	Label   string // such as "reason"; "" for a figure without one
	Value   string
	Number  float64
	Counter bool // it only grows
}

// figures is a collector of what parts outside of this package count.
type figures struct {
	sources []func() []Figure
	failed  *prometheus.Desc
	server  *Server
}

func newFigures(s *Server) *figures {
	return &figures{
		sources: s.src.Figures, server: s,
		failed: prometheus.NewDesc("poolscope_figures_failed", "A part could not tell its figures.", nil, nil),
	}
}

// Describe sends nothing: what the parts count is not known before.
func (f *figures) Describe(chan<- *prometheus.Desc) {}

// Collect reads all figures. A part that panics fails the scrape, and nothing
// else.
func (f *figures) Collect(ch chan<- prometheus.Metric) {
	defer func() {
		if v := recover(); v != nil {
			f.server.panics.Add(1)
			f.server.log.Error("metrics panicked", "panic", v, "stack", string(debug.Stack()))
			ch <- prometheus.NewInvalidMetric(f.failed, errPanic)
		}
	}()
	for _, source := range f.sources {
		for _, figure := range source() {
			var names, values []string
			if figure.Label != "" {
				names, values = []string{figure.Label}, []string{figure.Value}
			}
			kind := prometheus.GaugeValue
			if figure.Counter {
				kind = prometheus.CounterValue
			}
			d := prometheus.NewDesc("poolscope_"+figure.Name, figure.Help, names, nil)
			if m, err := prometheus.NewConstMetric(d, kind, figure.Number, values...); err != nil {
				ch <- prometheus.NewInvalidMetric(d, err)
			} else {
				ch <- m
			}
		}
	}
}
