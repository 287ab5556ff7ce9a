package adminapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/config"
)

// fakeSettings are a configuration file in memory.
type fakeSettings struct {
	data     []byte
	saved    int
	restarts int
	err      error
}

func (f *fakeSettings) State(context.Context) (*adminapi.SettingsState, error) {
	inForce := config.ReadValues("poolscope.toml", f.data)
	return &adminapi.SettingsState{Path: "poolscope.toml", Data: f.data, Base: "base", InForce: inForce}, f.err
}

func (f *fakeSettings) Check(_ context.Context, changes []config.Set) (*adminapi.Verdict, error) {
	after, err := config.Edit(f.data, changes)
	return &adminapi.Verdict{Before: f.data, After: after, Base: "base"}, err
}

func (f *fakeSettings) Save(_ context.Context, _ []config.Set, base string) (*adminapi.Saved, error) {
	if base != "base" {
		return nil, adminapi.ErrFileChanged
	}
	f.saved++
	return &adminapi.Saved{Live: []string{}, Restart: []string{"backup.s3_secret_key"}, Backup: "old.bak", Base: "next"}, f.err
}

func (f *fakeSettings) Restart(context.Context) error {
	f.restarts++
	return f.err
}

// TestSettingsAreRecordedWithoutSecrets changes a secret: neither the form, the
// comparison, the answers nor the audit trail tell the old one or the new one; what
// was done, and what was refused, is in the trail.
func TestSettingsAreRecordedWithoutSecrets(t *testing.T) {
	const before, after = "hunter-of-two", "tr0ub4dor-three"
	f := &fakeSettings{data: []byte("[backup]\ns3_secret_key = \"" + before + "\"\n")}
	r := newRig(t, adminapi.Sources{Settings: f})
	change := func(base string) string {
		return `{"changes":{"backup.s3_secret_key":"` + after + `"},"base":"` + base + `"}`
	}
	var told strings.Builder
	ask := func(who, method, path, body string, status int, part string) {
		t.Helper()
		w := r.do(who, method, path, body)
		if w.Code != status || !strings.Contains(w.Body.String(), part) {
			t.Errorf("%s %s: %d %.300s, want %d with %q", method, path, w.Code, w.Body, status, part)
		}
		told.WriteString(w.Body.String())
	}
	trail := func(name, detail string, failed bool) {
		t.Helper()
		if a := r.trail.last(); a.Name != name || a.User != "ada" || a.Detail != detail || a.Failed != failed {
			t.Errorf("the audit trail ends with %+v, want %s: %q, failed %v", a, name, detail, failed)
		}
	}
	ask(signedIn, http.MethodGet, "/api/admin/settings", "", http.StatusOK, `"backup.s3_secret_key"`)
	ask(signedIn, http.MethodPost, "/api/admin/settings/check", change("base"), http.StatusOK, "[redacted, changed]")
	if len(r.trail.list) != 0 || f.saved != 0 {
		t.Errorf("looking changed something: %+v", r.trail.list)
	}
	ask(confirmed, http.MethodPost, "/api/admin/settings", change("base"), http.StatusOK, "old.bak")
	trail("settings.save", "changed: backup.s3_secret_key; old file: old.bak; waits for a restart: backup.s3_secret_key", false)
	ask(confirmed, http.MethodPost, "/api/admin/settings", change("older"), http.StatusConflict, "has changed since")
	trail("settings.save", "not changed: backup.s3_secret_key; the file had changed", true)
	ask(confirmed, http.MethodPost, "/api/admin/settings", `{"changes":{"no.such":"`+after+`"},"base":"base"}`, http.StatusUnprocessableEntity, "no.such")
	trail("settings.save", "not changed: no.such; problems", true)
	ask(confirmed, http.MethodPost, "/api/admin/settings", `{"changes":{},"base":"base"}`, http.StatusBadRequest, "nothing to change")
	if f.saved != 1 {
		t.Errorf("saved %d times", f.saved)
	}
	ask(confirmed, http.MethodPost, "/api/admin/restart", "", http.StatusAccepted, "")
	trail("program.restart", "", false)
	f.err = fmt.Errorf("%w: not now", adminapi.ErrNoRestart)
	ask(confirmed, http.MethodPost, "/api/admin/restart", "", http.StatusConflict, "not now")
	trail("program.restart", "refused", true)
	fmt.Fprintf(&told, "%+v", r.trail.list)
	for _, secret := range []string{before, after} {
		if strings.Contains(told.String(), secret) {
			t.Errorf("%s came out: %s", secret, told.String())
		}
	}
}
