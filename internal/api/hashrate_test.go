package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
)

func TestNextRetarget(t *testing.T) {
	for h, want := range map[int64]retarget{
		840_003: {Height: 840_672, BlocksAway: 669, DurationEstimate: "4 days 15 hours"}, // observed vector
		0:       {Height: 2016, BlocksAway: 2016, DurationEstimate: "14 days"},
		2015:    {Height: 2016, BlocksAway: 1, DurationEstimate: "10 minutes"},
		2016:    {Height: 4032, BlocksAway: 2016, DurationEstimate: "14 days"},
		2009:    {Height: 2016, BlocksAway: 7, DurationEstimate: "1 hour 10 minutes"},
		1865:    {Height: 2016, BlocksAway: 151, DurationEstimate: "1 day 1 hour"},
	} {
		if diff := cmp.Diff(&want, nextRetarget(h)); diff != "" {
			t.Errorf("tip %d (-want +got):\n%s", h, diff)
		}
	}
}

func TestHumanDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                 "",
		30 * time.Second:                  "",
		time.Minute:                       "1 minute",
		24*time.Hour + 20*time.Minute:     "1 day", // the two largest units are days and hours
		25*time.Hour + 59*time.Minute:     "1 day 1 hour",
		2*time.Hour + 30*time.Minute:      "2 hours 30 minutes",
		10 * 24 * time.Hour:               "10 days",
		time.Hour + 1*time.Minute:         "1 hour 1 minute",
		50*time.Hour + 59*time.Minute + 1: "2 days 2 hours",
	} {
		if got := humanDuration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	for after, want := range map[time.Duration]int64{
		0:                                600,
		-5 * time.Second:                 605, // header times may be ahead
		100 * time.Second:                500,
		100*time.Second + 1:              500,
		599*time.Second + 1:              1,
		600 * time.Second:                0,
		600*time.Second + 1:              -2, // -1 is taken
		601 * time.Second:                -2,
		601*time.Second + 1:              -2,
		602 * time.Second:                -2,
		602*time.Second + 1:              -3,
		time.Hour:                        -3000,
		time.Hour + 500*time.Millisecond: -3001,
	} {
		if got := timeLeft(testNow, testNow.Add(after)); got != want {
			t.Errorf("%s after the block: %d, want %d", after, got, want)
		}
	}
}

// TestBlockHeightIsTip checks that the height is the tip's in every situation,
// never that of the block being mined.
func TestBlockHeightIsTip(t *testing.T) {
	m := momentOf()
	m.pool.Job = &pool.JobStatus{Height: 101, NetworkDifficulty: 4.5, Fees: 0, TemplateAt: testNow}
	got := buildHashrate(m, false)
	if got.BlockHeight != 100 || got.BlockDifficulty != 4.5 || got.BlockTimeLeftSec != -1 || got.NextRetarget != nil {
		t.Errorf("with a job alone: %+v", got)
	}
	if got.TemplateFees == nil || *got.TemplateFees != 0 {
		t.Errorf("no fees is a fact: %v", got.TemplateFees)
	}

	m.node.Tip = &node.Tip{Height: 100, Bits: 0x1d00ffff, Time: testNow.Add(-time.Minute)}
	m.node.Network = bitcoin.Testnet4
	got = buildHashrate(m, false)
	if got.BlockHeight != 100 || got.BlockDifficulty != 1 || got.BlockTimeLeftSec != 540 || got.NextRetarget == nil {
		t.Errorf("with a tip: %+v", got)
	}

	m.node.Network = bitcoin.Regtest
	if got = buildHashrate(m, false); got.NextRetarget != nil {
		t.Errorf("regtest never retargets: %+v", got.NextRetarget)
	}
}

func TestHashrateHistoryOnlyWhenAsked(t *testing.T) {
	m := momentOf()
	if got := buildHashrate(m, false); got.History != nil {
		t.Errorf("not asked for, got %v", got.History)
	}
	if got := buildHashrate(m, true); got.History == nil {
		t.Error("asked for and empty, it must be an empty list")
	}
}
