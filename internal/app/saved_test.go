package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/node"
)

// stratumClient is a miner's side of a connection that a test writes by hand.
type stratumClient struct {
	t     *testing.T
	conn  net.Conn
	lines *bufio.Reader
}

func dialStratum(t *testing.T, address string) *stratumClient {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &stratumClient{t, conn, bufio.NewReader(conn)}
}

// signIn subscribes and authorizes, in one go.
func (c *stratumClient) signIn(user, password string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, `{"id":1,"method":"mining.subscribe","params":["cgminer/4.11"]}`+"\n"+
		`{"id":2,"method":"mining.authorize","params":[%q,%q]}`+"\n", user, password); err != nil {
		c.t.Fatal(err)
	}
}

// until reads lines up to the first that contains a text.
func (c *stratumClient) until(text string) {
	c.t.Helper()
	var read []string
	for {
		line, err := c.lines.ReadString('\n')
		read = append(read, line)
		if err != nil {
			c.t.Fatalf("%v before %q; read %q", err, text, read)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

// end reads until the connection is closed.
func (c *stratumClient) end() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c.lines); err != nil && !strings.Contains(err.Error(), "reset") {
		c.t.Fatal(err)
	}
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// mine lets a miner mine until something has come of it.
func mine(t *testing.T, stratum, worker, password string, done func() bool) {
	t.Helper()
	m, err := miner.New(miner.Config{Pool: stratum, User: worker, Password: password, Threads: 1, MaxHashrate: 1000, SuggestDifficulty: 1e-9}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	eventually(t, "mined enough", done)
}

// A worker that the books in memory have forgotten is not there for the taking:
// what is written down of it counts.
func TestIdleWorkerIsNotForTheTaking(t *testing.T) {
	cfg := poolConfig(t)
	cfg.HTTP.TLSListen = ""
	cfg.Network.Chain = "regtest"
	s := startLoggedSite(t, cfg, slog.New(slog.DiscardHandler))
	s.parts.pool.SetTemplate(regtestTemplate())
	const worker = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.idle"
	long := time.Now().Add(-100 * time.Hour)
	if err := s.parts.store.Apply(t.Context(), &ledger.Batch{Source: "t", Seq: 1, Deltas: []ledger.Delta{{
		Worker: worker, FirstSeen: long, LastSeen: long, LastShare: long, Totals: ledger.Totals{Accepted: 5000, Work: 5000},
	}}}); err != nil {
		t.Fatal(err)
	}
	s.ask("POST", "/api/saved-workers", map[string]any{"name": worker}, 201)
	claim := decode[struct{ Code string }](t, s.ask("POST", "/api/saved-workers/"+saved.HashOf(worker)+"/claim", nil, 200))
	thief := dialStratum(t, cfg.Stratum.Listen[0])
	thief.signIn(worker, claim.Code)
	thief.until("mining.notify")
	eventually(t, "the code is refused", func() bool {
		list := s.ask("GET", "/api/saved-workers", nil, 200)
		if strings.Contains(list, `"owned":true`) || strings.Contains(list, `"waiting":true`) {
			t.Fatalf("taken: %s", list)
		}
		return strings.Contains(list, `"refused":"The worker has mined before`)
	})
}

// regtestTemplate is work on the next block.
func regtestTemplate() *node.Template {
	now := uint32(time.Now().Unix())
	return &node.Template{
		Network: bitcoin.Regtest, Node: "core", Height: 101, PrevHash: bitcoin.Hash{1}, Version: 0x20000000, Bits: 0x207fffff, CurTime: now, MinTime: now - 600,
		CoinbaseValue: bitcoin.Subsidy(101, bitcoin.Regtest), WitnessCommitment: bitcoin.WitnessCommitment(nil),
	}
}

// TestOwnerOfAPool is the way of a person through the whole program: a worker is
// saved, proven by its miner's password, restarted, given a difficulty, and its
// wire is read.
func TestOwnerOfAPool(t *testing.T) {
	cfg := poolConfig(t)
	cfg.HTTP.TLSListen = ""
	cfg.Network.Chain = "regtest"
	cfg.Scope.Tap = "all"
	cfg.Difficulty.Min = 1e-9
	book := new(logBook)
	s := startLoggedSite(t, cfg, slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug})))
	s.parts.pool.SetTemplate(regtestTemplate())
	const worker = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.rig"
	at := "/api/saved-workers/" + saved.HashOf(worker)
	stratum := cfg.Stratum.Listen[0]

	first := dialStratum(t, stratum)
	first.signIn(worker, "x")
	first.until("mining.notify")
	s.ask("POST", "/api/saved-workers", map[string]any{"name": worker}, 201)
	claim := decode[struct{ Code string }](t, s.ask("POST", at+"/claim", nil, 200))
	s.ask("POST", at+"/restart", nil, 403)

	// The code alone proves nothing of a worker that never mined, its first shares do.
	proof := dialStratum(t, stratum)
	proof.signIn(worker, "d=1e-9,"+claim.Code)
	proof.until("mining.notify")
	eventually(t, "the code came", func() bool { return strings.Contains(s.ask("GET", "/api/saved-workers", nil, 200), `"waiting":true`) })
	s.ask("POST", at+"/restart", nil, 403)
	mine(t, stratum, worker, "x", func() bool { return strings.Contains(s.ask("GET", "/api/saved-workers", nil, 200), `"owned":true`) })
	eventually(t, "the miner is gone", func() bool {
		return strings.Count(s.ask("GET", "/api/saved-workers", nil, 200), `"connection_seq"`) == 2
	})

	// Both connections are told, closed and counted; the miner may come back.
	if got := s.ask("POST", at+"/restart", nil, 200); strings.TrimSpace(got) != `{"connections":2}` {
		t.Errorf("restart: %s", got)
	}
	first.until("client.show_message")
	first.end()
	proof.end()
	s.ask("POST", at+"/restart", nil, 429)
	again := dialStratum(t, stratum)
	again.signIn(worker, "x")
	again.until("mining.notify")

	// A difficulty comes with new work, and the network's stays the limit.
	if got := s.ask("PUT", at+"/difficulty", map[string]any{"difficulty": 2e-10}, 400); !strings.Contains(got, "at least 1e-09") {
		t.Errorf("too low: %s", got)
	}
	s.ask("PUT", at+"/difficulty", map[string]any{"difficulty": 1e6}, 200)
	s.ask("PUT", at+"/difficulty", map[string]any{"difficulty": nil}, 200)

	type wire struct {
		Tap      string
		Sessions []struct{ ID string }
	}
	var page wire
	eventually(t, "four sessions are captured", func() bool {
		page = decode[wire](t, s.ask("GET", at+"/wire", nil, 200))
		return page.Tap == "all" && len(page.Sessions) == 4
	})
	masked := false
	for _, session := range page.Sessions {
		text := s.ask("GET", at+"/wire/"+session.ID, nil, 200)
		masked = masked || strings.Contains(text, "mining.authorize") && strings.Contains(text, "********")
		if strings.Contains(text, claim.Code) {
			t.Errorf("the code is on the wire: %s", text)
		}
	}
	if !masked {
		t.Error("no password is masked")
	}
	metrics := s.ask("GET", "/metrics", nil, 200)
	for _, want := range []string{`poolscope_owner_proofs_total{result="proven_by_password"} 1`, `reason="owner_request"`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
	if got := book.String(); strings.Contains(got, claim.Code) || strings.Contains(got, "own-") {
		t.Errorf("a password or code is in the log: %s", got)
	}
	if got := s.ask("GET", "/api/auth/session", nil, 200); !strings.Contains(got, `"role":"operator"`) {
		t.Errorf("session: %s", got)
	}
	if got := s.ask("GET", "/api/admin/accounts", nil, 200); !strings.Contains(got, `"saved_workers":1`) {
		t.Errorf("accounts: %s", got)
	}
}
