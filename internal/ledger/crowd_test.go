package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// Thousands of connections in one name, each of which calls itself differently,
// cost the others no more than as many miners do, and the page stays short.
func TestCrowdInOneName(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	began := time.Now()
	const crowd = 8000
	accounts := make([]*ledger.Account, crowd)
	for i := range accounts {
		accounts[i] = h.Connect(ledger.ConnInfo{
			ConnectionID: fmt.Sprint(i), Worker: "w", Address: "addr",
			UserAgent: strings.Repeat("x", 100) + fmt.Sprint(i), Remote: "10.0.0.1:1000", ConnectedAt: h.now,
		})
	}
	h.pass(time.Second)
	if w := h.view("w"); len(w.ConnectionIDs) != crowd || len(w.UserAgents) != 32 {
		t.Errorf("%d connections, %d agents", len(w.ConnectionIDs), len(w.UserAgents))
	}
	for _, a := range accounts {
		a.Close(h.now)
	}
	h.pass(time.Second)
	if w := h.view("w"); len(w.ConnectionIDs) != 0 || len(w.UserAgents) != 1 {
		t.Errorf("left: %d connections, agents %q", len(w.ConnectionIDs), w.UserAgents)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("%d connections in one name took %v", crowd, took)
	}
}
