package capture

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A line of ours is one message from its sending to its answer, shown with the
// caller's id, and the miner's own request with that id is not touched.
func TestOwnLine(t *testing.T) {
	r, sink := capture(t, Config{}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		tape.PoolConnected("198.51.100.1:3333")
		say(tape, MinerToPool, `{"id":3,"method":"mining.submit","params":["w"]}`+"\n")
		own := tape.Own([]byte(`{"id":3,"method":"mining.submit","params":["w"]}`+"\n"), OwnLine{WireID: `"x-1"`, ReplayOf: 1}, time.Now())
		own.Sent(time.Now())
		if n, ok := own.Recorded(context.Background()); n != 2 || !ok {
			t.Errorf("number %d, %t", n, ok)
		}
		time.Sleep(5 * time.Millisecond)
		own.Answered([]byte(`{"id":"x-1","result":true,"error":null,"extra":1}`+"\n"), time.Now())
		failed := tape.Own([]byte(`{"id":3,"method":"mining.submit","params":["w"]}`+"\n"), OwnLine{WireID: `"x-2"`, ReplayOf: 1}, time.Now())
		synctest.Wait()
		time.Sleep(10 * time.Second)
		failed.Failed("Timeout waiting for pool response", time.Now())
		say(tape, PoolToMiner, `{"id":3,"result":false}`+"\n")
	})
	if s, _ := r.Store().Session("s"); s.Messages != 4 || s.ByDirection[ScopeToPool] != 2 {
		t.Errorf("session %+v", s)
	}
	if m := r.Store().Message("s", 1); m.Pair != 4 || m.Response.OK {
		t.Errorf("the miner's own request: %+v", m)
	}
	var got map[string]any
	if err := json.Unmarshal(r.Store().Message("s", 2).AppendJSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"direction": "hashscope_to_pool", "peer": "hashscope→198.51.100.1:3333", "jsonrpc_id": 3.0, "latency_ms": 5.0,
		"response":          map[string]any{"id": 3.0, "method": nil, "params": nil, "result": true, "error": nil},
		"paired_message_id": nil, "wire_id": "x-1", "replay_of": "s-1",
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if value, ok := got["replay_error"]; ok {
		t.Errorf("an answered replay has the error %v", value)
	}
	if m := r.Store().Message("s", 3); m.Failure != "Timeout waiting for pool response" || m.Response != nil {
		t.Errorf("failed replay %+v", m)
	}
	if u := r.Store().Usage(); u.Messages != 4 {
		t.Errorf("usage %+v", u)
	}
	if len(sink.captured) != 4 {
		t.Errorf("%d messages captured", len(sink.captured))
	}
}

// judge is an analyst that judges submits, and falls over some lines.
type judge struct{ opened, closed int }

func (j *judge) Opened(Session) { j.opened++ }
func (j *judge) Closed(Session) { j.closed++ }
func (j *judge) Message(m *Message) {
	if m.Worker == "bomb" {
		panic("a fault of ours")
	}
	if m.Method == "mining.submit" {
		m.Share = &Share{Job: "j", Audit: AuditValid}
	}
}

func (j *judge) Answered(request, response *Message) {
	if request.Share != nil && !response.OK {
		share := *request.Share
		share.Pool, share.Conflict = PoolRejected, "rejected_though_valid"
		request.Share = &share
	}
}

// What the analyst finds is there when a message is published, and its panics
// cost nothing but its findings.
func TestAnalyst(t *testing.T) {
	j := &judge{}
	r, _ := capture(t, Config{Analyst: j, FirstSeq: 100}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		say(tape, MinerToPool, `{"id":1,"method":"mining.authorize","params":["bomb"]}`+"\n")
		say(tape, MinerToPool, `{"id":2,"method":"mining.submit","params":["w"]}`+"\n"+`{"id":3,"method":"mining.submit","params":["w"]}`+"\n")
		say(tape, PoolToMiner, `{"id":2,"result":null,"error":[23,"low",null]}`+"\n"+`{"id":3,"result":true}`+"\n")
		tape.Close("miner_closed", time.Now())
		tape.Close("again", time.Now())
	})
	page, _ := r.Store().Find(Filter{Verdict: VerdictConflict})
	if len(page) != 1 || page[0].N != 2 || page[0].Seq != 101 || page[0].Share.Pool != PoolRejected {
		t.Errorf("conflicts %+v", page)
	}
	if r.Faults() != 1 || r.Store().Message("s", 1) == nil {
		t.Errorf("%d faults", r.Faults())
	}
	if s, _ := r.Store().Session("s"); j.opened != 1 || j.closed != 1 || s.Reason != "miner_closed" {
		t.Errorf("opened %d, closed %d, reason %q", j.opened, j.closed, s.Reason)
	}
}

// A line of ours that comes after the session's end is no part of it.
func TestOwnLineAfterEnd(t *testing.T) {
	r, sink := capture(t, Config{}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		tape.Close("miner_closed", time.Now())
		own := tape.Own([]byte("{}\n"), OwnLine{}, time.Now())
		if n, ok := own.Recorded(context.Background()); n != 0 || ok {
			t.Errorf("number %d, %t", n, ok)
		}
		own.Failed("Session ended", time.Now())
	})
	if s, _ := r.Store().Session("s"); s.Messages != 0 || s.Reason != "miner_closed" || len(sink.captured) > 0 {
		t.Errorf("session %+v, %d messages", s, len(sink.captured))
	}
}
