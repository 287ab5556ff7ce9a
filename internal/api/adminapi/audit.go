package adminapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

// Audit reads the audit trail. It is implemented in internal/store.
type Audit interface {
	// Actions lists entries, the newest first.
	Actions(ctx context.Context, f account.ActionFilter) ([]account.Action, error)
}

const (
	defaultActions = 100
	maxActions     = 1000
	maxQuery       = 200 // characters of a search
)

// auditPage is the response of GET /api/admin/audit.
type auditPage struct {
	Actions []actionView `json:"actions"`        // the newest first
	Next    int64        `json:"next,omitempty"` // before of the next page; left out on the last one
}

// actionView is one entry.
type actionView struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	User    string    `json:"user"` // name at that time; "" when nobody was signed in
	UserID  string    `json:"user_id,omitempty"`
	Address string    `json:"address"` // IP address of the request
	Name    string    `json:"name"`    // noun.verb
	Target  string    `json:"target"`
	Detail  string    `json:"detail"`
	Failed  bool      `json:"failed"` // it was tried, and refused or in vain
}

// serveAudit answers GET /api/admin/audit.
func (a *API) serveAudit(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	if a.src.Audit == nil {
		missing(w, "the audit trail")
		return
	}
	values := r.URL.Query()
	filter := account.ActionFilter{Limit: defaultActions, Query: clip(strings.TrimSpace(values.Get("q")), maxQuery)}
	var err error
	if text := values.Get("before"); text != "" {
		if filter.Before, err = strconv.ParseInt(text, 10, 64); err != nil || filter.Before < 1 {
			http.Error(w, "before must be a number: next of an earlier response", http.StatusBadRequest)
			return
		}
	}
	if text := values.Get("limit"); text != "" {
		if filter.Limit, err = strconv.Atoi(text); err != nil || filter.Limit < 1 || filter.Limit > maxActions {
			http.Error(w, "limit must be a number from 1 to 1000", http.StatusBadRequest)
			return
		}
	}
	limit := filter.Limit
	filter.Limit++ // to know whether there is another page
	actions, err := a.src.Audit.Actions(r.Context(), filter)
	if err != nil {
		a.log.Error("audit trail not read", "err", err)
		http.Error(w, "the audit trail could not be read", http.StatusInternalServerError)
		return
	}
	page := auditPage{Actions: make([]actionView, 0, len(actions))}
	if len(actions) > limit {
		actions = actions[:limit]
		page.Next = actions[limit-1].ID
	}
	for i := range actions {
		e := &actions[i]
		page.Actions = append(page.Actions, actionView{
			ID: e.ID, At: access.Stamp(e.At), User: e.User, UserID: e.UserID, Address: e.Address, Name: e.Name, Target: e.Target, Detail: e.Detail, Failed: e.Failed,
		})
	}
	access.SendJSON(w, a.log, http.StatusOK, &page)
}
