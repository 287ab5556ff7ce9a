package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
)

// rig is a watcher that a test moves through time by hand.
type rig struct {
	t     *testing.T
	stage *stage
	store alert.Store
	c     *Center
	w     *watcher
	now   time.Time
	told  map[string]bool
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, stage: newStage(), store: newStore(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), told: make(map[string]bool)}
	addChannel(t, r.store, "c1", "u1", "sink")
	addChannel(t, r.store, "c2", "op", "sink")
	r.restart()
	return r
}

// restart is what a kill does: all that is in memory is gone.
func (r *rig) restart() {
	r.c = New(r.stage.config(r.store, (&sink{}).service("sink", true)), quietLog)
	r.w = &watcher{c: r.c}
}

// pass lets time pass with the world as it is, and returns what was newly told.
func (r *rig) pass(d time.Duration) (texts []string) {
	r.t.Helper()
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(watchEvery)
		if err := r.w.tick(r.t.Context(), r.now); err != nil {
			r.t.Fatal(err)
		}
	}
	return r.news()
}

// news are the texts of entries that were not returned before, oldest first.
func (r *rig) news() (texts []string) {
	r.t.Helper()
	entries, err := r.store.Open(r.t.Context(), 10_000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		if !r.told[e.Key] {
			r.told[e.Key] = true
			texts = append(texts, e.Event.Text)
		}
	}
	return texts
}

func (r *rig) want(step string, got []string, want ...string) {
	r.t.Helper()
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: told %q, want %q", step, got, want)
	}
}

// The two-sided threshold, step by step: the state of one worker, for how long,
// and what is to be told meanwhile.
func TestOfflineAndBack(t *testing.T) {
	const (
		off  = "Offline >5m: addr.rig"
		back = "Back online (5m+): addr.rig"
	)
	type step struct {
		online bool
		minute float64
		want   string
	}
	for name, steps := range map[string][]step{
		"gone and back":                    {{true, 10, ""}, {false, 4.8, ""}, {false, 0.4, off}, {false, 600, ""}, {true, 4.8, ""}, {true, 0.4, back}, {true, 600, ""}},
		"the first look only seeds":        {{false, 600, ""}, {true, 4.8, ""}, {true, 0.5, back}},
		"gone for too short a time":        {{true, 10, ""}, {false, 4.8, ""}, {true, 10, ""}},
		"there for too short a time":       {{true, 10, ""}, {false, 5.5, off}, {true, 4.5, ""}, {false, 600, ""}, {true, 4.8, ""}, {true, 0.4, back}},
		"coming and going makes no noise":  {{true, 10, ""}, {false, 1, ""}, {true, 1, ""}, {false, 1, ""}, {true, 1, ""}, {false, 100, ""}, {true, 5.2, back}},
		"back is told without what it was": {{true, 3, ""}, {false, 10, ""}, {true, 5.2, back}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.stage.save("u1", "addr.rig")
			addRule(t, r.store, "u1", nil, "c1")
			r.stage.online() // the books are read, nobody is there
			if steps[0].online {
				r.stage.online("addr.rig")
			}
			if err := r.w.begin(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.w.quiet = 0
			for i, s := range steps {
				if r.stage.online(); s.online {
					r.stage.online("addr.rig")
				}
				var want []string
				if s.want != "" {
					want = []string{s.want}
				}
				r.want(fmt.Sprintf("step %d", i+1), r.pass(time.Duration(s.minute*float64(time.Minute))), want...)
			}
		})
	}
}

// A restart in the middle of everything changes nothing: the pool's own absence
// is nobody's fault, and what was due is told once.
func TestOfflineOverRestarts(t *testing.T) {
	r := newRig(t)
	r.stage.save("u1", "addr.rig")
	addRule(t, r.store, "u1", nil, "c1")
	r.stage.online("addr.rig")
	r.want("there", r.pass(10*time.Minute))

	// The pool is away for an hour; the miner needs half a minute to come back.
	r.restart()
	r.now = r.now.Add(time.Hour)
	r.stage.online()
	r.want("not yet back", r.pass(30*time.Second))
	r.stage.online("addr.rig")
	r.want("back", r.pass(10*time.Minute))

	// It goes, and the pool is restarted while it counts.
	r.stage.online()
	r.want("gone", r.pass(3*time.Minute))
	r.restart()
	r.want("quiet start", r.pass(time.Minute))
	r.want("still gone", r.pass(3*time.Minute), "Offline >5m: addr.rig")
	r.restart()
	r.want("not again", r.pass(time.Hour))
	r.stage.online("addr.rig")
	r.want("back, not long enough", r.pass(4*time.Minute))
	r.restart()
	r.want("back after another restart", r.pass(5*time.Minute), "Back online (5m+): addr.rig")
}

// While the node is not well, miners are sent away: that is not their fault, and
// not afterwards either, until they had time to come back.
func TestNobodyIsBlamedForTheNode(t *testing.T) {
	r := newRig(t)
	r.stage.save("u1", "addr.rig")
	addRule(t, r.store, "u1", func(r *alert.Rule) { r.OfflineAfter = time.Minute }, "c1")
	r.stage.online("addr.rig")
	r.want("there", r.pass(10*time.Minute))
	r.stage.set(func(w *World) { w.Trouble = "no Bitcoin node is ready" })
	r.stage.online()
	r.want("sent away", r.pass(time.Hour))
	r.stage.set(func(w *World) { w.Trouble = "" })
	r.want("coming back", r.pass(50*time.Second))
	r.stage.online("addr.rig")
	r.want("there again", r.pass(10*time.Minute))

	// Its way back while nobody was blamed does not make it a newcomer, whose leaving
	// nobody would be told of.
	r.stage.set(func(w *World) { w.Trouble = "no Bitcoin node is ready" })
	r.stage.online()
	r.want("sent away again", r.pass(time.Minute))
	r.stage.set(func(w *World) { w.Trouble = "" })
	r.stage.online("addr.rig")
	r.want("back at once", r.pass(5*time.Minute+10*time.Second))
	r.stage.online()
	r.want("gone by itself", r.pass(2*time.Minute), "Offline >1m: addr.rig")
}

// A clock that jumps makes nobody late.
func TestClockJumps(t *testing.T) {
	r := newRig(t)
	r.stage.save("u1", "addr.rig")
	addRule(t, r.store, "u1", nil, "c1")
	r.stage.online("addr.rig")
	r.want("there", r.pass(10*time.Minute))
	r.stage.online()
	r.want("gone", r.pass(time.Minute))
	r.now = r.now.Add(24 * time.Hour)
	r.want("forward", r.pass(3*time.Minute))
	r.now = r.now.Add(-48 * time.Hour)
	r.want("backward", r.pass(2*time.Minute), "Offline >5m: addr.rig")
}

// Most workers at once are one thing to tell; a few are named.
func TestOutage(t *testing.T) {
	r := newRig(t)
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("addr.rig%02d", i))
	}
	r.stage.save("u1", all...)
	addRule(t, r.store, "u1", nil, "c1")
	r.stage.online(all...)
	r.want("there", r.pass(10*time.Minute))

	// They go within 40 seconds, as connections time out one after the other.
	for left := 20; left > 2; left-- {
		r.stage.online(all[20-left:]...)
		r.want("going", r.pass(2*time.Second))
	}
	got := r.pass(10 * time.Minute)
	if len(got) != 1 || !strings.HasPrefix(got[0], "17 of 20 miners went offline at once, >5m ago: addr.rig00, addr.rig01") || !strings.HasSuffix(got[0], "and 7 more") {
		t.Errorf("told %q", got)
	}
	r.want("once", r.pass(time.Hour))
}

// Names in full are for who saved them. What others chose cannot break a line.
func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig": "bc1qw508...7kv8f3t4",
		"short.rig":                        "short",
		"":                                 "",
		"\x00evil\n@everyone\u202egnp.exe": " evil @everyonegnp",
	} {
		if got := shortName(in); got != want {
			t.Errorf("shortName(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Plain("a\r\nb\xff\u2028c", 100); got != "a  b� c" {
		t.Errorf("plain: %q", got)
	}
	if got := Plain("äöü", 3); got != "ä…" {
		t.Errorf("cut: %q", got)
	}
}

func block(n byte, state ledger.BlockState, worker string) ledger.Block {
	return ledger.Block{Height: int64(n), Hash: bitcoin.Hash{n}, Worker: worker, State: state, Value: 5_000_000_000, FoundAt: time.Date(2026, 3, 1, 12, 0, int(n), 0, time.UTC)}
}

// Every state of every block is told exactly once, whatever restarts there are.
func TestBlocks(t *testing.T) {
	r := newRig(t)
	r.stage.save("u1", "mine")
	addRule(t, r.store, "u1", nil, "c1")
	var got []string
	step := func(name string, want []string, list ...ledger.Block) {
		t.Helper()
		r.stage.set(func(w *World) { w.Ledger.Blocks = list })
		got = nil
		for range 3 {
			for _, text := range r.pass(watchEvery) {
				got = append(got, strings.SplitN(text, ":", 2)[0])
			}
			r.restart()
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: told %q, want %q", name, got, want)
		}
	}
	step("old ones are not news", nil, block(1, ledger.BlockConfirmed, "mine"), block(2, ledger.BlockAccepted, "mine"))
	step("a pending one is found", []string{"Block found"}, block(1, ledger.BlockConfirmed, "mine"), block(2, ledger.BlockAccepted, "mine"), block(3, ledger.BlockPending, "mine"))
	step("an answer is no news", nil, block(2, ledger.BlockAccepted, "mine"), block(3, ledger.BlockAccepted, "mine"))
	step("deep enough", []string{"Block confirmed", "Block is stale"}, block(2, ledger.BlockConfirmed, "mine"), block(3, ledger.BlockStale, "mine"))
	step("others' blocks", nil, block(3, ledger.BlockStale, "mine"), block(4, ledger.BlockAccepted, "theirs"))
	step("found and refused at once", []string{"Block found", "Block rejected by every node"}, block(3, ledger.BlockStale, "mine"), block(5, ledger.BlockRejected, "mine"))
	step("found while nobody looked", []string{"Block found", "Block confirmed"}, block(5, ledger.BlockRejected, "mine"), block(6, ledger.BlockConfirmed, "mine"))
}

// Blocks of the whole pool: everybody may know, with names shortened for those who
// did not save the worker.
func TestBlocksOfThePool(t *testing.T) {
	r := newRig(t)
	addRule(t, r.store, "u1", func(r *alert.Rule) { r.Scope = alert.ScopePool }, "c1")
	addRule(t, r.store, "op", func(r *alert.Rule) { r.Scope = alert.ScopePool }, "c2")
	r.pass(watchEvery)
	const name = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.attic"
	r.stage.set(func(w *World) { w.Ledger.Blocks = []ledger.Block{block(3, ledger.BlockAccepted, name)} })
	got := r.pass(watchEvery)
	if len(got) != 2 {
		t.Fatalf("told %q", got)
	}
	slices.SortFunc(got, func(a, b string) int { return len(a) - len(b) })
	if strings.Contains(got[0], "attic") || !strings.Contains(got[0], "bc1qw508...7kv8f3t4, 50") {
		t.Errorf("a viewer reads %q", got[0])
	}
	if !strings.Contains(got[1], name) {
		t.Errorf("an operator reads %q", got[1])
	}
}

func TestBestShares(t *testing.T) {
	r := newRig(t)
	r.stage.save("u1", "a")
	addRule(t, r.store, "u1", func(r *alert.Rule) { r.MinDifficulty = 50 }, "c1")
	best := func(d float64) {
		r.stage.set(func(w *World) {
			w.Ledger.Workers = []ledger.WorkerView{{Name: "a", Online: true, BestEver: ledger.Best{Difficulty: d, Hash: bitcoin.Hash{byte(d)}, At: r.now}}}
		})
	}
	best(10)
	r.want("known", r.pass(time.Minute))
	best(40)
	r.want("too small to tell", r.pass(time.Minute))
	best(60)
	r.want("better", r.pass(time.Minute), "Best share ever: difficulty 60 by a")
	best(70)
	r.want("too soon", r.pass(time.Minute))
	best(80)
	r.restart()
	r.want("the best of those in between", r.pass(10*time.Minute), "Best share ever: difficulty 80 by a")
	r.restart()
	r.want("once", r.pass(time.Hour))
}

func TestRejectRate(t *testing.T) {
	r := newRig(t)
	r.stage.save("u1", "a")
	addRule(t, r.store, "u1", func(r *alert.Rule) { r.RejectPercent, r.RejectWindow, r.RejectShares = 10, 10*time.Minute, 50 }, "c1")
	var accepted, rejected uint64
	mine := func(d time.Duration, acceptedPerStep, rejectedPerStep uint64) (all []string) {
		for range d / (30 * time.Second) {
			accepted += acceptedPerStep
			rejected += rejectedPerStep
			r.stage.set(func(w *World) {
				w.Ledger.Workers = []ledger.WorkerView{{Name: "a", Online: true, Accepted: accepted, Rejected: rejected}}
			})
			all = append(all, r.pass(30*time.Second)...)
		}
		return all
	}
	r.want("good", mine(20*time.Minute, 10, 0))
	r.want("a little", mine(20*time.Minute, 20, 1))
	got := mine(20*time.Minute, 10, 5)
	if len(got) != 1 || !strings.HasPrefix(got[0], "Shares of a are rejected: ") {
		t.Errorf("bad: told %q", got)
	}
	r.restart()
	r.want("between the half and the whole", mine(30*time.Minute, 93, 7))
	got = mine(20*time.Minute, 100, 1)
	if len(got) != 1 || !strings.HasPrefix(got[0], "Shares of a are accepted again: ") {
		t.Errorf("good again: told %q", got)
	}
	r.want("few shares tell nothing", mine(5*time.Minute, 0, 0))
	r.restart()
	r.want("few bad shares tell nothing", mine(5*time.Minute, 0, 4))
}

func TestNodeTrouble(t *testing.T) {
	r := newRig(t)
	addRule(t, r.store, "op", nil, "c2")
	addRule(t, r.store, "u1", nil, "c1") // no operator: is told nothing
	state := func(s, reason string) {
		r.stage.set(func(w *World) {
			w.Node = &node.Status{Nodes: []node.NodeStatus{{Name: "core", State: s, Reason: reason}}}
		})
	}
	state(node.StateReady, "")
	r.want("well", r.pass(10*time.Minute))
	state(node.StateUnreachable, "connection refused")
	r.want("a moment", r.pass(30*time.Second))
	state(node.StateReady, "")
	r.want("is nothing", r.pass(10*time.Minute))
	state(node.StateUnreachable, "connection refused")
	r.pass(40 * time.Second)
	r.restart()
	r.want("down", r.pass(time.Minute), "Node core: trouble: unreachable: connection refused")
	state(node.StateSyncing, "behind")
	r.restart()
	r.want("still", r.pass(time.Hour))
	state(node.StateReady, "")
	r.want("up", r.pass(2*time.Minute), "Node core: all is well again")
}

func TestAlarmsAndPosts(t *testing.T) {
	r := newRig(t)
	addRule(t, r.store, "op", func(rule *alert.Rule) { rule.Alarms, rule.Created = []string{"old_tip"}, r.now }, "c2")
	r.pass(time.Minute)
	old := Alarm{Kind: "old_tip", Severity: "critical", Session: "s0", At: r.now.Add(-time.Hour), Text: "before"}
	fresh := Alarm{Kind: "old_tip", Severity: "critical", Session: "s1", At: r.now, Text: "jobs on an old block"}
	other := Alarm{Kind: "late_job", Session: "s1", At: r.now, Text: "late"}
	r.stage.set(func(w *World) { w.Alarms = []Alarm{old, fresh, other} })
	r.want("alarm", r.pass(watchEvery), "Scope: jobs on an old block")
	r.want("raised again", r.pass(time.Minute))
	r.c.Post(t.Context(), alert.Event{Kind: alert.BackupFailed, Key: "backup:1", Text: "Backup to x failed"})
	r.restart() // killed before anybody looked
	r.want("posted", r.pass(watchEvery), "Backup to x failed")
	for range 100 {
		r.c.Post(t.Context(), alert.Event{Kind: alert.BackupFailed, Key: "same", Text: "again"})
	}
	r.want("the same event again", r.pass(watchEvery), "again")
}

// What is posted while the store fails waits in memory, within bounds, and is told
// when the store is there again.
func TestPostsWhileTheStoreFails(t *testing.T) {
	s, stage := newShelf(), newStage()
	s.channel("c1", func(c *alert.Channel) { c.UserID = "op" })
	rule := newRule(Owner{UserID: "op"})
	rule.Kinds, rule.Channels = []alert.Kind{alert.BackupFailed}, []string{"c1"}
	s.rules = append(s.rules, rule)
	c := New(stage.config(s, (&sink{}).service("sink", true)), quietLog)
	w := &watcher{c: c}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.dead = true
	for i := range 100 {
		c.Post(t.Context(), alert.Event{Kind: alert.BackupFailed, Key: fmt.Sprint(i), Text: fmt.Sprint(i)})
	}
	for _, n := range c.Counts().Drops {
		if n.Name == dropPosted && n.Count != 36 {
			t.Errorf("%d dropped", n.Count)
		}
	}
	if err := w.tick(t.Context(), now); err == nil {
		t.Error("the store is there")
	}
	s.dead = false
	for i := range 3 {
		if err := w.tick(t.Context(), now.Add(time.Duration(i)*watchEvery)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.states()); n != 64 {
		t.Errorf("%d of 64 are told", n)
	}
}

// What belonged to an account that was removed goes, and nothing else.
func TestPersonsWhoAreGone(t *testing.T) {
	r := newRig(t)
	addChannel(t, r.store, "c3", "gone", "sink")
	addRule(t, r.store, "gone", nil, "c3")
	addRule(t, r.store, "u1", nil, "c1")
	addChannel(t, r.store, "c4", "", "sink")
	if err := newCourier(r.c).round(t.Context(), t.Context(), r.now); err != nil {
		t.Fatal(err)
	}
	channels, err := r.store.Channels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules, err := r.store.Rules(t.Context())
	if err != nil || len(channels) != 3 || len(rules) != 1 || rules[0].UserID != "u1" {
		t.Errorf("%d channels, rules %+v, %v", len(channels), rules, err)
	}
}

// Somebody who may not sign in, or is no operator any more, is told nothing that
// they may not know.
func TestRolesAreLookedUpAnew(t *testing.T) {
	r := newRig(t)
	addRule(t, r.store, "op", nil, "c2")
	post := func(key string) []string {
		r.c.Post(r.t.Context(), alert.Event{Kind: alert.BackupFailed, Key: key, Text: key})
		return r.pass(watchEvery)
	}
	r.want("an operator", post("a"), "a")
	r.stage.people["op"] = Person{}
	r.c.persons = make(map[string]personSeen)
	r.want("none any more", post("b"))
	r.stage.people["op"] = Person{Operator: true, Disabled: true}
	r.c.persons = make(map[string]personSeen)
	r.want("may not sign in", post("c"))
}
