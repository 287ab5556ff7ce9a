package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/telemetry"
)

func TestRelayTellsItsCountsToThisMachineOnly(t *testing.T) {
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- RunRelay(ctx, RelayOptions{
			Listen: "127.0.0.1:0", Database: filepath.Join(t.TempDir(), "relay.db"), Relay: relay.Config{Name: "ours"},
		}, telemetry.Build{Version: "v1"}, slog.New(slog.DiscardHandler), in)
	}()
	text := make([]byte, 1000)
	n, err := out.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`ws://(\S+)`).FindStringSubmatch(string(text[:n]))
	if m == nil || !strings.HasPrefix(string(text[:n]), "poolscope relay v1\n") {
		t.Fatalf("%s", text[:n])
	}
	ask := func(header string) (code int, body []byte) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+m[1]+"/stats", nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			request.Header.Set(header, "192.0.2.1")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, err = io.ReadAll(response.Body); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, body
	}
	var stats relay.Stats
	_, body := ask("")
	if err := json.Unmarshal(body, &stats); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if n, ok := stats.Refused["signature"]; !ok || n != 0 {
		t.Errorf("%+v", stats)
	}
	if code, _ := ask("X-Forwarded-For"); code != http.StatusNotFound {
		t.Errorf("through a proxy: %d", code)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
