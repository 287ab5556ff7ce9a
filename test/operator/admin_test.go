package operator

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// adminToken opens everything.
const adminToken = "hunter2-administration"

// admin asks as an operator, and decodes what comes.
func (r *poolRig) admin(method, path, body string, into any) (status int, text string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.HTTP+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	if into != nil && resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(data, into); err != nil {
			r.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return resp.StatusCode, string(data)
}

// programState is what the test reads of GET /api/admin/state.
type programState struct {
	StartedAt time.Time `json:"started_at"`
	Config    struct {
		Waiting int `json:"restart_keys"`
	} `json:"config"`
}

// TestSettingsFromThePage changes the configuration of a running program over HTTP,
// then has it restart.
func TestSettingsFromThePage(t *testing.T) {
	t.Parallel()
	installed := filepath.Join(t.TempDir(), "poolscope")
	install(t, installed)
	r := startPool(t, installed, "# ours\n[http]\ntoken = \""+adminToken+"\" # quiet\n\n[version]\nmask = \"1fffe000\" # all of them\n")
	var form struct{ Base string }
	if status, text := r.admin(http.MethodGet, "/api/admin/settings", "", &form); status != http.StatusOK || strings.Contains(text, adminToken) {
		t.Fatalf("%d %s", status, text)
	}
	change := `{"changes":{"coinbase.tag":"/by page/","version.mask":"00000000"},"base":"` + form.Base + `"}`
	var saved struct{ Live, Restart []string }
	if status, text := r.admin(http.MethodPost, "/api/admin/settings", change, &saved); status != http.StatusOK || strings.Join(saved.Live, "") != "coinbase.tag" || strings.Join(saved.Restart, "") != "version.mask" {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := r.admin(http.MethodPost, "/api/admin/settings", change, nil); status != http.StatusConflict {
		t.Errorf("saved twice: %d %s", status, text)
	}
	file, err := os.ReadFile(r.file)
	if err != nil || !strings.Contains(string(file), "# ours\n[http]\ntoken = \""+adminToken+"\" # quiet\n\n[version]\nmask = \"00000000\" # all of them\n") {
		t.Errorf("%v, the file is\n%s", err, file)
	}
	nodes.WaitFor(t, patience, "miners get the new tag", func() bool {
		notify, err := firstWork(r.Stratum)
		return err == nil && strings.Contains(notify, "2f62792070616765") // "/by page" in hex
	})

	var before, now programState
	if status, text := r.admin(http.MethodGet, "/api/admin/state", "", &before); status != http.StatusOK || before.Config.Waiting != 1 {
		t.Fatalf("%d %s", status, text)
	}
	pid := r.PID()
	if status, text := r.admin(http.MethodPost, "/api/admin/restart", "", nil); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	nodes.WaitFor(t, patience, "the next program answers", func() bool {
		status, _ := r.admin(http.MethodGet, "/api/admin/state", "", &now)
		return status == http.StatusOK && now.StartedAt.After(before.StartedAt)
	})
	if now.Config.Waiting != 0 || r.PID() != pid || !r.Running() {
		t.Errorf("%d keys still wait, process %d", now.Config.Waiting, r.PID())
	}
	var trail struct {
		Actions []struct{ Name, Detail, User string }
	}
	status, text := r.admin(http.MethodGet, "/api/admin/audit?q=token", "", &trail)
	var names []string
	for _, a := range trail.Actions {
		names = append(names, a.Name)
	}
	if got := strings.Join(names, " "); status != http.StatusOK || got != "program.restart settings.save settings.save" || strings.Contains(text, adminToken) {
		t.Errorf("%d, the trail has %s: %s", status, got, text)
	}
}
