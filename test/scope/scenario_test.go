package scope

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	subscribeLine = `{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.10", "sess77"]}`
	authorizeLine = `{"id":2,"method":"mining.authorize","params":["u.w","x"]}`
	submitLine    = `{"id": 3, "method": "mining.submit", "params": ["u.w","job1","0000000000000001","65000001","deadbeef","1fffe000"], "jsonrpc":"2.0"}`
)

// handshake is what a miner and a pool say at first: six lines.
func handshake(miner, atPool *peer) {
	miner.t.Helper()
	step := func(from, to *peer, line string) { miner.t.Helper(); from.line(line); to.hears(line) }
	step(miner, atPool, subscribeLine)
	step(atPool, miner, `{"id":1,"result":[[["mining.notify","1"]],"01020304",8],"error":null}`)
	step(miner, atPool, authorizeLine)
	step(atPool, miner, `{"id":2,"result":true,"error":null}`)
	step(atPool, miner, `{"id":null,"method":"mining.set_difficulty","params":[8192]}`)
	step(atPool, miner, `{"id":null,"method":"mining.notify","params":["job1","`+strings.Repeat("00", 32)+`","01","02",[],"20000000","1d00ffff","65000000",true]}`)
}

// Scenario A: the happy path.
func TestHappyPath(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	feed := r.watch("")
	miner, atPool := r.connect(p)
	handshake(miner, atPool)
	miner.line(submitLine)
	atPool.hears(submitLine)
	const answer = `{"id": 3, "result": true, "error": null}`
	atPool.line(answer)
	miner.hears(answer)

	s := r.settled(8)
	if s.Messages != 8 || s.Stats.Total != 8 || s.Stats.Miner != 3 || s.Stats.Pool != 5 || s.Stats.Faults != 0 {
		t.Errorf("counts: %+v", s)
	}
	if *s.Agent != "cgminer/4.10" || *s.Resume != "sess77" || s.Diff != 8192 || !s.PoolUp || s.PoolPeer != p.address() || !s.Live {
		t.Errorf("facts: %+v", s)
	}
	if s.AutoReplay || s.AutoCount != 1 || s.Broadcast || s.Repeat != 1 {
		t.Errorf("switches: %+v", s)
	}

	all := r.all(s.ID)
	var directions, pairs []string
	for i, m := range all {
		if want := string(rune('1' + i)); m.n() != want || m.Session != s.ID {
			t.Errorf("message %d is %s", i+1, m.ID)
		}
		directions = append(directions, m.Direction[:1])
		pair := "-"
		if m.Pair != nil {
			pair = strings.TrimPrefix(*m.Pair, s.ID+"-")
			status, _ := r.ask(http.MethodGet, "/api/messages/"+*m.Pair, "")
			if status != http.StatusOK {
				t.Errorf("the partner of %s: %d", m.ID, status)
			}
		}
		pairs = append(pairs, pair)
		if m.Fault != nil || m.Forwarded == nil || m.Forwarded.Before(m.Received) {
			t.Errorf("%s: %+v", m.ID, m)
		}
	}
	if got := strings.Join(directions, ""); got != "mpmpppmp" {
		t.Errorf("directions: %s", got)
	}
	if got := strings.Join(pairs, " "); got != "2 1 4 3 - - 8 7" {
		t.Errorf("pairs: %s", got)
	}
	share := all[6]
	if share.Raw != submitLine+"\n" || share.Size != len(submitLine)+1 || string(share.RPCID) != "3" || !share.IsRequest || share.IsResponse ||
		string(share.Decoded) != submitLine || string(share.Response) != answer || share.Latency == nil || *share.Latency <= 0 {
		t.Errorf("the submit: %+v", share)
	}
	if strings.Contains(all[2].Raw, `"x"`) {
		t.Errorf("the password is shown: %s", all[2].Raw)
	}

	// The feed: each message once new, in order, and requests again when they
	// were answered.
	latest := map[string]message{}
	var order []string
	for latest["7"].Response == nil || string(latest["7"].Response) == "null" || latest["8"].ID == "" {
		m := feed.next()
		if _, known := latest[m.n()]; !known {
			order = append(order, m.n())
		}
		latest[m.n()] = m
	}
	if got := strings.Join(order, ""); got != "12345678" {
		t.Errorf("the feed's order: %s", got)
	}
	for _, n := range []string{"1", "3", "7"} {
		if m := latest[n]; m.Pair == nil {
			t.Errorf("the feed never said that %s was answered", m.ID)
		}
	}
}

// Scenario C: a replay reaches the pool as one line, and the miner not at all.
func TestReplay(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	handshake(miner, atPool)
	miner.line(submitLine)
	atPool.hears(submitLine)
	s := r.settled(7)
	submit := s.ID + "-7"

	// Two replays of one message under way, and the miner's own still unanswered:
	// each gets its own answer, in whatever order they come.
	results := make(chan []byte, 2)
	for range 2 {
		go func() {
			_, answer, err := r.try(http.MethodPost, "/api/messages/"+submit+"/replay", "")
			if err != nil {
				t.Error(err)
			}
			results <- answer
		}()
	}
	var ids []string
	for range 2 {
		line := atPool.hear()
		id := idOf(t, line)
		if strings.Replace(line, id, "3", 1) != submitLine+"\n" || id == "3" {
			t.Errorf("the pool was sent %q", line)
		}
		ids = append(ids, id)
	}
	atPool.line(`{"id":` + ids[1] + `,"result":null,"error":[22,"Duplicate share",null],"x":1}`)
	atPool.line(`{"id":3,"result":true,"error":null}`)
	atPool.line(`{"id":` + ids[0] + `,"result":true,"error":null}`)
	miner.hears(`{"id":3,"result":true,"error":null}`)
	miner.silent(200 * time.Millisecond)

	var accepted, rejected int
	for range 2 {
		var got replayResult
		answer := <-results
		strict(t, answer)
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatalf("%v in %s", err, answer)
		}
		switch {
		case !got.Success || got.Error != nil || got.Latency == nil || string(got.Response.ID) != "3":
			t.Errorf("%+v", got)
		case string(got.Response.Result) == "true" && string(got.Response.Error) == "null":
			accepted++
		case string(got.Response.Error) == `[22,"Duplicate share",null]` && string(got.Response.Result) == "null":
			rejected++
		}
	}
	if accepted != 1 || rejected != 1 {
		t.Errorf("%d accepted, %d rejected", accepted, rejected)
	}
	s = r.settled(10)
	replays := r.messages("direction=hashscope_to_pool&session_id=" + s.ID)
	if s.Messages != 10 || len(replays) != 2 {
		t.Fatalf("%d messages, %d replays", s.Messages, len(replays))
	}
	for _, m := range replays {
		if m.Raw != submitLine+"\n" || m.ReplayOf != submit || m.Pair != nil || !strings.Contains(string(m.Response), `"method":null`) {
			t.Errorf("%+v", m)
		}
	}
	var own message
	r.read("/api/messages/"+submit, &own)
	if string(own.Response) != `{"id":3,"result":true,"error":null}` || *own.Pair != s.ID+"-10" {
		t.Errorf("the miner's own: %s %v", own.Response, *own.Pair)
	}
}

// What cannot be replayed is refused, with the original's words and in its order;
// nothing reaches the pool. A pool that does not answer is waited for ten
// seconds, and the attempt is recorded.
func TestReplayRefused(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	handshake(miner, atPool)
	miner.line(submitLine)
	atPool.hears(submitLine)
	s := r.settled(7)
	path := func(n string) string { return "/api/messages/" + s.ID + "-" + n + "/replay" }
	refused := func(at, body string, status int, detail string) {
		t.Helper()
		var got struct{ Detail string }
		r.do(http.MethodPost, at, body, status, &got)
		if !strings.HasPrefix(got.Detail, detail) {
			t.Errorf("%s %s: %q, not %q", at, body, got.Detail, detail)
		}
	}
	refused("/api/messages/nothing/replay", "", 404, "Message not found")
	refused(path("99"), `{"modified_message":"["}`, 404, "Message not found")
	refused(path("2"), `{"modified_message":"["}`, 400, "Can only replay messages from miner to pool")
	refused(path("1"), `{"modified_message":"["}`, 400, "Can only replay mining.submit messages")
	refused(path("7"), `{"modified_message":"["}`, 400, "Invalid JSON in modified_message")
	refused(path("7"), `{"modified_message":"[]"}`, 400, "modified_message must be a JSON object")
	refused(path("7"), `{"modified_message":"{}"}`, 400, "Invalid message format: Message must have an 'id' field")
	refused(path("7"), `{"modified_message":"{\"id\":1}\n{\"id\":2}"}`, 400, "modified_message must be one line")
	if status, _, err := r.unauthorized(path("7")); err != nil || status != 401 {
		t.Errorf("without the token: %d %v", status, err)
	}
	atPool.silent(200 * time.Millisecond)

	began := time.Now()
	var result replayResult
	const edited = `{"id":"mine","method":"mining.authorize","params":["other",""]}`
	r.do(http.MethodPost, path("7"), `{"modified_message":`+quoted(edited)+`}`, http.StatusOK, &result)
	if took := time.Since(began); took < 10*time.Second {
		t.Errorf("it waited %v", took)
	}
	if result.Success || result.Latency != nil || result.Error == nil || *result.Error != "Timeout waiting for pool response" || result.ID != s.ID+"-8" {
		t.Errorf("%+v", result)
	}
	line := atPool.hear()
	id := idOf(t, line)
	if strings.Replace(line, id, `"mine"`, 1) != edited+"\n" {
		t.Errorf("the pool was sent %q", line)
	}
	atPool.line(`{"id":` + id + `,"result":true,"error":null}`) // too late
	atPool.line(`{"id":3,"result":true,"error":null}`)
	miner.hears(`{"id":3,"result":true,"error":null}`)
	var m struct {
		message
		Failure *string `json:"replay_error"`
	}
	r.read("/api/messages/"+s.ID+"-8", &m)
	if m.Raw != edited+"\n" || m.Failure == nil || *m.Failure != *result.Error || string(m.Response) != "null" {
		t.Errorf("recorded as %+v", m)
	}

	miner.close()
	r.over()
	refused(path("7"), "", 404, "Session not active. The miner connection may have closed.")
}

// quoted is a text as a JSON string.
func quoted(text string) string {
	out, _ := json.Marshal(text) // it always has one
	return string(out)
}

// replayResult is the answer to a replay.
type replayResult struct {
	Success  bool `json:"success"`
	Response struct {
		ID, Method, Params, Result, Error json.RawMessage
	} `json:"pool_response"`
	Error   *string  `json:"error"`
	Latency *float64 `json:"latency_ms"`
	ID      string   `json:"message_id"`
}

// idOf is the id of a line as JSON text.
func idOf(t testing.TB, line string) string {
	t.Helper()
	var m struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil || m.ID == nil {
		t.Fatalf("%v in %q", err, line)
	}
	return string(m.ID)
}
