package scope

import (
	"fmt"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// The journal after kill -9: what had been captured is found again, ids go on
// and are never used twice, and what is new is found, too.
func TestKilledJournal(t *testing.T) {
	p := newPool(t)
	dir := t.TempDir()
	ids := map[string]bool{}
	var last uint64
	for round := range 3 {
		r := startIn(t, dir, p.address())
		before := len(ids)
		if round > 0 {
			page := r.messages("limit=1000&text=round0")
			if len(page) != 100 {
				t.Errorf("round %d: %d messages of the first round are found", round, len(page))
			}
			for _, m := range page {
				var one message
				r.read("/api/messages/"+m.ID, &one)
				if one.Raw != m.Raw || one.Seq != m.Seq {
					t.Errorf("%s is not what it was", m.ID)
				}
			}
		}
		miner, atPool := r.connect(p)
		for i := range 100 {
			line := fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["round%d"]}`, i, round)
			miner.line(line)
			atPool.hears(line)
		}
		s := r.settled(100)
		for _, m := range r.all(s.ID) {
			if ids[m.ID] {
				t.Errorf("%s is used twice", m.ID)
			}
			ids[m.ID] = true
			if m.Seq <= last {
				t.Errorf("seq %d after %d", m.Seq, last)
			}
			last = m.Seq
		}
		if len(ids) != before+100 {
			t.Errorf("%d ids are new", len(ids)-before)
		}
		// It writes in batches. What it says it has must be there after the kill.
		nodes.WaitFor(t, limit, "the journal", func() bool { return r.journal().Written >= 100 })
		r.process.Kill()
	}
}

// journalStatus is what the journal says of itself.
type journalStatus struct {
	State   string
	Written int
	Dropped int
	Queued  int `json:"queued_messages"`
}

func (r *rig) journal() journalStatus {
	r.t.Helper()
	status := r.status()
	if status.Parts.Journal == nil {
		r.t.Fatal("the journal says nothing")
	}
	return *status.Parts.Journal
}
