package ledger_test

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// What a worker proved is known to its next connection, also after kill -9 and
// when the books must be asked for it; but not to another kind of miner, and
// not for ever.
func TestPaceSurvives(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "Antminer S21/", "10.0.0.1:1000")
	equal(t, "pace of a new worker", a.Pace(), 0)
	a.Accept(h.share(1000, 2000)) // names without a share have no place in the books
	a.SetPace(2e14, h.now)
	h.pass(5 * time.Second)
	a.Close(h.now)
	equal(t, "pace in memory", h.connect("w", "Antminer S21/", "10.0.0.2:1000").Pace(), 2e14)

	h.restart()
	equal(t, "pace after a restart", h.connect("w", "Antminer S21/", "10.0.0.1:1001").Pace(), 2e14)
	equal(t, "pace of another kind", h.connect("w", "NerdMinerV2/1.8.3", "10.0.0.1:1002").Pace(), 0)

	// Days later it is in the books only, and they are read in the background.
	h.now = h.now.Add(48 * time.Hour)
	h.restart()
	late := h.connect("w", "Antminer S21/", "10.0.0.1:1003")
	equal(t, "pace before the books were asked", late.Pace(), 0)
	h.pass(2 * time.Second)
	equal(t, "pace from the books", late.Pace(), 2e14)

	h.now = h.now.Add(31 * 24 * time.Hour)
	h.restart()
	old := h.connect("w", "Antminer S21/", "10.0.0.1:1004")
	h.pass(5 * time.Second)
	equal(t, "pace of long ago", old.Pace(), 0)
}

func TestPingPercentiles(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	h.pass(time.Second)
	equal(t, "unknown", h.view("w").PingP50, 0)
	for i := range 100 { // the first 68 are forgotten
		a.Ping(time.Duration(i) * time.Millisecond)
	}
	h.pass(time.Second)
	equal(t, "median", h.view("w").PingP50, 92)
	equal(t, "95th percentile", h.view("w").PingP95, 98)
	a.Close(h.now)
	h.pass(time.Second)
	equal(t, "offline", h.view("w").PingP95, 0)
}
