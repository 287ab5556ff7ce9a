package scope

import (
	"slices"
	"testing"
	"time"
)

// closeLimit is how long the end of one side may take to the other.
const closeLimit = 100 * time.Millisecond

// Scenario D: when one side ends, the other one is ended at once, and the
// session says why. Each way is tried several times: on a busy machine a single
// one may be late for reasons that are not ours, the median may not.
func TestEndsArePassedOn(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	for _, test := range []struct {
		name   string
		end    func(miner, atPool *peer) (other *peer)
		reason string
		reset  bool
	}{
		{"miner closes", func(miner, atPool *peer) *peer { miner.close(); return atPool }, "miner_closed", false},
		{"pool closes", func(miner, atPool *peer) *peer { atPool.close(); return miner }, "pool_closed", false},
		{"miner resets", func(miner, atPool *peer) *peer { miner.reset(); return atPool }, "miner_reset", true},
		{"pool resets", func(miner, atPool *peer) *peer { atPool.reset(); return miner }, "pool_reset", true},
	} {
		var took []time.Duration
		for range 5 {
			miner, atPool := r.connect(p)
			miner.line(subscribeLine)
			atPool.hears(subscribeLine)
			other := test.end(miner, atPool)
			d, wasReset := other.ended()
			took = append(took, d)
			if wasReset != test.reset {
				t.Errorf("%s: reset %t", test.name, wasReset)
			}
			s := r.over()
			if s.Reason == nil || *s.Reason != test.reason || s.PoolUp {
				t.Errorf("%s: %+v", test.name, s)
			}
		}
		slices.Sort(took)
		t.Logf("%s: %v", test.name, took)
		if took[2] > closeLimit {
			t.Errorf("%s: the other side was told after %v", test.name, took)
		}
	}
}

// A pool that cannot be reached: the miner is closed at once, and the attempt is
// listed.
func TestPoolThatIsNotThere(t *testing.T) {
	p := newPool(t)
	address := p.address()
	p.listener.Close()
	r := start(t, address)
	miner := dial(t, r.miners)
	miner.ended()
	s := r.over()
	if s.PoolUp || s.Messages != 0 || s.Reason == nil || *s.Reason != "pool_unreachable" {
		t.Errorf("%+v", s)
	}
}

func TestDisconnect(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	miner.line(subscribeLine)
	atPool.hears(subscribeLine)
	s := r.settled(1)
	path := "/api/sessions/" + s.ID + "/disconnect"
	if status, answer, err := r.unauthorized(path); err != nil || status != 401 {
		t.Errorf("without a token: %d %s %v", status, answer, err)
	}
	r.do("POST", path, "", 200, nil)
	miner.ended()
	atPool.ended()
	if s = r.over(); *s.Reason != "disconnected" {
		t.Errorf("%+v", s)
	}
	r.do("POST", path, "", 404, nil)
	r.do("POST", "/api/sessions/nobody/disconnect", "", 404, nil)
}

// SIGTERM with miners that are connected and silent ends it within two seconds,
// and their connections with it.
func TestTerminate(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	var sides []*peer
	for range 20 {
		miner, atPool := r.connect(p)
		miner.line(subscribeLine)
		atPool.hears(subscribeLine)
		sides = append(sides, miner, atPool)
	}
	r.watch("") // somebody looks on, too
	if took := r.process.Stop(t, limit); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if code := r.process.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, side := range sides {
		side.ended()
	}
}
