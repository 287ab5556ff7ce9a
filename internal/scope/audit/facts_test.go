package audit

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// The facts of a session that everything happens in.
func TestFacts(t *testing.T) {
	a, _ := play(t, Config{}, func(w *wire) {
		w.ask("mining.configure", `[["version-rolling"],{"version-rolling.mask":"ffffffff"}]`, `"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null`)
		w.ask("mining.subscribe", `["cgminer/4.11.1","resume7"]`, `"result":[[["mining.notify","1"]],"01020304",8],"error":null`)
		w.ask("mining.authorize", `["`+alice+`.rig","x"]`, yes)
		w.ask("mining.authorize", `["`+alice+`.rig2","x"]`, yes)
		s := &stage{wire: w, extranonce1: []byte{1, 2, 3, 4}}
		s.setDifficulty(easy)
		time.Sleep(100 * time.Millisecond)
		j := s.job(1, true)
		time.Sleep(200 * time.Millisecond)
		best := s.find(j, 5*easy, 1)
		s.submit(best, yes)
		for range 3 {
			s.submit(s.find(j, easy, 5*easy), yes)
		}
		s.submit(s.bad(j), low)
		s.submit(s.bad(j), low)
		s.submit(best, rejection(22, "Duplicate share"))
		s.call("mining.submit", s.find(j, easy, 5*easy).params)
		s.pool("garbage")
		s.job(1, false, func(j *testJob) { j.branches = nil })
		s.setDifficulty(easy)
		s.setDifficulty(2 * easy)
		time.Sleep(time.Minute - 100*time.Millisecond)
		s.tape.Close("miner_closed", time.Now())
	})
	f, ok := a.Facts("s")
	if !ok {
		t.Fatal("no facts")
	}
	if f.UserAgent != "cgminer/4.11.1" || f.ResumeID != "resume7" || !slices.Equal(f.Workers, []string{alice + ".rig", alice + ".rig2"}) ||
		f.Extranonce1 != "01020304" || f.Extranonce2Size != 8 || f.VersionMask != "1fffe000" || f.Difficulty != 2*easy || f.DifficultyCount != 2 ||
		f.CloseReason != "miner_closed" || !f.Complete || f.PayoutAddress != alice || f.Network != "regtest" || *f.PayoutFraction != 0.99 || f.PoolPeer != "" {
		t.Errorf("facts %+v", f)
	}
	if f.SubscribeToNotify == nil || *f.SubscribeToNotify != 109 || f.RoundTrip.Count != 4 || f.RoundTrip.Max != 3 || f.SubmitLatency.Count != 7 ||
		f.NotifyToSubmit.Count != 1 || f.NotifyToSubmit.Max != 200 {
		t.Errorf("times: %v, %+v, %+v, %+v", f.SubscribeToNotify, f.RoundTrip, f.SubmitLatency, f.NotifyToSubmit)
	}
	c := f.Shares
	if c.Submitted != 8 || c.Accepted != 4 || c.Rejected != 3 || c.Unanswered != 1 || *c.AcceptRate != 4.0/7 || c.Conflicts != 0 ||
		c.Audit != (VerdictCounts{Valid: 5, LowDifficulty: 2, Duplicate: 1}) ||
		!reflect.DeepEqual(c.Reasons, []ReasonCount{{"Low difficulty share", 2}, {"Duplicate share", 1}}) {
		t.Errorf("shares %+v", c)
	}
	if f.Jobs != 2 || f.EmptyJobs != 1 || f.CleanJobs != 1 || f.Tips != 1 || f.ParseErrors != 1 || f.Gaps != 0 || f.Messages != 29 || f.MinerBytes == 0 || f.PoolBytes == 0 {
		t.Errorf("counts %+v", f)
	}
	found := shares(t, a)
	if f.BestShare != found[0].Difficulty || f.BestShareID != found[0].Message || f.BestShare < 5*easy {
		t.Errorf("best share %v of %s", f.BestShare, f.BestShareID)
	}
	// Four shares of the difficulty that was asked for, in the minute since the
	// first job.
	seconds := f.Hashrate.Session.Seconds
	if h := f.Hashrate.Session; h.Shares != 4 || math.Abs(h.Work-4*easy) > 1e-18 || math.Abs(*h.Hashes-4*easy*(1<<32)/seconds) > 1e-6 || math.Abs(seconds-60.1) > 0.2 {
		t.Errorf("hashrate %+v of %v", h, *h.Hashes)
	}
	timeline, _ := a.Difficulty("s")
	values := make([]float64, len(timeline.Changes))
	for i, c := range timeline.Changes {
		values[i] = c.Value
	}
	if !slices.Equal(values, []float64{easy, easy, 2 * easy}) || timeline.Changes[2].Before != easy || timeline.Changes[2].Shares != 4 {
		t.Errorf("timeline %+v", timeline)
	}
	jobs, _ := a.Jobs("s", 0, 0)
	if len(jobs.Items) != 2 || jobs.Next != 0 {
		t.Fatalf("jobs %+v", jobs)
	}
	newer, older := jobs.Items[0], jobs.Items[1]
	if older.ID != "1" || !older.Clean || !older.NewTip || older.Height != 200 || older.PrevHash != tipOf(1).String() || older.Value != 100_0000_0000 ||
		older.Payouts != 3 || older.Tag != "/test/" || older.SupersededAt != newer.ReceivedAt || !older.StaleAt.IsZero() ||
		older.Shares.Submitted != 8 || older.Shares.Accepted != 4 || older.Shares.Rejected != 3 || older.Shares.Best != f.BestShare || older.Difficulty != easy {
		t.Errorf("older job %+v", older)
	}
	if newer.ID != "2" || newer.Clean || newer.NewTip || !newer.Empty || !newer.SupersededAt.IsZero() || newer.Shares.Submitted != 0 {
		t.Errorf("newer job %+v", newer)
	}
}

// Nothing is claimed before there is evidence.
func TestFactsOfNothing(t *testing.T) {
	a, _ := play(t, Config{}, func(w *wire) {
		s := newStage(w)
		s.submit(s.good(s.job(1, true)), yes)
		time.Sleep(20 * time.Second)
	})
	f, _ := a.Facts("s")
	if f.Hashrate.Session.Hashes != nil || f.Hashrate.FiveMinutes.Hashes != nil || f.Hashrate.Session.Shares != 1 {
		t.Errorf("a hashrate after twenty seconds: %+v", f.Hashrate)
	}
	a, _ = play(t, Config{}, func(w *wire) {
		newStage(w).job(1, true)
		time.Sleep(time.Hour)
	})
	if f, _ = a.Facts("s"); f.Hashrate.OneHour.Hashes != nil || f.Shares.AcceptRate != nil || f.BestShareID != "" || f.Shares.Reasons == nil {
		t.Errorf("a miner without shares: %+v", f)
	}
	if _, ok := a.Facts("nobody"); ok {
		t.Error("facts of a session that is not there")
	}
}

// The windows of the hashrate hold what a plain sum over the shares gives.
func TestHashrateWindows(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	begun := time.Unix(1_700_000_003, 0)
	w := work{begun: begun}
	type share struct {
		at time.Time
		d  float64
	}
	var all []share
	now := begun
	for range 3000 {
		now = now.Add(time.Duration(random.IntN(8000)) * time.Millisecond)
		if random.IntN(300) == 0 {
			now = now.Add(10 * time.Minute)
		}
		s := share{now, float64(1 + random.IntN(100))}
		all = append(all, s)
		w.add(s.at, s.d)
		if random.IntN(10) > 0 {
			continue
		}
		at := now.Add(time.Duration(random.IntN(400)) * time.Second)
		rates := w.rates(at)
		for _, window := range []struct {
			got      Hashrate
			width    time.Duration
			slots    int
			atLeast  time.Duration
			complete time.Duration
		}{
			{got: rates.FiveMinutes, width: fiveWidth, slots: 30, complete: 5 * time.Minute},
			{got: rates.OneHour, width: hourWidth, slots: 60, complete: time.Hour},
		} {
			from := at.Truncate(window.width).Add(-time.Duration(window.slots-1) * window.width)
			var sum float64
			for _, s := range all {
				if !s.at.Before(from) {
					sum += s.d
				}
			}
			length := min(at.Sub(from), at.Sub(begun))
			if window.got.Work != sum || math.Abs(window.got.Seconds-length.Seconds()) > 1e-3 {
				t.Fatalf("window %+v, want %v in %v", window.got, sum, length)
			}
			if length > window.complete || at.Sub(begun) > window.complete && length < window.complete-window.width {
				t.Fatalf("a window of %v", length)
			}
		}
	}
}

// Quantiles are within 7 % of those of the sorted durations.
func TestQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	for _, n := range []int{1, 2, 10, 1000} {
		var h *histogram
		if got := h.quantiles(); got != (Quantiles{}) {
			t.Errorf("nothing gives %+v", got)
		}
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(math.Exp(random.Float64()*22)) * time.Microsecond
			add(&h, all[i])
		}
		slices.Sort(all)
		got := h.quantiles()
		for _, q := range []struct{ p, got float64 }{{0.5, got.P50}, {0.9, got.P90}, {0.99, got.P99}} {
			want := milliseconds(all[int(math.Ceil(q.p*float64(n)))-1])
			if math.Abs(q.got/want-1) > 0.07 && math.Abs(q.got-want) > 0.001 {
				t.Errorf("n=%d: quantile %v is %v, want %v", n, q.p, q.got, want)
			}
		}
		if got.Max != milliseconds(all[n-1]) || got.Count != uint64(n) {
			t.Errorf("%+v", got)
		}
	}
}

// Pages hold everything once, newest first.
func TestPages(t *testing.T) {
	a, _ := play(t, Config{Limits: Limits{Shares: 50}}, func(w *wire) {
		s := newStage(w)
		j := s.job(1, true)
		for range 60 {
			s.submit(s.good(j), yes)
		}
	})
	var got []uint64
	var before uint64
	for {
		p, ok := a.Shares("s", before, 7)
		if !ok || p.Dropped != 10 || len(p.Items) > 7 {
			t.Fatalf("page %+v", p)
		}
		for _, s := range p.Items {
			got = append(got, s.N)
		}
		if before = p.Next; before == 0 {
			break
		}
	}
	if len(got) != 50 || !slices.IsSortedFunc(got, func(a, b uint64) int { return cmp.Compare(b, a) }) || len(slices.Compact(slices.Clone(got))) != 50 {
		t.Errorf("%d shares: %v", len(got), got)
	}
	if f, _ := a.Facts("s"); f.Shares.Submitted != 60 || f.DroppedRecords != 10 {
		t.Errorf("facts %+v", f)
	}
}

// Two pools are compared by when they had the same blocks.
func TestCompare(t *testing.T) {
	a, _ := play(t, Config{}, func(w *wire) {
		one := newStage(w)
		other := &wire{t: w.t, recorder: w.recorder, auditor: w.auditor}
		other.tape = w.recorder.Open(capture.Opening{ID: "b", Origin: capture.OriginProxy, Pool: "other.example:3333", At: time.Now()})
		two := newStage(other)
		two.setDifficulty(4 * easy)
		one.job(1, true)
		j := two.job(1, true)
		for range 50 {
			two.submit(two.find(j, 4*easy, 1), yes)
			time.Sleep(time.Second)
		}
		one.job(2, true)
		time.Sleep(250 * time.Millisecond)
		two.job(2, true)
		time.Sleep(time.Minute)
		two.job(3, true)
		time.Sleep(50 * time.Millisecond)
		one.job(3, true)
		time.Sleep(time.Second)
		two.job(4, true)
	})
	c, ok := a.Compare("s", "b")
	if !ok || c.SameTip || c.A.Session != "s" || c.B.Session != "b" || *c.DifficultyRatio != 4 || c.AcceptDifference != nil || c.HashrateRatio != nil || c.LatencyDifference != nil {
		t.Errorf("comparison %+v", c)
	}
	if c.Race != (RaceResult{Blocks: 2, AFirst: 1, BFirst: 1, Mean: 100, Max: 250}) {
		t.Errorf("race %+v", c.Race)
	}
	if len(c.Tips) != 3 || c.Tips[0].PrevHash != tipOf(3).String() || c.Tips[0].Difference != -50 || c.Tips[1].Difference != 250 || c.Tips[0].Height != 200 {
		t.Errorf("tips %+v", c.Tips)
	}
	if _, ok := a.Compare("s", "nobody"); ok {
		t.Error("compared with nobody")
	}
}

// A session that is audited afterwards gives what it gave while it lived.
func TestOf(t *testing.T) {
	live, store := play(t, Config{}, func(w *wire) {
		s := newStage(w)
		j := s.job(1, true)
		share := s.good(j)
		s.submit(share, yes)
		s.submit(share, yes)
		s.submit(s.bad(j), low)
		s.job(2, true)
		s.submit(s.good(j), yes)
		own := w.tape.Own([]byte(`{"id":9,"method":"mining.submit","params":`+share.params+`}`+"\n"), capture.OwnLine{WireID: `"x"`, ReplayOf: 9}, time.Now())
		own.Sent(time.Now())
		w.n++
		time.Sleep(time.Millisecond)
		own.Answered([]byte(`{"id":"x","result":true}`+"\n"), time.Now())
		time.Sleep(5 * time.Minute)
		s.job(2, false)
		s.call("mining.submit", s.good(j).params)
		time.Sleep(time.Minute)
		w.tape.Close("pool_closed", time.Now())
	})
	var messages []*capture.Message
	store.Latest("s", func(m *capture.Message) bool { messages = append(messages, m); return true })
	slices.Reverse(messages)
	s, _ := store.Session("s")
	again := Of(s, slices.Values(messages), Config{})

	if a, b := shares(t, live), shares(t, again); !reflect.DeepEqual(a, b) || len(a) != 6 || !a[4].Replayed || a[4].Pool != "accepted" {
		t.Errorf("shares\n%+v\n%+v", a, b)
	}
	a, _ := live.Facts("s")
	b, _ := again.Facts("s")
	if !reflect.DeepEqual(a, b) {
		t.Errorf("facts\n%+v\n%+v", a, b)
	}
	kinds := func(a *Auditor) (out []string) {
		for _, alarm := range a.Alarms(AlarmFilter{}).Alarms {
			out = append(out, alarm.Kind)
		}
		slices.Sort(out)
		return out
	}
	if x, y := kinds(live), kinds(again); !slices.Equal(x, y) || len(x) < 4 {
		t.Errorf("alarms %v, afterwards %v", x, y)
	}
	for _, m := range messages {
		if m.Method == "mining.submit" && m.Share == nil {
			t.Error("a message was changed")
		}
	}
}
