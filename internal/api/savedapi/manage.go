package savedapi

import (
	"errors"
	"net/http"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/bitcoin"
)

// savedAnswer is the answer to a worker that was saved.
type savedAnswer struct {
	OK   bool   `json:"ok"`
	Hash string `json:"hash"`
}

// serveSave answers POST /api/saved-workers. A worker that is saved already is no
// mistake.
func (a *API) serveSave(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	name, err := saved.CleanName(body.Text("name"))
	var added []string
	if err == nil {
		added, err = a.saved.Save(r.Context(), v.UserID(), name)
	}
	if err != nil {
		a.refuse(w, err)
		return
	}
	status := http.StatusOK
	if len(added) > 0 {
		a.record(r, v, "worker.save", name, "", false)
		status = http.StatusCreated
	}
	access.SendJSON(w, a.log, status, savedAnswer{true, saved.HashOf(name)})
}

// okAnswer is the answer to what was done.
type okAnswer struct {
	OK bool `json:"ok"`
}

// serveRemove answers DELETE /api/saved-workers/HASH.
func (a *API) serveRemove(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	s, ok := a.worker(w, r, v)
	if !ok {
		return
	}
	if err := a.saved.Remove(r.Context(), v.UserID(), s.Hash); err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "worker.remove", s.Name, "", false)
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// notifyAnswer is the contract's answer to the switch of alerts.
type notifyAnswer struct {
	OK      bool `json:"ok"`
	Enabled bool `json:"enabled"`
}

// serveNotify answers POST /api/saved-workers/notify-enabled.
func (a *API) serveNotify(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	hash, ok := hashOf(body.Text("hash"))
	if !ok {
		http.Error(w, "invalid hash", http.StatusBadRequest)
		return
	}
	enabled, given := body.Bool("enabled")
	if !given {
		http.Error(w, "missing enabled", http.StatusBadRequest)
		return
	}
	if err := a.saved.SetNotify(r.Context(), v.UserID(), hash, enabled); err != nil {
		a.refuse(w, err)
		return
	}
	if s, err := a.saved.Get(v.UserID(), hash); err == nil {
		a.record(r, v, "worker.notify", s.Name, map[bool]string{true: "on", false: "off"}[enabled], false)
	}
	access.SendJSON(w, a.log, http.StatusOK, notifyAnswer{true, enabled})
}

// importAnswer says what became of the workers of an address.
type importAnswer struct {
	Added   []string `json:"added"`
	Known   int      `json:"known"`    // saved already
	LeftOut int      `json:"left_out"` // for which there was no room
}

// importRefused says what importing takes.
const importRefused = "the names of an address's workers are told to its owner: save one of them by its name, prove the address by a signature, then come back"

// serveImport answers POST /api/saved-workers/import: all workers of an address
// that the books know are saved, the last seen first. An address is public, the
// names of its miners are not: they are told to who has proven the address, and
// to operators.
func (a *API) serveImport(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	address, err := saved.CleanName(body.Text("address"))
	if err != nil || !a.saved.IsAddress(bitcoin.AddressIn(address)) {
		http.Error(w, "invalid address", http.StatusBadRequest)
		return
	}
	address = bitcoin.AddressIn(address)
	if !v.Operator() && !a.saved.OwnsAddress(v.UserID(), address) {
		http.Error(w, importRefused, http.StatusForbidden)
		return
	}
	names, err := a.namesOf(r, address)
	if err != nil {
		a.refuse(w, err)
		return
	}
	mine, err := a.saved.ByUser(r.Context(), v.UserID())
	if err != nil {
		a.refuse(w, err)
		return
	}
	known := make(map[string]bool, len(mine))
	for _, s := range mine {
		known[s.Name] = true
	}
	out := importAnswer{Added: []string{}}
	var wanted []string
	for _, name := range names {
		if known[name] {
			out.Known++
		} else {
			wanted = append(wanted, name)
		}
	}
	added, err := a.saved.Save(r.Context(), v.UserID(), wanted...)
	if err != nil && !errors.Is(err, saved.ErrLimit) && !errors.Is(err, saved.ErrFull) {
		a.refuse(w, err)
		return
	}
	out.Added = append(out.Added, added...)
	out.LeftOut = len(wanted) - len(added)
	if len(added) > 0 {
		a.record(r, v, "worker.import", address, "", false)
	}
	access.SendJSON(w, a.log, http.StatusOK, out)
}

// maxImport bounds the workers of an address that are looked at.
const maxImport = 1000

// namesOf lists the workers of an address: those on disk, and those that are so
// new that only the books in memory have them.
func (a *API) namesOf(r *http.Request, address string) (names []string, err error) {
	names, err = a.cfg.Store.WorkersOf(r.Context(), address, maxImport)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	if snapshot := a.cfg.Books.Snapshot(); snapshot != nil {
		for i := range snapshot.Workers {
			w := &snapshot.Workers[i]
			if w.Address == address && !known[w.Name] && len(names) < maxImport {
				names = append(names, w.Name)
			}
		}
	}
	clean := names[:0]
	for _, name := range names {
		if _, err := saved.CleanName(name); err == nil {
			clean = append(clean, name)
		}
	}
	return clean, nil
}
