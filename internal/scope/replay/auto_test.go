package replay

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

func (b *bench) change(t *testing.T, c Change) Settings {
	t.Helper()
	settings, err := b.Change(session, c)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func TestSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.miner(submit)
		defaults := b.Settings(session)
		if defaults.AutoReplay || defaults.Broadcast || defaults.AutoReplayCount != 1 || defaults.RepeatCount != 1 {
			t.Errorf("%+v", defaults)
		}
		for _, test := range []struct {
			change Change
			want   error
		}{
			{Change{RepeatCount: new(0)}, ErrRepeatCount},
			{Change{RepeatCount: new(1001)}, ErrRepeatCount},
			{Change{RepeatCount: new(1000)}, nil},
			{Change{AutoReplayCount: new(0)}, ErrAutoReplayCount},
			{Change{AutoReplayCount: new(900_001)}, ErrAutoReplayCount},
			{Change{AutoReplayCount: new(900_000)}, nil},
			{Change{AutoReplayRate: new(0.0)}, ErrPace},
			{Change{AutoReplayJitter: new(1.5)}, ErrPace},
			{Change{Broadcast: new(true)}, nil},
			{Change{RepeatCount: new(5), AutoReplayCount: new(-1)}, ErrAutoReplayCount},
		} {
			if _, err := b.Change(session, test.change); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, not %v", encode(t, test.change), err, test.want)
			}
		}
		if s := b.Settings(session); s.RepeatCount != 1000 || s.AutoReplayCount != 900_000 || !s.Broadcast {
			t.Errorf("%+v", s)
		}
		if _, err := b.Change("nobody", Change{Broadcast: new(true)}); !errors.Is(err, ErrNoSession) {
			t.Errorf("%v", err)
		}
	})
}

func TestAutoReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pool = func(line string) (string, time.Duration) {
			if strings.Contains(line, "bad") {
				return `{"id":%,"result":null,"error":[23,"Low difficulty",null]}`, 10 * time.Millisecond
			}
			return `{"id":%,"result":true}`, 10 * time.Millisecond
		}
		b.miner(submit) // before it was switched on
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(3), AutoReplayRate: new(10.0), AutoReplayJitter: new(0.5)})
		b.miner(`{"id":5,"method":"mining.submit","params":["w","good"]}`, `{"id":6,"method":"mining.get_transactions","params":[]}`, `{"id":7,"method":"mining.submit","params":["w","bad"]}`)
		if p := b.AutoReplay(session); !p.Running || p.Total != 6 {
			t.Errorf("at once: %+v", p)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := b.AutoReplay(session), (Progress{Total: 6, Done: 6, Accepted: 3, Rejected: 3}); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		lines := b.lines()
		if len(lines) != 6 || strings.Count(strings.Join(lines, ""), "good") != 3 {
			t.Errorf("sent %q", lines)
		}
		for i := 1; i < len(b.at); i++ {
			if pause := b.at[i].Sub(b.at[i-1]) - 10*time.Millisecond; pause < 50*time.Millisecond || pause > 150*time.Millisecond {
				t.Errorf("pause of %v", pause)
			}
		}
		recorded := b.recorded()
		if len(recorded) != 6 || recorded[0].ReplayOf != 2 || recorded[5].ReplayOf != 4 {
			t.Errorf("recorded %s", encode(t, recorded))
		}
	})
}

func TestAutoReplayStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pool = func(string) (string, time.Duration) { return "", 0 }
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(900_000)})
		b.miner(submit)
		time.Sleep(20 * time.Millisecond)
		b.change(t, Change{AutoReplay: new(false)})
		synctest.Wait()
		b.mu.Lock()
		sent, pending := len(b.sent), b.pending
		b.mu.Unlock()
		if sent != 1 || pending != 0 {
			t.Errorf("%d sent, %d wait", sent, pending)
		}
		if got, want := b.AutoReplay(session), (Progress{Total: 900_000, Cancelled: 900_000, Stop: StopAsked}); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if r := b.recorded(); len(r) != 1 || r[0].Failure != "Stopped before the pool answered" {
			t.Errorf("recorded %s", encode(t, r))
		}

		// Switched on again it begins anew.
		b.pool = func(string) (string, time.Duration) { return `{"id":%,"result":true}`, 0 }
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(2)})
		b.miner(submit)
		time.Sleep(time.Minute)
		if got, want := b.AutoReplay(session), (Progress{Total: 2, Done: 2, Accepted: 2}); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestAutoReplayWantsAPoolOfOnesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.own.Store(false)
		_, err := b.Change(session, Change{AutoReplay: new(true)})
		if !errors.Is(err, ErrNotOwn) || !strings.Contains(err.Error(), "pool.test:3333") {
			t.Errorf("%v", err)
		}
		if b.Settings(session).AutoReplay {
			t.Error("it is on")
		}
		// Counts alone do nothing, and a single replay is anybody's.
		b.change(t, Change{AutoReplayCount: new(7)})
		m := b.miner(submit)
		if _, err := b.Replay(t.Context(), m, ""); err != nil {
			t.Error(err)
		}

		// A session that goes over to a foreign pool is not sent for any more.
		b.own.Store(true)
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(1000), AutoReplayRate: new(10.0), AutoReplayJitter: new(0.0)})
		b.miner(submit)
		time.Sleep(480 * time.Millisecond) // a round takes 150 ms
		synctest.Wait()
		b.own.Store(false)
		time.Sleep(time.Minute)
		if got, want := b.AutoReplay(session), (Progress{Total: 1000, Done: 3, Accepted: 3, Cancelled: 997, Stop: StopForeign}); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if n := len(b.lines()); n != 1+3 {
			t.Errorf("%d sent", n)
		}
	})
}

// Miners of our own pool that are only listened to have no connection of the
// scope's.
func TestTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		tap := b.recorder.Open(capture.Opening{ID: "tap", Origin: capture.OriginTap, Pool: "pool.test:3333", At: time.Now()})
		if _, err := b.Change(tap.ID(), Change{AutoReplay: new(true)}); !errors.Is(err, ErrNotRelayed) {
			t.Error(err)
		}
		tap.Line(capture.MinerToPool, []byte(submit+"\n"), time.Now())
		synctest.Wait()
		m := b.recorder.Store().Message("tap", 1)
		if _, err := b.Replay(t.Context(), m, ""); !errors.Is(err, ErrNotRelayed) {
			t.Error(err)
		}
		tap.Close("miner_closed", time.Now())
		synctest.Wait()
		if _, err := b.Replay(t.Context(), m, ""); !errors.Is(err, ErrNotLive) {
			t.Error(err)
		}
	})
}

func TestAutoReplayGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pool = func(string) (string, time.Duration) { return "", 0 }
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(100)})
		b.miner(submit)
		time.Sleep(time.Hour)
		want := Progress{Total: 100, Done: 5, Errors: 5, Cancelled: 95, LastError: "Timeout waiting for pool response", Stop: StopFailures}
		if got := b.AutoReplay(session); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestAutoReplayEndsWithItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(1000)})
		b.miner(submit)
		time.Sleep(time.Second)
		b.tape.Close("miner_closed", time.Now())
		synctest.Wait()
		p := b.AutoReplay(session)
		if p.Running || p.Stop != StopSession || p.Done == 0 || p.Cancelled != p.Total-p.Done || b.Status().AutoSessions != 0 {
			t.Errorf("%+v", p)
		}
	})
}

func TestSubmitsBeyondTheQueueAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.change(t, Change{AutoReplay: new(true), AutoReplayCount: new(2), AutoReplayRate: new(1.0)})
		lines := make([]string, 1000)
		for i := range lines {
			lines[i] = fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":[]}`, i)
		}
		b.miner(lines...)
		p := b.AutoReplay(session)
		if p.Dropped < 1000-maxQueue-1 || p.Dropped > 1000-maxQueue || p.Total != 2*(1000-p.Dropped) || b.Status().AutoDropped != p.Dropped {
			t.Errorf("%+v", p)
		}
	})
}

func TestSettingsOfForgottenSessionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.change(t, Change{Broadcast: new(true)})
		for i := range 3 * maxSettings {
			b.autos[fmt.Sprint("gone", i)] = &auto{}
		}
		other := b.recorder.Open(capture.Opening{ID: "s2", Origin: capture.OriginProxy, At: time.Now()})
		if _, err := b.Change(other.ID(), Change{Broadcast: new(true)}); err != nil {
			t.Fatal(err)
		}
		if len(b.autos) != 2 || !b.Settings(session).Broadcast {
			t.Errorf("%d are kept", len(b.autos))
		}
	})
}
