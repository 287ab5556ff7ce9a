package scope

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// worker is who mines in these tests: an address of regtest.
const worker = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.scope"

// demo runs the whole network with its pool and the scope in front of it, and a
// miner that mines through the scope.
func demo(t *testing.T) *rig {
	t.Helper()
	r := run(t, t.TempDir(), "demo", "--http", "127.0.0.1:0", "--stratum", "127.0.0.1:0", "--stratum-tls", "", "--scope", "127.0.0.1:0",
		"--node-rpc", "127.0.0.1:0", "--node-zmq", "127.0.0.1:0", "--relay", "", "--block-interval", "10m", "--miners", "0")
	nodes.Start(t, "poolscope miner", binary, "miner", "--pool", "stratum+tcp://"+r.miners, "--user", worker, "--threads", "1", "--max-hashrate", "1000000", "--suggest-difficulty", "0.0001")
	return r
}

// mined is the miner's session, once it has shares.
func (r *rig) mined(t *testing.T, shares int) (s session) {
	t.Helper()
	nodes.WaitFor(t, 4*limit, "shares", func() bool {
		var list []session
		r.read("/api/sessions", &list)
		for _, one := range list {
			if one.Origin == "proxy" && one.Live { // the pool's tap shows it once more
				s = one
			}
		}
		return s.ID != "" && len(r.messages("limit=1000&method=mining.submit&direction=miner_to_pool&session_id="+s.ID)) >= shares
	})
	return s
}

// A real pool behind the scope: every share is checked by the scope, and scope
// and pool agree on each. Then each is sent again and again: the pool refuses
// that, and the miner gets his own answers and nothing else.
func TestOwnPool(t *testing.T) {
	r := demo(t)
	s := r.mined(t, 4)
	if !s.PoolUp || s.Diff <= 0 {
		t.Errorf("%+v", s)
	}
	checked := 0
	for _, m := range r.messages("limit=1000&method=mining.submit&session_id=" + s.ID) {
		switch {
		case m.Share == nil:
			t.Errorf("%s was not looked at", m.ID)
		case m.Share.Conflict != nil:
			t.Errorf("%s: scope says %s, pool %v: %s", m.ID, m.Share.Audit, *m.Share.Pool, *m.Share.Conflict)
		case m.Share.Audit == "valid" || m.Share.Audit == "block":
			checked++
		}
	}
	if checked < 2 { // the last may have no answer yet, one may be of a tip before
		t.Errorf("%d shares are valid", checked)
	}
	autoReplayOwn(t, r, s)
	playToOwnPool(t, r, s)
}

// playToOwnPool plays what was captured to the pool once more, as a miner that
// dials it anew: it is let in as then, and its old shares are refused.
func playToOwnPool(t *testing.T, r *rig, s session) {
	t.Helper()
	file := r.export(t, s.ID, "jsonl")
	o := runToEnd(t, "replay", file, "--to", "pool", "--pool", r.ports.Stratum, "--speed", "0", "--linger", "0s")
	if o.code != 0 {
		t.Fatalf("code %d: %s", o.code, o.stderr)
	}
	for _, want := range []string{"as recorded, mining.authorize", "DIFFERS: rejected, was accepted, mining.submit", "0 recorded answers did not come"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("nothing is said of %q in\n%s", want, o.stdout)
		}
	}
}

type autoReplay struct {
	Enabled  bool `json:"auto_replay_enabled"`
	Progress struct {
		Running                                            bool
		Total, Done, Accepted, Rejected, Errors, Cancelled int
		Stop                                               string `json:"stop_reason"`
	} `json:"progress"`
}

func autoReplayOwn(t *testing.T, r *rig, s session) {
	path := "/api/sessions/" + s.ID
	r.do(http.MethodPost, path+"/auto-replay-count", `{"auto_replay_count":900001}`, http.StatusUnprocessableEntity, nil)
	r.do(http.MethodPatch, path, `{"auto_replay_count":60,"auto_replay_rate":2000,"auto_replay_enabled":true}`, http.StatusOK, &s)
	if !s.AutoReplay || s.AutoCount != 60 {
		t.Errorf("%+v", s)
	}
	var state autoReplay
	defer func() {
		if t.Failed() {
			t.Logf("auto-replay: %+v", state)
		}
	}()
	nodes.WaitFor(t, 4*limit, "replays", func() bool {
		r.read(path+"/auto-replay/status", &state)
		return state.Progress.Done >= 50
	})
	if p := state.Progress; p.Accepted > 0 || p.Errors > 0 || p.Rejected != p.Done {
		t.Errorf("our pool takes a share twice: %+v", p)
	}
	r.do(http.MethodPost, path+"/auto-replay/disable", "", http.StatusOK, &state)
	done := state.Progress.Done
	if state.Enabled || state.Progress.Running || state.Progress.Stop != "stopped" {
		t.Errorf("%+v", state)
	}
	before := len(r.messages("limit=1000&direction=hashscope_to_pool&session_id=" + s.ID))
	time.Sleep(300 * time.Millisecond)
	r.read(path+"/auto-replay/status", &state)
	if after := len(r.messages("limit=1000&direction=hashscope_to_pool&session_id=" + s.ID)); state.Progress.Done != done || after > before+1 { // one may have been under way
		t.Errorf("it goes on: %d and then %d lines", before, after)
	}

	// The miner's own shares: each answered once, none refused as a duplicate.
	answers := 0
	for _, m := range r.messages("limit=1000&session_id=" + s.ID) {
		if m.Direction == "pool_to_miner" && strings.Contains(m.Raw, "poolscope-") {
			t.Errorf("the miner was sent %s", m.Raw)
		}
		if m.Direction == "miner_to_pool" && m.Pair != nil && strings.Contains(m.Raw, "mining.submit") {
			if answers++; m.Share.Pool == nil || *m.Share.Pool != "accepted" && !strings.Contains(string(m.Response), "tale") {
				t.Errorf("%s: %s", m.Raw, m.Response)
			}
		}
	}
	if answers < 4 {
		t.Errorf("%d of the miner's shares were answered", answers)
	}
}

// What is not one's own is not put load on; a single replay is possible.
func TestAutoReplayOnAForeignPool(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	handshake(miner, atPool)
	s := r.settled(6)
	var refusal struct{ Detail string }
	for _, how := range []struct{ method, path, body string }{
		{http.MethodPost, "/auto-replay/enable", ""}, {http.MethodPatch, "", `{"auto_replay_enabled":true}`},
	} {
		r.do(how.method, "/api/sessions/"+s.ID+how.path, how.body, http.StatusForbidden, &refusal)
		if !strings.Contains(refusal.Detail, "scope.own_pools") || !strings.Contains(refusal.Detail, p.address()) {
			t.Errorf("%+v", refusal)
		}
	}
	r.do(http.MethodPost, "/api/sessions/"+s.ID+"/auto-replay-count", `{"auto_replay_count":7}`, http.StatusOK, nil)
	miner.line(submitLine)
	atPool.hears(submitLine)
	atPool.silent(200 * time.Millisecond)
}

// A session that failed over to a pool that is not one's own is at that pool,
// whatever stands first in the configuration.
func TestAutoReplayAfterFailover(t *testing.T) {
	own, foreign := newPool(t), newPool(t)
	own.listener.Close()
	r := start(t, own.address(), "--pool", foreign.address(), "--own-pool", own.address())
	miner, atPool := r.connect(foreign)
	handshake(miner, atPool)
	s := r.settled(6)
	r.do(http.MethodPost, "/api/sessions/"+s.ID+"/auto-replay/enable", "", http.StatusForbidden, nil)
	miner.line(submitLine)
	atPool.hears(submitLine)
	atPool.silent(200 * time.Millisecond)
}

// slowPool answers each line 50 ms later, in their order, and says in the answer
// what was asked.
func slowPool(atPool *peer) {
	type answer struct {
		at   time.Time
		text string
	}
	queue := make(chan answer, 1<<16)
	go func() {
		defer close(queue)
		for {
			line, err := atPool.read(time.Minute)
			if err != nil {
				return
			}
			var asked struct {
				ID     json.RawMessage
				Params []string
			}
			if json.Unmarshal([]byte(line), &asked) == nil && len(asked.Params) > 0 {
				queue <- answer{time.Now().Add(slowness), fmt.Sprintf("{\"id\":%s,\"result\":true,\"error\":null,\"asked\":%q}\n", asked.ID, asked.Params[len(asked.Params)-1])}
			}
		}
	}()
	go func() {
		for a := range queue {
			time.Sleep(time.Until(a.at))
			if _, err := atPool.conn.Write([]byte(a.text)); err != nil {
				return
			}
		}
	}()
}

const slowness = 50 * time.Millisecond

// While each of his shares is sent again and again, a miner gets the answers to
// his own, in their time, and nothing else, though he uses one id for all. The
// original gave him the last of the answers to the replays.
func TestAutoReplayTakesNobodysAnswer(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address(), "--own-pool", p.address())
	miner, atPool := r.connect(p)
	slowPool(atPool)
	miner.line(subscribeLine)
	miner.hear()
	s := r.settled(2)
	r.do(http.MethodPatch, "/api/sessions/"+s.ID, `{"auto_replay_count":900000,"auto_replay_rate":100000,"auto_replay_enabled":true}`, http.StatusOK, nil)
	// Another miner, without the scope, shows how busy the machine is.
	other := dial(t, p.address())
	slowPool(p.accept())
	share := func(m *peer, i int) time.Duration {
		began := time.Now()
		m.line(fmt.Sprintf(`{"id":4,"method":"mining.submit","params":["w","share %d"]}`, i))
		m.hears(fmt.Sprintf(`{"id":4,"result":true,"error":null,"asked":"share %d"}`, i))
		return time.Since(began)
	}
	var his, others []time.Duration
	for i := range 20 {
		his = append(his, share(miner, i))
		others = append(others, share(other, i))
	}
	r.do(http.MethodPost, "/api/sessions/"+s.ID+"/auto-replay/disable", "", http.StatusOK, nil)
	miner.silent(4 * slowness) // the answers to what was under way are nobody's
	slices.Sort(his)
	slices.Sort(others)
	t.Logf("his answers came after %v to %v, those of a miner without the scope after %v to %v", his[0], his[19], others[0], others[19])
	if his[0] < slowness || his[0] > slowness+20*time.Millisecond || his[10] > others[10]+slowness {
		t.Errorf("his answers came after %v, others' after %v", his, others)
	}
	replays := r.messages("limit=1000&direction=hashscope_to_pool&session_id=" + s.ID)
	if len(replays) < 10 {
		t.Errorf("%d replays", len(replays))
	}
	for i, m := range replays {
		if i > 0 && !strings.Contains(string(m.Response), `"result":true`) { // the newest was stopped
			t.Errorf("%s was answered %s", m.ID, m.Response)
		}
	}
	for _, m := range r.messages("limit=1000&method=mining.submit&direction=miner_to_pool&session_id=" + s.ID) {
		var asked struct{ Asked string }
		if err := json.Unmarshal(m.Response, &asked); err != nil || asked.Asked == "" || !strings.Contains(m.Raw, asked.Asked+`"`) {
			t.Errorf("%s is paired with %s", m.Raw, m.Response)
		}
	}
}
