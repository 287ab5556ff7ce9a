package scopeapi

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// maxPartDepth bounds how deep the status of a part is looked into for numbers.
const maxPartDepth = 4

// metrics are the descriptions of all metrics. Numbers of other parts keep the
// names that those gave them, as labels: a part that counts something new is
// seen without a change here.
type metrics struct {
	stored, lost, clients, feed, ended, refused, turned, panics, part *prometheus.Desc
}

func newMetrics() metrics {
	return metrics{
		stored:  desc("stored", "What the scope keeps in memory: messages, bytes, sessions, live sessions.", "what"),
		lost:    desc("lost_total", "What was not captured or made room: dropped chunks and bytes, evicted messages, faults of the recorder.", "what"),
		clients: desc("websocket_clients", "Open WebSockets of /api/ws."),
		feed:    desc("websocket_messages_total", "Messages of /api/ws: encoded, sent (summed over clients), skipped by slow clients, not encoded in time, gap notices, and faults of ours.", "what"),
		ended:   desc("websocket_ended_total", "WebSockets that ended, by reason.", "reason"),
		refused: desc("websocket_refused_total", "WebSockets that were refused, by reason.", "reason"),
		turned:  desc("requests_refused_total", "Requests that were turned away, by reason.", "reason"),
		panics:  desc("panics_total", "Requests that ended by a panic, which was survived."),
		part:    desc("part", "What a part of the scope tells of itself; see GET /api/scope/status.", "part", "name"),
	}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("poolscope_scope_"+name, help, labels, nil)
}

// Describe sends nothing: what the parts count is not known before.
func (a *API) Describe(chan<- *prometheus.Desc) {}

// Collect reads all counters. The registry calls it in a goroutine of its own,
// out of the reach of the handlers' recovery; a panic of a part fails the scrape
// and is counted.
func (a *API) Collect(ch chan<- prometheus.Metric) {
	defer func() {
		if v := recover(); v != nil {
			a.panics.Add(1)
			a.log.Error("metrics panicked", "panic", v, "stack", string(debug.Stack()))
			ch <- prometheus.NewInvalidMetric(a.metrics.panics, errInternal)
		}
	}()
	send := func(kind prometheus.ValueType, d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge, counter, d := prometheus.GaugeValue, prometheus.CounterValue, &a.metrics

	s := a.captureStatus()
	for what, v := range map[string]int{"messages": s.Messages, "bytes": s.Bytes, "sessions": s.Sessions, "live_sessions": s.LiveSessions} {
		send(gauge, d.stored, float64(v), what)
	}
	for what, v := range map[string]uint64{"chunks": s.DroppedChunks, "bytes": s.DroppedBytes, "evicted": s.Evicted, "faults": s.Faults} {
		send(counter, d.lost, float64(v), what)
	}
	f := a.feed.Status()
	send(gauge, d.clients, float64(f.Clients))
	for what, v := range map[string]uint64{"encoded": f.Encoded, "sent": f.Sent, "skipped": f.Skipped, "unencoded": f.Unencoded, "gap_notices": f.Gaps, "faults": f.Faults} {
		send(counter, d.feed, float64(v), what)
	}
	for reason, v := range f.Ends {
		send(counter, d.ended, float64(v), reason)
	}
	for reason, v := range f.Refused {
		send(counter, d.refused, float64(v), reason)
	}
	own := a.apiStatus()
	for reason, v := range own.Refused {
		send(counter, d.turned, float64(v), reason)
	}
	send(counter, d.panics, float64(own.Panics))
	for _, p := range a.src.Parts {
		flatten("", plain(p.Status()), maxPartDepth, func(name string, v float64) { send(prometheus.UntypedValue, d.part, v, p.Name, name) })
	}
}

var _ prometheus.Collector = (*API)(nil)
