package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/config"
)

// Errors of Settings.
var (
	// ErrReadOnly means that nothing can be changed here; its text says why.
	ErrReadOnly = errors.New("the configuration cannot be changed here")
	// ErrFileChanged means that the file is not what the change was made for.
	ErrFileChanged = errors.New("the file has changed since it was read; look at it again")
	// ErrNoRestart means that the program goes on as it is; its text says why.
	ErrNoRestart = errors.New("no restart")
)

// Settings is the configuration of the running program.
type Settings interface {
	// State is what is in force and what the file says.
	State(ctx context.Context) (*SettingsState, error)
	// Check says what changes would do. It changes nothing.
	Check(ctx context.Context, changes []config.Set) (*Verdict, error)
	// Save checks changes, keeps a copy of the file, replaces it, and puts what can
	// be in force. base is SettingsState.Base. It fails with ErrReadOnly,
	// ErrFileChanged or a *config.InvalidError; then nothing has changed.
	Save(ctx context.Context, changes []config.Set, base string) (*Saved, error)
	// Restart puts the installed program in the place of the running one. It
	// returns when that has begun, or with ErrNoRestart.
	Restart(ctx context.Context) error
}

// SettingsState is the configuration at a moment.
type SettingsState struct {
	Path     string // of the file, "" without one
	ReadOnly string // why nothing can be changed here; "" when it can
	Data     []byte // of the file
	Base     string // SHA-256 of Data in hex

	InForce  *config.Config
	Problems []config.Problem // why the file as it is would not be taken
	Unread   []string         // keys that a reload would put in force
	Waiting  []string         // keys that a restart would put in force
}

// Verdict is what changes would do.
type Verdict struct {
	Before, After []byte // of the file; After is nil when it cannot be edited
	Base          string // SHA-256 of Before in hex
	Problems      []config.Problem
	Warnings      []string
	Live, Restart []string // keys that would be in force at once, and with the next start
}

// Saved is what became of changes.
type Saved struct {
	Live, Restart []string // keys that are in force now, and those that wait for a restart
	Backup        string   // name of the copy of the old file, in the same folder
	Base          string   // SHA-256 of the new file in hex
}

// maxSettings bounds the changes of one request.
const maxSettings = 500

// settingsPage is the response of GET /api/admin/settings.
type settingsPage struct {
	File     string         `json:"file"` // path, "" without one
	Writable bool           `json:"writable"`
	Reason   string         `json:"reason,omitempty"` // why it is not writable
	Base     string         `json:"base"`             // of the file, for saving
	Problems []problemView  `json:"problems"`         // why the file as it is would not be taken
	Unread   []string       `json:"unread"`           // keys of the file that wait for a reload
	Waiting  []string       `json:"waiting"`          // those that wait for a restart
	Sections []settingsPart `json:"sections"`
}

// settingsPart is a section.
type settingsPart struct {
	Name     string         `json:"name"` // "" for the keys before all sections
	Doc      string         `json:"doc"`
	Repeated bool           `json:"repeated"`
	Keys     []settingsKey  `json:"keys"`              // of a repeated section: of another entry, with * for its number
	Entries  []settingsList `json:"entries,omitempty"` // of a repeated section
}

// settingsList is one entry of a repeated section.
type settingsList struct {
	Number int           `json:"number"`  // as in its keys
	InFile bool          `json:"in_file"` // it can be removed
	Keys   []settingsKey `json:"keys"`
}

// settingsKey is a key of the form.
type settingsKey struct {
	Key       string     `json:"key"`
	Name      string     `json:"name"`
	Doc       string     `json:"doc"`
	Type      string     `json:"type"` // string, number, integer, bool, duration, list, choice or secret
	Unit      string     `json:"unit,omitempty"`
	Choices   []any      `json:"choices,omitempty"`
	Min       *float64   `json:"min,omitempty"`
	Max       *float64   `json:"max,omitempty"`
	Default   any        `json:"default,omitempty"`
	Value     any        `json:"value,omitempty"` // in force
	File      any        `json:"file,omitempty"`  // in the file
	InFile    bool       `json:"in_file"`
	Set       bool       `json:"set,omitempty"` // of a secret
	Origin    originView `json:"origin"`
	Locked    string     `json:"locked,omitempty"` // why the file cannot change it
	Live      bool       `json:"live"`             // a change is in force at once
	Secret    bool       `json:"secret"`           // it can be written, never read
	Dangerous bool       `json:"dangerous"`        // a mistake keeps miners, operators or money away
}

// originView is where the value in force comes from.
type originView struct {
	Kind   string `json:"kind"` // default, file, env or flag
	Source string `json:"source,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// problemView is a mistake.
type problemView struct {
	Source  string `json:"source,omitempty"` // file, variable or flag
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
}

// serveSettings answers GET /api/admin/settings.
func (a *API) serveSettings(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	if a.src.Settings == nil {
		missing(w, "the configuration")
		return
	}
	st, err := a.src.Settings.State(r.Context())
	if err != nil {
		a.settingsError(w, err)
		return
	}
	page := settingsPage{
		File: st.Path, Writable: st.ReadOnly == "", Reason: st.ReadOnly, Base: st.Base, Problems: problemViews(st.Problems),
		Unread: list(st.Unread), Waiting: list(st.Waiting), Sections: []settingsPart{},
	}
	for _, s := range config.Form(st.InForce, config.ReadValues(st.Path, st.Data)) {
		part := settingsPart{Name: s.Name, Doc: s.Doc, Repeated: s.Repeated, Keys: keyViews(s.Keys)}
		for i, entry := range s.Entries {
			keys := keyViews(entry)
			part.Entries = append(part.Entries, settingsList{Number: i + 1, Keys: keys, InFile: slices.ContainsFunc(keys, func(k settingsKey) bool { return k.InFile })})
		}
		if len(part.Keys) > 0 || s.Repeated {
			page.Sections = append(page.Sections, part)
		}
	}
	access.SendJSON(w, a.log, http.StatusOK, &page)
}

func keyViews(keys []config.FormKey) []settingsKey {
	views := make([]settingsKey, 0, len(keys))
	for i := range keys {
		k := &keys[i]
		view := settingsKey{
			Key: k.Key, Name: k.Name, Doc: k.Doc, Type: k.Kind, Unit: k.Unit, Choices: k.Choices, Min: k.Min, Max: k.Max,
			Default: k.Default, Value: k.Value, File: k.File, InFile: k.InFile, Set: k.Set,
			Origin: originView{k.Origin.Kind, k.Origin.Source, k.Origin.Line}, Locked: config.Locked(k.Origin),
			Live: k.Live, Secret: k.Kind == config.KindSecret, Dangerous: k.Dangerous,
		}
		views = append(views, view)
	}
	return views
}

func problemViews(problems []config.Problem) []problemView {
	views := make([]problemView, 0, len(problems))
	for _, p := range problems {
		views = append(views, problemView(p))
	}
	return views
}

// list is a list that is never null.
func list(keys []string) []string { return append([]string{}, keys...) }

// settingsBody is the body of both POST requests.
type settingsBody struct {
	Changes map[string]json.RawMessage `json:"changes"` // null removes a key, or an entry of a repeated section
	Base    string                     `json:"base"`    // of the file that was seen
}

// readSettings reads the changes of a request; what is wrong with single values
// are problems.
func readSettings(w http.ResponseWriter, r *http.Request) (body settingsBody, changes []config.Set, problems []config.Problem, ok bool) {
	if !access.ReadJSON(w, r, &body) {
		return body, nil, nil, false
	}
	if len(body.Changes) > maxSettings {
		http.Error(w, "too many changes at once", http.StatusBadRequest)
		return body, nil, nil, false
	}
	for _, key := range slices.Sorted(maps.Keys(body.Changes)) {
		change, err := config.ParseSet(key, body.Changes[key])
		if err != nil {
			problems = append(problems, config.Problem{Key: clip(cleanLine(key), maxTarget), Message: err.Error()})
			continue
		}
		changes = append(changes, change)
	}
	return body, changes, problems, true
}

// checkPage is the response of POST /api/admin/settings/check.
type checkPage struct {
	Problems []problemView `json:"problems"` // none: it can be saved
	Warnings []string      `json:"warnings"`
	Diff     string        `json:"diff"` // of the file, as diff -u has it; without secrets
	Live     []string      `json:"live"`
	Restart  []string      `json:"restart"`
	Base     string        `json:"base"` // of the file that was checked
}

// serveCheckSettings answers POST /api/admin/settings/check.
func (a *API) serveCheckSettings(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	if a.src.Settings == nil {
		missing(w, "the configuration")
		return
	}
	_, changes, problems, ok := readSettings(w, r)
	if !ok {
		return
	}
	verdict, err := a.src.Settings.Check(r.Context(), changes)
	if err != nil {
		a.settingsError(w, err)
		return
	}
	page := checkPage{
		Problems: problemViews(append(problems, verdict.Problems...)), Warnings: list(verdict.Warnings),
		Live: list(verdict.Live), Restart: list(verdict.Restart), Base: verdict.Base,
	}
	if verdict.After != nil {
		changed := make([]string, 0, len(changes))
		for _, c := range changes {
			changed = append(changed, c.Key)
		}
		page.Diff = unifiedDiff("configuration", string(config.Redact(verdict.Before, nil)), string(config.Redact(verdict.After, changed)))
	}
	access.SendJSON(w, a.log, http.StatusOK, &page)
}

// savedPage is the response of POST /api/admin/settings.
type savedPage struct {
	Live    []string `json:"live"`    // in force now
	Restart []string `json:"restart"` // wait for a restart, those of earlier changes too
	Backup  string   `json:"backup"`  // name of the copy of the old file
	Base    string   `json:"base"`
}

// serveSaveSettings answers POST /api/admin/settings.
func (a *API) serveSaveSettings(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if a.src.Settings == nil {
		missing(w, "the configuration")
		return
	}
	body, changes, problems, ok := readSettings(w, r)
	if !ok {
		return
	}
	if len(changes)+len(problems) == 0 {
		http.Error(w, "there is nothing to change", http.StatusBadRequest)
		return
	}
	keys := strings.Join(slices.Sorted(maps.Keys(body.Changes)), ", ")
	if len(problems) > 0 {
		a.settingsRefused(w, r, v, keys, &config.InvalidError{Problems: problems})
		return
	}
	saved, err := a.src.Settings.Save(r.Context(), changes, body.Base)
	if err != nil {
		a.settingsRefused(w, r, v, keys, err)
		return
	}
	a.record(r.Context(), v, "settings.save", "configuration", savedDetail(keys, saved), false)
	access.SendJSON(w, a.log, http.StatusOK, savedPage{Live: list(saved.Live), Restart: list(saved.Restart), Backup: saved.Backup, Base: saved.Base})
}

func savedDetail(keys string, saved *Saved) string {
	detail := fmt.Sprintf("changed: %s; old file: %s", keys, saved.Backup)
	if len(saved.Restart) > 0 {
		detail += "; waits for a restart: " + strings.Join(saved.Restart, ", ")
	}
	return detail
}

// settingsRefused answers and records a change that was not made.
func (a *API) settingsRefused(w http.ResponseWriter, r *http.Request, v access.Viewer, keys string, err error) {
	why := "problems"
	switch {
	case errors.Is(err, ErrFileChanged):
		why = "the file had changed"
	case errors.Is(err, ErrReadOnly):
		why = "read-only"
	case !errors.Is(err, config.ErrInvalid):
		why = "not written"
	}
	a.record(r.Context(), v, "settings.save", "configuration", "not changed: "+keys+"; "+why, true)
	a.settingsError(w, err)
}

// settingsError answers with an error of Settings.
func (a *API) settingsError(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrFileChanged), errors.Is(err, ErrReadOnly), errors.Is(err, ErrNoRestart):
		http.Error(w, err.Error(), http.StatusConflict)
	case errors.Is(err, config.ErrInvalid):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		http.Error(w, "the pool is busy with another request; try again", http.StatusServiceUnavailable)
	default:
		a.log.Error("configuration", "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// serveRestart answers POST /api/admin/restart.
func (a *API) serveRestart(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if a.src.Settings == nil {
		missing(w, "the configuration")
		return
	}
	// Before it begins: the books are closed then.
	a.record(r.Context(), v, "program.restart", "", "", false)
	if err := a.src.Settings.Restart(r.Context()); err != nil {
		a.record(r.Context(), v, "program.restart", "", "refused", true)
		a.settingsError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close") // the next request is the next program's
	w.WriteHeader(http.StatusAccepted)
}
