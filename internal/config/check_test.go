package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEveryMistakeAtOnce has one of each kind in one file.
func TestEveryMistakeAtOnce(t *testing.T) {
	_, err := Parse("c.toml", []byte(`data_dir = 7
[http]
  listne = "127.0.0.1:1"
  listen = "8000"
[stratum]
cert_file = "missing.pem"
key_file = "missing.key"
max_connections = 0
[difficulty]
start = "hard"
min = -1
[[node]]
url = "http://u:hunter2@host:1"
cookie_file = "/c"
user = "u"
zmq_hashblock = "28332"
[network]
chain = "bitcoin"
[payout]
fee_percent = 101
fee_address = "nobody"
[log]
rotate_every = "1s"
keep_for = "a while"
keep_files = -1
`), nil)
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error is %v", err)
	}
	want := []string{
		"c.toml:1:1: data_dir: must be a text in quotes",
		`c.toml:3:3: http.listne: unknown key, did you mean "listen"?`,
		`c.toml:4:3: http.listen: "8000" must be host:port`,
		"c.toml:6:1: stratum.cert_file: cannot read the certificate",
		"c.toml:7:1: stratum.key_file: cannot read the private key",
		"c.toml:8:1: stratum.max_connections: must be at least 1",
		"c.toml:10:1: difficulty.start: must be a number",
		"c.toml:11:1: difficulty.min: must be above 0",
		"c.toml:13:1: node.1.url: must not hold user and password",
		"c.toml:14:1: node.1.cookie_file: use either",
		`c.toml:16:1: node.1.zmq_hashblock: "28332" must be like`,
		`c.toml:18:1: network.chain: "bitcoin" must be main`,
		"c.toml:20:1: payout.fee_percent: 101 must be at least 0 and below 100",
		"c.toml:21:1: payout.fee_address: invalid address",
		"c.toml:23:1: log.rotate_every: must be",
		`c.toml:24:1: log.keep_for: must be a duration such as "30s"`,
		"c.toml:25:1: log.keep_files: must be 0",
	}
	for i, p := range invalid.Problems {
		if i >= len(want) || !strings.HasPrefix(p.String(), want[i]) {
			t.Errorf("problem %d: %s", i+1, p)
		}
	}
	if len(invalid.Problems) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(invalid.Problems), len(want), err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("a password is in the message")
	}
}

// TestSyntaxMistakes end the reading, so they come alone, with their place.
func TestSyntaxMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"[http]\nlisten = \":1\"\n[http]\ntoken = \"x\"\n": "c.toml:3:",
		"[http]\nlisten = \":1\"\nlisten = \":2\"\n":       "c.toml:3:",
		"data_dir = data\n":                                "c.toml:1:12",
		"[http\n":                                          "c.toml:1:",
		"data_dir = \"x\n":                                 "c.toml:1:",
	} {
		_, err := Parse("c.toml", []byte(text), nil)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.HasPrefix(invalid.Problems[0].String(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestNothingDisables: zero and the empty text switch off what can be.
func TestNothingDisables(t *testing.T) {
	c := parse(t, `[http]
tls_listen = ""
token = ""
[stratum]
tls_listen = []
max_connections_per_address = 0
[difficulty]
max = 0
start = 1
[version]
mask = "00000000"
[coinbase]
tag = ""
[payout]
fee_percent = 0
[log]
file = ""
rotate_megabytes = 0
rotate_every = ""
keep_files = 0
keep_for = 0
`)
	if len(c.Stratum.TLSListen) != 0 || c.Coinbase.Tag != "" || c.Version.Mask != "00000000" || c.Difficulty.Start != 1 ||
		c.Log.RotateMegabytes != 0 || c.Log.RotateEvery != 0 || c.Log.KeepFiles != 0 || c.Log.KeepFor != 0 {
		t.Errorf("%+v", c)
	}
	if c := parse(t, "[version]\nmask = \"\"\n"); c.Version.Mask != "" {
		t.Errorf("mask %q", c.Version.Mask)
	}
	if c := parse(t, "[log]\nrotate_every = \"24h\"\n"); c.Log.RotateEvery != 24*time.Hour {
		t.Errorf("a day is %s", c.Log.RotateEvery)
	}
	if c, err := Parse("", nil, []string{"POOLSCOPE_LOG_KEEP_FOR=", "POOLSCOPE_LOG_ROTATE_EVERY=0"}); err != nil || c.Log.KeepFor != 0 {
		t.Errorf("by variable: %v", err)
	}
}

func TestCertificateThatDoesNotFit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Parse("c.toml", []byte("[stratum]\ncert_file = \""+file+"\"\nkey_file = \""+file+"\"\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "c.toml:2:1: stratum.cert_file: cannot be used with stratum.key_file") {
		t.Errorf("error %v", err)
	}
}

// TestMissingKeysHaveAPlace: what is not in the file is missed where it would
// stand, or where the reason for it is.
func TestMissingKeysHaveAPlace(t *testing.T) {
	_, err := Parse("c.toml", []byte(`[payout]
  fee_percent = 1
[[node]]
url = "http://a:1"
[[node]]
url = "http://a:1"
password = "hunter2"
[[listener]]
name = "x"
[[listener]]
difficulty_start = 5
`), nil)
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error is %v", err)
	}
	want := []string{
		"c.toml:2:3: payout.fee_address: must be",
		`c.toml:6:1: node.2.name: "a:1" is also`,
		"c.toml:7:1: node.2.user: must not be empty",
		`c.toml:8:3: listener.1.listen: "" must be`,
		`c.toml:10:3: listener.2.listen: "" must be`,
	}
	for i, p := range invalid.Problems {
		if i >= len(want) || !strings.HasPrefix(p.String(), want[i]) {
			t.Errorf("problem %d: %s", i+1, p)
		}
	}
	if len(invalid.Problems) != len(want) {
		t.Errorf("%d problems, want %d", len(invalid.Problems), len(want))
	}
}
