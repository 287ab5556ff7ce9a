package authapi

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/oidc"
	"github.com/poolscope/poolscope/internal/api/access"
)

// startView is the answer of POST /api/auth/oidc/ID/start: where the browser
// has to go.
type startView struct {
	Location string `json:"location"`
}

// startOIDC answers POST /api/auth/oidc/ID/start.
func (a *API) startOIDC(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	providers := a.cfg.External.OIDC
	if providers == nil {
		http.Error(w, oidc.ErrUnknown.Error(), http.StatusNotFound)
		return
	}
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	id := r.PathValue("id")
	start := oidc.Start{
		Provider: id, Callback: a.origin(r) + "/api/auth/oidc/" + url.PathEscape(id) + "/callback",
		ReturnTo: access.ReturnTo(body.Text("return_to")), Address: v.Address, Secure: a.isSecure(r),
	}
	if confirm, _ := body.Bool("confirm"); confirm {
		if v.Session == nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		if v.Session.User.Provider != id {
			http.Error(w, "this session is not of that identity provider", http.StatusConflict)
			return
		}
		start.Again = v.Session.User.Subject
	}
	location, cookie, err := providers.Begin(start)
	switch {
	case errors.Is(err, oidc.ErrUnknown):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		w.Header().Set("Retry-After", "10")
		http.Error(w, err.Error()+"; try again in a moment", http.StatusServiceUnavailable)
	default:
		http.SetCookie(w, cookie)
		access.SendJSON(w, a.log, http.StatusOK, startView{location})
	}
}

// finishOIDC answers GET /api/auth/oidc/ID/callback, to which the provider
// sends the browser back. Whatever comes of it, the browser goes on to a page of
// ours; what went wrong is told there by a word, see callbackError.
func (a *API) finishOIDC(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	providers := a.cfg.External.OIDC
	if providers == nil {
		http.Error(w, oidc.ErrUnknown.Error(), http.StatusNotFound)
		return
	}
	id := r.PathValue("id")
	done, err := providers.Finish(r, id, a.isSecure(r))
	if done.Cookie != nil {
		http.SetCookie(w, done.Cookie)
	}
	if errors.Is(err, oidc.ErrUnknown) {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if err != nil {
		a.log.Info("sign-in by an identity provider refused", "provider", id, "err", err, "address", account.AddressOf(r))
		a.accounts.NoteExternal(r, account.User{}, id, err)
	} else {
		_, err = a.accounts.SignInExternal(r.Context(), w, r, done.Who)
	}
	to := done.ReturnTo
	if err != nil {
		to = "/sign-in?" + url.Values{"error": {callbackError(err)}, "return_to": {done.ReturnTo}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// callbackError is a word for the sign-in page, which has the sentence for it:
// what is in an address may be anybody's.
func callbackError(err error) string {
	switch {
	case errors.Is(err, oidc.ErrDenied):
		return "denied"
	case errors.Is(err, oidc.ErrFlow):
		return "expired"
	case errors.Is(err, oidc.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, oidc.ErrDomain):
		return "not_allowed"
	case errors.Is(err, oidc.ErrNotAgain):
		return "not_confirmed"
	case errors.Is(err, account.ErrDisabled):
		return "disabled"
	default:
		return "failed"
	}
}
