package pool

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// blindSink takes lines and does nothing with them.
type blindSink struct{}

func (blindSink) ID() string                                { return "" }
func (blindSink) Open(TapOpening) TapSession                { return blindSink{} }
func (blindSink) Line(stratum.Direction, []byte, time.Time) {}
func (blindSink) Close(string, time.Time)                   {}

// Nobody who watches, and a pool that could be watched, cost a share nothing.
func TestTapOffAllocatesNothing(t *testing.T) {
	p := newSharePath(t, func(c *Config) { c.TapSink = blindSink{} })
	for _, mode := range []TapMode{{}, {All: true}, {Worker: "somebody else"}, {}} {
		if err := p.session.pool.SetTap(mode); err != nil {
			t.Fatal(err)
		}
	}
	for range 20_000 { // the table of shares grows
		p.share(t)
	}
	if n := testing.AllocsPerRun(1000, func() { p.share(t) }); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations per share", n)
	}
	if got := p.session.pool.Tap(); got.Lines != 0 || got.Connections != 0 {
		t.Errorf("status %+v", got)
	}
}

// BenchmarkTap is BenchmarkShare, from its line to the reply on the socket, for
// a connection that is not shown and one that is.
func BenchmarkTap(b *testing.B) {
	for _, mode := range []TapMode{{}, {All: true}} {
		b.Run(mode.String(), func(b *testing.B) {
			p := newSharePath(b, func(c *Config) { c.TapSink, c.Tap = blindSink{}, mode })
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%(maxShares/2) == 0 {
					p.session.shares.reset()
				}
				p.share(b)
			}
		})
	}
}
