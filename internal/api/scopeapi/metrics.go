package scopeapi

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics. Numbers of other parts keep the names that those gave them, as
// labels: a part that counts something new is seen without a change here.
var (
	descStored   = desc("stored", "What the scope keeps in memory: messages, bytes, sessions, live sessions.", "what")
	descLost     = desc("lost_total", "What was not captured or made room: dropped chunks and bytes, evicted messages, faults of the recorder.", "what")
	descClients  = desc("websocket_clients", "Open WebSockets of /api/ws.")
	descFeed     = desc("websocket_messages_total", "Messages of /api/ws: encoded, sent (summed over clients), skipped by slow clients, not encoded in time, and gap notices.", "what")
	descEnded    = desc("websocket_ended_total", "WebSockets that ended, by reason.", "reason")
	descRefused  = desc("websocket_refused_total", "WebSockets that were refused, by reason.", "reason")
	descTurned   = desc("requests_refused_total", "Requests that were turned away, by reason.", "reason")
	descPanics   = desc("panics_total", "Requests that ended by a panic, which was survived.")
	descPart     = desc("part", "What a part of the scope tells of itself; see GET /api/scope/status.", "part", "name")
	maxPartDepth = 4
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("poolscope_scope_"+name, help, labels, nil)
}

// Describe sends nothing: what the parts count is not known before.
func (a *API) Describe(chan<- *prometheus.Desc) {}

// Collect reads all counters.
func (a *API) Collect(ch chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue

	s := a.captureStatus()
	for what, v := range map[string]int{"messages": s.Messages, "bytes": s.Bytes, "sessions": s.Sessions, "live_sessions": s.LiveSessions} {
		send(gauge, descStored, float64(v), what)
	}
	for what, v := range map[string]uint64{"chunks": s.DroppedChunks, "bytes": s.DroppedBytes, "evicted": s.Evicted, "faults": s.Faults} {
		send(counter, descLost, float64(v), what)
	}
	f := a.feed.Status()
	send(gauge, descClients, float64(f.Clients))
	for what, v := range map[string]uint64{"encoded": f.Encoded, "sent": f.Sent, "skipped": f.Skipped, "unencoded": f.Unencoded, "gap_notices": f.Gaps} {
		send(counter, descFeed, float64(v), what)
	}
	for reason, v := range f.Ends {
		send(counter, descEnded, float64(v), reason)
	}
	for reason, v := range f.Refused {
		send(counter, descRefused, float64(v), reason)
	}
	own := a.apiStatus()
	for reason, v := range own.Refused {
		send(counter, descTurned, float64(v), reason)
	}
	send(counter, descPanics, float64(own.Panics))
	for _, p := range a.src.Parts {
		text, err := json.Marshal(p.Status())
		if err != nil {
			continue
		}
		var tree any
		if json.Unmarshal(text, &tree) == nil {
			flatten("", tree, maxPartDepth, func(name string, v float64) { send(prometheus.UntypedValue, descPart, v, p.Name, name) })
		}
	}
}

var _ prometheus.Collector = (*API)(nil)

// flatten yields the numbers and booleans of a tree of objects by the path of
// their names. Lists are left out: their length has no bound.
func flatten(prefix string, tree any, depth int, yield func(name string, v float64)) {
	switch v := tree.(type) {
	case float64:
		yield(prefix, v)
	case bool:
		if v {
			yield(prefix, 1)
		} else {
			yield(prefix, 0)
		}
	case map[string]any:
		if depth == 0 {
			return
		}
		for name, inner := range v {
			if name = snake(name); prefix != "" {
				name = prefix + "_" + name
			}
			flatten(name, inner, depth-1, yield)
		}
	}
}

// snake writes an identifier of Go in snake_case.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) {
			if i > 0 && !strings.HasSuffix(b.String(), "_") {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
