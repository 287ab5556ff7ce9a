package measure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/load"
	"github.com/poolscope/poolscope/test/nodes"
)

// tapModes are the ways in which a pool's own tap is measured.
var tapModes = []struct{ name, section string }{
	{"off", "[scope]\ntap = \"off\"\njournal = false\n"},
	{"all, in memory", "[scope]\ntap = \"all\"\njournal = false\n"},
	{"all, and on disk", "[scope]\ntap = \"all\"\n"},
}

// TestMeasureTap is the tap's part of `make measure`: what it costs a pool to
// show every line of every miner. The pools take turns.
func TestMeasureTap(t *testing.T) {
	rounds := *runs
	if !*full {
		rounds = 1
	}
	if *only != "" && *only != "tap" {
		t.Skip("another scenario is asked for")
	}
	ctx, cancel := context.WithTimeout(t.Context(), *limit+time.Minute)
	defer cancel()
	end := time.Now().Add(*limit)
	chain := startChain(t, 5e9)
	pools := make([]*server, len(tapModes))
	for i, mode := range tapModes {
		pools[i] = startPool(t, chain, mode.section)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| what | tap %s | tap %s | tap %s |\n|---|---|---|---|\n", tapModes[0].name, tapModes[1].name, tapModes[2].name)
	for _, c := range []load.Config{
		{Connections: 100, Shares: 1000, Outstanding: 1},
		{Connections: 100, Shares: 3000, Outstanding: 32},
		{Connections: 100, Shares: 300, Rate: 10_000},
	} {
		var cpu, rate, p50, p99, lost [3][]float64
		for round := range rounds {
			for i := range tapModes {
				if time.Now().After(end) {
					break
				}
				if *full {
					fmt.Fprintf(os.Stderr, "run %d of %d: tap %s, %d outstanding\n", round+1, rounds, tapModes[i].name, c.Outstanding)
				}
				cfg := c
				cfg.Settle = 500 * time.Millisecond
				if !*full {
					cfg = tiny(cfg)
				}
				before := lostLines(t, pools[i])
				r, err := measure(ctx, t, pools[i], cfg)
				if err != nil {
					t.Errorf("tap %s, run %d: %v", tapModes[i].name, round+1, err)
					continue
				}
				cpu[i], rate[i] = append(cpu[i], r.Shares.CPUMicrosPerShare), append(rate[i], r.Shares.AcceptedPerSecond)
				lost[i] = append(lost[i], 100*float64(lostLines(t, pools[i])-before)/float64(2*r.Shares.Sent))
				p50[i], p99[i] = append(p50[i], r.Shares.Latency.P50), append(p99[i], r.Shares.Latency.P99)
			}
		}
		row := func(what string, digits int, values [3][]float64) {
			m := metric{digits: digits}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", what, m.show(values[0]), m.show(values[1]), m.show(values[2]))
		}
		if c.Rate > 0 {
			row("submit→reply p50 at 10,000 shares/s, µs", 0, p50)
			row("submit→reply p99 at 10,000 shares/s, µs", 0, p99)
			continue
		}
		row(fmt.Sprintf("CPU per share, %d outstanding, µs", c.Outstanding), 2, cpu)
		row(fmt.Sprintf("shares/s, %d outstanding", c.Outstanding), 0, rate)
		row("lines that the recorder or the disk had no room for, %", 1, lost)
	}
	if *full {
		fmt.Print(machine(), fmt.Sprintf("Template: %d transactions. %d runs: median (smallest to largest).\n\n", chain.txs, rounds), b.String())
	}
}

// lostLines is how many lines a pool's scope could not take in, or not write
// down, since its start. It waits until the others are dealt with.
func lostLines(t *testing.T, s *server) uint64 {
	t.Helper()
	var status struct {
		Capture struct {
			Dropped uint64 `json:"dropped_chunks"`
		}
		Parts struct {
			Journal struct {
				Dropped uint64 `json:"dropped"`
				Queued  int    `json:"queued_messages"`
			}
		}
	}
	nodes.WaitFor(t, 20*time.Second, "the journal", func() bool {
		response, err := http.Get("http://" + s.http + "/api/scope/status")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
			t.Fatal(err)
		}
		return status.Parts.Journal.Queued == 0
	})
	return status.Capture.Dropped + status.Parts.Journal.Dropped
}
