package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Each [[listener]] is served by its own rules, and ports.json tells of it.
func TestListenersOfTheirOwn(t *testing.T) {
	cfg := poolConfig(t)
	cfg.Stratum.TLSListen, cfg.HTTP.TLSListen = nil, "" // TLS is for a listener alone
	cfg.Listeners = []config.Listener{
		{Name: "secret", Listen: freeAddress(t), TLS: true},
		{Name: "behind a proxy", Listen: freeAddress(t), ProxyProtocol: true, TrustedProxies: []string{"127.0.0.1"}},
		{Listen: freeAddress(t), MaxConnections: 1},
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	p := &poolParts{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	if err := p.bind(t.Context(), telemetry.Build{Version: "7.8.9"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.pool.Run(ctx) })
	for _, part := range p.front() {
		if len(part.name) > 7 && part.name[:7] == "Stratum" {
			wg.Go(func() {
				if err := part.run(ctx); err != nil {
					t.Errorf("%s: %v", part.name, err)
				}
			})
		}
	}
	defer func() {
		cancel()
		wg.Wait()
		p.close()
	}()

	ports := p.ports().Listeners
	if len(ports) != 3 || ports["secret"] == "" || ports[cfg.Listeners[2].Listen] == "" {
		t.Errorf("ports %v", ports)
	}
	ask := func(conn net.Conn, err error, before string) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "%s%s\n", before, `{"id":1,"method":"client.get_version","params":[]}`)
		line, _ := bufio.NewReader(conn).ReadBytes('\n')
		var answer struct{ Result string }
		_ = json.Unmarshal(line, &answer)
		return answer.Result
	}
	const version = "poolscope/7.8.9"
	secure, err := tls.Dial("tcp", ports["secret"], &tls.Config{InsecureSkipVerify: true})
	if got := ask(secure, err, ""); got != version {
		t.Errorf("through TLS: %q", got)
	}
	proxied, err := net.Dial("tcp", ports["behind a proxy"])
	if got := ask(proxied, err, "PROXY TCP4 203.0.113.7 10.0.0.1 4711 3333\r\n"); got != version {
		t.Errorf("through a proxy: %q", got)
	}
	first, err := net.Dial("tcp", ports[cfg.Listeners[2].Listen])
	if got := ask(first, err, ""); got != version {
		t.Errorf("the first miner: %q", got)
	}
	second, err := net.Dial("tcp", ports[cfg.Listeners[2].Listen])
	if got := ask(second, err, ""); got != "" {
		t.Errorf("one miner too many: %q", got)
	}
}
