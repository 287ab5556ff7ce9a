package app

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/devnet"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// A devnet that cannot say where it listens ends, and holds on to nothing.
func TestFailedDevnetReleasesEverything(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, portsName+".tmp"), 0o700); err != nil { // in the way of the file
		t.Fatal(err)
	}
	address := freeAddress(t)
	cfg := devnet.Config{DataDir: dir, RPCListen: address, Regtest: true, BlockInterval: time.Second, Hashrate: 1}
	log := slog.New(slog.DiscardHandler)
	err := RunDevnet(t.Context(), cfg, telemetry.Build{}, log, io.Discard)
	if err == nil || !strings.Contains(err.Error(), portsName) {
		t.Fatalf("err = %v, want one about %s", err, portsName)
	}
	n, err := devnet.New(cfg, log)
	if err != nil {
		t.Fatalf("address, lock or database are still in use: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
