package savedapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/bitcoin"
)

// claimAnswer says how to prove that a worker is one's own.
type claimAnswer struct {
	Code      string    `json:"code"` // for the miner's password field
	ExpiresAt time.Time `json:"expires_at"`
	Message   string    `json:"message"` // to sign with the key of the address
	Address   string    `json:"address,omitempty"`
}

// serveClaim answers POST /api/saved-workers/HASH/claim.
func (a *API) serveClaim(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.worker(w, r, v)
	if !ok {
		return
	}
	c, err := a.saved.Claim(r.Context(), v.UserID(), s.Hash)
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "worker.claim", s.Name, "", false)
	access.SendJSON(w, a.log, http.StatusOK, claimAnswer{
		Code: c.Code, ExpiresAt: access.Stamp(c.Expires),
		Message: a.saved.Message(s.Name, v.Session.User.Name, c.Code), Address: bitcoin.AddressIn(s.Name),
	})
}

// serveSignature answers POST /api/saved-workers/HASH/claim/signature.
func (a *API) serveSignature(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.worker(w, r, v)
	if !ok {
		return
	}
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	err := a.saved.Sign(r.Context(), v.UserID(), v.Session.User.Name, s.Hash, body.Text("signature"))
	switch {
	case errors.Is(err, bitcoin.ErrSignature):
		a.record(r, v, "worker.prove", s.Name, "by a signature", true)
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		a.refuse(w, err)
	default:
		a.record(r, v, "worker.prove", s.Name, "by a signature", false)
		access.SendJSON(w, a.log, http.StatusOK, map[string]bool{"owned": true})
	}
}

// serveGiveUp answers DELETE /api/saved-workers/HASH/claim.
func (a *API) serveGiveUp(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.worker(w, r, v)
	if !ok {
		return
	}
	if err := a.saved.GiveUp(r.Context(), v.UserID(), s.Hash); err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "worker.give_up", s.Name, "", false)
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// connectionsAnswer says how many connections something was done to.
type connectionsAnswer struct {
	Connections int `json:"connections"`
}

// serveRestart answers POST /api/saved-workers/HASH/restart.
func (a *API) serveRestart(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.worker(w, r, v)
	if !ok {
		return
	}
	_, n, err := a.saved.Restart(v.UserID(), s.Hash)
	if err != nil {
		a.record(r, v, "worker.restart", s.Name, err.Error(), true)
		a.refuse(w, err)
		return
	}
	a.record(r, v, "worker.restart", s.Name, fmt.Sprintf("%d connections", n), false)
	access.SendJSON(w, a.log, http.StatusOK, connectionsAnswer{n})
}

// difficultyOrder is the body of PUT …/difficulty: a number, or null, which leaves
// it to the pool. Without the member it is empty.
type difficultyOrder struct {
	Difficulty json.RawMessage `json:"difficulty"`
}

// serveDifficulty answers PUT /api/saved-workers/HASH/difficulty.
func (a *API) serveDifficulty(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.worker(w, r, v)
	if !ok {
		return
	}
	if s.Owned == saved.NotProven {
		a.record(r, v, "worker.difficulty", s.Name, saved.ErrNotOwned.Error(), true)
		a.refuse(w, saved.ErrNotOwned)
		return
	}
	var in difficultyOrder
	if !access.ReadJSON(w, r, &in) {
		return
	}
	var wanted float64
	if string(in.Difficulty) != "null" {
		least, most := 0.0, math.MaxFloat64
		if a.cfg.Limits != nil {
			if least, most = a.cfg.Limits(); most <= 0 {
				most = math.MaxFloat64
			}
		}
		err := json.Unmarshal(in.Difficulty, &wanted)
		if err != nil || !(wanted > 0) || wanted < least || wanted > most {
			http.Error(w, "difficulty must be "+words(least, most)+", or null for automatic", http.StatusBadRequest)
			return
		}
	}
	_, n, err := a.saved.Order(r.Context(), v.UserID(), s.Hash, wanted)
	if err != nil {
		a.refuse(w, err)
		return
	}
	detail := "automatic"
	if wanted > 0 {
		detail = fmt.Sprintf("%g", wanted)
	}
	a.record(r, v, "worker.difficulty", s.Name, detail, false)
	access.SendJSON(w, a.log, http.StatusOK, connectionsAnswer{n})
}

// words says a range of difficulties.
func words(least, most float64) string {
	if most == math.MaxFloat64 {
		return fmt.Sprintf("at least %g", least)
	}
	return fmt.Sprintf("%g to %g", least, most)
}
