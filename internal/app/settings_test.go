package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/telemetry"
)

const (
	rigToken    = "hunter2-token"
	rigPassword = "hunter3-password"
)

// settingsRig is a pool with a configuration file and an operator's desk, and an
// operator who asks over HTTP.
type settingsRig struct {
	t    *testing.T
	p    *poolParts
	desk *desk
	path string
	log  *bytes.Buffer
}

// newSettingsRig makes a pool of a file. Keys that tests cannot do without are set
// in it.
func newSettingsRig(t *testing.T, text string, flags ...config.Flag) *settingsRig {
	t.Helper()
	r := &settingsRig{t: t, path: filepath.Join(t.TempDir(), "pool.toml"), log: new(bytes.Buffer)}
	needed := poolConfig(t)
	data, err := config.Edit([]byte(text), []config.Set{
		{Key: "data_dir", Value: needed.DataDir}, {Key: "http.listen", Value: needed.HTTP.Listen}, {Key: "http.token", Value: rigToken},
		{Key: "stratum.listen", Value: needed.Stratum.Listen}, {Key: "stratum.tls_listen", Value: needed.Stratum.TLSListen},
		{Key: "node.1.url", Value: "http://127.0.0.1:1"}, {Key: "node.1.user", Value: "u"}, {Key: "node.1.password", Value: rigPassword},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	source := config.Source{Path: r.path, Flags: flags}
	cfg, err := source.Load()
	if err != nil {
		t.Fatal(err)
	}
	logs, err := telemetry.NewLogs(r.log, LogConfig(cfg))
	if err != nil {
		t.Fatal(err)
	}
	r.p = &poolParts{cfg: cfg, log: logs.Logger(), logs: logs, source: source, calls: make(chan func(context.Context, *desk))}
	if err := r.p.bind(t.Context(), telemetry.Build{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.p.close)
	ctx, stop := context.WithCancel(t.Context())
	r.desk = &desk{pool: r.p, load: source.Load, calls: r.p.calls, stop: stop}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.desk.run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
	return r
}

// do asks as an operator. No answer may hold a secret.
func (r *settingsRig) do(method, path, body string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, "http://pool.example"+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+rigToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	r.p.admin.ServeHTTP(w, req)
	if strings.Contains(w.Body.String(), "hunter") {
		r.t.Errorf("%s %s: a secret is in the answer: %s", method, path, w.Body)
	}
	return w
}

// settingsAnswer is what all of the settings' responses have together.
type settingsAnswer struct {
	status   int
	text     string
	Base     string
	Writable bool
	Reason   string
	Diff     string
	Backup   string
	Problems []struct {
		Source, Key, Message string
		Line, Column         int
	}
	Warnings, Live, Restart, Waiting, Unread []string
}

func (r *settingsRig) ask(method, path, body string) (a settingsAnswer) {
	r.t.Helper()
	w := r.do(method, path, body)
	a.status, a.text = w.Code, w.Body.String()
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			r.t.Fatalf("%v in %s", err, w.Body)
		}
	}
	return a
}

func (r *settingsRig) state() settingsAnswer {
	return r.ask(http.MethodGet, "/api/admin/settings", "")
}

func (r *settingsRig) check(changes string) settingsAnswer {
	return r.ask(http.MethodPost, "/api/admin/settings/check", `{"changes":`+changes+`}`)
}

func (r *settingsRig) save(changes, base string) settingsAnswer {
	return r.ask(http.MethodPost, "/api/admin/settings", `{"changes":`+changes+`,"base":"`+base+`"}`)
}

func (r *settingsRig) file() string {
	r.t.Helper()
	data, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}

// TestSettingsOfTheExample goes the whole way on the file that everybody starts
// with: look, check, save, and what is in force then.
func TestSettingsOfTheExample(t *testing.T) {
	r := newSettingsRig(t, config.Example())
	seen := r.state()
	if !seen.Writable || len(seen.Problems)+len(seen.Waiting)+len(seen.Unread) > 0 || len(seen.Base) != 64 {
		t.Fatalf("%+v", seen)
	}
	before := r.file()
	changes := `{"coinbase.tag":"/ours/","difficulty.start":2048,"version.mask":"00000000","node.2.url":"http://127.0.0.1:2","http.token_file":null}`
	checked := r.check(changes)
	if len(checked.Problems) > 0 || strings.Join(checked.Live, " ") != "difficulty.start coinbase.tag" || strings.Join(checked.Restart, " ") != "node version.mask" || checked.Base != seen.Base {
		t.Fatalf("%+v", checked)
	}
	for _, line := range []string{"\n-tag = \"/poolscope/\"\n+tag = \"/ours/\"\n", "\n-start = 1024\n+start = 2048\n", "\n+[[node]]\n+url = \"http://127.0.0.1:2\"\n", "\n-token_file = \"\"\n"} {
		if !strings.Contains(checked.Diff, line) {
			t.Errorf("no %q in\n%s", line, checked.Diff)
		}
	}
	if r.file() != before {
		t.Error("the check has changed the file")
	}

	saved := r.save(changes, seen.Base)
	if saved.status != http.StatusOK || strings.Join(saved.Live, " ") != "difficulty.start coinbase.tag" || strings.Join(saved.Restart, " ") != "node version.mask" {
		t.Fatalf("%+v", saved)
	}
	if c := r.p.inForce.Load(); c.Coinbase.Tag != "/ours/" || c.Difficulty.Start != 2048 || c.Version.Mask != "1fffe000" || len(c.Nodes) != 1 || r.p.pool.Status().Tag != "/ours/" && r.p.cfg != c {
		t.Errorf("in force: tag %q, start %v, mask %q", c.Coinbase.Tag, c.Difficulty.Start, c.Version.Mask)
	}
	for line := range strings.Lines(before) {
		if strings.HasPrefix(line, "#") && !strings.Contains(r.file(), line) {
			t.Errorf("the comment %q is gone", line)
		}
	}
	copied, err := os.ReadFile(filepath.Join(filepath.Dir(r.path), saved.Backup))
	if err != nil || string(copied) != before {
		t.Errorf("the copy %s is not the old file, %v", saved.Backup, err)
	}
	if now := r.state(); now.Base != saved.Base || strings.Join(now.Waiting, " ") != "node version.mask" || len(now.Unread) > 0 {
		t.Errorf("%+v", now)
	}
	// The next start takes it all.
	if c, err := r.p.source.Load(); err != nil || len(c.Nodes) != 2 || c.Version.Mask != "00000000" || c.Coinbase.Tag != "/ours/" {
		t.Errorf("%v", err)
	}
	if again := r.save(`{"coinbase.tag":"/again/"}`, seen.Base); again.status != http.StatusConflict || r.p.inForce.Load().Coinbase.Tag != "/ours/" {
		t.Errorf("saved on an old base: %+v", again)
	}
}

// TestSettingsOfAnUglyFile is in every style that TOML allows.
func TestSettingsOfAnUglyFile(t *testing.T) {
	r := newSettingsRig(t, "# mine\r\ncoinbase.tag = '/a/' # tag = \"no\"\r\nlog = { level = \"info\", 'format' = 'text' }\r\n\r\n  [ \"difficulty\" ]   # easy\r\n  start=1_024.0\r\n"+
		"[abuse]\r\ntrusted = [ # friends\r\n  '198.51.100.0/24', # ada\r\n\r\n]\r\n[payout] # nothing")
	seen := r.state()
	saved := r.save(`{"coinbase.tag":"/b/","log.level":"warn","difficulty.start":77,"difficulty.vardiff":false,"abuse.trusted":["198.51.100.0/24","203.0.113.5"],"version.mask":"00000000"}`, seen.Base)
	if saved.status != http.StatusOK || len(saved.Live) != 5 {
		t.Fatalf("%+v", saved)
	}
	for _, text := range []string{"# mine\r\ncoinbase.tag = \"/b/\" # tag = \"no\"\r\nlog = { level = \"warn\", 'format' = 'text' }\r\n", "  [ \"difficulty\" ]   # easy\r\n  start=77\r\n  vardiff = false\r\n",
		"trusted = [ # friends\r\n  '198.51.100.0/24', # ada\r\n  \"203.0.113.5\",\r\n\r\n]\r\n", "[payout] # nothing"} {
		if !strings.Contains(r.file(), text) {
			t.Errorf("no %q in\n%s", text, r.file())
		}
	}
	if strings.Contains(strings.ReplaceAll(r.file(), "\r\n", ""), "\n") {
		t.Error("line ends are mixed")
	}
}

// TestSettingsThatAreWrong are found before anything is written.
func TestSettingsThatAreWrong(t *testing.T) {
	r := newSettingsRig(t, "[network]\nchain = \"regtest\"\n[payout]\nfee_percent = 0\n")
	before, seen := r.file(), r.state()
	for changes, want := range map[string]string{
		`{"difficulty.min":-1}`:    "difficulty.min: must be above 0",
		`{"payout.fee_percent":1}`: "payout.fee_address: must be a Bitcoin address",
		`{"payout.fee_address":"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa","payout.fee_percent":1}`: "payout.fee_address: ",
		`{"http.listne":"x"}`:                                "unknown configuration key",
		`{"difficulty.start":"hunter9"}`:                     "must be a number",
		`{"node.5.url":"http://a:1"}`:                        "there is no such section",
		`{"node.1.url":"http://u:hunter9@host:1"}`:           "must not hold user and password",
		`{"http.token_file":"/nonexistent/hunted"}`:          "given twice",
		`{"coinbase.tag":"` + strings.Repeat("x", 77) + `"}`: "has 77 characters",
		`{"stratum.cert_file":"/nonexistent/cert.pem"}`:      "needs stratum.key_file",
	} {
		checked := r.check(changes)
		text := ""
		for _, p := range checked.Problems {
			text += p.Key + ": " + p.Message + "\n"
		}
		if checked.status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %q, want %s", changes, checked.status, text, want)
		}
		if saved := r.save(changes, seen.Base); saved.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: saved with %d %s", changes, saved.status, saved.text)
		}
	}
	if checked := r.check(`{"difficulty.min":-1}`); checked.Problems[0].Line == 0 || checked.Problems[0].Column == 0 {
		t.Errorf("without its place: %+v", checked.Problems)
	}
	if r.file() != before || r.p.reloads.applied.Load()+r.p.reloads.refused.Load() != 0 {
		t.Error("the file has changed, or was loaded")
	}
	if left, err := os.ReadDir(filepath.Dir(r.path)); err != nil || len(left) != 1 {
		t.Errorf("%v are left, %v", left, err)
	}
	for _, bad := range []string{`{}`, `[]`, `{"changes":{}}`, `{"changes":[]}`, `nonsense`} {
		if w := r.do(http.MethodPost, "/api/admin/settings", bad); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

// TestReloadThatFailsIsUndone: what only the reload itself finds leaves the file
// as it was.
func TestReloadThatFailsIsUndone(t *testing.T) {
	r := newSettingsRig(t, "")
	before, seen := r.file(), r.state()
	saved := r.save(`{"log.file":"`+r.p.cfg.DataDir+`","coinbase.tag":"/never/"}`, seen.Base) // a folder
	if saved.status != http.StatusUnprocessableEntity || !strings.Contains(saved.text, "open log file") {
		t.Errorf("%+v", saved)
	}
	if r.file() != before || r.p.inForce.Load().Coinbase.Tag == "/never/" || r.p.reloads.refused.Load() != 1 {
		t.Errorf("tag %s; the file is\n%s", r.p.inForce.Load().Coinbase.Tag, r.file())
	}
}

// TestSavesAtTheSameTime: of those that saw the same file one is made.
func TestSavesAtTheSameTime(t *testing.T) {
	r := newSettingsRig(t, "")
	base := r.state().Base
	var mu sync.Mutex
	results := make(map[int]int)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			a := r.save(fmt.Sprintf(`{"difficulty.start":%d}`, 100+n), base)
			mu.Lock()
			defer mu.Unlock()
			results[a.status]++
		})
	}
	wg.Wait()
	if results[http.StatusOK] != 1 || results[http.StatusConflict] != 7 {
		t.Errorf("%v", results)
	}
	if c, err := r.p.source.Load(); err != nil || c.Difficulty.Start != r.p.inForce.Load().Difficulty.Start {
		t.Errorf("the file and the pool differ, %v", err)
	}
}

func TestSettingsOfEnvironmentAndFlags(t *testing.T) {
	t.Setenv("POOLSCOPE_COINBASE_TAG", "/env/")
	r := newSettingsRig(t, "", config.Flag{Name: "--log-level", Key: "log.level", Value: "error"})
	for key, want := range map[string]string{"coinbase.tag": "environment variable POOLSCOPE_COINBASE_TAG", "log.level": "--log-level on the command line"} {
		a := r.check(`{"` + key + `":"warn"}`)
		if len(a.Problems) != 1 || !strings.Contains(a.Problems[0].Message, want) || a.Problems[0].Key != key {
			t.Errorf("%s: %+v", key, a.Problems)
		}
		if !strings.Contains(r.state().text, want) {
			t.Errorf("the form does not say %q", want)
		}
	}
}

// TestSettingsKeepTheFilesShape: through a link, with the mode, twenty copies.
func TestSettingsKeepTheFilesShape(t *testing.T) {
	r := newSettingsRig(t, "")
	real := filepath.Join(t.TempDir(), "real.toml")
	if err := os.Rename(r.path, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, r.path); err != nil {
		t.Skip("there are no links here")
	}
	if err := os.Chmod(real, 0o640); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(real), "real.toml.mine.bak")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var last settingsAnswer
	for n := range keptConfigs + 5 {
		if last = r.save(fmt.Sprintf(`{"difficulty.start":%d}`, 100+n), r.state().Base); last.status != http.StatusOK {
			t.Fatalf("%+v", last)
		}
	}
	if link, err := os.Readlink(r.path); err != nil || link != real {
		t.Errorf("the link is %q, %v", link, err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	copies, err := filepath.Glob(real + ".2*.bak")
	if err != nil || len(copies) != keptConfigs {
		t.Errorf("%d copies, %v", len(copies), err)
	}
	for _, c := range copies {
		if info, err := os.Stat(c); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", c, info.Mode(), err)
		}
	}
	newest, err := os.ReadFile(filepath.Join(filepath.Dir(real), last.Backup))
	if err != nil || !strings.Contains(string(newest), fmt.Sprintf("start = %d", 100+keptConfigs+3)) {
		t.Errorf("the newest copy is not the last file, %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("a file that only looks alike is gone")
	}
}

// TestSecretsAreWritten and neither shown nor logged.
func TestSecretsAreWritten(t *testing.T) {
	r := newSettingsRig(t, "")
	checked := r.check(`{"node.1.password":"hunter7-password"}`)
	if !strings.Contains(checked.Diff, "-password = \"[redacted]\"\n+password = \"[redacted, changed]\"") {
		t.Errorf("%s", checked.Diff)
	}
	if saved := r.save(`{"node.1.password":"hunter7-password"}`, checked.Base); saved.status != http.StatusOK {
		t.Fatalf("%+v", saved)
	}
	if !strings.Contains(r.file(), `password = "hunter7-password"`) || strings.Contains(r.log.String(), "hunter") {
		t.Errorf("the log says %s", r.log)
	}
}

func TestSettingsWithoutAFile(t *testing.T) {
	r := newSettingsRig(t, "")
	r.p.source.Path = ""
	for _, a := range []settingsAnswer{r.check(`{"coinbase.tag":"x"}`), r.save(`{"coinbase.tag":"x"}`, "")} {
		if a.status != http.StatusConflict || !strings.Contains(a.text, "without a configuration file") {
			t.Errorf("%+v", a)
		}
	}
	if a := r.state(); a.status != http.StatusOK || a.Writable || !strings.Contains(a.Reason, "poolscope config example") {
		t.Errorf("%+v", a)
	}
	r.p.calls = nil // as in the demo
	if a := r.state(); !strings.Contains(a.Reason, "demo") {
		t.Errorf("%+v", a)
	}
	if w := r.do(http.MethodPost, "/api/admin/restart", ""); w.Code != http.StatusConflict {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestFileThatSomebodySpoilt is shown with its mistakes.
func TestFileThatSomebodySpoilt(t *testing.T) {
	r := newSettingsRig(t, "")
	if err := os.WriteFile(r.path, []byte("[http]\nlisten = 5\npasswd = 'hunter9'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := r.state(); len(a.Problems) < 2 || a.Problems[0].Line != 2 {
		t.Errorf("%+v", a.Problems)
	}
	if a := r.check(`{"coinbase.tag":"/x/"}`); len(a.Problems) < 2 {
		t.Errorf("%+v", a)
	}
}

func TestRestart(t *testing.T) {
	if !canBecome {
		t.Skip("there are no upgrades on this system")
	}
	r := newSettingsRig(t, "")
	r.desk.program = Program{Path: "/bin/sh", Check: []string{"-c", "echo no good; exit 3"}}
	if w := r.do(http.MethodPost, "/api/admin/restart", ""); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "no good") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r.desk.program.Check = []string{"-c", "exit 0"}

	// An address that another program has would end the pool for good.
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(r.p.http.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	load, address := r.desk.load, ""
	r.desk.load = func() (*config.Config, error) {
		cfg, err := load()
		if err == nil {
			cfg.HTTP.Listen = address
		}
		return cfg, err
	}
	for to, words := range map[string]string{
		other.Addr().String():               "in use by another program",
		net.JoinHostPort("192.0.2.1", port): "no address of this machine", // the pool's own port, another host
	} {
		address = to
		if w := r.do(http.MethodPost, "/api/admin/restart", ""); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s: %d %s", to, w.Code, w.Body)
		}
	}
	if r.desk.handOver != nil {
		t.Fatal("the pool ends all the same")
	}
	address = net.JoinHostPort("localhost", port) // its own, respelt
	_ = other.Close()
	if w := r.do(http.MethodPost, "/api/admin/restart", ""); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if r.desk.handOver == nil {
		t.Error("there are no sockets for the next program")
	}
	_ = r.desk.handOver.drop()
}

// TestPoolCheckKnowsTheNetwork: an address of another network is found before the
// file is written, also when only the node told which one it is.
func TestPoolCheckKnowsTheNetwork(t *testing.T) {
	r := newSettingsRig(t, "[network]\nchain = \"regtest\"\n")
	err := r.p.pool.Check(pool.Config{Payout: pool.PayoutConfig{FeePercent: 1, FeeAddress: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}})
	if err == nil {
		t.Error("a fee that cannot be paid is taken")
	}
}

// TestDeskSurvivesAPanic of an operator's call.
func TestDeskSurvivesAPanic(t *testing.T) {
	r := newSettingsRig(t, "")
	s := &settings{pool: r.p, now: time.Now}
	if err := s.atDesk(t.Context(), func(context.Context, *desk) { panic("oops") }); err == nil {
		t.Error("nobody is told")
	}
	if a := r.save(`{"coinbase.tag":"/after/"}`, r.state().Base); a.status != http.StatusOK {
		t.Errorf("%+v", a)
	}
}
