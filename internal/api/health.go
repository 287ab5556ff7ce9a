package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/node"
)

// staleSnapshot is the age from which the ledger, which publishes once a
// second, counts as stuck.
const staleSnapshot = 15 * time.Second

// readiness is the response of GET /readyz.
type readiness struct {
	Ready   bool          `json:"ready"`
	Reasons []readyReason `json:"reasons"` // empty when ready
}

// readyReason is one thing that keeps the pool from being ready.
type readyReason struct {
	Check  string `json:"check"`  // one of the check constants
	Reason string `json:"reason"` // for people
}

// What /readyz checks.
const (
	checkNode     = "node"     // a node gives templates
	checkTemplate = "template" // there is work, and it is fresh
	checkStore    = "store"    // the books can be written
	checkLedger   = "ledger"   // the books are kept
	checkBlocks   = "blocks"   // a found block can be saved
	checkProposal = "proposal" // a node would accept the blocks that miners work on
	checkWelcome  = "welcome"  // miners are not turned away
	checkListener = "listener" // miners can connect
)

// checks lists the names of all checks.
func checks() []string {
	return []string{checkNode, checkTemplate, checkStore, checkLedger, checkBlocks, checkProposal, checkWelcome, checkListener}
}

// serveHealth answers GET /healthz: the process is alive and can answer.
func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", noStore)
	_, _ = w.Write([]byte("ok\n"))
}

// Fault is something that keeps a program without a pool from being ready.
type Fault struct {
	Check  string // what was looked at, snake_case
	Reason string // for people
}

// serveReady answers GET /readyz: 200 when miners can earn here, otherwise 503
// and the reasons.
func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	ready := s.readiness(s.now())
	body, err := json.Marshal(ready)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", noStore)
	if !ready.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n'))
}

// readiness runs the checks.
func (s *Server) readiness(now time.Time) readiness {
	reasons := []readyReason{}
	missing := func(check, reason string) {
		reasons = append(reasons, readyReason{Check: check, Reason: reason})
	}
	if s.src.Faults != nil {
		for _, f := range s.src.Faults() {
			missing(f.Check, publicText(f.Reason))
		}
		return readiness{Ready: len(reasons) == 0, Reasons: reasons}
	}
	m := s.read(now)

	if n := m.activeNode(); m.node.Active == "" || n.State != node.StateReady {
		switch {
		case m.node.NetworkErr != "":
			missing(checkNode, publicText(m.node.NetworkErr))
		case n.Reason != "":
			missing(checkNode, publicText(n.Reason))
		default:
			missing(checkNode, "no Bitcoin node is ready")
		}
	}
	switch job := m.pool.Job; {
	case job == nil:
		missing(checkTemplate, "there is no work for miners yet")
	case now.Sub(job.TemplateAt) > s.cfg.StaleTemplate:
		missing(checkTemplate, "the last block template is "+now.Sub(job.TemplateAt).Round(time.Second).String()+" old")
	}
	if text := m.pool.BlockFault; text != "" {
		missing(checkBlocks, "found blocks cannot be saved to disk: "+publicText(text))
	}
	if h := m.pool.Health; h.TurningAway {
		missing(checkWelcome, "miners are sent to their backup pools: "+publicText(h.Trouble))
	}
	if text := m.pool.Proposals.Fault; text != "" {
		missing(checkProposal, publicText(text))
	}
	if text := m.ledger.Books.LastError; text != "" {
		missing(checkStore, publicText(text))
	}
	switch at := m.ledger.At; {
	case at.IsZero():
		missing(checkLedger, "the ledger has not started")
	case now.Sub(at) > staleSnapshot:
		missing(checkLedger, "the ledger stopped publishing")
	}
	if len(m.pool.Listeners) == 0 {
		missing(checkListener, "no Stratum listener is open")
	}
	return readiness{Ready: len(reasons) == 0, Reasons: reasons}
}
