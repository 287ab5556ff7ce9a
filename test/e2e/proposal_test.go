package e2e

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// wantProposalsPassed waits until the node was asked what it thinks of blocks
// of ours, and checks that it would take every one of them.
func wantProposalsPassed(t *testing.T, p *running) {
	t.Helper()
	passed := func() bool { return metric(t, p, `poolscope_block_proposals_total{verdict="passed"}`) > 0 }
	nodes.WaitFor(t, 60*time.Second, "a proposed block that the node would take", passed)
	if n := metric(t, p, `poolscope_block_proposals_total{verdict="refused"}`); n != 0 {
		t.Errorf("the node would refuse %v of our blocks: %v", n, get[poolPage](t, p, "/api/pool-page").ErrorHistory)
	}
}

// metric is the value of a line of /metrics.
func metric(t *testing.T, p *running, name string) float64 {
	t.Helper()
	_, body := fetch(t, p, "/metrics")
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatalf("%s: %v", lines.Text(), err)
			}
			return value
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
