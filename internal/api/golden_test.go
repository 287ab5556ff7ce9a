package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden compares every response with an example that a person has read.
func TestGolden(t *testing.T) {
	render := regexp.MustCompile(`"render_duration":\d+`)
	for file, target := range map[string]string{
		"overview":              "/api/overview",
		"pool-page":             "/api/pool-page",
		"node":                  "/api/node",
		"server":                "/api/server",
		"pool-hashrate":         "/api/pool-hashrate",
		"pool-hashrate-history": "/api/pool-hashrate?include_history=1",
		"blocks":                "/api/blocks",
		"status":                "/api/status",
		"history-6m":            "/api/history?range=6m",
		"history-24h":           "/api/history?range=24h",
		"workers":               "/api/workers",
		"worker-public":         "/api/workers/" + idOf(satoshi+".rigA"),
		"worker-owner":          "/api/workers/" + keyOf(satoshi+".rigA"),
		"worker-history":        "/api/workers/" + idOf(satoshi+".rigA") + "/history?range=30d",
		"readyz":                "/readyz",
	} {
		for _, sit := range []struct {
			suffix string
			models *models
		}{{"", full()}, {"-empty", &models{}}} {
			if sit.suffix != "" && strings.HasPrefix(file, "worker-") {
				continue // it is not there
			}
			t.Run(file+sit.suffix, func(t *testing.T) {
				s, _ := newTestServer(t, sit.models, Config{})
				body := get(t, s, target).Body.Bytes()
				body = render.ReplaceAll(body, []byte(`"render_duration":1`))
				var pretty bytes.Buffer
				if err := json.Indent(&pretty, body, "", "  "); err != nil {
					t.Fatalf("%v: %s", err, body)
				}
				name := filepath.Join("testdata", "golden", file+sit.suffix+".json")
				if *update {
					if err := os.WriteFile(name, pretty.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(pretty.String(), "\n")); diff != "" {
					t.Errorf("%s differs (-want +got):\n%s", name, diff)
				}
			})
		}
	}
}
