package operator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// person is somebody in a browser of their own.
type person struct {
	t      *testing.T
	client *http.Client
	base   string
}

func (r *poolRig) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &person{r.t, &http.Client{Jar: jar, Timeout: patience}, "http://" + r.HTTP}
}

// ask sends a form, or none with GET.
func (p *person) ask(method, path string, form url.Values) (status int, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (p *person) signIn(name, password string) (status int) {
	p.t.Helper()
	status, _ = p.ask(http.MethodPost, "/api/auth/sign-in", url.Values{"name": {name}, "password": {password}})
	return status
}

func (p *person) isSignedIn() bool {
	p.t.Helper()
	_, body := p.ask(http.MethodGet, "/api/auth/session", nil)
	var v struct {
		SignedIn bool `json:"signed_in"`
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		p.t.Fatal(err)
	}
	return v.SignedIn
}

// TestAccountsOnTheCommandLine: the first operator's password is shown once and
// kept nowhere; accounts are changed while the pool runs, and after it ended.
func TestAccountsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	log := filepath.Join(folder, "pool.log")
	r := startPool(t, binary, fmt.Sprintf("[log]\nlevel = \"debug\"\nfile = %q\n", log))
	account := func(input string, arguments ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"account"}, append(arguments, "--config", r.file, "--data-dir", r.DataDir)...)...)
		cmd.Stdin = strings.NewReader(input)
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	must := func(input string, arguments ...string) string {
		t.Helper()
		text, err := account(input, arguments...)
		if err != nil {
			t.Fatalf("account %v: %v: %s", arguments, err, text)
		}
		return text
	}

	// The operator of the first run.
	found := regexp.MustCompile(`sign in as operator with the password (\S+),`).FindStringSubmatch(r.Output())
	if found == nil {
		t.Fatalf("no password in:\n%s", r.Output())
	}
	password := found[1]
	boss := r.person()
	if status := boss.signIn("operator", password); status != http.StatusOK || !boss.isSignedIn() {
		t.Fatalf("the password that was shown: %d", status)
	}

	// Another account, its password, and its end.
	if text, err := account("", "disable", "operator"); err == nil || !strings.Contains(text, "last operator") {
		t.Errorf("the last operator is disabled: %s", text)
	}
	made := regexp.MustCompile(`with the password (\S+),`).FindStringSubmatch(must("", "add", "jane", "--role", "operator"))
	if made == nil {
		t.Fatal("no password")
	}
	jane := r.person()
	if status := jane.signIn("jane", made[1]); status != http.StatusOK {
		t.Fatal(status)
	}
	if text := must("", "sessions", "jane"); !strings.Contains(text, "127.0.0.1") {
		t.Errorf("sessions: %s", text)
	}
	for _, arguments := range [][]string{{"sessions", "jane", "--revoke"}, {"password", "jane", "--stdin"}, {"role", "jane", "viewer"}, {"disable", "jane"}} {
		must("a good password of hers\n", arguments...)
		nodes.WaitFor(t, patience, fmt.Sprintf("jane is signed out by %v", arguments), func() bool { return !jane.isSignedIn() })
		if arguments[0] == "disable" {
			break
		}
		if arguments[0] == "sessions" {
			jane.signIn("jane", made[1])
		} else {
			jane.signIn("jane", "a good password of hers")
		}
		if !jane.isSignedIn() {
			t.Fatalf("after %v jane cannot sign in", arguments)
		}
	}
	if status := jane.signIn("jane", "a good password of hers"); status != http.StatusUnauthorized {
		t.Errorf("disabled, and signed in: %d", status)
	}
	if !boss.isSignedIn() {
		t.Error("the operator was signed out, too")
	}
	if text, err := account("short\n", "password", "jane", "--stdin"); err == nil || !strings.Contains(text, "at least 10") {
		t.Errorf("a short password: %s", text)
	}

	// After the end of the pool, and its next start, which makes no account.
	r.Stop(t, 10*time.Second)
	if text := must("", "list"); !strings.Contains(text, "disabled") || !strings.Contains(text, "operator") {
		t.Errorf("list: %s", text)
	}
	must("", "enable", "jane")
	must("", "remove", "jane")

	for _, path := range []string{log, filepath.Join(r.DataDir, "poolscope.db"), filepath.Join(r.DataDir, "poolscope.db-wal")} {
		data, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, secret := range []string{password, made[1], "a good password of hers"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s has a password in it", filepath.Base(path))
			}
		}
	}
}
