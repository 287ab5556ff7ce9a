package nodes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Bitcoind is a running bitcoind on regtest.
type Bitcoind struct {
	*Process
	RPC // with its cookie file

	// ZMQHashBlock and ZMQRawBlock are the addresses of its publishers.
	ZMQHashBlock, ZMQRawBlock string
	// DataDir is its -datadir.
	DataDir string

	command []string
}

// findBitcoind returns the command line that starts bitcoind on this machine.
var findBitcoind = sync.OnceValues(func() ([]string, error) {
	if path := os.Getenv("BITCOIND"); path != "" {
		return []string{path}, nil
	}
	if path, err := exec.LookPath("bitcoind"); err == nil {
		return []string{path}, nil
	}
	return fetchKnots()
})

// StartBitcoind starts a bitcoind on regtest with an empty chain, cookie
// authentication and ZMQ publishers. It is ended with the test. A machine on
// which bitcoind cannot be had skips the test loudly; a $BITCOIND that does not
// run fails it.
func StartBitcoind(t testing.TB) *Bitcoind {
	t.Helper()
	command, err := findBitcoind()
	if err != nil {
		skipLoudly(t, "no bitcoind on this machine, and none to be had: %v. Set BITCOIND=/path/to/bitcoind", err)
	}

	b := &Bitcoind{DataDir: t.TempDir(), command: command}
	port := func() string { return "127.0.0.1:" + strconv.Itoa(FreePort(t)) }
	b.URL = "http://" + port()
	b.CookieFile = filepath.Join(b.DataDir, "regtest", ".cookie")
	b.ZMQHashBlock = "tcp://" + port()
	b.ZMQRawBlock = "tcp://" + port()
	b.Restart(t)
	return b
}

// Restart starts bitcoind again, on the same ports and data, after it was ended
// with Stop or Kill.
func (b *Bitcoind) Restart(t testing.TB) {
	t.Helper()
	if b.Process != nil && b.Running() {
		t.Fatal("bitcoind is still running")
	}
	arguments := append(append([]string{}, b.command...),
		"-regtest", "-datadir="+b.DataDir, "-server", "-listen=0", "-dnsseed=0", "-printtoconsole=1",
		"-rpcbind="+b.URL[len("http://"):], "-rpcallowip=127.0.0.1", "-fallbackfee=0.0001", "-par=1", "-dbcache=4",
		"-zmqpubhashblock="+b.ZMQHashBlock, "-zmqpubrawblock="+b.ZMQRawBlock)
	b.Process = Start(t, "bitcoind", arguments...)
	b.waitUntilReady(t, b.RPC)
}

// Generate mines blocks to an address.
func (b *Bitcoind) Generate(t testing.TB, blocks int, address string) []string {
	t.Helper()
	return Ask[[]string](t, b.RPC, "generatetoaddress", blocks, address)
}

// BitcoindVersion is the first line of bitcoind -version, or the reason why
// there is none.
func BitcoindVersion() (string, error) {
	command, err := findBitcoind()
	if err != nil {
		return "", err
	}
	return firstLine(append(append([]string{}, command...), "-version"))
}

// firstLine runs a command and returns the first line of its output.
func firstLine(command []string) (string, error) {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run %s: %w\n%s", filepath.Base(command[0]), err, out)
	}
	for i, b := range out {
		if b == '\n' {
			return string(out[:i]), nil
		}
	}
	return string(out), nil
}
