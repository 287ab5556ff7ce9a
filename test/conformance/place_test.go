package conformance

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// place is where a case happens: a pool with its network.
type place struct {
	params  *chaincfg.Params
	network network
	pool    *program.Server
}

// network is what a case can do to the Bitcoin network below the pool.
type network interface {
	// section is the [[node]] of the pool's configuration.
	section() string
	// newBlock makes somebody else find a block and returns its hash.
	newBlock(t testing.TB) string
	// inChain reports whether a block is in the best chain.
	inChain(t testing.TB, hash string) bool
}

// settings are keys of the pool's configuration with their TOML values, such as
// "difficulty.min": "0.001".
type settings map[string]string

// newPlace starts a pool on networks and returns when it listens. The first
// network is the one that the case means.
func newPlace(t testing.TB, params *chaincfg.Params, s settings, networks ...network) *place {
	t.Helper()
	var text strings.Builder
	for _, n := range networks {
		text.WriteString(n.section())
	}
	sections := make(map[string][]string)
	for _, key := range slices.Sorted(maps.Keys(s)) {
		section, name, ok := strings.Cut(key, ".")
		if !ok {
			section, name = "", key
		}
		value := strings.ReplaceAll(s[key], "{{operator}}", addressOn(params, "operator"))
		sections[section] = append(sections[section], name+" = "+value)
	}
	var top string
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		lines := strings.Join(sections[section], "\n") + "\n"
		if section == "" {
			top = lines
			continue
		}
		fmt.Fprintf(&text, "[%s]\n%s", section, lines)
	}

	dir := t.TempDir()
	config := filepath.Join(dir, "poolscope.toml")
	if err := os.WriteFile(config, []byte(top+text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"pool", "--config", config}, program.AnyPorts()...)
	return &place{params, networks[0], program.Start(t, poolscope, filepath.Join(dir, "pool"), arguments...)}
}

// addressOf is the address of a key that everybody knows: the hash of its name.
// Two places never share their payout scripts by accident of a test.
func (p *place) addressOf(name string) string { return addressOn(p.params, name) }

func addressOn(params *chaincfg.Params, name string) string {
	hash := doubleHash([]byte(cmp.Or(name, "miner")))
	a, err := address.NewAddressWitnessPubKeyHash(hash[:20], params)
	if err != nil {
		panic(err) // 20 bytes always make one
	}
	return a.EncodeAddress()
}

// script is the output script of an address, nil when it is none.
func (p *place) script(t testing.TB, text string) []byte {
	a, err := address.DecodeAddress(text, p.params)
	if err != nil {
		return nil
	}
	script, err := txscript.PayToAddrScript(a)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// devnet is poolscope's own network.
type devnet struct{ *program.Server }

// Blocks of the devnet take half a million hashes, so that tests can find one in
// the blink of an eye, and a share must be far easier: the least difficulty of
// the default configuration is about that of such a block.
const (
	devnetHashrate = "250000"
	devnetInterval = "2s"
	devnetLeast    = "0.000001"
)

func startDevnet(t testing.TB, more ...string) devnet {
	t.Helper()
	arguments := append([]string{"devnet", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0", "--tx-rate", "0",
		"--hashrate", devnetHashrate, "--block-interval", devnetInterval}, more...)
	return devnet{program.Start(t, poolscope, filepath.Join(t.TempDir(), "devnet"), arguments...)}
}

// onDevnet is a place on a devnet of its own.
func onDevnet(t testing.TB, s settings, more ...string) *place {
	t.Helper()
	n := startDevnet(t, more...)
	if _, ok := s["difficulty.min"]; !ok {
		s = maps.Clone(s)
		if s == nil {
			s = settings{}
		}
		s["difficulty.min"] = devnetLeast
	}
	return newPlace(t, &chaincfg.RegressionNetParams, s, n)
}

func (n devnet) section() string {
	return nodeSection(n.Node(), "tcp://"+n.NodeZMQ, "tcp://"+n.NodeZMQ)
}

// nodeSection is [[node]] for a node with ZMQ publishers.
func nodeSection(r nodes.RPC, hashBlock, rawBlock string) string {
	s := fmt.Sprintf("[[node]]\nurl = %q\nzmq_hashblock = %q\nzmq_rawblock = %q\n", r.URL, hashBlock, rawBlock)
	if r.CookieFile != "" {
		return s + fmt.Sprintf("cookie_file = %q\n", r.CookieFile)
	}
	return s + fmt.Sprintf("user = %q\npassword = %q\n", r.User, r.Password)
}

func (n devnet) newBlock(t testing.TB) string {
	t.Helper()
	const tries = 1 << 30 // more than it ever takes
	return nodes.Ask[[]string](t, n.Node(), "generatetoaddress", 1, addressOn(&chaincfg.RegressionNetParams, "somebody else"), tries)[0]
}

func (n devnet) inChain(t testing.TB, hash string) bool {
	t.Helper()
	var header struct{ Confirmations int }
	return n.Node().Call(&header, "getblockheader", hash) == nil && header.Confirmations > 0
}

// awaitWork returns when the pool has work for miners.
func (p *place) awaitWork(t testing.TB) {
	t.Helper()
	nodes.WaitFor(t, program.StartLimit, "the pool has work", p.ready)
}

// ready reports whether the pool has work for miners.
func (p *place) ready() bool {
	status, _, err := p.readyz()
	return err == nil && status == http.StatusOK
}

// readiness is what the pool says about it, to people and to machines.
func (p *place) readiness(t testing.TB) (status int, text string) {
	t.Helper()
	status, text, err := p.readyz()
	if err != nil {
		t.Fatal(err)
	}
	return status, text
}

func (p *place) readyz() (status int, text string, err error) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.pool.HTTP + "/readyz")
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// contains reports whether a text has one of some words, in any case.
func contains(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
