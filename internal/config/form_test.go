package config

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestDocsAreTheComments: what the program shows at run time is what the source
// says.
func TestDocsAreTheComments(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	comments := make(map[string]string)
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(comments, fieldDocs(source))
	}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Tag.Get("toml") == "" {
				continue
			}
			key := joinKey(path, f.Tag.Get("toml"))
			if want := comments[typ.Name()+"."+f.Name]; Doc(key) != want {
				t.Errorf("%s: %q, the comment is %q", key, Doc(key), want)
			}
			switch {
			case isTable(f.Type):
				walk(key, f.Type)
			case isTables(f.Type):
				walk(key, f.Type.Elem())
			}
		}
	}
	walk("", reflect.TypeFor[Config]())
}

// TestFormHasEveryKey: each once, with its words, and its default as the example
// has it.
func TestFormHasEveryKey(t *testing.T) {
	seen := make(map[string]int)
	for _, section := range Form(Default(), ReadValues("", nil)) {
		if section.Doc == "" && section.Name != "" {
			t.Errorf("section %s has no words", section.Name)
		}
		for _, k := range section.Keys {
			seen[strings.ReplaceAll(k.Key, ".*.", ".")]++
			if k.Doc == "" || k.Kind == "" {
				t.Errorf("%+v", k)
			}
			if _, err := json.Marshal(k); err != nil {
				t.Errorf("%s: %v", k.Key, err)
			}
		}
	}
	for _, key := range Keys() {
		if seen[key.Name] != 1 {
			t.Errorf("%s is %d times in the form", key.Name, seen[key.Name])
		}
	}
	if len(seen) != len(Keys()) {
		t.Errorf("%d keys in the form of %d", len(seen), len(Keys()))
	}
}

// find is a key of a form.
func find(t *testing.T, form []FormSection, key string) FormKey {
	t.Helper()
	for _, s := range form {
		for _, list := range append(s.Entries, s.Keys) {
			for _, k := range list {
				if k.Key == key {
					return k
				}
			}
		}
	}
	t.Fatalf("%s is not in the form", key)
	return FormKey{}
}

func TestFormSaysWhereValuesAreFrom(t *testing.T) {
	file := []byte("[http]\ntoken = \"hunter2\"\n[log]\nlevel = \"debug\"\n[difficulty]\nstart = 5\n[stratum]\nlisten = [\":1\"]\n[abuse]\nban_time = \"1h\"\n[[node]]\nurl = \"http://a:1\"\n[[node]]\nurl = \"http://b:1\"\n")
	c, err := Parse("c.toml", file, []string{"POOLSCOPE_LOG_LEVEL=warn", "POOLSCOPE_NODE_3_URL=http://c:1"}, Flag{Name: "--stratum", Key: "stratum.listen", Value: ":2"})
	if err != nil {
		t.Fatal(err)
	}
	c.Difficulty.Start = 4 // as if it waited for a reload
	form := Form(c, ReadValues("c.toml", file))
	if k := find(t, form, "log.level"); k.Value != "warn" || k.File != "debug" || k.Default != "info" || k.Kind != KindChoice || len(k.Choices) != 4 || !k.Live ||
		k.Origin.Kind != "env" || k.Origin.Source != "POOLSCOPE_LOG_LEVEL" {
		t.Errorf("%+v", k)
	}
	if k := find(t, form, "stratum.listen"); !reflect.DeepEqual(k.Value, []string{":2"}) || !reflect.DeepEqual(k.File, []string{":1"}) || k.Origin.Kind != "flag" || k.Live || !k.Dangerous {
		t.Errorf("%+v", k)
	}
	if k := find(t, form, "difficulty.start"); k.Value != 4.0 || k.File != 5.0 || k.Origin.Line != 6 {
		t.Errorf("%+v", k)
	}
	if k := find(t, form, "abuse.ban_time"); k.Value != "1h" || k.Default != "15m" || k.Kind != KindDuration {
		t.Errorf("%+v", k)
	}
	if k := find(t, form, "http.token"); k.Value != nil || k.File != nil || k.Default != nil || !k.Set || !k.InFile || k.Kind != KindSecret || !k.Dangerous {
		t.Errorf("%+v", k)
	}
	if k := find(t, form, "node.2.url"); k.Value != "http://b:1" || k.File != "http://b:1" || k.Default != "" {
		t.Errorf("%+v", k)
	}
	if k := find(t, form, "node.3.url"); k.Value != "http://c:1" || k.InFile || k.Origin.Kind != "env" {
		t.Errorf("%+v", k)
	}
	text, err := json.Marshal(form)
	if err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("a secret is in the form, or %v", err)
	}

	// Without any [[node]], the default one is in force and none in the file.
	form = Form(Default(), ReadValues("", nil))
	if k := find(t, form, "node.1.url"); k.Value != "http://127.0.0.1:8332" || k.InFile {
		t.Errorf("%+v", k)
	}
}

// TestLimitsAreTheValidators: what the form says of limits and choices is what
// the check says.
func TestLimitsAreTheValidators(t *testing.T) {
	base := func() *Config {
		c := Default()
		c.Listeners = []Listener{{Listen: ":9999"}}
		c.OIDC = []OIDC{{ID: "corp", Issuer: "https://login.example", ClientID: "poolscope"}}
		c.Alerts.SMTPHost, c.Alerts.SMTPFrom = "mail.example", "pool@example.org"
		return c
	}
	complains := func(plain string, value any) bool {
		c := base()
		for _, f := range c.fields() {
			if withoutNumbers(f.key) != plain {
				continue
			}
			v := reflect.ValueOf(value)
			f.value.Set(v.Convert(f.value.Type()))
			for _, p := range c.problems() {
				if p.Key == f.key {
					return true
				}
			}
			return false
		}
		t.Fatalf("there is no %s", plain)
		return false
	}
	for key, list := range choices {
		for _, choice := range list {
			if complains(key, choice) {
				t.Errorf("%s: %v is refused", key, choice)
			}
		}
		wrong := any("something else")
		if _, number := list[0].(int); number {
			wrong = 77
		}
		if !complains(key, wrong) {
			t.Errorf("%s: %v is taken", key, wrong)
		}
	}
	for key, l := range limits {
		for _, at := range []struct{ edge, beyond float64 }{{l.min, l.min - 1}, {l.max, l.max + 1}} {
			if math.IsInf(at.edge, 0) {
				continue
			}
			// Some are refused for what the other keys are here.
			together := key == "payout.donation_percent" || key == "abuse.connects_per_second" || key == "coinbase.max_size" || strings.HasPrefix(key, "fleet.")
			if complains(key, at.edge) && !together {
				t.Errorf("%s: %v is refused", key, at.edge)
			}
			if !complains(key, at.beyond) {
				t.Errorf("%s: %v is taken", key, at.beyond)
			}
		}
	}
}

func TestDangerousKeysExist(t *testing.T) {
	for _, begin := range dangerous {
		found := false
		for key := range keyTypes() {
			found = found || strings.HasPrefix(key, begin)
		}
		if !found {
			t.Errorf("no key begins with %s", begin)
		}
	}
}

func TestParseSet(t *testing.T) {
	for _, c := range []struct {
		key, value string
		want       any
	}{
		{"http.listen", `":1"`, ":1"}, {"http.listen", `null`, nil}, {"http.token", `"x"`, NewSecret("x")}, {"difficulty.start", `1.5`, 1.5}, {"difficulty.start", `2`, 2.0},
		{"stratum.max_connections", `7`, 7}, {"difficulty.vardiff", `false`, false}, {"abuse.ban_time", `"90s"`, 90 * time.Second}, {"log.keep_for", `""`, time.Duration(0)},
		{"stratum.listen", `[":1",""]`, []string{":1", ""}}, {"stratum.listen", `[]`, []string{}}, {"node.2.url", `"u"`, "u"}, {"node.1", ` null `, nil}, {"data_dir", `"d"`, "d"},
	} {
		got, err := ParseSet(c.key, json.RawMessage(c.value))
		if err != nil || got.Key != c.key || !reflect.DeepEqual(got.Value, c.want) {
			t.Errorf("%s %s: %+v, %v", c.key, c.value, got, err)
		}
	}
	for _, c := range [][2]string{
		{"http.listen", `7`}, {"http.token", `["hunter2"]`}, {"difficulty.start", `"hunter2"`}, {"difficulty.start", `1e999`}, {"stratum.max_connections", `1.5`}, {"stratum.max_connections", `1e99`},
		{"difficulty.vardiff", `"yes"`}, {"abuse.ban_time", `15`}, {"abuse.ban_time", `"a while"`}, {"stratum.listen", `":1"`}, {"stratum.listen", `[1]`}, {"node.1", `{}`}, {"data_dir", `{}`},
	} {
		if got, err := ParseSet(c[0], json.RawMessage(c[1])); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s %s: %+v, %v", c[0], c[1], got, err)
		}
	}
	for _, key := range []string{"", "http", "http.listne", "http.1.listen", "node.url", "node.x.url", "node.0.url", "http.1", "http.listen.x", "origins", "node.*.url", "node.1.1.url", "1", "listener", "node.1.http.listen"} {
		for _, value := range []string{`null`, `"x"`} {
			if got, err := ParseSet(key, json.RawMessage(value)); !errors.Is(err, ErrUnknownKey) {
				t.Errorf("%q: %+v, %v", key, got, err)
			}
		}
	}
}

func TestRedact(t *testing.T) {
	got := string(Redact([]byte(`[http]
token = "hunter2" # token = "hunter3"
token_file = "kept"
# token: hunter4
#password='hunter5'
[[node]]
password = """hunter6
[x]"""
url = "kept"
passwrod = 'hunter7'
[price]
feed = "https://prices.example/?key=hunter10"
[log]
level = "kept" # http://u:hunter9@host
[oops]
x = {a = "hunter8"}
`), []string{"node.1.password"}))
	if strings.Contains(got, "hunter") || strings.Count(got, "kept") != 3 || !strings.Contains(got, `password = "[redacted, changed]"`) || !strings.Contains(got, "token = \"[redacted]\"") {
		t.Errorf("%s", got)
	}
	if got := Redact([]byte("password = hunter2"), nil); got != nil {
		t.Errorf("%s", got)
	}
}

// FuzzParseSet: whatever a request says is a change that Edit can make, or an
// error without the value.
func FuzzParseSet(f *testing.F) {
	for _, key := range []string{"http.listen", "node.1.url", "node.2", "difficulty.start", "abuse.ban_time", "stratum.listen", "log.compress", "listener.1.tls"} {
		for _, value := range []string{`null`, `"x"`, `1`, `1e3`, `true`, `["a"]`, `"5m"`, `{}`, ` "\u0000\ud800" `} {
			f.Add(key, value)
		}
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		if !json.Valid([]byte(value)) {
			return // json.RawMessage of a decoded request is valid
		}
		set, err := ParseSet(key, json.RawMessage(value))
		if err != nil {
			if !errors.Is(err, ErrUnknownKey) && len(value) > 12 && strings.Contains(err.Error(), value) {
				t.Errorf("the error has the value: %v", err)
			}
			return
		}
		edited, err := Edit([]byte("[[node]]\nurl = 'x'\n"), []Set{set})
		if err != nil && !errors.Is(err, ErrEdit) {
			t.Errorf("%q %s: %v", key, value, err)
		}
		if err == nil && set.Value != nil {
			again, err := Edit(edited, []Set{set})
			if err != nil || string(again) != string(edited) {
				t.Errorf("%q %s: once more %v\n%q\n%q", key, value, err, edited, again)
			}
		}
	})
}
