package config

import (
	"errors"
	"strings"
	"testing"
)

func TestAuth(t *testing.T) {
	for text, key := range map[string]string{
		"":                         "",
		"registration = \"open\"":  "",
		"registration = \"yes\"":   "auth.registration",
		"session_idle = \"1m\"":    "auth.session_idle",
		"session_idle = \"800h\"":  "auth.session_max",
		"session_max = \"24h\"":    "auth.session_max",
		"session_max = \"99999h\"": "auth.session_max",
		"operators = [\"jane@example.com\", \"clerk:user_1\", \"idp:a:b\"]": "",
		"operators = [\"jane\"]":         "auth.operators",
		"operators = [\"@example.com\"]": "auth.operators",
		"operators = [\":subject\"]":     "auth.operators",
		"operators = [\"\"]":             "auth.operators",
	} {
		_, err := Parse("test.toml", []byte("[auth]\n"+text+"\n"), nil)
		var invalid *InvalidError
		switch {
		case key == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case key != "" && (!errors.As(err, &invalid) || invalid.Problems[0].Key != key):
			t.Errorf("%s: %v, want a complaint about %s", text, err, key)
		}
	}
	for proxies, good := range map[string]bool{"[]": true, `["10.0.0.2", "fd00::/8"]`: true, `["proxy.example"]`: false} {
		if _, err := Parse("test.toml", []byte("[http]\ntrusted_proxies = "+proxies+"\n"), nil); (err == nil) != good {
			t.Errorf("%s: %v", proxies, err)
		}
	}
}

// TestTrustingEverybody: who believes all the world's X-Forwarded-For is told.
func TestTrustingEverybody(t *testing.T) {
	for networks, want := range map[string]int{
		`[]`: 0, `["10.0.0.2", "10.0.0.0/8", "fd00::/16", "::1"]`: 0, `["0.0.0.0/0"]`: 1, `["::/0", "127.0.0.1", "0.0.0.0/1"]`: 2,
	} {
		c, err := Parse("c.toml", []byte("[http]\ntrusted_proxies = "+networks+"\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		var warned int
		for _, w := range c.Warnings() {
			if strings.Contains(w, "http.trusted_proxies") {
				warned++
			}
		}
		if warned != want {
			t.Errorf("%s: %q", networks, c.Warnings())
		}
	}
}
