// Package architecture holds the test that keeps the house of
// docs/architecture.md standing: which package may import which, and which
// third-party engine lives in which room.
package architecture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/poolscope/poolscope"

// floors are the packages from top to bottom. A package may import those of
// every lower floor, and none of its own or a higher one unless sideways says
// so. Packages below a name (store/sqlite) belong to its floor.
var floors = [][]string{
	{"cmd/poolscope"},
	{"internal/app"},
	{"internal/api", "internal/pool", "internal/scope", "internal/devnet", "internal/miner", "internal/load", "internal/fleet", "internal/top", "internal/notify", "internal/backup"},
	{"internal/ledger", "internal/node", "internal/store", "internal/abuse", "internal/capture", "internal/account", "internal/price", "internal/alert"},
	{"internal/bitcoin", "internal/stratum", "internal/proxyproto", "internal/nostr", "internal/endpoint", "internal/config", "internal/telemetry", "internal/files", "internal/format"},
}

// sideways are the imports between packages of one floor, each with its reason.
var sideways = map[string][]string{
	"internal/api":  {"internal/pool", "internal/scope", "internal/fleet", "internal/notify", "internal/backup"}, // their read models: pool.Status; messages, sessions, audits; agents
	"internal/load": {"internal/miner"},                                                                          // finds its shares with the same hasher and jobs
	// captured shares to publish, switches of sessions; the same hasher and jobs
	"internal/fleet": {"internal/scope", "internal/miner"},
	// implements the interfaces that these two define
	"internal/store":   {"internal/ledger", "internal/abuse", "internal/account", "internal/alert"},
	"internal/config":  {"internal/bitcoin", "internal/endpoint", "internal/nostr"}, // checks payout addresses; pools' addresses; keys of agents
	"internal/stratum": {"internal/bitcoin"},                                        // hashes and difficulties as values
}

// elsewhere are rooms outside of the house: the UI's embedded files, which
// import nothing of ours, and the tests of the whole binary, which may import
// anything that is not internal to a component's workings.
var elsewhere = []string{"ui", "test"}

// engines are third-party modules and packages that only one or two rooms may
// import, so that each can be replaced there. The longest prefix decides.
var engines = map[string][]string{
	"modernc.org/sqlite":                  {"internal/store", "internal/scope", "internal/fleet", "internal/nostr"}, // the books; the journal of captured lines; telemetry; what a relay keeps
	"github.com/danielgtaylor/huma":       {"internal/api"},
	"github.com/gopacket/gopacket":        {"internal/scope"}, // pcap and pcapng files
	"github.com/pressly/goose":            {"internal/store"},
	"github.com/go-zeromq/zmq4":           {"internal/node", "internal/devnet"},
	"github.com/coder/websocket":          {"internal/api", "internal/nostr", "internal/top", "internal/notify"}, // the page and the scope; relays and their clients; the live feed; Discord's gateway
	"github.com/golang-jwt/jwt":           {"internal/account"},
	"github.com/MicahParks/jwkset":        {"internal/account"},
	"github.com/coreos/go-oidc":           {"internal/account"},
	"golang.org/x/oauth2":                 {"internal/account"},
	"golang.org/x/crypto/argon2":          {"internal/account"},
	"github.com/bwmarrin/discordgo":       {"internal/notify"},
	"github.com/nicholas-fedor/shoutrrr":  {"internal/notify"},
	"github.com/minio/minio-go":           {"internal/backup"},
	"filippo.io/age":                      {"internal/backup"},
	"github.com/klauspost/compress":       {"internal/backup"},
	"charm.land/bubbletea":                {"internal/top"},
	"github.com/charmbracelet/x":          {"internal/top"}, // widths of text; whether a file is a terminal
	"github.com/prometheus/client_golang": {"internal/api"},
	"github.com/pelletier/go-toml":        {"internal/config"},
	"github.com/alecthomas/kong":          {"cmd/poolscope"},
	"github.com/shirou/gopsutil":          {"internal/telemetry"},
	"github.com/btcsuite/btcd":            {"internal/devnet"}, // consensus: blockchain, mempool, mining, database
	"github.com/btcsuite/btcd/wire":       {"internal/bitcoin", "internal/devnet"},
	"github.com/btcsuite/btcd/txscript":   {"internal/bitcoin", "internal/devnet"},
	"github.com/btcsuite/btcd/chaincfg":   {"internal/bitcoin", "internal/devnet"},
	"github.com/btcsuite/btcd/chainhash":  {"internal/bitcoin", "internal/devnet"},
	"github.com/btcsuite/btcd/address":    {"internal/bitcoin", "internal/devnet", "internal/nostr"}, // nostr: bech32
	"github.com/btcsuite/btcd/btcutil":    {"internal/bitcoin", "internal/devnet"},
	"github.com/btcsuite/btcd/btcec":      {"internal/bitcoin", "internal/devnet", "internal/nostr"},
	"golang.org/x/crypto/chacha20":        {"internal/nostr"}, // NIP-44
	"github.com/btcsuite/btclog":          {"internal/devnet"},
	"github.com/decred/dcrd/dcrec":        {"internal/devnet"},
	"golang.org/x/sys":                    {"internal/load", "internal/stratum", "internal/bitcoin", "internal/pool"}, // resource limits; epoll; CPU features; round-trip times
	"golang.org/x/time/rate":              {"internal/pool", "internal/nostr", "internal/scope", "internal/node", "internal/api", "internal/load"},
	"golang.org/x/sync":                   {"internal/app", "internal/pool", "internal/scope", "internal/node", "internal/load", "internal/devnet"},
	"github.com/google/go-cmp":            {}, // tests only, as are the next five
	"go.yaml.in/yaml":                     {},
	"pgregory.net/rapid":                  {},
	"go.uber.org/goleak":                  {},
	"github.com/rogpeppe/go-internal":     {},
	"github.com/prometheus/client_model":  {},
}

// languages are values and functions: no sockets, no clock of their own.
var (
	languages    = []string{"internal/bitcoin", "internal/nostr"}
	notInThem    = []string{"net", "net/http", "os", "os/exec", "log", "log/slog", "database/sql"}
	mainMaxLines = 60
)

// goPackage is what `go list -json` says about a package, as far as we ask.
type goPackage struct {
	Dir        string
	ImportPath string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string // those of tests are apart, and free
}

// room is the package's path inside the module.
func (p goPackage) room() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func TestArrowsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range internalImports(p) {
			if complaint := checkArrow(p.room(), imported); complaint != "" {
				t.Error(complaint)
			}
		}
	}
}

func TestEveryPackageHasAFloor(t *testing.T) {
	for _, p := range packages(t) {
		if _, ok := floorOf(p.room()); !ok && !isElsewhere(p.room()) {
			t.Errorf("%s has no place in the house: add it to floors in %s and to docs/architecture.md", p.room(), "test/architecture")
		}
	}
}

func TestEnginesStayInTheirRooms(t *testing.T) {
	for _, p := range packages(t) {
		if isElsewhere(p.room()) || isForTests(p.room()) {
			continue
		}
		for _, imported := range p.Imports {
			if complaint := checkEngine(p.room(), imported); complaint != "" {
				t.Error(complaint)
			}
		}
	}
}

func TestLanguagesArePure(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(languages, p.room()) {
			continue
		}
		for _, imported := range p.Imports {
			if slices.Contains(notInThem, imported) {
				t.Errorf("%s imports %q: it is for values and functions only", p.room(), imported)
			}
		}
	}
}

func TestNoCgo(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo in %v", p.room(), p.CgoFiles)
		}
	}
}

func TestMainIsATableOfContents(t *testing.T) {
	for _, p := range packages(t) {
		if p.room() != "cmd/poolscope" {
			continue
		}
		if lines := countLines(t, filepath.Join(p.Dir, "main.go")); lines > mainMaxLines {
			t.Errorf("cmd/poolscope/main.go has %d lines; it is a table of contents of at most %d", lines, mainMaxLines)
		}
		return
	}
	t.Error("there is no cmd/poolscope")
}

// TestTheRulesCanFail shows the rules forbidden imports.
func TestTheRulesCanFail(t *testing.T) {
	arrows := []struct {
		from, to string
		allowed  bool
	}{
		{"cmd/poolscope", "internal/app", true},
		{"internal/app", "internal/store/sqlite", true},
		{"internal/store/sqlite", "internal/ledger", true},
		{"internal/store/sqlite", "internal/store", true},
		{"internal/ledger", "internal/store", false},
		{"internal/node", "internal/ledger", false},
		{"internal/pool", "internal/devnet", false},
		{"internal/api", "internal/devnet", false},
		{"internal/bitcoin", "internal/pool", false},
		{"internal/config", "internal/stratum", false},
		{"internal/pool", "ui", false},
		{"internal/pool", "test/nodes", false},
		{"internal/api", "ui", true},
		{"internal/store", "internal/store/storetest", false},
	}
	for _, a := range arrows {
		if complaint := checkArrow(a.from, a.to); (complaint == "") != a.allowed {
			t.Errorf("%s → %s: %q, allowed should be %t", a.from, a.to, complaint, a.allowed)
		}
	}

	rooms := []struct {
		from, to string
		allowed  bool
	}{
		{"internal/store/sqlite", "modernc.org/sqlite", true},
		{"internal/ledger", "modernc.org/sqlite", false},
		{"internal/devnet", "github.com/btcsuite/btcd/mempool", true},
		{"internal/bitcoin", "github.com/btcsuite/btcd/mempool", false},
		{"internal/bitcoin", "github.com/btcsuite/btcd/wire/v2", true},
		{"internal/pool", "github.com/btcsuite/btcd/wire/v2", false},
		{"internal/pool", "github.com/google/go-cmp/cmp", false},
		{"internal/pool", "example.com/brand/new", false},
		{"internal/pool", "crypto/sha256", true},
		{"internal/node", "golang.org/x/sync/errgroup", true},
	}
	for _, r := range rooms {
		if complaint := checkEngine(r.from, r.to); (complaint == "") != r.allowed {
			t.Errorf("%s → %s: %q, allowed should be %t", r.from, r.to, complaint, r.allowed)
		}
	}
}

// checkArrow says what is wrong with an import between two of our packages.
func checkArrow(from, to string) string {
	if isElsewhere(from) {
		return ""
	}
	if isElsewhere(to) {
		if to == "ui" && (from == "internal/api" || from == "internal/app") {
			return "" // served by the one, handed over by the other
		}
		return fmt.Sprintf("%s imports %s: nothing in the house does", from, to)
	}

	if isForTests(to) && !isForTests(from) {
		return fmt.Sprintf("%s imports %s, which is for tests only", from, to)
	}

	above, ok1 := floorOf(from)
	below, ok2 := floorOf(to)
	switch {
	case !ok1 || !ok2:
		return "" // TestEveryPackageHasAFloor complains
	case above < below:
		return ""
	case house(from) == house(to):
		return "" // a package and what lies below it
	case above == below && slices.Contains(sideways[house(from)], house(to)):
		return ""
	case above == below:
		return fmt.Sprintf("%s imports %s, which is on the same floor: let the consumer define a small interface, and wire the two in internal/app", from, to)
	default:
		return fmt.Sprintf("%s imports %s, which is above it: arrows point down only (docs/architecture.md)", from, to)
	}
}

// checkEngine says what is wrong with a third-party import.
func checkEngine(from, imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") || strings.HasPrefix(imported, module) {
		return "" // standard library, or ours
	}
	engine := ""
	for prefix := range engines {
		if (imported == prefix || strings.HasPrefix(imported, prefix+"/")) && len(prefix) > len(engine) {
			engine = prefix
		}
	}
	switch {
	case engine == "":
		return fmt.Sprintf("%s imports %s, a library that no room has been given: add it to engines in test/architecture with the one package that may use it", from, imported)
	case slices.Contains(engines[engine], house(from)):
		return ""
	case len(engines[engine]) == 0:
		return fmt.Sprintf("%s imports %s, which is for tests only", from, imported)
	default:
		return fmt.Sprintf("%s imports %s, which belongs in %s only", from, imported, strings.Join(engines[engine], " and "))
	}
}

// floorOf is the floor of a room, 0 at the top.
func floorOf(room string) (int, bool) {
	for i, names := range floors {
		if slices.Contains(names, house(room)) {
			return i, true
		}
	}
	return 0, false
}

// house is the name on the floor plan that a room belongs to: internal/store
// for internal/store/sqlite.
func house(room string) string {
	parts := strings.SplitN(room, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func isElsewhere(room string) bool {
	first, _, _ := strings.Cut(room, "/")
	return slices.Contains(elsewhere, first)
}

// isForTests reports whether a package is a suite that several packages' tests
// share; by the custom of the standard library its name ends in "test".
func isForTests(room string) bool { return strings.HasSuffix(room, "test") && !isElsewhere(room) }

// internalImports lists the rooms that a package imports, its tests left out:
// those may look anywhere.
func internalImports(p goPackage) []string {
	rooms := make(map[string]bool)
	for _, imported := range p.Imports {
		if room, ok := strings.CutPrefix(imported, module+"/"); ok {
			rooms[room] = true
		}
	}
	return slices.Sorted(maps.Keys(rooms))
}

// packages asks the go command for every package of the module.
func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,GoFiles,CgoFiles,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}

	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages only", len(all))
	}
	return all
}

func countLines(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(data), "\n")
}
