package pool

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Dropped connections are told why where the miner shows it, are counted, and
// may come back at once.
func TestDropWorker(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.Abuse.BanAfter = 1 })
	r.newTip()
	shows, plain, other := r.connect(t), r.connect(t), r.connect(t)
	shows.call("mining.subscribe", "cgminer/4.11")
	shows.start2(alice + ".rig")
	plain.start(alice+".rig", "x")
	other.start(alice+".rig2", "x")

	if n := r.pool.DropWorker(alice + ".nobody"); n != 0 {
		t.Errorf("%d connections of nobody", n)
	}
	if n := r.pool.DropWorker(alice + ".rig"); n != 2 {
		t.Errorf("%d connections dropped, not 2", n)
	}
	if last := shows.readToEnd(); !strings.Contains(last, "client.show_message") || !strings.Contains(last, "owner") {
		t.Errorf("last words: %s", last)
	}
	if last := plain.readToEnd(); strings.Contains(last, "show_message") {
		t.Errorf("a miner that shows nothing is told %s", last)
	}
	if other.share() != "" {
		t.Error("another worker's share is refused")
	}
	eventually(t, "both are counted", func() bool { return r.closes("owner_request") == 2 })

	for range 5 { // no ban, however often
		again := r.connect(t)
		again.start(alice+".rig", "x")
		if !r.pool.DropConnection(r.pool.sessionsOf(alice + ".rig")[0].id, ByOperator) {
			t.Fatal("the connection is not known")
		}
		again.readToEnd()
	}
	eventually(t, "they are counted", func() bool { return r.closes("operator_request") == 5 })
	if r.pool.DropConnection("ffffffff", ByOperator) || r.pool.DropConnection("x", ByOperator) {
		t.Error("connections that nobody has")
	}
	if bans := r.pool.Bans(); len(bans) != 0 {
		t.Errorf("bans: %v", bans)
	}
}

// start2 authorizes after a subscribe and waits for work.
func (m *testMiner) start2(user string) {
	m.t.Helper()
	m.user = user
	if got := m.call("mining.authorize", user, "x"); string(got.Result) != "true" {
		m.t.Fatalf("authorize: %v", got.Error)
	}
	m.nextJob()
}

func TestSetWorkerDifficulty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *Config) {
			c.Difficulty.Vardiff, c.Difficulty.Min, c.Difficulty.Max = true, 2e-8, 8e-6
		})
		r.newTip()
		name := alice + ".rig"
		m, other := r.connect(t), r.connect(t)
		m.start(name, "f=3e-7")
		other.start(alice+".other", "x")
		first := m.job

		if n := r.pool.SetWorkerDifficulty(name, 4e-7); n != 1 {
			t.Errorf("%d connections, not 1", n)
		}
		if job := m.nextJob(); m.difficulty != 4e-7 || job.clean || job.id == first.id {
			t.Errorf("difficulty %v with job %+v after %s", m.difficulty, job, first.id)
		}
		m.wantVerdict(m.solve(first, first.ofShare(), "", 0), "") // by its own difficulty
		m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")

		other.settle()
		if other.difficulty == 4e-7 {
			t.Error("another worker has it, too")
		}

		// It holds for minutes, against the control and what the miner suggests.
		m.call("mining.suggest_difficulty", 1e-6)
		m.wait(5 * time.Minute)
		if m.difficulty != 4e-7 {
			t.Errorf("after a while %v", m.difficulty)
		}
		next := r.connect(t)
		if next.start(name, "d=1e-6"); next.difficulty != 4e-7 {
			t.Errorf("the next connection begins with %v", next.difficulty)
		}

		for _, c := range [][2]float64{{1e-300, 2e-8}, {1e300, 8e-6}} { // the pool's limits
			r.pool.SetWorkerDifficulty(name, c[0])
			if m.wait(time.Second); m.difficulty != c[1] {
				t.Errorf("%v becomes %v, want %v", c[0], m.difficulty, c[1])
			}
		}
		next.wait(time.Second)

		// Back to what the miners asked for themselves.
		if n := r.pool.SetWorkerDifficulty(name, 0); n != 2 {
			t.Errorf("%d connections, not 2", n)
		}
		if m.wait(time.Second); m.difficulty != 3e-7 {
			t.Errorf("without the order %v", m.difficulty)
		}
		next.wait(20 * time.Minute)
		if next.difficulty >= 8e-6 {
			t.Errorf("a silent miner stays at %v", next.difficulty)
		}
		r.stop()
	})
}

// A miner that says what it can do at least gets no less.
func TestOrderAndMinimum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		r.pool.SetWorkerDifficulty(alice+".rig", 1e-8)
		m := r.connect(t)
		m.call("mining.configure", []string{"minimum-difficulty"}, map[string]any{"minimum-difficulty.value": 5e-8})
		if m.start(alice+".rig", "md=9e-8"); m.difficulty != 5e-8 {
			t.Errorf("difficulty %v", m.difficulty)
		}
		r.stop()
	})
}

func TestOrdersAreBounded(t *testing.T) {
	var o orders
	for i := range 3 * maxOrders {
		o.set(fmt.Sprint(i%(2*maxOrders)), float64(i+1))
	}
	if len(o.byName) != maxOrders || len(o.oldest) != maxOrders || o.forgotten() != 2*maxOrders {
		t.Errorf("%d orders in %d places, %d forgotten", len(o.byName), len(o.oldest), o.forgotten())
	}
	latest := fmt.Sprint(3*maxOrders - 1 - 2*maxOrders)
	if o.of(latest) != 3*maxOrders {
		t.Errorf("the latest is %v", o.of(latest))
	}
	o.set(latest, 0)
	if o.of(latest) != 0 || slices.Contains(o.oldest, latest) {
		t.Error("taken back, and still there")
	}
	r := newRig(t, false)
	for _, d := range []float64{math.NaN(), math.Inf(1), -1} {
		if r.pool.SetWorkerDifficulty(alice, d); r.pool.orders.of(alice) != 0 {
			t.Errorf("%v is an order", d)
		}
	}
}

// Who wants to know is told who signed in with which password, and no miner
// waits for it, nor for its panics.
func TestAuthorized(t *testing.T) {
	told := make(chan Authorization, 10)
	release := make(chan struct{})
	var calls atomic.Int64
	r := newRig(t, false, func(c *Config) {
		c.Authorized = func(a Authorization) {
			if calls.Add(1) == 1 {
				<-release
				panic("on purpose")
			}
			told <- a
		}
	})
	r.newTip()
	long := strings.Repeat("p", 3*MaxPassword)
	miners := make([]*testMiner, 4)
	for i, password := range []string{"first", "d=1e-7,own-code", "", long} {
		miners[i] = r.connect(t)
		miners[i].start(fmt.Sprintf("%s.%d", alice, i), password)
	}
	refused := r.connect(t)
	refused.call("mining.subscribe")
	if got := refused.call("mining.authorize", mainnet, "own-code"); string(got.Result) == "true" {
		t.Error("an address of another network is signed in")
	}
	close(release)
	for _, want := range []struct{ worker, password string }{{alice + ".1", "d=1e-7,own-code"}, {alice + ".3", long[:MaxPassword]}} {
		got := <-told
		if got.Worker != want.worker || got.Password != want.password || !got.Remote.IsLoopback() || got.Connection == "" {
			t.Errorf("told of %+v, want %+v", got, want)
		}
	}
	r.stop()
	if len(told) != 0 {
		t.Errorf("told of %+v, too", <-told)
	}
	r.pool.publish(time.Now())
	if got := count(t, r.pool.Status().Panics, "authorization"); got != 1 {
		t.Errorf("%d panics", got)
	}
}

// Whom the queue has no room for is counted.
func TestAuthorizedQueueIsBounded(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.Authorized = func(Authorization) {} })
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	r.stop()
	s := &session{pool: r.pool}
	for range maxAuthorizations + 5 {
		s.tellAuthorized(alice, "x")
	}
	r.pool.publish(time.Now())
	if got := count(t, r.pool.Status().Drops, "authorization_not_told"); got != 5 {
		t.Errorf("%d left out, not 5", got)
	}
}
