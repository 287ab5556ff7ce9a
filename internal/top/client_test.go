package top

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8000":            "http://127.0.0.1:8000/api/x",
		"http://[::1]:8000/":        "http://[::1]:8000/api/x",
		"https://pool.example/a/?b": "https://pool.example/a/api/x",
		"pool.example":              "http://pool.example/api/x",
	} {
		c, err := NewClient(Config{URL: address})
		if err != nil {
			t.Errorf("%s: %v", address, err)
		} else if got := c.at("/api/x"); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for _, address := range []string{"", "ftp://x", "http://", "http://user:secret@host", "stratum+tcp://x:3333", "http://a b", "\x1b[2J"} {
		if _, err := NewClient(Config{URL: address}); !errors.Is(err, ErrBadURL) {
			t.Errorf("%q: %v", address, err)
		} else if strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q comes back", err)
		}
	}
	if _, err := NewClient(Config{URL: "x", Token: "a\nb"}); !errors.Is(err, ErrToken) {
		t.Errorf("a token with a line feed: %v", err)
	}
}

// answers serves fixed answers by path.
func answers(t *testing.T, by map[string]http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := by[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		http.Error(w, "not found", http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	c, err := NewClient(Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func inJSON(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(text)) // a client that has gone needs none
	}
}

func withStatus(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if status/100 == 3 {
			w.Header().Set("Location", "http://evil.example/\u009b2J")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestWhatCannotBeWatchedIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		status, sessions http.HandlerFunc
		token            string
		is               error
		says             string
	}{
		"a poolscope":             {inJSON(aStatus), inJSON("[]"), "", nil, ""},
		"with the right token":    {inJSON(aStatus), inJSON("[]"), "right", nil, ""},
		"without a scope":         {inJSON(aStatus), nil, "right", nil, ""},
		"with a wrong token":      {inJSON(aStatus), withStatus(401, `{"detail":"no"}`), "wrong", ErrToken, "refused the given one"},
		"closed to strangers":     {inJSON(aStatus), withStatus(401, ""), "", nil, ""},
		"behind a login":          {withStatus(401, ""), nil, "", ErrToken, "--token-file"},
		"no such page":            {nil, nil, "", ErrNotPoolscope, "does not know /api/status"},
		"another program's page":  {inJSON(`{"status":"fine"}`), nil, "", ErrNotPoolscope, "another program"},
		"a page of HTML":          {withStatus(200, "<html>"), nil, "", ErrNotPoolscope, "no JSON"},
		"JSON that is none":       {inJSON(`{"api_version":`), nil, "", ErrNotPoolscope, "cannot be read"},
		"elsewhere":               {withStatus(307, ""), nil, "", ErrNotPoolscope, "it sends us to http://evil.example/�2J"},
		"broken, in odd writing":  {withStatus(500, "\x1b[2Jsorry"), nil, "", nil, "�[2Jsorry"},
		"broken, without a word":  {withStatus(502, ""), nil, "", nil, "Bad Gateway"},
		"later than this program": {inJSON(`{"api_version":"2","state":"mining"}`), nil, "", ErrNotPoolscope, ""},
	} {
		client := answers(t, map[string]http.HandlerFunc{"/api/status": c.status, "/api/sessions": c.sessions})
		client.token = c.token
		err := client.Check(t.Context())
		if c.is == nil && c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) || err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %q, want %v and %q", name, err, c.is, c.says)
		}
	}
	c, err := NewClient(Config{URL: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody: %v", err)
	}
}

func TestAnAnswerWithoutEndIsGivenUp(t *testing.T) {
	c := answers(t, map[string]http.HandlerFunc{"/api/sessions": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`["`))
		for r.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
				return
			}
		}
	}})
	if _, err := c.fetchList(t.Context(), listSessions, ""); err == nil || !strings.Contains(err.Error(), "larger than 64 MB") {
		t.Errorf("%v", err)
	}
}

func TestAlarmsComeInPages(t *testing.T) {
	c := answers(t, map[string]http.HandlerFunc{"/api/alarms": func(w http.ResponseWriter, r *http.Request) {
		since := r.URL.Query().Get("since")
		next := map[string]int{"0": 5, "5": 9}[since]
		inJSON(fmt.Sprintf(`{"alarms":[{"id":%d}],"cursor":%d,"more":%t,"dropped":3}`, next, next, since == "0"))(w, r)
	}})
	page, err := c.alarms(t.Context())
	if err != nil || len(page.Alarms) != 2 || page.Alarms[1].ID != 9 || page.Dropped != 3 {
		t.Errorf("%+v %v", page, err)
	}
	// A server that goes round in circles is asked no longer.
	c = answers(t, map[string]http.HandlerFunc{"/api/alarms": inJSON(`{"alarms":[{"id":1}],"cursor":1,"more":true}`)})
	if page, err = c.alarms(t.Context()); err != nil || len(page.Alarms) != 2 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestWithoutTheListOfWorkersThereIsTheOverview(t *testing.T) {
	c := answers(t, map[string]http.HandlerFunc{"/api/overview": inJSON(string(apiGolden(t, "overview")))})
	page, err := c.workers(t.Context())
	if err != nil || page.Total != 2 || page.Online != 2 || page.Workers[1].Name != "1A1zP1eP...v7DivfNa.rigA" || page.Workers[1].Hashrate != 1.2e12 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestOnceIsPlainText(t *testing.T) {
	p := goldenPayloads(t)
	served := map[string]http.HandlerFunc{
		"/api/overview": inJSON(string(p.overview)), "/api/pool-hashrate": inJSON(string(p.hashrate)), "/api/blocks": inJSON(string(p.blocks)),
		"/api/status": inJSON(string(p.status)), "/api/workers": inJSON(string(p.workers)), "/api/sessions": withStatus(401, ""), "/api/alarms": inJSON(alarmsJSON),
	}
	c := answers(t, served)
	var out bytes.Buffer
	if err := Once(t.Context(), c, &out, Options{Width: 100, ASCII: true}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r < ' ' || r > '~' }); at >= 0 {
		t.Errorf("no plain text: %q", text[at:])
	}
	for _, want := range []string{"~1.25 TH/s", ". and 20 more", "...fjhx0wlh.????????", "The server wants its access token for this", "Payout missing", "#840,003"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 101 {
			t.Errorf("%d cells of 100: %s", len(line), line)
		}
	}

	delete(served, "/api/overview")
	if err := Once(t.Context(), c, &out, Options{}); err == nil {
		t.Error("without figures, no error")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Once(ended, c, &out, Options{}); err == nil {
		t.Error("ended, and no error")
	}
}

func TestOptionsFromEnvironment(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Options
	}{
		{nil, Options{Width: 120}},
		{map[string]string{"LANG": "de_DE.UTF-8", "COLUMNS": "90"}, Options{Width: 90}},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, Options{Width: 120, ASCII: true}},
		{map[string]string{"LC_CTYPE": "en_US.utf8", "LANG": "C", "COLUMNS": "x"}, Options{Width: 120}},
		{map[string]string{"LANG": "de_DE.ISO-8859-1", "COLUMNS": "99999999"}, Options{Width: 1000, ASCII: true}},
	} {
		if got := OptionsFromEnvironment(func(key string) string { return c.env[key] }); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.env, got, c.want)
		}
	}
}
