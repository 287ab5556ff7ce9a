package access_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/api/access"
)

func post(kind, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

func TestBodyText(t *testing.T) {
	const asJSON, form = "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct{ kind, body, want string }{
		{asJSON, `{"hash":"abc"}`, "abc"},
		{"application/json; charset=utf-8", `{"hash":" abc\n"}`, "abc"},
		{"Application/JSON", `{"hash":"abc"}`, "abc"},
		{"text/plain, application/json", `{"hash":"abc"}`, "abc"},
		{asJSON, `{"hash":5}`, ""},
		{asJSON, `{"hash":null}`, ""},
		{asJSON, `{"Hash":"abc"}`, ""},
		{asJSON, `{"hash":"abc"`, ""},
		{asJSON, `{"hash":"abc"} {}`, ""},
		{asJSON, `["hash"]`, ""},
		{asJSON, `null`, ""},
		{asJSON, ``, ""},
		{asJSON, `hash=abc`, ""},
		{form, `hash=abc`, "abc"},
		{form, `hash=+abc+`, "abc"},
		{form, `hash=%zz`, ""},
		{form, `{"hash":"abc"}`, ""},
		{"", `hash=abc`, "abc"},
		{"text/plain", `hash=abc&hash=def`, "abc"},
	} {
		b, ok := access.ReadBody(httptest.NewRecorder(), post(c.kind, c.body))
		if got := b.Text("hash"); !ok || got != c.want {
			t.Errorf("%q of %s is %q (%v), want %q", c.body, c.kind, got, ok, c.want)
		}
	}
}

func TestBodyBool(t *testing.T) {
	const asJSON, form = "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct {
		kind, body   string
		value, given bool
	}{
		{asJSON, `{"enabled":true}`, true, true},
		{asJSON, `{"enabled": false }`, false, true},
		{asJSON, `{"enabled":"true"}`, false, false},
		{asJSON, `{"enabled":1}`, false, false},
		{asJSON, `{"enabled":null}`, false, false},
		{asJSON, `{}`, false, false},
		{form, `enabled=1`, true, true},
		{form, `enabled=true`, true, true},
		{form, `enabled=ON`, true, true},
		{form, `enabled=yes`, true, true},
		{form, `enabled=0`, false, true},
		{form, `enabled=false`, false, true},
		{form, `enabled=Off`, false, true},
		{form, `enabled=no`, false, true},
		{form, `enabled=`, false, false},
		{form, `enabled=maybe`, false, false},
		{form, ``, false, false},
	} {
		b, _ := access.ReadBody(httptest.NewRecorder(), post(c.kind, c.body))
		if value, given := b.Bool("enabled"); value != c.value || given != c.given {
			t.Errorf("%q of %s is %v, %v", c.body, c.kind, value, given)
		}
	}
}

func TestBodyTooLarge(t *testing.T) {
	for name, read := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"contract": func(w http.ResponseWriter, r *http.Request) bool { _, ok := access.ReadBody(w, r); return ok },
		"JSON": func(w http.ResponseWriter, r *http.Request) bool {
			return access.ReadJSON(w, r, new(map[string]string))
		},
	} {
		w := httptest.NewRecorder()
		body := `{"hash":"` + strings.Repeat("a", access.MaxBody-len(`{"hash":""}`)) + `"}`
		if !read(w, post("application/json", body)) {
			t.Errorf("%s: %d bytes are refused with %d", name, len(body), w.Code)
		}
		if read(w, post("application/json", body+" ")) || w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d bytes are answered with %d", name, len(body)+1, w.Code)
		}
	}
}

func TestReadJSON(t *testing.T) {
	type order struct {
		Name string `json:"name"`
	}
	for _, c := range []struct {
		kind, body string
		status     int
		name       string
	}{
		{"application/json", `{"name":"a"}`, 0, "a"},
		{"application/json; charset=utf-8", `{"name":"a"}` + "\n", 0, "a"},
		{"", ``, 0, ""},
		{"text/plain", `{"name":"a"}`, http.StatusUnsupportedMediaType, ""},
		{"", `{"name":"a"}`, http.StatusUnsupportedMediaType, ""},
		{"application/json", `{"name":5}`, http.StatusBadRequest, ""},
		{"application/json", `{"nam":"a"}`, http.StatusBadRequest, ""},
		{"application/json", `{"name":"a"}{}`, http.StatusBadRequest, ""},
		{"application/json", `{`, http.StatusBadRequest, ""},
	} {
		w := httptest.NewRecorder()
		var got order
		ok := access.ReadJSON(w, post(c.kind, c.body), &got)
		if ok != (c.status == 0) || !ok && w.Code != c.status || ok && got.Name != c.name {
			t.Errorf("%q of %q: %v, %d, %q", c.body, c.kind, ok, w.Code, got.Name)
		}
	}
}

// Whatever is sent, reading it neither fails nor makes up values.
func FuzzBody(f *testing.F) {
	f.Add("application/json", `{"hash":"a","enabled":true,"enabled":false}`)
	f.Add("", "hash=a&enabled=on;x")
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := post("", body)
		r.Header["Content-Type"] = []string{kind}
		b, ok := access.ReadBody(httptest.NewRecorder(), r)
		if ok != (len(body) <= access.MaxBody) {
			t.Fatalf("%d bytes: %v", len(body), ok)
		}
		text := b.Text("hash")
		if text != strings.TrimSpace(text) || len(text) > 6*len(body) {
			t.Errorf("hash is %q", text)
		}
		if strings.Contains(strings.ToLower(kind), "application/json") && !utf8.ValidString(text) {
			t.Errorf("JSON gave %q", text)
		}
		if value, given := b.Bool("enabled"); value && !given {
			t.Error("true without being given")
		}
	})
}
