package operator

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/poolscope/poolscope/test/nodes"
)

// deployed reads a file of the folder deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(nodes.Root(), "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var metricName = regexp.MustCompile(`\b(poolscope|process|go)_[a-z][a-z0-9_]*\b`)

// TestDashboardAndAlertsAskForMetricsThatExist compares with what the program
// tells, not with a list.
func TestDashboardAndAlertsAskForMetricsThatExist(t *testing.T) {
	t.Parallel()
	r := startPool(t, binary, "[difficulty]\nstart = 1e-6\nmin = 1e-6\nmax = 1e-6\n")
	nodes.Start(t, "miner", binary, "miner", "--pool", "stratum+tcp://"+r.Stratum, "--user", miner, "--threads", "1", "--max-hashrate", "20000")
	nodes.WaitFor(t, patience, "there is a share", func() bool { return r.metric("poolscope_work_accepted_total") > 0 })
	told := make(map[string]bool)
	for _, name := range metricName.FindAllString(r.page("/metrics"), -1) {
		told[name] = true
	}

	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(deployed(t, "grafana/poolscope.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}
	for _, a := range dashboard.Annotations.List {
		queries = append(queries, a.Expr)
	}
	if len(queries) < 20 {
		t.Errorf("the dashboard has %d queries", len(queries))
	}

	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(deployed(t, "prometheus/alerts.yml")), &alerts); err != nil {
		t.Fatal(err)
	}
	for _, rule := range alerts.Groups[0].Rules {
		if rule.Alert == "" || rule.Annotations["summary"] == "" {
			t.Errorf("alert %q, %q has no name or no summary", rule.Alert, rule.Expr)
		}
		queries = append(queries, rule.Expr)
	}
	for _, q := range queries {
		names := metricName.FindAllString(q, -1)
		if len(names) == 0 && !strings.HasPrefix(q, "up{") {
			t.Errorf("query %q asks for no metric of ours", q)
		}
		for _, name := range names {
			if !told[name] {
				t.Errorf("query %q asks for %s, which the program does not have", q, name)
			}
		}
	}
}

// TestContainerFiles checks what can be checked without a container engine.
func TestContainerFiles(t *testing.T) {
	t.Parallel()
	var compose struct {
		Services map[string]struct {
			Environment map[string]string
			Healthcheck struct{ Test []string }
			Secrets     []string
			Command     []string
		}
		Secrets map[string]struct{ File string }
	}
	text := deployed(t, "docker/compose.yaml")
	if err := yaml.Unmarshal([]byte(text), &compose); err != nil {
		t.Fatal(err)
	}
	service := compose.Services["poolscope"]
	if !slices.Contains(service.Healthcheck.Test, "http://127.0.0.1:8000/healthz") || !slices.Equal(service.Command, []string{"pool"}) {
		t.Errorf("service %+v", service)
	}
	for _, secret := range service.Secrets {
		if compose.Secrets[secret].File == "" {
			t.Errorf("secret %s has no file", secret)
		}
	}
	dockerfile := deployed(t, "docker/Dockerfile")
	if !strings.Contains(dockerfile, "\nUSER 10001") {
		t.Error("the container runs as root")
	}

	var scrape any
	if err := yaml.Unmarshal([]byte(deployed(t, "prometheus/prometheus.yml")), &scrape); err != nil {
		t.Error(err)
	}

	// The program knows every variable that the files set.
	set := regexp.MustCompile(`POOLSCOPE_[A-Z_]+`)
	var env []string
	for _, file := range []string{text, dockerfile, deployed(t, "systemd/poolscope.service")} {
		for _, name := range set.FindAllString(file, -1) {
			env = append(env, name+"=")
		}
	}
	check := exec.CommandContext(t.Context(), binary, "config", "check")
	check.Env = env
	out, _ := check.CombinedOutput() // empty values are mistakes of their own
	if len(env) < 5 || strings.Contains(string(out), "not one of poolscope's") {
		t.Errorf("%q: %s", env, out)
	}
}

// TestSystemdUnits has systemd's own tool look at the units.
func TestSystemdUnits(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if analyze = "/bin/systemd-analyze"; exec.Command(analyze, "--version").Run() != nil {
			t.Skip("SKIPPED LOUDLY: there is no systemd-analyze")
		}
	}
	dir := t.TempDir()
	for _, unit := range []string{"poolscope.service", "poolscope.socket"} {
		text := strings.Replace(deployed(t, "systemd/"+unit), "/usr/local/bin/poolscope", binary, 1)
		if err := os.WriteFile(filepath.Join(dir, unit), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "./poolscope.service", "./poolscope.socket")
	verify.Dir = dir
	if out, err := verify.CombinedOutput(); err != nil || strings.Contains(string(out), "poolscope.") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
