package app

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// poolConfig is a configuration of a pool with four listeners.
func poolConfig(t *testing.T) *config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	cfg.Stratum.Listen = []string{freeAddress(t)}
	cfg.Stratum.TLSListen = []string{freeAddress(t)}
	cfg.HTTP.Listen = freeAddress(t)
	cfg.HTTP.TLSListen = freeAddress(t)
	cfg.Nodes = []config.Node{{Name: "core", URL: "http://127.0.0.1:1", User: "u"}}
	return cfg
}

// A pool that cannot be made says why, and holds on to nothing.
func TestFailedPoolReleasesEverything(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	taken := busy.Addr().String()
	write := func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, cfg *config.Config) (mend func())
		want  []string
	}{
		{"busy Stratum", func(_ *testing.T, cfg *config.Config) func() {
			good := cfg.Stratum.Listen
			cfg.Stratum.Listen = []string{good[0], taken}
			return func() { cfg.Stratum.Listen = good }
		}, []string{"Stratum", taken, "in use"}},
		{"busy Stratum TLS", func(_ *testing.T, cfg *config.Config) func() {
			good := cfg.Stratum.TLSListen
			cfg.Stratum.TLSListen = []string{good[0], taken}
			return func() { cfg.Stratum.TLSListen = good }
		}, []string{"Stratum over TLS", taken, "in use"}},
		{"busy listener of its own", func(t *testing.T, cfg *config.Config) func() {
			cfg.Listeners = []config.Listener{{Listen: freeAddress(t)}, {Listen: taken}}
			return func() { cfg.Listeners = nil }
		}, []string{"Stratum", taken, "in use"}},
		{"busy HTTP", func(_ *testing.T, cfg *config.Config) func() {
			good := cfg.HTTP.Listen
			cfg.HTTP.Listen = taken
			return func() { cfg.HTTP.Listen = good }
		}, []string{"HTTP", taken, "in use"}},
		{"busy HTTPS", func(_ *testing.T, cfg *config.Config) func() {
			good := cfg.HTTP.TLSListen
			cfg.HTTP.TLSListen = taken
			return func() { cfg.HTTP.TLSListen = good }
		}, []string{"HTTPS", taken, "in use"}},
		{"no such certificate", func(_ *testing.T, cfg *config.Config) func() {
			cfg.Stratum.CertFile, cfg.Stratum.KeyFile = filepath.Join(cfg.DataDir, "my.crt"), filepath.Join(cfg.DataDir, "my.key")
			return func() { cfg.Stratum.CertFile, cfg.Stratum.KeyFile = "", "" }
		}, []string{"my.crt", "does not exist", "stratum.cert_file"}},
		{"folder in place of the database", func(t *testing.T, cfg *config.Config) func() {
			if err := os.Mkdir(cfg.DatabasePath(), 0o700); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := os.RemoveAll(cfg.DatabasePath()); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"open database"}},
		{"no node", func(_ *testing.T, cfg *config.Config) func() {
			good := cfg.Nodes
			cfg.Nodes = nil
			return func() { cfg.Nodes = good }
		}, []string{"[[node]]"}},
		{"file in place of the block folder", func(t *testing.T, cfg *config.Config) func() {
			path := filepath.Join(cfg.DataDir, "blocks")
			write(t, path)
			return func() {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"block folder", "blocks", "not a directory"}},
		{"nobody's fee address", func(_ *testing.T, cfg *config.Config) func() {
			cfg.Network.Chain, cfg.Payout.FeePercent, cfg.Payout.FeeAddress = "main", 1, "nonsense"
			return func() { cfg.Network.Chain, cfg.Payout.FeePercent, cfg.Payout.FeeAddress = "", 0, "" }
		}, []string{"address"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := poolConfig(t)
			mend := tc.spoil(t, cfg)
			log := slog.New(slog.DiscardHandler)
			p := &poolParts{cfg: cfg, log: log}
			err := p.bind(t.Context(), telemetry.Build{})
			if err == nil {
				p.close()
				t.Fatal("made a pool of it")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			mend()
			p = &poolParts{cfg: cfg, log: log}
			err = p.bind(t.Context(), telemetry.Build{})
			if err != nil {
				t.Fatalf("after mending it: %v", err)
			}
			p.close()
		})
	}
}
