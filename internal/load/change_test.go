package load

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A new tip, a higher difficulty or another extranonce in the middle of the
// timed window: the shares that were prepared for the old work are not sent,
// and new ones are searched. Nothing is rejected but what was under way.
func TestOtherWorkMeanwhile(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
	}{
		{"new tip", []string{notify("j2", "02")}},
		{"higher difficulty", []string{`{"id":null,"method":"mining.set_difficulty","params":[0.00000003]}`, notify("j101", "01")}},
		{"two tips", []string{notify("j2", "02"), notify("j3", "03")}},
	} {
		for _, rate := range []float64{0, 1000} {
			t.Run(fmt.Sprintf("%s, rate %v", c.name, rate), func(t *testing.T) {
				var answered atomic.Int64
				p := &testPool{}
				p.answer = func(p *testPool, s *seen) string {
					if answered.Add(1) == 60 {
						for _, line := range c.lines {
							p.broadcast(line)
						}
					}
					if !s.valid || s.duplicate {
						return `"result":null,"error":[23,"Invalid",null]`
					}
					return `"result":true,"error":null`
				}
				cfg := quick(startPool(t, p))
				cfg.Rate = rate
				r, err := run(t, cfg)
				if err != nil {
					t.Fatal(err)
				}
				s := r.Shares
				if s.Sent != 200 || s.Accepted != 200 || s.Unanswered != 0 || s.Segments < 2 || r.Prepared.Rebuilt == 0 || r.Cut != "" {
					t.Errorf("%+v, %+v, %q", s, r.Prepared, r.Cut)
				}
				p.mu.Lock()
				defer p.mu.Unlock()
				jobs := map[string]int{}
				for _, s := range p.shares {
					jobs[s.job]++
				}
				if jobs["j1"] < 60 || len(p.shares)-jobs["j1"] < 10 {
					t.Errorf("shares by job: %v", jobs)
				}
			})
		}
	}
}

// A pool that gets too hard in the middle ends the run, not what was measured.
func TestTooHardMeanwhile(t *testing.T) {
	var answered atomic.Int64
	p := &testPool{answer: func(p *testPool, _ *seen) string {
		if answered.Add(1) == 60 {
			p.broadcast(`{"id":null,"method":"mining.set_difficulty","params":[65536]}`)
			p.broadcast(notify("j101", "01"))
		}
		return `"result":true,"error":null`
	}}
	r, err := run(t, quick(startPool(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Cut, "65536") || r.Shares.Accepted < 60 || r.Shares.Latency.P50 == 0 {
		t.Errorf("%q, %+v", r.Cut, r.Shares)
	}
}

// A new tip while connections idle is a fan-out.
func TestFanoutOfATip(t *testing.T) {
	p := &testPool{}
	cfg := quick(startPool(t, p))
	cfg.Shares, cfg.Hold = 0, 500*time.Millisecond
	r, err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), writerFunc(func(line string) {
		if strings.HasPrefix(line, "10 of 10 connections ready") {
			p.broadcast(notify("j2", "02"))
			p.broadcast(notify("j3", "02")) // the same tip again
			p.broadcast(notify("j4", "04"))
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	f := r.Fanout
	if f == nil || f.Tips != 2 || f.Incomplete != 0 || len(f.Each) != 2 {
		t.Fatalf("%+v", f)
	}
	for k, e := range f.Each {
		if want := strings.Repeat([]string{"02", "04"}[k], 32); e.Hash != want || e.Miners != 10 || e.Reached != 10 {
			t.Errorf("%+v, want tip %s", e, want)
		}
		if e.P50 < 0 || e.P50 > e.P99 || e.P99 > e.Last || e.BlockToLast != 0 {
			t.Errorf("%+v", e)
		}
	}
	if text := r.String(); !strings.Contains(text, "2 tips, 0 incomplete") {
		t.Errorf("no word of it in\n%s", text)
	}
}

// A pool that forgets a miner is found out.
func TestIncompleteFanout(t *testing.T) {
	p := &testPool{}
	cfg := quick(startPool(t, p))
	cfg.Shares, cfg.Hold = 0, 300*time.Millisecond
	r, err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), writerFunc(func(line string) {
		if strings.HasPrefix(line, "10 of 10 connections ready") {
			p.mu.Lock()
			p.miners = p.miners[:9]
			p.mu.Unlock()
			p.broadcast(notify("j2", "02"))
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Fanout; f == nil || f.Incomplete != 1 || f.Each[0].Reached != 9 || f.Each[0].Miners != 10 {
		t.Errorf("%+v", r.Fanout)
	}
}

// What pools do differently: a job before the answer to authorize, version
// rolling or no word of it.
func TestOtherPools(t *testing.T) {
	for _, c := range []struct {
		name string
		pool *testPool
	}{
		{"job first", &testPool{early: true}},
		{"version rolling", &testPool{mask: "1fffe000"}},
		{"no version rolling", &testPool{}},
		{"other order of members", &testPool{authorize: `"error":null,"result":true`, answer: func(*testPool, *seen) string { return `"error": null, "result": true` }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := quick(startPool(t, c.pool))
			cfg.VersionRolling, cfg.SuggestLate = true, true
			r, err := run(t, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if s := r.Shares; s.Accepted != 200 || s.Rejected != 0 {
				t.Errorf("%+v", s)
			}
			c.pool.mu.Lock()
			defer c.pool.mu.Unlock()
			versions := map[uint32]bool{}
			for _, s := range c.pool.shares {
				if !s.valid || s.duplicate {
					t.Errorf("%+v", s)
				}
				versions[s.version] = true
			}
			if rolled := len(versions) > 10; rolled != (c.pool.mask != "") {
				t.Errorf("%d versions with mask %q", len(versions), c.pool.mask)
			}
		})
	}
}

// The whole run ends when its time is over, whatever the pool does.
func TestRunIsBounded(t *testing.T) {
	tips := func(p *testPool) func(*testPool, *seen) string {
		var n atomic.Int64
		return func(*testPool, *seen) string {
			p.broadcast(notify(fmt.Sprintf("j%d", n.Add(1)%200), fmt.Sprintf("%02x", n.Load()%200)))
			return `"result":true,"error":null`
		}
	}
	p := &testPool{}
	p.answer = tips(p) // another tip with every share
	cfg := quick(startPool(t, p))
	cfg.Shares, cfg.Duration = 100_000, 2*time.Second
	start := time.Now()
	r, err := run(t, cfg)
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("%v instead of 2 s", took)
	}
	if err != nil && r == nil {
		t.Fatal(err)
	}
	if err == nil && r.Cut == "" {
		t.Errorf("no word about the end: %+v", r)
	}
}
