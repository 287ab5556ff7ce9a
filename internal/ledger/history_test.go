package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
)

// The average of a period that is still running is over what has passed.
func TestHistoryOfTheRunningPeriod(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	a := h.connect("w", "agent", "10.0.0.1:1000")
	const perSecond = 3.0
	for range 5*60 + 30 {
		a.Accept(h.share(perSecond, 5))
		h.pass(time.Second)
	}
	h.pass(3 * time.Second) // written

	for _, c := range []struct {
		res    ledger.Resolution
		points int
		exact  bool
	}{{ledger.Minute, 5, true}, {ledger.Hour, 1, false}, {ledger.Day, 1, false}} {
		points, err := h.History(t.Context(), "w", c.res, time.Time{}, h.now.Add(time.Hour))
		if err != nil || len(points) != c.points {
			t.Fatalf("%s: %d points, %v", c.res, len(points), err)
		}
		for _, p := range points {
			want := perSecond * bitcoin.HashesPerDifficulty
			if c.res == ledger.Day {
				want *= 333. / (12*3600 + 333) // the pool came at noon
			}
			if p.Hashrate < want*0.97 || p.Hashrate > want*1.01 {
				t.Errorf("%s: hashrate %g, want %g", c.res, p.Hashrate, want)
			}
		}
	}
}

func TestHistoryRange(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	h.pass(10 * time.Minute)
	if _, err := h.History(t.Context(), "", "week", noon, h.now); !errors.Is(err, ledger.ErrResolution) {
		t.Errorf("weeks: %v", err)
	}
	if _, err := h.History(t.Context(), "", ledger.Minute, h.now, noon); !errors.Is(err, ledger.ErrRange) {
		t.Errorf("backwards: %v", err)
	}
	points, err := h.History(t.Context(), "", ledger.Minute, h.now.Add(time.Hour), h.now.Add(2*time.Hour))
	if err != nil || len(points) != 0 {
		t.Errorf("future: %d points, %v", len(points), err)
	}
	points, err = h.History(t.Context(), "nobody", ledger.Day, noon, h.now)
	if err != nil || len(points) != 0 {
		t.Errorf("nobody: %d points, %v", len(points), err)
	}
}

func TestResolutionStart(t *testing.T) {
	zone := time.FixedZone("east", 5*3600+45*60)
	at := time.Date(2026, 3, 2, 3, 10, 59, 999, zone) // 21:25 of the day before in UTC
	for res, want := range map[ledger.Resolution]time.Time{
		ledger.Minute: time.Date(2026, 3, 1, 21, 25, 0, 0, time.UTC),
		ledger.Hour:   time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC),
		ledger.Day:    time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	} {
		equal(t, string(res), res.Start(at), want)
		equal(t, string(res)+" is its own start", res.Start(want), want)
	}
}
