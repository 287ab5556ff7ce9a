package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// contract is one endpoint as the public contract describes it. The files in
// testdata/contract were written from the contract's text, not from the code.
type contract struct {
	Path           string `json:"path"`
	RefreshSeconds int    `json:"refresh_seconds"`
	Response       schema `json:"response"`
}

// schema is the shape of a JSON value.
type schema struct {
	Type     string            `json:"type"` // object, array, string, rfc3339, integer, number, boolean
	Optional bool              `json:"optional"`
	Fields   map[string]schema `json:"fields"` // of an object
	Items    *schema           `json:"items"`  // of an array
	Enum     []string          `json:"enum"`   // of a string
}

func loadContracts(t *testing.T) []contract {
	t.Helper()
	files, err := filepath.Glob("testdata/contract/*.json")
	if err != nil || len(files) != 6 {
		t.Fatalf("contract files: %v, %v; want 6", files, err)
	}
	var all []contract
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c contract
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, c)
	}
	return all
}

// check returns what is wrong with v, each problem with its place.
func (s schema) check(path string, v any) []string {
	bad := func(format string, args ...any) []string {
		return []string{path + ": " + fmt.Sprintf(format, args...)}
	}
	switch s.Type {
	case "object":
		o, ok := v.(map[string]any)
		if !ok {
			return bad("is %T, want an object", v)
		}
		var all []string
		for name, field := range s.Fields {
			value, there := o[name]
			switch {
			case there:
				all = append(all, field.check(path+"."+name, value)...)
			case !field.Optional:
				all = append(all, bad("lacks %s", name)...)
			}
		}
		for name := range o {
			if _, known := s.Fields[name]; !known {
				all = append(all, bad("has %s, which is not in the contract", name)...)
			}
		}
		slices.Sort(all)
		return all
	case "array":
		a, ok := v.([]any)
		if !ok {
			return bad("is %T, want an array", v)
		}
		var all []string
		for i, item := range a {
			all = append(all, s.Items.check(fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return all
	case "boolean":
		if _, ok := v.(bool); !ok {
			return bad("is %T, want a boolean", v)
		}
	case "integer", "number":
		n, ok := v.(json.Number)
		if !ok {
			return bad("is %T, want a number", v)
		}
		if s.Type == "integer" && strings.ContainsAny(n.String(), ".eE") {
			return bad("is %s, want an integer", n)
		}
	case "string", "rfc3339":
		text, ok := v.(string)
		if !ok {
			return bad("is %T, want a string", v)
		}
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			return bad("is %q, want one of %q", text, s.Enum)
		}
		if s.Type == "rfc3339" {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return bad("is %q, want RFC 3339", text)
			}
			if at.Year() < 2009 || !strings.HasSuffix(text, "Z") {
				return bad("is %q, want a real time in UTC", text)
			}
		}
	default:
		return bad("schema has the unknown type %q", s.Type)
	}
	return nil
}

func decode(t *testing.T, body []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	return v
}

// TestContract checks every endpoint of the contract with data in every field,
// with parts that have seen nothing, and with nothing ready.
func TestContract(t *testing.T) {
	crowd := full()
	snap := *crowd.snapshot.Load()
	snap.Workers = manyWorkers(1000)
	for range 120 {
		snap.Blocks = append(snap.Blocks, snap.Blocks[0])
	}
	crowd.snapshot.Store(&snap)

	situations := []struct {
		name   string
		models *models
	}{{"full", full()}, {"crowd", crowd}, {"empty", empty()}, {"nothing ready", &models{}}, {"no sources", nil}}
	for _, c := range loadContracts(t) {
		targets := []string{c.Path}
		switch c.Path {
		case "/api/pool-hashrate":
			targets = append(targets, c.Path+"?include_history=1")
		case "/api/blocks":
			targets = append(targets, c.Path+"?limit=1", c.Path+"?limit=100")
		}
		for _, sit := range situations {
			for _, target := range targets {
				t.Run(target+" "+sit.name, func(t *testing.T) {
					s, _ := newTestServer(t, sit.models, Config{})
					w := get(t, s, target)
					if w.Code != http.StatusOK {
						t.Fatalf("status %d: %s", w.Code, w.Body)
					}
					for _, problem := range c.Response.check("response", decode(t, w.Body.Bytes())) {
						t.Error(problem)
					}
					if strings.Contains(w.Body.String(), "null") {
						t.Errorf("has a null: %s", w.Body)
					}
				})
			}
		}
	}
}

// TestContractFieldsUsed checks that the full fixture makes every field of the
// contract appear, so that TestContract has really seen its type.
func TestContractFieldsUsed(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	for _, c := range loadContracts(t) {
		body := get(t, s, c.Path+"?include_history=1").Body.Bytes()
		seen := map[string]bool{}
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for name, value := range v {
					seen[name] = true
					walk(value)
				}
			case []any:
				for _, item := range v {
					walk(item)
				}
			}
		}
		walk(decode(t, body))
		var want func(sc schema)
		want = func(sc schema) {
			for name, field := range sc.Fields {
				if !seen[name] {
					t.Errorf("%s: no %s in the response to full data", c.Path, name)
				}
				want(field)
			}
			if sc.Items != nil {
				want(*sc.Items)
			}
		}
		want(c.Response)
	}
}

// TestContractHeaders checks what every successful response carries, and the
// refresh periods.
func TestContractHeaders(t *testing.T) {
	for _, c := range loadContracts(t) {
		t.Run(c.Path, func(t *testing.T) {
			s, clock := newTestServer(t, full(), Config{})
			h := get(t, s, c.Path).Header()
			for name, want := range map[string]string{
				"Content-Type":          "application/json",
				"Cache-Control":         "no-cache, no-store, must-revalidate",
				"X-JSON-Updated-At":     "2026-01-31T19:55:02Z",
				"X-JSON-Next-Update-At": testNow.Add(time.Duration(c.RefreshSeconds) * time.Second).Format(time.RFC3339),
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}

			period := time.Duration(c.RefreshSeconds) * time.Second
			clock.advance(period - time.Nanosecond)
			if got := get(t, s, c.Path).Header().Get("X-JSON-Updated-At"); got != "2026-01-31T19:55:02Z" {
				t.Errorf("renewed before its period ended, at %s", got)
			}
			clock.advance(time.Nanosecond)
			if got, want := get(t, s, c.Path).Header().Get("X-JSON-Updated-At"), testNow.Add(period).Format(time.RFC3339); got != want {
				t.Errorf("after the period it is of %s, want %s", got, want)
			}
		})
	}
}

// TestSchemaChecker makes sure that the checker sees each kind of fault.
func TestSchemaChecker(t *testing.T) {
	var sc schema
	err := json.Unmarshal([]byte(`{"type":"object","fields":{
		"n":{"type":"integer"},"f":{"type":"number","optional":true},"s":{"type":"string","enum":["a","b"],"optional":true},
		"t":{"type":"rfc3339","optional":true},"l":{"type":"array","items":{"type":"boolean"},"optional":true}}}`), &sc)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"n":1,"f":1e3,"s":"a","t":"2026-01-31T19:55:02Z","l":[true]}`: "",
		`{}`:                                 "lacks n",
		`{"n":1.5}`:                          "want an integer",
		`{"n":"1"}`:                          "want a number",
		`{"n":null}`:                         "want a number",
		`{"n":1,"x":1}`:                      "not in the contract",
		`{"n":1,"f":true}`:                   "want a number",
		`{"n":1,"s":"c"}`:                    "want one of",
		`{"n":1,"t":"2026-01-31 19:55:02"}`:  "want RFC 3339",
		`{"n":1,"t":"0001-01-01T00:00:00Z"}`: "want a real time",
		`{"n":1,"t":"2026-01-31T19:55:02+02:00"}`: "want a real time",
		`{"n":1,"l":null}`:                        "want an array",
		`{"n":1,"l":[1]}`:                         "want a boolean",
		`[]`:                                      "want an object",
	} {
		got := strings.Join(sc.check("v", decode(t, []byte(body))), "; ")
		if want == "" && got != "" || want != "" && !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
