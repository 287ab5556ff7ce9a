package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serverMetrics is the registry behind /metrics and what the HTTP server
// itself counts. The pool's own numbers stay where they are; collectors read
// them when somebody scrapes.
type serverMetrics struct {
	handler  http.Handler
	known    map[string]bool // route patterns
	lasting  map[string]bool // those of WebSockets
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// otherRoute is the label of requests that no route took.
const otherRoute = "other"

func newServerMetrics(s *Server) *serverMetrics {
	m := &serverMetrics{
		known:   make(map[string]bool),
		lasting: map[string]bool{"/api/live": true, "GET /api/ws": true, "GET /api/ws/agents": true},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "poolscope_http_requests_total",
			Help: "HTTP requests answered, by route and class of status code.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "poolscope_http_request_duration_seconds",
			Help:    "Time to answer an HTTP request, by route. WebSockets are left out.",
			Buckets: []float64{0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5},
		}, []string{"route"}),
	}
	for _, rt := range s.table() {
		m.known[rt.pattern] = true
		m.requests.WithLabelValues(rt.pattern, "2xx")
	}
	m.requests.WithLabelValues(otherRoute, "4xx")
	if s.src.Scope != nil {
		for _, pattern := range s.src.Scope.Routes() {
			m.known[pattern] = true
		}
	}

	reg := prometheus.NewRegistry()
	reg.MustRegister(
		m.requests, m.duration,
		newPoolCollector(s),
		newFigures(s),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if s.src.Scope != nil {
		reg.MustRegister(s.src.Scope)
	}
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return m
}

// observe counts one answered request. route is the pattern that the
// multiplexer found, empty when there was none.
func (m *serverMetrics) observe(route string, code int, took time.Duration) {
	if !m.known[route] {
		route = otherRoute
	}
	m.requests.WithLabelValues(route, strconv.Itoa(code/100)+"xx").Inc()
	if !m.lasting[route] {
		m.duration.WithLabelValues(route).Observe(took.Seconds())
	}
}

// serveMetrics answers GET /metrics.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	s.metrics.handler.ServeHTTP(w, r)
}
