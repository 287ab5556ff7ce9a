package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	if o := runToEnd(t, "--help"); o.code != 0 || !strings.Contains(o.stdout, "demo") || !strings.Contains(o.stdout, "miner") {
		t.Errorf("--help: code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	for _, command := range []string{"demo", "pool", "devnet", "miner", "load", "relay", "account", "backup", "config", "version"} {
		if o := runToEnd(t, command, "--help"); o.code != 0 || !strings.Contains(o.stdout, "Flags:") {
			t.Errorf("%s --help: code %d\n%s%s", command, o.code, o.stdout, o.stderr)
		}
	}
	if o := runToEnd(t, "version"); o.code != 0 || !strings.HasPrefix(o.stdout, "poolscope ") {
		t.Errorf("version: %+v", o)
	}
	runToEnd(t, "mine").wantFailure(t, 2, "mine")
	runToEnd(t, "pool", "--colour=red").wantFailure(t, 2, "--colour")
	runToEnd(t, "miner", "--user", "x").wantFailure(t, 2, "--pool")
}

func TestConfigurationCommands(t *testing.T) {
	t.Parallel()
	example := runToEnd(t, "config", "example")
	if example.code != 0 {
		t.Fatalf("config example: %+v", example)
	}
	path := filepath.Join(t.TempDir(), "poolscope.toml")
	if err := os.WriteFile(path, []byte(strings.Replace(example.stdout, "password = \"\"", "password = \"hunter2\"\nuser = \"u\"", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	// The example has the key user already: a key given twice is a mistake.
	runToEnd(t, "config", "check", "--config", path).wantFailure(t, 2, path)

	text := strings.Replace(example.stdout, "password = \"\"", "password = \"hunter2\"", 1)
	text = strings.Replace(text, "user = \"\"", "user = \"u\"", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := runToEnd(t, "config", "check", "--config", path); o.code != 0 {
		t.Errorf("config check: %+v", o)
	}
	o := runToEnd(t, "config", "print", "--config", path, "--http", "127.0.0.1:9999")
	if o.code != 0 || strings.Contains(o.stdout, "hunter2") || !strings.Contains(o.stdout, "# flag --http") {
		t.Errorf("config print: %+v", o)
	}
}

func TestUnknownKeysAreNamedWithTheirLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.toml")
	if err := os.WriteFile(path, []byte("[http]\nlisten = \"127.0.0.1:0\"\n\n[stratum]\nlissten = [\":0\"]\nmax_conections = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"pool"}, {"config", "check"}} {
		runToEnd(t, append(command, "--config", path)...).wantFailure(t, 2,
			path+":5:1: stratum.lissten: unknown key", path+":6:1: stratum.max_conections: unknown key")
	}
	runToEnd(t, "pool", "--config", filepath.Join(t.TempDir(), "absent.toml")).wantFailure(t, 1, "absent.toml")
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	address := busy.Addr().String()

	free := map[string]string{
		"--http": "127.0.0.1:0", "--stratum": "127.0.0.1:0", "--stratum-tls": "127.0.0.1:0",
		"--node-rpc": "127.0.0.1:0", "--node-zmq": "127.0.0.1:0", "--scope": "127.0.0.1:0", "--relay": "127.0.0.1:0",
	}
	for flag := range free {
		t.Run(flag, func(t *testing.T) {
			arguments := []string{"demo", "--data-dir", t.TempDir()}
			for other, value := range free {
				if other == flag {
					value = address
				}
				arguments = append(arguments, other, value)
			}
			runToEnd(t, arguments...).wantFailure(t, 1, address, "in use", "choose another")
		})
	}
}

func TestTwoProcessesOnOneDataFolder(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), demoFlags("--miners", "0")...)
	o := runToEnd(t, append(demoFlags("--miners", "0"), "--data-dir", p.DataDir, "--http", "127.0.0.1:0", "--stratum", "127.0.0.1:0", "--stratum-tls", "127.0.0.1:0")...)
	o.wantFailure(t, 1, p.DataDir, "--data-dir")

	// The first one is unharmed, and its ports.json is still there.
	nodes.WaitFor(t, startLimit, "the first one is ready", func() bool { return p.ready(t) })
	if _, err := os.Stat(filepath.Join(p.DataDir, "ports.json")); err != nil {
		t.Error(err)
	}
	p.stop(t)
}
