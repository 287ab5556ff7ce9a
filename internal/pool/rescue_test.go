package pool

import (
	"encoding/json"
	"testing"
)

// A chain that goes back to an earlier tip: shares for the jobs of that time do
// not count any more, but a block among them is sent.
func TestBlockOfTipThatCameBack(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	first := m.job
	r.newTip()
	m.nextJob()
	r.height--
	r.refresh() // the first tip again
	back := m.nextJob()
	if back.prev != first.prev || !back.clean {
		t.Fatalf("job on %s, want one on %s that starts anew", back.prev, first.prev)
	}
	s := m.solve(first, first.ofBlock(), "", 0)
	m.wantVerdict(s, "Stale")
	if got := checkHash(t, r.blockAt(1)); got != s.header.BlockHash().String() {
		t.Errorf("block %s at the node, want %s", got, s.header.BlockHash())
	}
	m.wantVerdict(m.solve(back, back.ofShare(), "", 0), "")
}

// Version bits outside the mask are refused, but a block that was found with
// them is sent, however the firmware puts them into the header (R-U3).
func TestBlockWithForbiddenVersionBits(t *testing.T) {
	for name, mask := range map[string]uint32{
		"replaced within a wider mask": 0xffffffff,
		"replaced within 24 bits":      0x1fffffe0,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			r.newTip()
			m := r.connect(t)
			m.start(alice, "x")
			s := m.solve(m.job, m.job.ofBlock(), "20000fe0", mask)
			m.wantVerdict(s, "Invalid version mask")
			if got := checkHash(t, r.blockAt(1)); got != s.header.BlockHash().String() {
				t.Errorf("block %s at the node, want %s", got, s.header.BlockHash())
			}
			if m.share() != "" {
				t.Error("the next share is not accepted")
			}
		})
	}
}

// JSON that is no Stratum request is answered with its own id and closes
// nothing, however often it comes.
func TestOddRequestsAreHarmless(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	for range 2 * maxBadLines {
		for _, c := range []struct{ line, id, text string }{
			{`{"params":{"id":77},"id":1001,"method":"mining.foo"}`, "1001", "Unknown method"},
			{`{"id":"a","method":"mining.submit","params":{"x":1}}`, `"a"`, "Invalid parameters"},
			{`{"id":1003,"method":"login","params":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}`, "1003", "Unknown method"},
			{`{"id":1004,"method":7,"params":[]}`, "1004", "Invalid parameters"},
		} {
			m.send(c.line + "\n")
			var got struct {
				ID    json.RawMessage
				Error []any
			}
			if err := json.Unmarshal([]byte(m.line()), &got); err != nil {
				t.Fatal(err)
			}
			if string(got.ID) != c.id || len(got.Error) != 3 || got.Error[0] != 20.0 || got.Error[1] != c.text {
				t.Errorf("%s: id %s, error %v", c.line, got.ID, got.Error)
			}
		}
	}
	if m.share() != "" {
		t.Error("a share is not accepted afterwards")
	}
}

// Names that nobody works in cost memory: there are only so many.
func TestExtraWorkersAreBounded(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice+".0", "x")
	r.pool.extraWorkers.Store(maxExtraWorkers)
	if got := m.call("mining.authorize", alice+".1", "x"); len(got.Error) != 3 || got.Error[1] != "Too many workers on this connection" {
		t.Errorf("one name too many: %v", got.Error)
	}
	if got := m.call("mining.authorize", alice+".0", "x"); string(got.Result) != "true" {
		t.Errorf("the same name again: %v", got.Error)
	}
	other := r.connect(t)
	other.start(bob, "x") // the first name of a connection is always welcome
	if other.share() != "" {
		t.Error("a share of the other miner is not accepted")
	}
}
