package pool

import (
	"testing"
	"testing/synctest"
	"time"
)

// How long a miner takes from a new block to its first share is booked, once for
// each block.
func TestFirstShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		runLedger(t, r.ledger)
		m := r.connect(t)
		m.start(alice+".rig", "x")
		for _, wait := range []time.Duration{3 * time.Second, time.Second, 10 * time.Second} {
			m.wait(wait)
			m.share()
			m.wait(wait)
			m.share() // no first one
			r.refresh()
			m.nextJob() // neither is that of a job that leaves earlier work alone
			m.wait(time.Second)
			m.share()
			r.newTip()
			m.nextJob()
		}
		m.wait(2 * time.Second)
		d, _ := r.ledger.Worker(alice + ".rig")
		if len(d.Open) != 1 {
			t.Fatalf("%d connections", len(d.Open))
		}
		c := d.Open[0]
		if f := c.FirstShare; f.Samples != 3 || f.Last != 10*time.Second || f.P50 != 3*time.Second || f.P95 != 10*time.Second {
			t.Errorf("first shares: %+v", f)
		}
		if c.Accepted != 9 || c.Rejected != 0 || c.Hashrate <= 0 || c.ShareRate <= 0 || c.LastShare.IsZero() {
			t.Errorf("connection: %+v", c)
		}
		r.stop()
	})
}
