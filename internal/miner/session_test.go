package miner

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const (
	en1  = "1a2b3c4d"
	mask = 0x1fffe000
)

// The handshake as one segment, ids that pair, and a share that a pool would
// take.
func TestHandshakeAndFirstShare(t *testing.T) {
	m, accept := startMiner(t, Config{SuggestDifficulty: 0.00015, Password: "d=1", UserAgent: "agent/1"})
	p := accept()

	_, params := p.request("mining.configure")
	if got := string(params[0]) + string(params[1]); got != `["version-rolling"]{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":2}` {
		t.Errorf("configure %s", got)
	}
	subscribe, params := p.request("mining.subscribe")
	if parseText(params[0]) != "agent/1" {
		t.Errorf("subscribe %s", params)
	}
	suggest, params := p.request("mining.suggest_difficulty")
	if string(params[0]) != "0.00015" {
		t.Errorf("suggest %s", params)
	}
	authorize, params := p.request("mining.authorize")
	if parseText(params[0]) != "bcrt1quser.rig" || parseText(params[1]) != "d=1" {
		t.Errorf("authorize %s", params)
	}
	seen := map[int64]bool{subscribe: true, suggest: true, authorize: true}
	if len(seen) != 3 {
		t.Errorf("ids are not unique")
	}

	// Answers in another order, with a job before the end of the handshake and
	// without version rolling.
	job := jobLine{id: "j1", branches: 3, clean: true}
	p.send(
		`{"id":null,"method":"mining.set_difficulty","params":[1e-7]}`,
		`{"id":2,"result":[[["mining.notify","s"]],"1a2b3c4d",4],"error":null}`,
		"", notifyLine(job)+"\r",
		`{"id":4,"result":null,"error":[20,"Unknown method",null]}`,
		`{"id":3,"result":true,"error":null}`,
		`{"id":1,"result":null,"error":[-3,"Method not found",null]}`,
	)
	p.request("mining.extranonce.subscribe")

	s := p.share(yes)
	if d := s.check(t, job, en1, 0); d < 1e-7 {
		t.Errorf("share of difficulty %v", d)
	}
	if s.user != "bcrt1quser.rig" || len(s.extranonce2) != 8 || s.versionBits != "" {
		t.Errorf("%+v", s)
	}
	eventually(t, "share counted", func() bool { return m.Stats().Accepted >= 1 })
	st := m.Stats()
	if !st.Connected || st.JobID != "j1" || st.Height != 820896 || st.Difficulty != 1e-7 || st.BestShare < 1e-7 || st.LastShareAt.IsZero() {
		t.Errorf("%+v", st)
	}
}

// mining.set_difficulty is for the next job: shares of the present one may stay
// below it, those of the next never are.
func TestDifficultyTakesEffectWithTheNextJob(t *testing.T) {
	_, accept := startMiner(t, Config{})
	p := accept()
	one, two := jobLine{id: "1", clean: true}, jobLine{id: "2", branches: 1}
	p.signIn(en1, 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e-8]}`, notifyLine(one))
	p.share(yes)
	p.send(`{"id":null,"method":"mining.set_difficulty","params":[1e-6]}`)

	// About one share in a hundred is that good by chance.
	below := 0
	for range 200 {
		s := p.share(yes)
		if d := s.check(t, one, en1, 0); d < 1e-8 {
			t.Fatalf("share of difficulty %v", d)
		} else if d < 1e-6 {
			below++
		}
	}
	if below < 100 {
		t.Errorf("only %d of 200 shares of the present job are below the next difficulty", below)
	}

	p.send(notifyLine(two))
	for n := 0; n < 20; {
		s := p.share(yes)
		if s.job == "1" {
			continue // sent before the job came
		}
		n++
		if d := s.check(t, two, en1, 0); d < 1e-6 {
			t.Fatalf("share of difficulty %v for a job of 1e-6", d)
		}
	}
}

// Rolled versions stay inside the mask that was granted, keep the job's bits
// outside, and set_version_mask counts at once.
func TestVersionRolling(t *testing.T) {
	m, accept := startMiner(t, Config{})
	p := accept()
	// The job has bits inside the mask set, which rolling replaces.
	job := jobLine{id: "1", version: 0x3000e004, clean: true}
	p.signIn(en1, 2, "0000e000", `{"id":null,"method":"mining.set_difficulty","params":[1e-8]}`, notifyLine(job))
	seen := map[string]bool{}
	for range 20 {
		s := p.share(yes)
		if s.versionBits == "" {
			t.Fatal("no version bits sent")
		}
		if d := s.check(t, job, en1, 0x0000e000); d < 1e-8 {
			t.Fatalf("share of difficulty %v", d)
		}
		seen[s.extranonce2+s.versionBits] = true
	}
	// Every job makes the thread take a fresh unit.
	for i := range 10 {
		job.id = string(rune('a' + i))
		p.send(notifyLine(job))
		for {
			s := p.share(yes)
			if s.job == job.id {
				s.check(t, job, en1, 0x0000e000)
				seen[s.extranonce2+s.versionBits] = true
				break
			}
		}
	}
	if len(seen) < 11 {
		t.Errorf("extranonces and versions used: %v", seen)
	}

	p.send(`{"id":null,"method":"mining.set_version_mask","params":["00000000"]}`)
	eventually(t, "mask changed", func() bool { return m.Stats().VersionMask == 0 })
}

// A mask is applied as it was granted, not as it was asked for.
func TestVersionMaskIsBounded(t *testing.T) {
	for reply, want := range map[string]uint32{
		`{"version-rolling":true,"version-rolling.mask":"ffffffff"}`:  0x1fffe000,
		`{"version-rolling":true,"version-rolling.mask":"00006000"}`:  0x6000,
		`{"version-rolling":false,"version-rolling.mask":"1fffe000"}`: 0,
		`{"version-rolling":true}`:                                    0,
		`{}`:                                                          0,
	} {
		s := testSession(t)
		if err := s.handle([]byte(`{"id":1,"result":` + reply + `,"error":null}`)); err != nil {
			t.Fatal(err)
		}
		if s.mask != want || s.rolling != (want != 0) {
			t.Errorf("%s: mask %08x, rolling %v", reply, s.mask, s.rolling)
		}
	}
}

// Work of an old generation is dropped, work of a superseded job of the same
// generation is not.
func TestCleanJobs(t *testing.T) {
	s := testSession(t)
	for _, line := range []string{
		`{"id":2,"result":[[],"1a2b3c4d",8],"error":null}`,
		`{"id":3,"result":true,"error":null}`,
		notifyLine(jobLine{id: "1", clean: true}),
	} {
		if err := s.handle([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	valid := func(w *work) bool { return w.generation == s.generation.Load() }
	first := s.board.current.Load()
	for i, c := range []struct {
		job   jobLine
		keeps bool
	}{
		{jobLine{id: "2"}, true},
		{jobLine{id: "3", clean: true}, false},
		{jobLine{id: "4", prev: 7}, false}, // another tip, whatever the flag says
		{jobLine{id: "5", prev: 7}, true},
	} {
		before := s.board.current.Load()
		if err := s.handle([]byte(notifyLine(c.job))); err != nil {
			t.Fatal(err)
		}
		if got := valid(before); got != c.keeps {
			t.Errorf("step %d: older work is still wanted: %v", i, got)
		}
		if now := s.board.current.Load(); now.job.ID != c.job.id || !valid(now) {
			t.Errorf("step %d: working on %s", i, now.job.ID)
		}
	}
	if valid(first) {
		t.Error("the first job is still wanted")
	}
}

// A new extranonce1 and size count from the next job on.
func TestSetExtranonce(t *testing.T) {
	_, accept := startMiner(t, Config{})
	p := accept()
	one, two := jobLine{id: "1", clean: true}, jobLine{id: "2", clean: true}
	p.signIn(en1, 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e-7]}`, notifyLine(one))
	p.share(yes)
	p.send(`{"id":null,"method":"mining.set_extranonce","params":["aabbccddee",3]}`)
	for range 30 {
		s := p.share(yes)
		if d := s.check(t, one, en1, 0); d < 1e-7 {
			t.Fatalf("difficulty %v: not with the first extranonce", d)
		}
	}
	p.send(notifyLine(two))
	for {
		s := p.share(yes)
		if s.job == "1" {
			continue
		}
		if d := s.check(t, two, "aabbccddee", 0); d < 1e-7 || len(s.extranonce2) != 6 {
			t.Errorf("difficulty %v, extranonce2 %s", d, s.extranonce2)
		}
		return
	}
}

func TestRequestsOfThePool(t *testing.T) {
	var text string
	m, accept := startMiner(t, Config{UserAgent: "agent/1", OnEvent: func(e Event) {
		if e.Kind == EventMessage {
			text = e.Text
		}
	}})
	p := accept()
	p.signIn(en1, 8, "")
	p.send(
		`{"id":"v","method":"client.get_version","params":[]}`,
		`{"id":null,"method":"client.show_message","params":["hello\u0007 there"]}`,
		`{"id":null,"method":"mining.ping","params":[]}`,
		`{"id":77,"method":"mining.something_new","params":[1,2]}`,
		`{"id":9,"method":"MINING.PING","params":[]}`,
	)
	if got := p.line(); got != `{"id":"v","result":"agent/1","error":null}` {
		t.Errorf("version: %s", got)
	}
	if got := p.line(); got != `{"id":9,"result":"pong","error":null}` {
		t.Errorf("ping: %s", got)
	}
	if text != "hello  there" {
		t.Errorf("message %q", text)
	}
	if st := m.Stats(); !st.Connected {
		t.Errorf("%+v", st)
	}
}

func TestRejectsAreCountedByText(t *testing.T) {
	m, accept := startMiner(t, Config{})
	p := accept()
	job := jobLine{id: "1", clean: true}
	p.signIn(en1, 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e-7]}`, notifyLine(job))
	p.share(`"result":null,"error":[21,"Stale",null]`)
	p.share(`"result":null,"error":[21,"Stale",null]`)
	p.share(`"result":false,"error":null`)
	p.share(yes)
	eventually(t, "all counted", func() bool { st := m.Stats(); return st.Accepted >= 1 && st.Rejected >= 3 })
	st := m.Stats()
	if st.RejectedBy["Stale"] != 2 || st.RejectedBy["refused without a reason"] != 1 || st.Rejected != 3 {
		t.Errorf("%v", st.RejectedBy)
	}
}

func TestRejectTextsAreBounded(t *testing.T) {
	var c counters
	for i := range 1000 {
		c.rejected(strings.Repeat("x", i))
	}
	st := c.view(0)
	if len(st.RejectedBy) != maxRejectTexts || st.RejectedBy[otherRejects] != 1000-maxRejectTexts+1 || st.Rejected != 1000 {
		t.Errorf("%d texts, %d others", len(st.RejectedBy), st.RejectedBy[otherRejects])
	}
}

// A hash that meets the job's own target counts as a block.
func TestBlocks(t *testing.T) {
	blocks := make(chan Event, 100)
	m, accept := startMiner(t, Config{OnEvent: func(e Event) {
		if e.Kind == EventBlock {
			select {
			case blocks <- e:
			default:
			}
		}
	}})
	p := accept()
	job := jobLine{id: "1", bits: 0x207fffff, clean: true}
	p.signIn(en1, 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e-7]}`, notifyLine(job))
	p.share(yes)
	if e := <-blocks; e.Height != 820896 || e.Difficulty < 1e-7 || len(e.Text) != 64 {
		t.Errorf("%+v", e)
	}
	if st := m.Stats(); st.Blocks == 0 {
		t.Errorf("%+v", st)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ line, why string }{
		{`{"id":3,"result":null,"error":[24,"Invalid Bitcoin address",null]}`, "the pool refused the worker: Invalid Bitcoin address"},
		{`{"id":3,"result":false,"error":null}`, "the pool refused the worker: refused without a reason"},
		{`{"id":2,"result":null,"error":[20,"full",null]}`, "the pool refused to subscribe: full"},
		{`{"id":2,"result":[[],"zz",8],"error":null}`, "extranonce1 is not hex"},
		{strings.Repeat("junk\n", maxBadLines), "too much that is not stratum"},
		{strings.Repeat("x", maxLine+1), "a line that is too long"},
	} {
		var why string
		ended := make(chan struct{}, 10)
		_, accept := startMiner(t, Config{OnEvent: func(e Event) {
			if e.Kind == EventDisconnected && why == "" {
				why = e.Text
				ended <- struct{}{}
			}
		}})
		p := accept()
		for range 3 {
			p.line()
		}
		_, _ = p.conn.Write([]byte(c.line + "\n")) // the miner may hang up in the middle
		<-ended
		if !strings.Contains(why, c.why) {
			t.Errorf("%.60s: %q, want %q", c.line, why, c.why)
		}
	}
}

func TestReconnectIsForTheSameHostOnly(t *testing.T) {
	for params, want := range map[string]string{
		`[]`:                            "pool.example:3333",
		`["",0,0]`:                      "ignored",
		`["pool.example"]`:              "pool.example:3333",
		`["POOL.example",3334,1]`:       "pool.example:3334",
		`["pool.example","3335",1]`:     "pool.example:3335",
		`["",3336]`:                     "pool.example:3336",
		`["evil.example",3333,1]`:       "ignored",
		`["evil.pool.example",3333,1]`:  "ignored",
		`["pool.example",99999,1]`:      "ignored",
		`["pool.example",3334,1000000]`: "pool.example:3334",
	} {
		s := testSession(t)
		err := s.handle([]byte(`{"id":null,"method":"client.reconnect","params":` + params + `}`))
		got := "ignored"
		if err != nil {
			var r *reconnectError
			if !errors.As(err, &r) {
				t.Fatalf("%s: %v", params, err)
			}
			got = "pool.example:3333"
			if r.endpoint != nil {
				got = r.endpoint.Address()
			}
			if r.wait > s.cfg.ReconnectMax {
				t.Errorf("%s: wait of %v", params, r.wait)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", params, got, want)
		}
	}
}

// Submit ids never repeat within a connection, and extranonce2 has the size
// that the pool told, from 2 bytes up to 16.
func TestExtranonce2Sizes(t *testing.T) {
	for _, size := range []int{1, 2, 3, 4, 8, 9, 16} {
		_, accept := startMiner(t, Config{Threads: 2})
		p := accept()
		job := jobLine{id: "1", clean: true}
		p.signIn(en1, size, "1fffe000", `{"id":null,"method":"mining.set_difficulty","params":[1e-8]}`, notifyLine(job))
		ids := map[int64]bool{}
		headers := map[string]bool{}
		for range 50 {
			s := p.share(yes)
			if len(s.extranonce2) != 2*size {
				t.Fatalf("size %d: extranonce2 %s", size, s.extranonce2)
			}
			if d := s.check(t, job, en1, mask); d < 1e-8 {
				t.Fatalf("size %d: share of difficulty %v", size, d)
			}
			key, _ := json.Marshal([]any{s.extranonce2, s.nonce, s.ntime, s.versionBits})
			if ids[s.id] || headers[string(key)] {
				t.Fatalf("size %d: sent twice: id %d, %s", size, s.id, key)
			}
			ids[s.id], headers[string(key)] = true, true
		}
	}
}
