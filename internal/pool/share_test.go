package pool

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
)

// worker is what the books say of a worker.
func (r *rig) worker(name string) ledger.WorkerView {
	r.t.Helper()
	var found ledger.WorkerView
	eventually(r.t, "snapshot with "+name, func() bool {
		for _, w := range r.ledger.Snapshot().Workers {
			if w.Name == name {
				found = w
				return true
			}
		}
		return false
	})
	return found
}

func TestSharesInEverySpelling(t *testing.T) {
	r := newRig(t, false)
	r.newTip(withTransactions(5))
	m := r.connect(t)
	m.start(alice+".rig", "x")

	if got := m.share(); got != "" {
		t.Fatalf("a plain share is %q", got)
	}

	// One share of each spelling; the same in another spelling is a duplicate.
	for name, spell := range map[string]func(*testShare){
		"upper case": func(s *testShare) {
			s.en2, s.ntime, s.nonce = strings.ToUpper(s.en2), strings.ToUpper(s.ntime), strings.ToUpper(s.nonce)
		},
		"0x":             func(s *testShare) { s.ntime, s.nonce = "0x"+s.ntime, "0X"+s.nonce },
		"short nonce":    func(s *testShare) { s.nonce = strings.TrimLeft(s.nonce, "0") },
		"job upper case": func(s *testShare) { s.job = strings.ToUpper(s.job) },
		"job padded":     func(s *testShare) { s.job = fmt.Sprintf("%08s", s.job) },
	} {
		s := m.solve(m.job, m.job.ofShare(), "", 0)
		other := s
		spell(&other)
		m.wantVerdict(other, "")
		m.wantVerdict(s, "Duplicate")
		m.wantVerdict(other, "Duplicate")
		if t.Failed() {
			t.Fatalf("%s: %+v", name, other)
		}
	}

	// What no miner may send.
	for name, c := range map[string]struct {
		spoil func(*testShare)
		want  string
	}{
		"short extranonce2":  {func(s *testShare) { s.en2 = s.en2[2:] }, "Invalid nonce2 length"},
		"long extranonce2":   {func(s *testShare) { s.en2 += "00" }, "Invalid nonce2 length"},
		"no hex extranonce2": {func(s *testShare) { s.en2 = "zz" + s.en2[2:] }, "Invalid nonce2 length"},
		"long nonce":         {func(s *testShare) { s.nonce += "0" }, "Invalid nonce"},
		"empty nonce":        {func(s *testShare) { s.nonce = "" }, "Invalid nonce"},
		"no hex ntime":       {func(s *testShare) { s.ntime = "later" }, "Ntime out of range"},
		"no hex version":     {func(s *testShare) { s.rolled = "x" }, "Invalid version mask"},
		"unknown job":        {func(s *testShare) { s.job = "7" }, "Invalid JobID"},
		"no hex job":         {func(s *testShare) { s.job = "job" }, "Invalid JobID"},
		"wrong nonce":        {func(s *testShare) { s.nonce = "fffffff0" }, "Above target"},
	} {
		s := m.solve(m.job, m.job.ofShare(), "", 0)
		spoiled := s
		c.spoil(&spoiled)
		if got := m.submit(spoiled); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		m.wantVerdict(s, "")
	}

	// Wrong shapes are answered, too.
	for _, params := range [][]any{{}, {m.user}, {m.user, m.job.id, 5, "00", "00"}, {nil, m.job.id, "00", "00", "00"}} {
		if got := verdict(t, m.call("mining.submit", params...)); got != "Invalid parameters" {
			t.Errorf("%v: %q", params, got)
		}
	}
	if got := len(r.node.submitted()); got != 0 {
		t.Errorf("%d shares went to the node as blocks", got)
	}
}

func TestVersionRolling(t *testing.T) {
	const mask = 0x1fffe000
	r := newRig(t, false)
	// The node signals a bit inside the mask: the job must not (R-V3).
	r.newTip(func(t *node.Template) { t.Version = 0x30000004 | 1<<20 })
	m := r.connect(t)
	m.start(alice, "x")
	if m.job.version&mask != 0 || m.job.version != 0x20000004 {
		t.Fatalf("job version %08x has bits inside the mask", m.job.version)
	}

	s := func(rolled string) testShare { return m.solve(m.job, m.job.ofShare(), rolled, mask) }
	m.wantVerdict(s("083ac000"), "") // without configure (R-V5)
	m.wantVerdict(s("1fffe000"), "")
	m.wantVerdict(s("0x2000"), "")
	m.wantVerdict(s("00000000"), "")
	m.wantVerdict(s("283ac004"), "") // the whole version instead of its bits
	m.wantVerdict(s("00000004"), "Invalid version mask")
	m.wantVerdict(s("20000000"), "Invalid version mask")
	m.wantVerdict(s("00001000"), "Invalid version mask")

	// An empty or null sixth parameter is none.
	share := m.solve(m.job, m.job.ofShare(), "", 0)
	if got := verdict(t, m.call("mining.submit", append(share.params(m.user), "")...)); got != "" {
		t.Errorf("empty version: %q", got)
	}
	share = m.solve(m.job, m.job.ofShare(), "", 0)
	if got := verdict(t, m.call("mining.submit", append(share.params(m.user), nil, "more")...)); got != "" {
		t.Errorf("null version: %q", got)
	}

	// A narrower mask that was agreed on is enforced.
	got := m.call("mining.configure", []string{"version-rolling"}, map[string]any{"version-rolling.mask": "00ffe001"})
	if string(got.Result) != `{"version-rolling":true,"version-rolling.mask":"00ffe000"}` {
		t.Errorf("configure: %s", got.Result)
	}
	narrow := func(rolled string) testShare { return m.solve(m.job, m.job.ofShare(), rolled, 0x00ffe000) }
	m.wantVerdict(narrow("00ffe000"), "")
	m.wantVerdict(narrow("01000000"), "Invalid version mask")
}

func TestNTimeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		template := r.newTip(func(t *node.Template) {
			t.CurTime += 100
			t.MinTime = t.CurTime - 50
		})
		m := r.connect(t)
		m.start(alice, "x")
		at := func(ntime uint32) testShare {
			m.en2++
			s := testShare{job: m.job.id, en2: fmt.Sprintf("%016x", m.en2), ntime: fmt.Sprintf("%08x", ntime)}
			return m.solveShare(m.job, s, m.job.ofShare(), 0)
		}
		latest := template.CurTime + 7200
		m.wantVerdict(at(template.MinTime), "")
		m.wantVerdict(at(template.MinTime-1), "Ntime out of range")
		m.wantVerdict(at(latest), "")
		m.wantVerdict(at(latest+1), "Ntime out of range")
		// The clock counts where it is later than the template.
		m.wait(110 * time.Second)
		m.wantVerdict(at(latest+10), "")
		m.wantVerdict(at(latest+11), "Ntime out of range")

		// A block with a bad time is still a block.
		m.en2++
		s := testShare{job: m.job.id, en2: fmt.Sprintf("%016x", m.en2), ntime: fmt.Sprintf("%08x", latest+500)}
		m.wantVerdict(m.solveShare(m.job, s, m.job.ofBlock(), 0), "Ntime out of range")
		synctest.Wait()
		if got := len(r.node.submitted()); got != 1 {
			t.Errorf("%d blocks at the node, want 1", got)
		}
		r.stop()
	})
}

// Shares of the previous tip are stale; those of older jobs of the tip count.
func TestOldJobs(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	first := m.job
	if !first.clean {
		t.Error("the first job is not clean")
	}
	r.refresh()
	second := m.nextJob()
	if second.clean || second.id == first.id || second.coinb1 == first.coinb1 {
		t.Errorf("refreshed job %+v", second)
	}
	m.wantVerdict(m.solve(first, first.ofShare(), "", 0), "")
	m.wantVerdict(m.solve(second, second.ofShare(), "", 0), "")

	r.newTip()
	third := m.nextJob()
	if !third.clean {
		t.Error("a new tip's job is not clean")
	}
	m.wantVerdict(m.solve(first, first.ofShare(), "", 0), "Stale")
	m.wantVerdict(m.solve(second, second.ofShare(), "", 0), "Stale")
	m.wantVerdict(m.solve(third, third.ofShare(), "", 0), "")

	// Four earlier tips are remembered, since a share for one of them may still
	// be a block; then it is forgotten.
	for range keptTips - 1 {
		r.newTip()
		m.nextJob()
		m.wantVerdict(m.solve(first, first.ofShare(), "", 0), "Stale")
	}
	r.newTip()
	m.nextJob()
	m.wantVerdict(m.solve(first, first.ofShare(), "", 0), "Invalid JobID")
	m.wantVerdict(m.solve(third, third.ofShare(), "", 0), "Stale")
}

// A job is worth what it was worth when it was sent (R-J5), and a difficulty
// always comes together with a job (R-J4).
func TestDifficultyOfOldJobs(t *testing.T) {
	r := newRig(t, false)
	runLedger(t, r.ledger)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	old := m.job
	const harder = 2e-6
	m.call("mining.suggest_difficulty", harder)
	m.nextJob()
	if m.job.difficulty != harder || m.job.clean || m.job.id == old.id || m.job.coinb1 == old.coinb1 {
		t.Fatalf("after a suggestion the job is %+v", m.job)
	}

	weak := between(old.difficulty, harder)
	m.wantVerdict(m.solve(old, weak, "", 0), "")
	m.wantVerdict(m.solve(m.job, weak, "", 0), "Above target")
	m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
	m.wantVerdict(m.solve(old, old.ofShare(), "", 0), "")

	// Each is credited with the difficulty of its own job.
	work := 2*old.difficulty + harder
	eventually(t, "books", func() bool {
		w := r.worker(alice)
		return w.Accepted == 3 && math.Abs(w.AcceptedWork/work-1) < 1e-9 && math.Abs(w.RejectedWork/harder-1) < 1e-9
	})
}

// accountOf finds the session of a miner by its extranonce1.
func (r *rig) accountOf(m *testMiner) *session {
	r.t.Helper()
	for _, s := range r.pool.snapshotSessions() {
		if s.id == m.en1 {
			return s
		}
	}
	r.t.Fatal("the miner has no session")
	return nil
}

// A share is never harder than a block, whatever the limits say.
func TestShareIsNeverHarderThanBlock(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.Difficulty.Start, c.Difficulty.Min = 1024, 512 })
	r.newTip()
	m := r.connect(t)
	m.start(alice, "d=4096")
	want := networkTarget(networkBits)
	if got := targetOf(m.job.difficulty); got.Cmp(want) < 0 {
		t.Errorf("difficulty %v asks for more than the network's %s", m.job.difficulty, networkTarget(networkBits).Text(16))
	}
	_, verdict := m.block()
	if verdict != "" {
		t.Errorf("a block is %q", verdict)
	}
	<-r.node.arrived
}

func TestUnauthorizedShares(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	s := testShare{job: "1", en2: "00", ntime: "00", nonce: "00"}
	m.wantVerdict(s, "Not subscribed")
	m.call("mining.subscribe", "x")
	m.wantVerdict(s, "Unauthorized worker")
	if got := r.rejects("unauthorized"); got != 1 {
		t.Errorf("counted %d", got)
	}
}

// Nobody shares an extranonce1, also not with those who came before.
func TestExtranoncesAreUnique(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	seen := map[string]bool{}
	var open []*testMiner
	for i := range 50 {
		m := r.connect(t)
		m.call("mining.subscribe", "x")
		if len(m.en1) != 8 || seen[m.en1] {
			t.Fatalf("extranonce1 %q", m.en1)
		}
		seen[m.en1] = true
		if i%2 == 0 {
			m.conn.Close()
		} else {
			open = append(open, m)
		}
	}
	// When the numbers wrap around, those in use are skipped.
	r.pool.mu.Lock()
	for id := range r.pool.sessions {
		r.pool.nextID = id
	}
	r.pool.mu.Unlock()
	m := r.connect(t)
	m.call("mining.subscribe", "x")
	if slices.ContainsFunc(open, func(o *testMiner) bool { return o.en1 == m.en1 }) {
		t.Errorf("extranonce1 %s is given twice", m.en1)
	}
}

// The numbers of jobs wrap around without anybody noticing.
func TestJobNumbersWrap(t *testing.T) {
	r := newRig(t, false)
	r.pool.jobNumber = maxJobNumber - 3
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	for range 6 {
		old := m.job
		r.refresh()
		m.nextJob()
		m.wantVerdict(m.solve(old, old.ofShare(), "", 0), "")
		m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
	}
	if n := r.pool.jobNumber; n > 10 {
		t.Fatalf("job number %d has not wrapped", n)
	}
}

// One tip remembers many jobs, but not all.
func TestJobsOfATipAreBounded(t *testing.T) {
	r := newRig(t, false)
	r.pool.jobNumber = maxJobNumber - 100
	r.newTip()
	for range maxJobs + 50 {
		r.refresh()
	}
	if n := len(r.pool.tips.Load().current.jobs); n != maxJobs {
		t.Errorf("%d jobs are remembered, want %d", n, maxJobs)
	}
}

// After half a minute without a template a miner gets another job, whose
// search space is new (R-J8).
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		ids, coinbases := map[string]bool{m.job.id: true}, map[string]bool{m.job.coinb1 + m.job.coinb2: true}
		last := time.Now()
		for range 20 {
			m.nextJob()
			if waited := time.Since(last); waited < heartbeat || waited > 30*time.Second {
				t.Errorf("a job after %v", waited)
			}
			last = time.Now()
			if ids[m.job.id] || coinbases[m.job.coinb1+m.job.coinb2] || m.job.clean {
				t.Fatalf("heartbeat job %+v", m.job)
			}
			ids[m.job.id], coinbases[m.job.coinb1+m.job.coinb2] = true, true
			m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
		}
		r.stop()
	})
}

// A miner without a single share, as an ESP32 may be for hours, stays connected
// and at work (R-C1).
func TestPatienceWithSlowMiners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		m := r.connect(t)
		begin := time.Now()
		m.start(alice, "x")
		if waited := time.Since(begin); waited > 250*time.Millisecond {
			t.Errorf("first work after %v", waited)
		}
		m.wait(100 * time.Minute)
		if n := len(m.jobs); n < 200 || n > 240 {
			t.Errorf("%d jobs in a hundred minutes", n)
		}
		m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
		r.stop()
	})
}

// A pool that waits for its node waits with its miners.
func TestWorkArrivesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *Config) { c.Difficulty.Vardiff = true })
		m := r.connect(t)
		m.call("mining.subscribe", "poolscope/1.0") // of a class that may go below 1
		if got := m.call("mining.authorize", alice+".rig", "d=0.0000001"); string(got.Result) != "true" {
			t.Fatalf("authorize: %v", got.Error)
		}
		if got := m.line(); !strings.Contains(got, "client.show_message") {
			t.Errorf("the miner is told %s", got)
		}
		m.wantVerdict(testShare{job: "1", en2: "0000000000000000", ntime: "00", nonce: "00"}, "No work available yet")
		// An hour without work is no hour of silence.
		time.Sleep(time.Hour)
		r.newTip()
		if job := m.nextJob(); job.difficulty != easy || !job.clean {
			t.Errorf("first job %+v", job)
		}
		m.wait(8 * time.Second)
		if got := r.accountOf(m).difficulty; got != easy {
			t.Errorf("the difficulty is %v: the hour without work counted as silence", got)
		}
		m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
		r.stop()
	})
}

// A new job that reaches a miner on its own way is not sent to it twice.
func TestNewestJobIsSentOnce(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	s := r.accountOf(m)
	for range 3 {
		if sent, err := s.sendWork(time.Now(), true); sent || err != nil {
			t.Fatalf("sent %v, %v", sent, err)
		}
	}
	m.settle()
	if len(m.jobs) != 1 {
		t.Errorf("the miner has %d jobs", len(m.jobs))
	}
}

// A miner that asks for work in the moment between a new tip and its fan-out is
// told to start anew, once.
func TestNewTipIsCleanWhoeverSendsIt(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	s := r.accountOf(m)
	before := r.pool.current()
	s.mu.Lock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.newTip() // waits for the session
	}()
	eventually(t, "new job", func() bool { return r.pool.current() != before })
	err := s.sendWorkLocked(time.Now(), false)
	s.mu.Unlock()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	if job := m.nextJob(); !job.clean {
		t.Error("the new tip's job is not clean")
	}
	m.settle()
	if len(m.jobs) != 2 {
		t.Errorf("the miner has %d jobs, want 2", len(m.jobs))
	}
}

// When the variants of a job are used up, the miner keeps what it has.
func TestVariantsAreBounded(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	s := r.accountOf(m)
	s.mu.Lock()
	s.lastWork = s.lastWork&^maxVariant | (maxVariant - 1)
	first, second := s.sendWorkLocked(time.Now(), false), s.sendWorkLocked(time.Now(), false)
	s.mu.Unlock()
	if first != nil || !errors.Is(second, errNoVariantLeft) {
		t.Errorf("%v, %v", first, second)
	}
	m.nextJob()
	m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
	r.refresh()
	m.nextJob()
	m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
	if st := r.pool.Status(); st.State == StatePaused {
		t.Error("the pool calls itself paused")
	}
}

// Jobs that were superseded twice keep no works; shares for them are judged
// all the same, as are those of the previous tip.
func TestRetiredJobs(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	for range 4 {
		r.refresh()
		m.nextJob()
	}
	jobs := r.pool.tips.Load().current.jobs
	kept := 0
	for _, j := range jobs {
		if j.works != nil {
			kept++
		}
	}
	if len(jobs) != 5 || kept != 2 {
		t.Errorf("%d of %d jobs keep their works, want 2 of 5", kept, len(jobs))
	}
	for _, old := range m.jobs {
		s := m.solve(old, old.ofShare(), "", 0)
		m.wantVerdict(s, "")
		m.wantVerdict(s, "Duplicate")
	}
	// A job that the miner was never given is not judged by a guess.
	m.wantVerdict(testShare{job: "77", en2: "0000000000000001", ntime: "00", nonce: "00"}, "Invalid JobID")

	// Whoever has looked up a job that is retired at that moment gets its work.
	oldest := jobs[r.pool.current().number-4]
	if w, err := oldest.work(mustPayee(t, alice), 0); w == nil || err != nil {
		t.Errorf("work of a retired job: %v, %v", w, err)
	}
	if len(oldest.works) != 0 {
		t.Error("a retired job keeps works again")
	}

	r.newTip()
	m.nextJob()
	old := m.jobs[1]
	s := m.solve(old, old.ofBlock(), "", 0)
	m.wantVerdict(s, "Stale")
	if got := checkHash(t, r.blockAt(1)); got != s.header.BlockHash().String() {
		t.Errorf("block %s of a retired job", got)
	}
}

// Asking for work that is just being made by somebody else does not spoil it.
func TestGuessedJobDoesNotSpoilWork(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	j := r.pool.current()
	script, err := bitcoin.PayoutScript(alice, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	p := payee{address: alice, script: script}
	j.works[workKey{string(script), 300, 3}] = new(lazyWork) // as the maker leaves it for a moment
	if w := j.found(&p, 3); w == nil {
		t.Error("the work is not found")
	}
	if w, err := j.work(p, 3); w == nil || err != nil {
		t.Errorf("the maker gets %v, %v", w, err)
	}
}

// Books and counters agree with what was sent.
func TestBooks(t *testing.T) {
	r := newRig(t, false)
	runLedger(t, r.ledger)
	r.newTip()
	m := r.connect(t)
	m.start(alice+".rig", "x")
	for range 3 {
		if got := m.share(); got != "" {
			t.Fatal(got)
		}
	}
	s := m.solve(m.job, m.job.ofShare(), "", 0)
	m.wantVerdict(s, "")
	m.wantVerdict(s, "Duplicate")
	m.call("mining.authorize", alice+".second", "x")
	other := m.solve(m.job, m.job.ofShare(), "", 0)
	m.user = alice + ".second"
	m.wantVerdict(other, "")
	m.user = "somebody.else" // flagged, and counted for the first worker (R-U6)
	m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")

	eventually(t, "books", func() bool {
		w := r.worker(alice + ".rig")
		return w.Accepted == 5 && w.Rejected == 1 && r.worker(alice+".second").Accepted == 1
	})
	w := r.worker(alice + ".rig")
	if w.Address != alice || w.Difficulty != easy || w.AcceptedWork != 5*easy || !w.Online {
		t.Errorf("books say %+v", w)
	}
	if got := count(t, r.pool.counters.dropCounts(), "submit_in_other_name"); got != 1 {
		t.Errorf("%d submits in another name", got)
	}
	if got := r.rejects("duplicate"); got != 1 {
		t.Errorf("%d duplicates", got)
	}
	m.conn.Close()
	eventually(t, "offline", func() bool { return !r.worker(alice + ".rig").Online })
	if n := r.closes("closed_by_miner"); n != 1 {
		t.Errorf("%d closes by the miner", n)
	}
}
