package scopeapi

import (
	"net/http"
	"runtime"
	"strings"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
)

// healthView says that the program answers, and nothing more: /readyz has
// whether it does its work.
type healthView struct {
	Status string `json:"status" example:"ok"`
}

// serveHealth answers GET /health.
func serveHealth(c *call) error { return c.json(healthView{"ok"}) }

// serveConfig answers GET /api/config.
func serveConfig(c *call) error {
	s := c.api.cfg.Settings
	if s.Pools == nil {
		s.Pools = []string{}
	}
	return c.json(s)
}

// tapState is the switch of the tap, in both directions.
type tapState struct {
	Mode   string  `json:"mode" enum:"off,all,worker" doc:"Whose connections to our own pool are captured" example:"all"`
	Worker *string `json:"worker,omitempty" nullable:"true" doc:"With the mode worker: ADDRESS.NAME, NAME or ADDRESS"`
}

// tapWorker is how a mode with a worker begins.
const tapWorker = "worker:"

func (a *API) tap() tapState {
	mode := a.src.Tap.TapMode()
	if name, ok := strings.CutPrefix(mode, tapWorker); ok {
		return tapState{"worker", &name}
	}
	return tapState{Mode: mode}
}

// serveTap answers GET /api/scope/tap.
func serveTap(c *call) error {
	if c.api.src.Tap == nil {
		return notRunning("The pool")
	}
	return c.json(c.api.tap())
}

// serveSetTap answers PUT /api/scope/tap.
func serveSetTap(c *call) error {
	mode, _ := c.body["mode"].(string)
	if mode == "worker" {
		name, _ := c.body["worker"].(string)
		if name == "" {
			return &failure{http.StatusUnprocessableEntity, []problem{{Type: "missing", Loc: []any{"body", "worker"}, Msg: "Field required"}}}
		}
		mode = tapWorker + name
	}
	if c.api.src.Tap == nil {
		return notRunning("The pool")
	}
	if err := c.api.src.Tap.SetTapMode(mode); err != nil {
		return fail(http.StatusServiceUnavailable, err.Error())
	}
	return c.json(c.api.tap())
}

// serveGaps answers GET /api/scope/gaps.
func serveGaps(c *call) error {
	if c.api.src.Messages == nil {
		return errNoCapture
	}
	gaps, err := c.api.src.Messages.Gaps(c.r.Context(), c.text("session_id"), c.integer("limit"))
	if err != nil {
		return err
	}
	if gaps == nil {
		gaps = []journal.Gap{}
	}
	return c.json(gaps)
}

// scopeStatus is what the scope does.
type scopeStatus struct {
	Version  string         `json:"version"`
	Started  string         `json:"started_at" format:"date-time"`
	Capture  captureStatus  `json:"capture"`
	Feed     FeedStatus     `json:"websocket"`
	API      apiStatus      `json:"api"`
	Tap      *tapState      `json:"tap,omitempty" doc:"Left out without a pool"`
	Parts    map[string]any `json:"parts" doc:"What the other parts tell: journal, relay, replay, audit, tap"`
	Routines int            `json:"goroutines"`
}

// captureStatus is what is in memory, and what was lost.
type captureStatus struct {
	Messages      int    `json:"messages" doc:"In memory"`
	Bytes         int    `json:"bytes" doc:"In memory"`
	Sessions      int    `json:"sessions" doc:"In memory"`
	LiveSessions  int    `json:"live_sessions"`
	Evicted       uint64 `json:"evicted" doc:"Messages that made room for others"`
	DroppedChunks uint64 `json:"dropped_chunks" doc:"That found the recorder's queue full"`
	DroppedBytes  uint64 `json:"dropped_bytes"`
	Faults        uint64 `json:"faults" doc:"Events that the recorder failed at"`
}

// apiStatus is what this API did.
type apiStatus struct {
	Panics  uint64            `json:"panics" doc:"Requests that ended by a mistake of ours"`
	Refused map[string]uint64 `json:"refused" doc:"Requests that were turned away, by reason"`
}

func (a *API) captureStatus() captureStatus {
	r := a.src.Recorder
	if r == nil {
		return captureStatus{}
	}
	u := r.Store().Usage()
	chunks, bytes := r.Losses()
	return captureStatus{
		Messages: u.Messages, Bytes: u.Bytes, Sessions: u.Sessions, LiveSessions: u.Live, Evicted: u.Evicted,
		DroppedChunks: chunks, DroppedBytes: bytes, Faults: r.Faults(),
	}
}

func (a *API) apiStatus() apiStatus {
	return apiStatus{
		Panics: a.panics.Load(),
		Refused: map[string]uint64{
			"cross_site": a.refusals.crossSite.Load(), "no_token": a.refusals.noToken.Load(), "wrong_token": a.refusals.token.Load(), "not_operator": a.refusals.notOperator.Load(),
		},
	}
}

// serveStatus answers GET /api/scope/status.
func serveStatus(c *call) error {
	a := c.api
	s := scopeStatus{
		Version: a.cfg.Version, Started: capture.FormatTime(a.started), Capture: a.captureStatus(),
		Feed: a.feed.Status(), API: a.apiStatus(), Parts: make(map[string]any), Routines: runtime.NumGoroutine(),
	}
	if a.src.Tap != nil {
		tap := a.tap()
		s.Tap = &tap
	}
	for _, p := range a.src.Parts {
		s.Parts[p.Name] = plain(p.Status())
	}
	return c.json(s)
}
