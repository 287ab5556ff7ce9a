package authapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

func isWrong(err error) bool {
	return errors.Is(err, account.ErrCredentials) || errors.Is(err, account.ErrDisabled)
}

// accountsView is the answer of GET /api/admin/accounts.
type accountsView struct {
	Accounts []accountEntry `json:"accounts"`
}

type accountEntry struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Email        string    `json:"email,omitempty"`
	Provider     string    `json:"provider"`
	Role         string    `json:"role"`
	Disabled     bool      `json:"disabled"`
	CreatedAt    time.Time `json:"created_at"`
	LastSeen     time.Time `json:"last_seen,omitzero"`
	Sessions     int       `json:"sessions"`
	SavedWorkers int       `json:"saved_workers"`
}

// listAccounts answers GET /api/admin/accounts.
func (a *API) listAccounts(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	all, err := a.accounts.Users(r.Context())
	var saved map[string]int
	if err == nil && a.cfg.SavedWorkers != nil {
		saved, err = a.cfg.SavedWorkers(r.Context())
	}
	if err != nil {
		a.refuse(w, err)
		return
	}
	out := accountsView{Accounts: []accountEntry{}}
	for _, u := range all {
		out.Accounts = append(out.Accounts, accountEntry{
			ID: u.ID, Name: u.Name, Email: u.Email, Provider: u.Provider, Role: string(u.Role), Disabled: u.Disabled,
			CreatedAt: access.Stamp(u.Created), LastSeen: access.Stamp(u.LastSeen), Sessions: u.Sessions, SavedWorkers: saved[u.ID],
		})
	}
	access.SendJSON(w, a.log, http.StatusOK, out)
}

// newAccount is the body of POST /api/admin/accounts.
type newAccount struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Email string `json:"email"`
}

// newAccountView is its answer: the password is shown this once.
type newAccountView struct {
	ID       string `json:"id"`
	Password string `json:"password"`
}

// addAccount answers POST /api/admin/accounts.
func (a *API) addAccount(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	var in newAccount
	if !access.ReadJSON(w, r, &in) {
		return
	}
	u, password, err := a.accounts.Add(r.Context(), in.Name, in.Email, "", account.Role(in.Role))
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "account.add", u.Name, "role "+string(u.Role))
	access.SendJSON(w, a.log, http.StatusCreated, newAccountView{u.ID, password})
}

// accountChange is the body of PATCH /api/admin/accounts/ID.
type accountChange struct {
	Role     *account.Role `json:"role"`
	Disabled *bool         `json:"disabled"`
	Email    *string       `json:"email"`
}

// changeAccount answers PATCH /api/admin/accounts/ID.
func (a *API) changeAccount(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	var in accountChange
	if !access.ReadJSON(w, r, &in) {
		return
	}
	u, err := a.accounts.Change(r.Context(), r.PathValue("id"), account.Edit(in))
	if err != nil {
		a.refuse(w, err)
		return
	}
	var did []string
	if in.Role != nil {
		did = append(did, "role "+string(u.Role))
	}
	if in.Disabled != nil {
		did = append(did, map[bool]string{true: "disabled", false: "enabled"}[u.Disabled])
	}
	if in.Email != nil {
		did = append(did, "e-mail address")
	}
	a.record(r, v, "account.change", u.Name, strings.Join(did, ", "))
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// removeAccount answers DELETE /api/admin/accounts/ID.
func (a *API) removeAccount(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	a.toAccount(w, r, v, "account.remove", "", a.accounts.Remove)
}

// endAccountSessions answers DELETE /api/admin/accounts/ID/sessions.
func (a *API) endAccountSessions(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	a.toAccount(w, r, v, "session.end", "all", a.accounts.EndAllSessions)
}

// passwordView is the answer of POST /api/admin/accounts/ID/password: the
// password is shown this once.
type passwordView struct {
	Password string `json:"password"`
}

// resetPassword answers POST /api/admin/accounts/ID/password.
func (a *API) resetPassword(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	u, err := a.accounts.User(r.Context(), r.PathValue("id"))
	var made string
	if err == nil {
		made, err = a.accounts.ResetPassword(r.Context(), u.ID, "")
	}
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "account.password", u.Name, "a new one was made")
	access.SendJSON(w, a.log, http.StatusOK, passwordView{made})
}

// toAccount does something to an account whose name the audit trail gets.
func (a *API) toAccount(w http.ResponseWriter, r *http.Request, v access.Viewer, name, detail string, do func(ctx context.Context, id string) error) {
	u, err := a.accounts.User(r.Context(), r.PathValue("id"))
	if err == nil {
		err = do(r.Context(), u.ID)
	}
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, name, u.Name, detail)
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}
