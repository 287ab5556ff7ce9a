package savedapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Bounds of what is shown of a wire.
const (
	maxSessions   = 50   // of a worker
	searchedPages = 20   // of sessions, until those are found
	sessionsPage  = 500  // sessions in one of them
	standardLines = 200  // in one answer
	maxLines      = 1000 // in one answer

	// fullSession is the number of names from which on a session has more than it
	// remembers.
	fullSession = 64
)

// wirePage is the response of GET …/wire.
type wirePage struct {
	Tap      string        `json:"tap"` // what of the pool's own connections is captured: off, all, worker:NAME
	Sessions []wireSession `json:"sessions"`
}

// wireSession is a captured connection of the worker.
type wireSession struct {
	ID          string    `json:"id"`
	ConnectedAt time.Time `json:"connected_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	Live        bool      `json:"live"`
	Origin      string    `json:"origin"` // tap or proxy
	Miner       string    `json:"miner"`  // ip:port
	UserAgent   string    `json:"user_agent"`
	Messages    uint64    `json:"messages"`
	Reason      string    `json:"reason,omitempty"` // why it ended
}

// ownedWorker is the worker of the path when it is the viewer's own, and there is
// a microscope. Without it has answered.
func (a *API) ownedWorker(w http.ResponseWriter, r *http.Request, v access.Viewer) (saved.Saved, bool) {
	s, ok := a.worker(w, r, v)
	switch {
	case !ok:
		return s, false
	case s.Owned == saved.NotProven:
		a.refuse(w, saved.ErrNotOwned)
		return s, false
	case a.cfg.Wire == nil:
		http.Error(w, "nothing is captured here", http.StatusServiceUnavailable)
		return s, false
	}
	return s, true
}

// serveWire answers GET /api/saved-workers/HASH/wire: sessions of the worker, the
// newest first.
func (a *API) serveWire(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.ownedWorker(w, r, v)
	if !ok {
		return
	}
	page := wirePage{Tap: "off", Sessions: []wireSession{}}
	if a.cfg.TapMode != nil {
		page.Tap = a.cfg.TapMode()
		if page.Tap != "off" && page.Tap != "all" && page.Tap != "worker:"+s.Name {
			page.Tap = "other" // whose connection it is, is not the viewer's business
		}
	}
	f := journal.SessionFilter{Limit: sessionsPage}
	for range searchedPages {
		sessions, next, err := a.cfg.Wire.Sessions(r.Context(), f)
		if err != nil {
			a.refuse(w, err)
			return
		}
		for i := range sessions {
			if len(page.Sessions) < maxSessions && a.mayRead(v, &sessions[i], s.Name) {
				page.Sessions = append(page.Sessions, viewOf(&sessions[i]))
			}
		}
		if f.Before = next; next == "" || len(page.Sessions) == maxSessions {
			break
		}
	}
	access.SendJSON(w, a.log, http.StatusOK, page)
}

func viewOf(s *capture.Session) wireSession {
	return wireSession{
		ID: s.ID, ConnectedAt: access.Stamp(s.At), EndedAt: access.Stamp(s.EndedAt), Live: s.Live(), Origin: string(s.Origin),
		Miner: s.Miner, UserAgent: s.UserAgent, Messages: s.Messages, Reason: s.Reason,
	}
}

// mayRead reports whether a session is one of the worker's, and carries no worker
// that is not the viewer's. Recordings that somebody brought along as files are
// nobody's.
func (a *API) mayRead(v access.Viewer, s *capture.Session, worker string) bool {
	if s.Origin == capture.OriginFile || len(s.Workers) >= fullSession {
		return false
	}
	names := make([]string, 0, len(s.Workers))
	for _, user := range s.Workers {
		names = append(names, pool.WorkerName(user))
	}
	return slices.Contains(names, worker) &&
		!slices.ContainsFunc(names, func(name string) bool { return name != worker && !a.saved.Owns(v.UserID(), name) })
}

// serveLines answers GET /api/saved-workers/HASH/wire/SESSION: lines of a session
// in their order, after number "after", in the form of GET /api/messages.
func (a *API) serveLines(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.ownedWorker(w, r, v)
	if !ok {
		return
	}
	after, limit, ok := linesWanted(r)
	if !ok {
		http.Error(w, "after must be a number, limit 1 to 1000", http.StatusBadRequest)
		return
	}
	session, err := a.cfg.Wire.Session(r.Context(), r.PathValue("session"))
	if errors.Is(err, journal.ErrNotFound) || err == nil && !a.mayRead(v, &session, s.Name) {
		// The same answer: whose sessions there are is told to nobody.
		http.Error(w, "session not found", http.StatusNotFound)
		return
	}
	var lines []*capture.Message
	if err == nil {
		lines, err = a.cfg.Wire.SessionMessages(r.Context(), session.ID, after+1, limit)
	}
	if err != nil {
		a.refuse(w, err)
		return
	}
	if after == 0 { // not each page of it
		a.record(r, v, "worker.wire", s.Name, "session "+session.ID, false)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	body := []byte(`{"session":`)
	body = stratum.AppendString(body, session.ID)
	body = strconv.AppendBool(append(body, `,"live":`...), session.Live())
	next := after
	body = append(body, `,"lines":[`...)
	for i, m := range lines {
		if i > 0 {
			body = append(body, ',')
		}
		next = m.N
		body = masked(m).AppendJSON(body)
	}
	body = append(body, `],"next":`...)
	body = append(strconv.AppendUint(body, next, 10), "}\n"...)
	_, _ = w.Write(body)
}

// linesWanted reads the parameters of a page of lines.
func linesWanted(r *http.Request) (after uint64, limit int, ok bool) {
	limit = standardLines
	query := r.URL.Query()
	var err error
	if text := query.Get("after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 62); err != nil {
			return 0, 0, false
		}
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			return 0, 0, false
		}
	}
	return after, limit, limit >= 1 && limit <= maxLines
}

// masked is a message without passwords, whatever the recorder was told to keep:
// whoever owns a worker now need not know what it used to sign in with.
func masked(m *capture.Message) *capture.Message {
	if m.Masked || m.Direction == capture.PoolToMiner {
		return m
	}
	raw := capture.MaskPasswords(m.Raw)
	if len(raw) == len(m.Raw) && string(raw) == string(m.Raw) {
		return m
	}
	c := *m
	c.Raw, c.Masked = raw, true
	return &c
}
