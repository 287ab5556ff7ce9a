package api

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/netip"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/capture"
	"github.com/poolscope/poolscope/internal/pool"
)

// Captures is what the API asks of the pool about recordings of miners' wires.
// *pool.Pool is one.
type Captures interface {
	// StartCapture begins a recording. Its error is pool.ErrCapturing when one
	// runs already.
	StartCapture(o pool.CaptureOrder) (capture.Status, error)
	// StopCapture ends the recording that runs, if one does.
	StopCapture()
	// Capture is how far the newest recording is; false before the first.
	Capture() (capture.Status, bool)
}

var _ Captures = (*pool.Pool)(nil)

// Bounds of what may be ordered.
const (
	defaultCaptureSeconds = 60
	maxCaptureSeconds     = 3600
	defaultCaptureBytes   = 16 << 20
	maxCaptureBytes       = 1 << 30
)

// captureOrder is the body of POST /api/debug/capture: one of worker,
// connection and address, and bounds if the default ones do not do.
type captureOrder struct {
	Worker      string `json:"worker"`
	Connection  string `json:"connection"`
	Address     string `json:"address"`
	DurationSec int    `json:"duration_sec"`
	MaxBytes    int64  `json:"max_bytes"`
}

// captureView is a recording as the operator sees it.
type captureView struct {
	File    string    `json:"file"` // on the pool's machine
	Running bool      `json:"running"`
	Started time.Time `json:"started"`
	Until   time.Time `json:"until"` // when it ends at the latest
	Lines   uint64    `json:"lines"`
	Bytes   int64     `json:"bytes"`
	Dropped uint64    `json:"dropped"`       // lines that came faster than the file took them
	End     string    `json:"end,omitempty"` // time, size, stopped or failed
}

func viewOfCapture(s capture.Status) captureView {
	return captureView{
		File: s.File, Running: s.End == "", Started: access.Stamp(s.Started), Until: access.Stamp(s.Until),
		Lines: s.Lines, Bytes: s.Bytes, Dropped: s.Dropped, End: s.End,
	}
}

// serveCapture answers GET, POST and DELETE /api/debug/capture. The route is
// behind the guard.
func (s *Server) serveCapture(w http.ResponseWriter, r *http.Request) {
	if s.src.Captures == nil {
		http.Error(w, "the pool is not running yet", http.StatusServiceUnavailable)
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.startCapture(w, r)
		return
	case http.MethodDelete:
		s.src.Captures.StopCapture()
		s.record(r, "capture.stop", "", "")
	}
	status, ok := s.src.Captures.Capture()
	if !ok {
		http.Error(w, "nothing was captured since the start", http.StatusNotFound)
		return
	}
	s.sendJSON(w, http.StatusOK, viewOfCapture(status))
}

func (s *Server) startCapture(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	in := captureOrder{DurationSec: defaultCaptureSeconds, MaxBytes: defaultCaptureBytes}
	body := json.NewDecoder(r.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&in); err != nil {
		http.Error(w, "the body must be an object with worker, connection or address: "+err.Error(), http.StatusBadRequest)
		return
	}
	order, complaint := in.order()
	if complaint != "" {
		http.Error(w, complaint, http.StatusBadRequest)
		return
	}
	status, err := s.src.Captures.StartCapture(order)
	switch {
	case errors.Is(err, pool.ErrCapturing):
		http.Error(w, "a capture runs already; DELETE /api/debug/capture ends it", http.StatusConflict)
	case err != nil:
		s.log.Error("capture not started", "err", err)
		http.Error(w, "the capture could not be started; the log says why", http.StatusInternalServerError)
	default:
		s.record(r, "capture.start", in.Worker+in.Connection+in.Address, "")
		s.sendJSON(w, http.StatusCreated, viewOfCapture(status))
	}
}

// order checks what was asked for.
func (in *captureOrder) order() (o pool.CaptureOrder, complaint string) {
	given := 0
	for _, text := range []string{in.Worker, in.Connection, in.Address} {
		if text != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return o, "one of worker, connection and address must be given"
	case in.DurationSec < 1 || in.DurationSec > maxCaptureSeconds:
		return o, "duration_sec must be 1 to 3600"
	case in.MaxBytes < 1 || in.MaxBytes > maxCaptureBytes:
		return o, "max_bytes must be 1 to 1073741824"
	}
	o = pool.CaptureOrder{
		Worker: in.Worker, Connection: in.Connection,
		For: time.Duration(in.DurationSec) * time.Second, MaxBytes: in.MaxBytes,
	}
	if in.Address != "" {
		var err error
		if o.Address, err = netip.ParseAddr(in.Address); err != nil {
			return o, "address must be an IP address"
		}
	}
	return o, ""
}
