package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// workerPage is the response of GET /api/workers/{id}.
type workerPage struct {
	APIVersion string    `json:"api_version"`
	UpdatedAt  time.Time `json:"updated_at"`
	Operator   bool      `json:"operator"` // the viewer is the operator
	Owner      bool      `json:"owner"`    // the viewer knows the worker's full name, or is signed in and has proven to own it
	WorkerRow
	Note           string           `json:"note,omitempty"` // operators', for them alone
	Address        string           `json:"address"`        // payout address; censored unless the viewer is operator or owner
	AcceptedWork   float64          `json:"accepted_work"`  // difficulty, ever
	RejectedWork   float64          `json:"rejected_work"`
	PingP95MS      float64          `json:"ping_p95_ms,omitempty"`
	Rejects        []rejectView     `json:"rejects"`          // ever
	ConnectionList []connectionView `json:"connections_list"` // newest first, 100 at most
	Difficulties   []difficultyView `json:"difficulties"`     // latest changes, oldest first
	Shares         []shareView      `json:"shares"`           // latest shares, oldest first
	BestShares     []workerBest     `json:"best_shares"`      // best first
	Coinbase       *coinbaseView    `json:"coinbase,omitempty"`
}

// connectionView is one open connection of a worker.
type connectionView struct {
	ID          string    `json:"id"`
	UserAgent   string    `json:"user_agent"`
	TLS         bool      `json:"tls"`
	Remote      string    `json:"remote,omitempty"` // host:port; for the operator only
	ConnectedAt time.Time `json:"connected_at"`
	Difficulty  float64   `json:"difficulty"`
	PingP50MS   float64   `json:"ping_p50_ms,omitempty"`
	PingP95MS   float64   `json:"ping_p95_ms,omitempty"`
	Extranonce1 string    `json:"extranonce1"` // hex; "" when not known

	ScopeSession string `json:"scope_session,omitempty"` // of the scope's API, when the tap sees the connection; for the operator only
}

// difficultyView is a difficulty that a connection was assigned.
type difficultyView struct {
	At           time.Time `json:"at"`
	Difficulty   float64   `json:"difficulty"`
	ConnectionID string    `json:"connection_id"`
}

// shareView is one of a worker's latest shares. Its difficulties have seven digits.
type shareView struct {
	At              time.Time `json:"at"`
	Difficulty      float32   `json:"difficulty"`       // assigned
	ShareDifficulty float32   `json:"share_difficulty"` // true; 0 when it could not be hashed
	Accepted        bool      `json:"accepted"`
	Reason          string    `json:"reason,omitempty"` // why it was refused
}

// workerBest is one of a worker's best shares.
type workerBest struct {
	Difficulty float64   `json:"difficulty"`
	Timestamp  time.Time `json:"timestamp"`
	Hash       string    `json:"hash"`
}

// viewer is who asks about a worker.
type viewer struct{ operator, owner bool }

// full says whether the viewer sees the worker's names as they are.
func (v viewer) full() bool { return v.operator || v.owner }

// findWorker finds the worker that a request is about. Without one it has
// answered: 400 for what is neither an id nor a key, and the same 404 for every
// other.
func (s *Server) findWorker(w http.ResponseWriter, r *http.Request) (d ledger.WorkerDetail, v viewer, ok bool) {
	ref := r.PathValue("id")
	if !isWorkerRef(ref) {
		http.Error(w, "a worker is named by 16 hex digits, or by 64: the SHA-256 of its full name", http.StatusBadRequest)
		return d, v, false
	}
	asks := s.gate.Viewer(r)
	v.operator = asks.Operator()
	if s.src.Ledger != nil {
		now := s.now()
		name, owner, known := s.directory.find(ref, now, func(yield func(string) bool) {
			for _, worker := range s.read(now).ledger.Workers {
				if !yield(worker.Name) {
					return
				}
			}
		})
		v.owner = owner || known && asks.Session != nil && s.src.Owns != nil && s.src.Owns(asks.UserID(), name)
		if known {
			d, ok = s.src.Ledger.Worker(name)
		}
	}
	if !ok {
		notFound(w, r)
	}
	return d, v, ok
}

// maxPages is how many workers are looked up at once: each takes a lock of the
// ledger, for which miners that sign in wait.
const maxPages = 8

// serveWorker answers GET /api/workers/{id}. It is made for each request: to keep
// it would take memory for as many workers as somebody asks for.
func (s *Server) serveWorker(w http.ResponseWriter, r *http.Request) {
	select {
	case s.pages <- struct{}{}:
		defer func() { <-s.pages }()
	case <-r.Context().Done():
		return
	}
	d, v, ok := s.findWorker(w, r)
	if !ok {
		return
	}
	page := s.buildWorker(&d, v, s.now())
	if v.operator && s.src.Note != nil {
		page.Note = s.src.Note(r.Context(), d.Name)
	}
	s.sendJSON(w, http.StatusOK, page)
}

func (s *Server) buildWorker(d *ledger.WorkerDetail, v viewer, now time.Time) *workerPage {
	full := v.full()
	page := &workerPage{
		APIVersion: apiVersion, UpdatedAt: access.Stamp(now), Operator: v.operator, Owner: v.owner,
		WorkerRow:      rowOf(&d.WorkerView, full, now),
		Address:        shownName(d.Address, full),
		AcceptedWork:   finite(d.AcceptedWork),
		RejectedWork:   finite(d.RejectedWork),
		PingP95MS:      significant(d.PingP95),
		Rejects:        buildRejects(d.RejectedByReason),
		ConnectionList: make([]connectionView, 0, len(d.Open)),
		Difficulties:   make([]difficultyView, 0, len(d.Difficulties)),
		Shares:         make([]shareView, 0, len(d.Shares)),
		BestShares:     workerBests(d, full),
	}
	for _, c := range d.Difficulties {
		page.Difficulties = append(page.Difficulties, difficultyView{At: access.Stamp(c.At), Difficulty: finite(c.Difficulty), ConnectionID: c.ConnectionID})
	}
	for _, sh := range d.Shares {
		view := shareView{At: access.Stamp(sh.At), Difficulty: sh.Assigned, ShareDifficulty: sh.Difficulty, Accepted: sh.Reject == stratum.NotRejected}
		if !view.Accepted {
			view.Reason = sh.Reject.Name()
		}
		page.Shares = append(page.Shares, view)
	}
	for i := range d.Open {
		c := &d.Open[i]
		view := connectionView{
			ID:          c.ID,
			UserAgent:   shownAgent(c.UserAgent, full),
			TLS:         c.TLS,
			ConnectedAt: access.Stamp(c.ConnectedAt),
			Difficulty:  finite(c.Difficulty),
			PingP50MS:   significant(c.PingP50),
			PingP95MS:   significant(c.PingP95),
		}
		if v.operator {
			view.Remote = c.Remote
		}
		if s.src.Miners != nil {
			info, _ := s.src.Miners.Connection(c.ID)
			view.Extranonce1 = info.Extranonce1
			if v.operator {
				view.ScopeSession = info.TapSession
			}
		}
		page.ConnectionList = append(page.ConnectionList, view)
	}
	if full {
		page.Coinbase = s.coinbaseOf(d.Open)
	}
	return page
}

// workerBests lists a worker's best shares, best first: its best ever, its best
// of this session, and those that are among the pool's best.
func workerBests(d *ledger.WorkerDetail, full bool) []workerBest {
	shares := slices.Clone(d.Best)
	slices.SortStableFunc(shares, func(a, b ledger.Best) int { return cmp.Compare(b.Difficulty, a.Difficulty) })
	views := []workerBest{}
	for i, b := range shares {
		if b.Difficulty <= 0 || i > 0 && b.Hash == shares[i-1].Hash {
			continue
		}
		views = append(views, workerBest{Difficulty: finite(b.Difficulty), Timestamp: access.Stamp(b.At), Hash: shownHash(b.Hash, full)})
	}
	return views
}
