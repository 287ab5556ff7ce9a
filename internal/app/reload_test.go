package app

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// changed gives each live key a value that is not its default, as text.
var changed = map[string]string{
	"http.token":                          "other-token",
	"auth.registration":                   "open",
	"auth.session_idle":                   "7h",
	"auth.session_max":                    "777h",
	"auth.operators":                      "somebody@example.com",
	"alerts.allow_private":                "true",
	"alerts.quiet_start":                  "7m",
	"alerts.user_messages_per_hour":       "7",
	"alerts.messages_per_hour":            "77",
	"alerts.smtp_host":                    "mail.example",
	"alerts.smtp_port":                    "777",
	"alerts.smtp_user":                    "pool",
	"alerts.smtp_password":                "password",
	"alerts.smtp_from":                    "pool@example.com",
	"alerts.smtp_tls":                     "tls",
	"stratum.tip_first":                   "false",
	"stratum.failover_after":              "77",
	"stratum.provisional":                 "false",
	"stratum.max_connections":             "77",
	"stratum.max_connections_per_address": "77",
	"difficulty.start":                    "77",
	"difficulty.min":                      "0.5",
	"difficulty.max":                      "77777",
	"difficulty.shares_per_minute":        "7",
	"difficulty.vardiff":                  "false",
	"abuse.strike_limit":                  "77",
	"abuse.ban_after":                     "7",
	"abuse.ban_time":                      "77m",
	"abuse.max_ban_time":                  "777h",
	"abuse.connect_burst":                 "777",
	"abuse.connects_per_second":           "77",
	"abuse.max_unauthorized_per_address":  "77",
	"abuse.trusted":                       "198.51.100.0/24",
	"payout.fee_percent":                  "1",
	"payout.fee_address":                  "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
	"payout.donation_percent":             "10",
	"payout.donation_address":             "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
	"coinbase.tag":                        "/other/",
	"coinbase.max_size":                   "300",
	"scope.tap":                           "worker:77",
	"log.level":                           "debug",
	"log.format":                          "json",
	"log.file":                            "x.log",
	"log.rotate_megabytes":                "7",
	"log.rotate_every":                    "7h",
	"log.keep_files":                      "7",
	"log.keep_for":                        "7h",
	"log.compress":                        "false",
}

// filesNamed are live keys whose effect is that of what they name.
var filesNamed = []string{"http.token_file", "alerts.smtp_password_file", "stratum.cert_file", "stratum.key_file"}

// TestLiveKeysHaveAnEffect: whatever the documents call live does reach a part
// that a reload configures.
func TestLiveKeysHaveAnEffect(t *testing.T) {
	for _, key := range config.Keys() {
		value, known := changed[key.Name]
		switch {
		case !key.Live || strings.Contains(strings.Join(filesNamed, " "), key.Name):
			continue
		case !known:
			t.Errorf("%s is live and this test has no other value for it", key.Name)
			continue
		}
		// What one key needs of others is the same on both sides.
		environ := []string{"POOLSCOPE_PAYOUT_FEE_PERCENT=2", "POOLSCOPE_PAYOUT_FEE_ADDRESS=" + otherAddress,
			"POOLSCOPE_PAYOUT_DONATION_PERCENT=5", "POOLSCOPE_PAYOUT_DONATION_ADDRESS=" + otherAddress,
			"POOLSCOPE_ALERTS_SMTP_HOST=smtp.example", "POOLSCOPE_ALERTS_SMTP_USER=somebody", "POOLSCOPE_ALERTS_SMTP_FROM=other@example.com"}
		before := effectOf(t, environ)
		after := effectOf(t, append(environ, config.Variable(key.Name)+"="+value))
		if reflect.DeepEqual(before, after) {
			t.Errorf("%s is called live, and a reload does not put it in force", key.Name)
		}
	}
}

const otherAddress = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"

// effect is what a reload hands to the parts.
type effect struct {
	pool   pool.Config
	log    telemetry.LogConfig
	token  string
	auth   account.Config
	alerts alertSettings
}

func effectOf(t *testing.T, environ []string) effect {
	t.Helper()
	last := make(map[string]string) // the last of a name wins
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		last[name] = value
	}
	environ = environ[:0:0]
	for name, value := range last {
		environ = append(environ, name+"="+value)
	}
	cfg, err := config.Parse("", nil, environ)
	if err != nil {
		t.Fatal(err)
	}
	poolConfig, err := poolConfigOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return effect{poolConfig, LogConfig(cfg), cfg.HTTP.Token.Reveal(), accountConfigOf(cfg), alertSettingsOf(cfg)}
}

// reloadRig is a pool that is made and does not run.
func reloadRig(t *testing.T) (p *poolParts, log *bytes.Buffer) {
	t.Helper()
	log = new(bytes.Buffer)
	logs, err := telemetry.NewLogs(log, telemetry.LogConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p = &poolParts{cfg: poolConfig(t), log: logs.Logger(), logs: logs}
	if err := p.bind(t.Context(), telemetry.Build{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p, log
}

// next is the rig's configuration with a change.
func next(p *poolParts, change func(*config.Config)) func() (*config.Config, error) {
	return func() (*config.Config, error) {
		cfg := *p.cfg
		change(&cfg)
		return &cfg, nil
	}
}

func TestCertificateIsReloaded(t *testing.T) {
	p, log := reloadRig(t)
	before, err := p.tls.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := pool.OwnCertificate(cert, key, time.Now()); err != nil {
		t.Fatal(err)
	}
	p.reload(next(p, func(c *config.Config) { c.Stratum.CertFile, c.Stratum.KeyFile = cert, key }))
	after, err := p.tls.GetCertificate(nil)
	if err != nil || bytes.Equal(before.Certificate[0], after.Certificate[0]) {
		t.Errorf("the certificate is the old one, %v; the log says %s", err, log)
	}

	// One that is not there changes nothing.
	p.reload(next(p, func(c *config.Config) {
		c.Stratum.CertFile = filepath.Join(dir, "missing.pem")
		c.Coinbase.Tag = "/never/"
	}))
	again, err := p.tls.GetCertificate(nil)
	if err != nil || !bytes.Equal(again.Certificate[0], after.Certificate[0]) || p.cfg.Coinbase.Tag == "/never/" {
		t.Errorf("after a mistake: %v; tag %s", err, p.cfg.Coinbase.Tag)
	}
	if !strings.Contains(log.String(), "missing.pem") || p.reloads.refused.Load() != 1 || p.reloads.applied.Load() != 1 {
		t.Errorf("%d refused; the log says %s", p.reloads.refused.Load(), log)
	}
}

// TestLogThatCannotBeOpened comes last of what may fail: the pool goes back to
// its old configuration.
func TestLogThatCannotBeOpened(t *testing.T) {
	p, log := reloadRig(t)
	p.reload(next(p, func(c *config.Config) {
		c.Log.File = p.cfg.DataDir // a folder
		c.Coinbase.Tag = "/never/"
	}))
	if p.cfg.Coinbase.Tag == "/never/" || p.cfg.Log.File != "" || !strings.Contains(log.String(), "open log file") {
		t.Errorf("tag %s, log file %q; the log says %s", p.cfg.Coinbase.Tag, p.cfg.Log.File, log)
	}
}

// The mail server of alerts can be named, and limits changed, while the pool runs.
func TestAlertsAreReloaded(t *testing.T) {
	p, log := reloadRig(t)
	hasMail := func() bool { _, ok := p.alerts.Service("email"); return ok }
	if hasMail() {
		t.Fatal("there is a mail server from the beginning")
	}
	p.reload(next(p, func(c *config.Config) { c.Alerts.SMTPHost, c.Alerts.SMTPFrom = "mail.example", "pool@example.com" }))
	if !hasMail() || p.reloads.waiting.Load() != 0 {
		t.Errorf("no mail after a reload; the log says %s", log)
	}
	p.reload(next(p, func(c *config.Config) { c.Alerts.SMTPFrom = "nobody" }))
	if !hasMail() || p.cfg.Alerts.SMTPFrom != "pool@example.com" {
		t.Errorf("a mistake is in force; the log says %s", log)
	}
	p.reload(next(p, func(c *config.Config) { c.Alerts.SMTPHost = "" }))
	if hasMail() {
		t.Errorf("mail without a server; the log says %s", log)
	}
}

func TestFileThatIsGone(t *testing.T) {
	p, log := reloadRig(t)
	p.reload(func() (*config.Config, error) { return nil, errors.New("read configuration: it is gone") })
	if !strings.Contains(log.String(), "it is gone") || p.reloads.refused.Load() != 1 {
		t.Errorf("the log says %s", log)
	}
}

// TestProgramThatCannotStart: an upgrade to it is refused with its own words.
func TestProgramThatCannotStart(t *testing.T) {
	if !canBecome {
		t.Skip("there are no upgrades on this system")
	}
	for name, p := range map[string]Program{
		"exit status 3: no good":    {Path: "/bin/sh", Check: []string{"-c", "echo no good; exit 3"}},
		"no such file or directory": {Path: filepath.Join(t.TempDir(), "absent")},
	} {
		if err := p.check(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
	if err := (Program{Path: "/bin/sh", Check: []string{"-c", "exit 0"}}).check(t.Context()); err != nil {
		t.Error(err)
	}
}
