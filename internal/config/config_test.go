package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"
)

func TestDefaultsAreValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestProblemsAreReportedAllAtOnceWithKeyAndLine(t *testing.T) {
	tests := []struct {
		name string
		file string
		want []string
	}{
		{
			name: "unknown keys and sections",
			file: "colour = \"red\"\n\n[http]\nlistne = \"127.0.0.1:1\"\n\n[htpp]\nlisten = \"127.0.0.1:1\"\n",
			want: []string{
				`c.toml:1: colour: unknown key`,
				`c.toml:4: http.listne: unknown key, did you mean "listen"?`,
				`c.toml:6: htpp: unknown key, did you mean "http"?`,
			},
		},
		{
			name: "wrong types",
			file: "data_dir = 7\nhttp = 3\nnode = \"x\"\n[stratum]\nlisten = \":3333\"\nmax_connections = 1.5\n[difficulty]\nvardiff = \"yes\"\nstart = \"hard\"\n",
			want: []string{
				`c.toml:1: data_dir: must be a text in quotes`,
				`c.toml:2: http: must be a section, [http]`,
				`c.toml:3: node: must be a repeated section, [[node]] with two brackets`,
				`c.toml:5: stratum.listen: must be a list of texts such as ["a", "b"]`,
				`c.toml:6: stratum.max_connections: must be a whole number`,
				`c.toml:8: difficulty.vardiff: must be true or false`,
				`c.toml:9: difficulty.start: must be a number`,
			},
		},
		{
			name: "the second of two nodes, in every spelling",
			file: "[[node]]\nurl = \"http://a:1\"\n[[node]]\nurl = \"http://b:1\"\n# a comment\npasword = \"p\"\n",
			want: []string{`c.toml:6: node.2.pasword: unknown key, did you mean "password"?`},
		},
		{
			name: "inline tables",
			file: "node = [\n  { url = \"http://a:1\" },\n  { url = \"http://b:1\",\n    usr = \"u\" },\n]\n",
			want: []string{`c.toml:4: node.2.usr: unknown key, did you mean "user"?`},
		},
		{
			name: "dotted keys",
			file: "log.level = \"loud\"\nhttp.lisen = \"\"\n",
			want: []string{
				`c.toml:1: log.level: "loud" must be debug, info, warn or error`,
				`c.toml:2: http.lisen: unknown key, did you mean "listen"?`,
			},
		},
		{
			name: "a single-bracket node",
			file: "[node]\nurl = \"http://a:1\"\n",
			want: []string{`c.toml:1: node: must be a repeated section, [[node]] with two brackets`},
		},
		{
			name: "syntax",
			file: "data_dir = \"x\"\n[http\n",
			want: []string{`c.toml:2: toml: `},
		},
		{
			name: "listen addresses",
			file: "[http]\nlisten = \"8000\"\n[stratum]\nlisten = [\":3333\", \":99999\"]\ntls_listen = [\":3333\"]\n",
			want: []string{
				`c.toml:2: http.listen: "8000" must be host:port`,
				`c.toml:4: stratum.listen: ":99999" has no port between 0 and 65535`,
				`c.toml:5: stratum.tls_listen: :3333 is already used by stratum.listen`,
			},
		},
		{
			name: "nobody could connect",
			file: "[stratum]\nlisten = []\ntls_listen = []\nkey_file = \"k.pem\"\nmax_connections = 0\nmax_connections_per_address = -1\n",
			want: []string{
				`c.toml:2: stratum.listen: miners need at least one address`,
				`c.toml:4: stratum.key_file: needs stratum.cert_file`,
				`c.toml:5: stratum.max_connections: must be at least 1`,
				`c.toml:6: stratum.max_connections_per_address: must be 0`,
			},
		},
		{
			name: "difficulty",
			file: "[difficulty]\nstart = 5\nmin = 10\nmax = 7\nshares_per_minute = 0\n",
			want: []string{
				`c.toml:2: difficulty.start: 5 is below difficulty.min, 10`,
				`c.toml:4: difficulty.max: 7 is below difficulty.min, 10`,
				`c.toml:5: difficulty.shares_per_minute: must be above 0`,
			},
		},
		{
			name: "listeners",
			file: "[[listener]]\nlisten = \":3333\"\ndifficulty_min = 0.00001\n" +
				"[[listener]]\nname = \"large\"\nlisten = \"4444\"\ndifficulty_start = 5\ndifficulty_min = 10\ndifficulty_max = -1\nmax_connections = -1\n" +
				"[[listener]]\nname = \"large\"\nlisten = \":5555\"\nproxy_protocol = true\ndifficulty_start = 5\ndifficulty_min = 10\n" +
				"[[listener]]\nlisten = \":6666\"\ntrusted_proxies = [\"10.0.0.0/8\", \"the proxy\"]\ndifficulty_max = 0.00001\n",
			want: []string{
				`c.toml:2: listener.1.listen: :3333 is already used by stratum.listen`,
				`c.toml:6: listener.2.listen: "4444" must be host:port`,
				`c.toml:9: listener.2.difficulty_max: must be 0 (as in [difficulty]) or more`,
				`c.toml:10: listener.2.max_connections: must be 0 (no limit) or more`,
				`c.toml:12: listener.3.name: "large" is also the name of listener.2`,
				`c.toml:14: listener.3.proxy_protocol: needs trusted_proxies`,
				`c.toml:15: listener.3.difficulty_start: 5 is below the easiest difficulty here, 10`,
				`c.toml:19: listener.4.trusted_proxies: "the proxy" must be an address or a network`,
				`c.toml:19: listener.4.trusted_proxies: means nothing`,
				`c.toml:20: listener.4.difficulty_max: the hardest difficulty here, 1e-05, is below the easiest, 0.0001`,
			},
		},
		{
			name: "abuse",
			file: "[abuse]\nstrike_limit = -1\nban_after = -1\nban_time = \"2h\"\nmax_ban_time = \"1h\"\nconnect_burst = 5\nconnects_per_second = 0\nmax_unauthorized_per_address = -5\ntrusted = [\"10.0.0.1\", \"2001:db8::/32\", \"friends\", \"10.0.0.0/33\"]\n",
			want: []string{
				`c.toml:2: abuse.strike_limit: must be 0 (off) or more`,
				`c.toml:3: abuse.ban_after: must be 0 (off) or more`,
				`c.toml:5: abuse.max_ban_time: 1h0m0s is below abuse.ban_time, 2h0m0s`,
				`c.toml:7: abuse.connects_per_second: 0 would shut an address out`,
				`c.toml:8: abuse.max_unauthorized_per_address: must be 0 (off) or more`,
				`c.toml:9: abuse.trusted: "friends" must be an address or a network`,
				`c.toml:9: abuse.trusted: "10.0.0.0/33" must be an address or a network`,
			},
		},
		{
			name: "abuse switched off",
			file: "[abuse]\nstrike_limit = 0\nban_after = 0\nban_time = \"0s\"\nmax_ban_time = \"0s\"\nconnect_burst = 0\nconnects_per_second = 0\nmax_unauthorized_per_address = 0\n[log]\nformat = \"xml\"\n",
			want: []string{`c.toml:10: log.format`},
		},
		{
			name: "nodes",
			file: "[[node]]\nname = \"a\"\nurl = \"ftp://a:1\"\ncookie_file = \"c\"\nuser = \"u\"\n" +
				"[[node]]\nname = \"a\"\nurl = \"http://u:hunter2@b:1\"\nzmq_hashblock = \"127.0.0.1:28332\"\n",
			want: []string{
				`c.toml:3: node.1.url: must be like "http://host:port"`,
				`c.toml:4: node.1.cookie_file: use either the cookie file or user and password`,
				`c.toml:7: node.2.name: "a" is also the name of node.1`,
				`c.toml:8: node.2.url: must not hold user and password`,
				`c.toml:9: node.2.zmq_hashblock: "127.0.0.1:28332" must be like "tcp://127.0.0.1:28332"`,
			},
		},
		{
			name: "no node at all",
			file: "node = []\n",
			want: []string{`node: the pool needs at least one [[node]]`},
		},
		{
			name: "payouts",
			file: "[network]\nchain = \"main\"\n[payout]\nfee_percent = 100\nfee_address = \"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5\"\ndonation_percent = 1\ndonation_address = \"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx\"\n",
			want: []string{
				`c.toml:4: payout.fee_percent: 100 must be at least 0 and below 100`,
				`c.toml:5: payout.fee_address: invalid address`,
				`c.toml:7: payout.donation_address: address of another network`,
			},
		},
		{
			name: "a fee for nobody",
			file: "[payout]\nfee_percent = 0.5\n",
			want: []string{`c.toml:2: payout.fee_address: must be a Bitcoin address, since payout.fee_percent is above 0`},
		},
		{
			name: "a part of nothing",
			file: "[payout]\ndonation_percent = 5\ndonation_address = \"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"\n",
			want: []string{`c.toml:2: payout.donation_percent: is a part of the fee, and payout.fee_percent is 0`},
		},
		{
			name: "the rest",
			file: "data_dir = \"\"\n[network]\nchain = \"bitcoin\"\ngenesis = \"00\"\n[coinbase]\ntag = \"⛏\"\nmax_size = 10\n[version]\nmask = \"1fffe00\"\n[log]\nformat = \"xml\"\n",
			want: []string{
				`c.toml:1: data_dir: must not be empty`,
				`c.toml:3: network.chain: "bitcoin" must be main, test, testnet4, signet or regtest, or empty`,
				`c.toml:4: network.genesis: must be a block hash of 64 hex digits`,
				`c.toml:6: coinbase.tag: must be plain ASCII text`,
				`c.toml:7: coinbase.max_size: 10 must be between`,
				`c.toml:9: version.mask: "1fffe00" must be 8 hex digits`,
				`c.toml:11: log.format: "xml" must be text or json`,
			},
		},
		{
			name: "a tag that does not fit",
			file: "[coinbase]\ntag = \"" + strings.Repeat("x", 77) + "\"\n",
			want: []string{`c.toml:2: coinbase.tag: has 77 characters; the most that fit are 76`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c.toml", []byte(tt.file), nil)
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error is %v, want ErrInvalid", err)
			}
			var invalid *InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("error is a %T, want *InvalidError", err)
			}
			for i, p := range invalid.Problems {
				if p.Line > 0 && p.Column == 0 {
					t.Errorf("no column in %s", p)
				}
				p.Column = 0
				if i >= len(tt.want) {
					t.Errorf("one too many: %s", p)
				} else if !strings.HasPrefix(p.String(), tt.want[i]) {
					t.Errorf("problem %d:\n got %s\nwant %s…", i+1, p, tt.want[i])
				}
			}
			if len(invalid.Problems) < len(tt.want) {
				t.Errorf("%d problems, want %d:\n%v", len(invalid.Problems), len(tt.want), err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is in the message: %v", err)
			}
		})
	}
}

func TestAcceptedSpellings(t *testing.T) {
	got, err := Parse("c.toml", []byte(`
difficulty = { start = 2, min = 1, shares_per_minute = 20 } # integers for floats
stratum.listen = ["127.0.0.1:0", "[::1]:0"]

[[node]]
url = "http://[::1]:18443/wallet/x"
cookie_file = "/x/.cookie"
zmq_hashblock = "ipc:///run/hashblock"

[[node]]
name = "second"
url = "https://node.example"
user = "u"
password = "p"

[payout]
fee_percent = 1.5
fee_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
`), nil)
	if err != nil {
		t.Fatal(err)
	}

	want := Default()
	want.Difficulty = Difficulty{Start: 2, Min: 1, SharesPerMinute: 20, Vardiff: true}
	want.Stratum.Listen = []string{"127.0.0.1:0", "[::1]:0"}
	want.Nodes = []Node{
		{Name: "[::1]:18443", URL: "http://[::1]:18443/wallet/x", CookieFile: "/x/.cookie", ZMQHashBlock: "ipc:///run/hashblock"},
		{Name: "second", URL: "https://node.example", User: "u", Password: NewSecret("p")},
	}
	want.Payout = Payout{FeePercent: 1.5, FeeAddress: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), sameSecret); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLayersWinInOrder(t *testing.T) {
	file := []byte("[http]\nlisten = \"127.0.0.1:1\"\n[stratum]\nlisten = [\":1\"]\n[difficulty]\nstart = 1\n")
	environ := []string{
		"POOLSCOPE_HTTP_LISTEN=127.0.0.1:2",
		"POOLSCOPE_STRATUM_LISTEN=127.0.0.1:2, [::1]:2",
		"POOLSCOPE_STRATUM_MAX_CONNECTIONS_PER_ADDRESS=9",
		"POOLSCOPE_DIFFICULTY_VARDIFF=false",
		"POOLSCOPE_DATA_DIR=/from/env",
		"POOLSCOPE_NODE_URL=http://first:1",
		"POOLSCOPE_NODE_2_URL=http://second:1",
		"POOLSCOPE_NODE_2_COOKIE_FILE=/c",
		"POOLSCOPE_SERVICE_HOST=10.0.0.1", // made up by a container platform
		"POOLSCOPE_NODE_3_NONSENSE=1",
		"PATH=/bin",
	}
	got, err := Parse("c.toml", file, environ, Flag{Name: "--http", Key: "http.listen", Value: "127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}

	want := Default()
	want.DataDir = "/from/env"
	want.HTTP.Listen = "127.0.0.1:3"
	want.Stratum.Listen = []string{"127.0.0.1:2", "[::1]:2"}
	want.Stratum.MaxConnectionsPerAddress = 9
	want.Difficulty.Start = 1
	want.Difficulty.Vardiff = false
	want.Nodes = []Node{
		{Name: "first:1", URL: "http://first:1"},
		{Name: "second:1", URL: "http://second:1", CookieFile: "/c"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), sameSecret); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	origins := map[string]string{
		"http.listen":      "flag --http",
		"stratum.listen":   "env POOLSCOPE_STRATUM_LISTEN",
		"difficulty.start": "file c.toml:6",
		"difficulty.min":   "default",
	}
	for key, want := range origins {
		if got := got.OriginOf(key).String(); got != want {
			t.Errorf("origin of %s is %q, want %q", key, got, want)
		}
	}
	if got := got.DatabasePath(); got != "/from/env/poolscope.db" {
		t.Errorf("database at %s", got)
	}

	if w := got.Warnings(); len(w) != 2 || !strings.Contains(w[0], "NODE_3_NONSENSE") || !strings.Contains(w[1], "SERVICE_HOST") {
		t.Errorf("warnings: %q", w)
	}
}

func TestProblemsNameTheirVariableOrFlag(t *testing.T) {
	_, err := Parse("", nil,
		[]string{"POOLSCOPE_DIFFICULTY_START=hunter2", "POOLSCOPE_LOG_LEVEL=loud"},
		Flag{Name: "--http", Key: "http.listen", Value: "nowhere"},
		Flag{Name: "--bad", Key: "no.such", Value: "x"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"POOLSCOPE_DIFFICULTY_START: difficulty.start: must be a number\n",
		`POOLSCOPE_LOG_LEVEL: log.level: "loud" must be`,
		`--http: http.listen: "nowhere" must be host:port`,
		`--bad: no.such: unknown configuration key "no.such"`,
	} {
		if !strings.Contains(err.Error()+"\n", want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("the message repeats a value that could not be parsed; it might be a secret")
	}
}

func TestEveryKeyHasItsVariable(t *testing.T) {
	seen := make(map[string]string)
	c := Default()
	for _, f := range c.fields() {
		name := Variable(f.key)
		if other, ok := seen[name]; ok {
			t.Errorf("%s is the variable of both %s and %s", name, other, f.key)
		}
		seen[name] = f.key
		if key, ok := c.keyOfVariable(name); !ok || key != f.key {
			t.Errorf("%s sets %q, want %q", name, key, f.key)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	token, password := filepath.Join(dir, "token"), filepath.Join(dir, "password")
	write(t, token, "t0ken\n")
	write(t, password, "pass word\r\n")

	c, err := Parse("c.toml", fmt.Appendf(nil, "[http]\ntoken_file = %q\n[[node]]\nurl = \"http://a:1\"\nuser = \"u\"\npassword_file = %q\n", token, password), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Token.Reveal() != "t0ken" || c.Nodes[0].Password.Reveal() != "pass word" {
		t.Errorf("token %q, password %q", c.HTTP.Token.Reveal(), c.Nodes[0].Password.Reveal())
	}

	// What is no file with a secret is neither read for ever nor into memory.
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "is no regular file", os.DevNull: "is no regular file", large: "has more than 65536 bytes"} {
		if _, err := Parse("c.toml", fmt.Appendf(nil, "[http]\ntoken_file = %q\n", path), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	_, err = Parse("c.toml", fmt.Appendf(nil, "[http]\ntoken = \"a\"\ntoken_file = %q\n[[node]]\nurl = \"http://a:1\"\nuser = \"u\"\npassword_file = %q\n", token, filepath.Join(dir, "missing")), nil)
	for _, want := range []string{"c.toml:3:1: http.token_file: the secret is given twice", "c.toml:7:1: node.1.password_file: cannot read the secret"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "poolscope.toml")
	if _, err := Load(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "config example") {
		t.Errorf("missing file: %v", err)
	}

	write(t, path, "[http]\nlisten = \"127.0.0.1:1\"\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:1" {
		t.Errorf("listens on %s", c.HTTP.Listen)
	}

	if _, err := Load(""); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func TestSecretsRedactThemselves(t *testing.T) {
	type holder struct {
		Password Secret `json:"password" toml:"password"`
	}
	h := holder{NewSecret("hunter2")}

	asJSON, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	asTOML, err := toml.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "secret", h.Password, "holder", h)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "secret", h.Password, "holder", h)

	for name, shown := range map[string]string{
		"%v": fmt.Sprintf("%v", h), "%+v": fmt.Sprintf("%+v", h), "%#v": fmt.Sprintf("%#v", h), "%s": fmt.Sprintf("%s", h), "%q": fmt.Sprintf("%q", h.Password),
		"json": string(asJSON), "toml": string(asTOML), "slog": logged.String(),
	} {
		if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "redacted") {
			t.Errorf("%s shows %s", name, shown)
		}
	}
	if h.Password.Reveal() != "hunter2" {
		t.Error("Reveal does not reveal")
	}
	if (Secret{}).String() != "" {
		t.Error("an empty secret looks set")
	}
}

func TestPrintIsTheConfigurationWithoutItsSecrets(t *testing.T) {
	file := "data_dir = \"a \\\"b\\\" \\\\ \\u0001\"\n[[node]]\nurl = \"http://a:1\"\nuser = \"u\"\npassword = \"hunter2\"\n[[node]]\nurl = \"http://b:1\"\n"
	c, err := Parse("c.toml", []byte(file), []string{"POOLSCOPE_HTTP_TOKEN=hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}

	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	for _, want := range []string{"# env POOLSCOPE_HTTP_TOKEN", "# file c.toml:3", "# default", "[[node]]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}

	again, err := Parse("printed", out.Bytes(), nil)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, out.String())
	}
	if diff := cmp.Diff(c, again, cmpopts.IgnoreUnexported(Config{}),
		cmpopts.EquateEmpty(), cmp.Comparer(func(a, b Secret) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("printed and parsed again (-before +after):\n%s", diff)
	}
}

func TestValuesOfEveryKind(t *testing.T) {
	var kinds struct {
		Text     string        `toml:"text"`
		Wait     time.Duration `toml:"wait"`
		Fraction float64       `toml:"fraction"`
		List     []string      `toml:"list"`
	}
	d := fileDecoder{name: "f", origins: make(map[string]Origin)}
	var document map[string]any
	if err := toml.Unmarshal([]byte("wait = \"1m30s\"\nfraction = 3\nlist = []\n"), &document); err != nil {
		t.Fatal(err)
	}
	d.table("", document, reflect.ValueOf(&kinds).Elem())
	if len(d.problems) > 0 || kinds.Wait != 90*time.Second || kinds.Fraction != 3 || kinds.List == nil {
		t.Errorf("%v, problems %v", kinds, d.problems)
	}
	for _, bad := range []string{"wait = 30", "wait = \"soon\"", "fraction = inf", "fraction = nan", "list = [1]", "text = 1979-05-27"} {
		d, document := fileDecoder{origins: make(map[string]Origin)}, map[string]any(nil)
		if err := toml.Unmarshal([]byte(bad), &document); err != nil {
			t.Fatal(err)
		}
		d.table("", document, reflect.ValueOf(&kinds).Elem())
		if len(d.problems) != 1 {
			t.Errorf("%s: problems %v, want one", bad, d.problems)
		}
	}
}

// FuzzParse holds that no file makes the parser panic, and that a complaint
// about a file always has a message.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte("node = [ { url = \"x\" }, 3 ]\n[[node]]\n"))
	f.Add([]byte("[a.b]\nc.d = { e.f = [ [ {} ] ] }\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data, nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
		var invalid *InvalidError
		if err != nil && (!errors.As(err, &invalid) || len(invalid.Problems) == 0 || invalid.Problems[0].Message == "") {
			t.Fatalf("error without a problem: %v", err)
		}
	})
}

// sameSecret lets go-cmp compare what it cannot see.
var sameSecret = cmp.Comparer(func(a, b Secret) bool { return a == b })

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
