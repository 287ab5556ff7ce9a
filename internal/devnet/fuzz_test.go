package devnet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"testing"
)

// Whatever a client posts, the answer is JSON with a status, and the id of a
// single request comes back as it was.
func FuzzRPCAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}`,
		`{"id":"<&>","method":"echo"}`, `[{"id":null,"method":"echo","params":{"value":"x"}},7]`,
		`{"id":{"a":1},"method":"nosuch"}`, `[]`, `{`, `null`, `"x"`, ``,
	} {
		f.Add([]byte(seed))
	}
	echo := &method{name: "echo", params: []string{"value?"}, run: func(_ context.Context, a *args) (any, error) {
		n, err := a.number(0, 0)
		return n, err
	}}
	s := &rpcServer{methods: map[string]*method{"echo": echo}, log: quiet()}
	f.Fuzz(func(t *testing.T, body []byte) {
		status, reply := s.answer(t.Context(), body)
		if reply == nil {
			if status != 204 {
				t.Fatalf("status %d without a body", status)
			}
			return
		}
		if !json.Valid(reply) {
			t.Fatalf("reply %q", reply)
		}
		var q, r map[string]json.RawMessage
		if json.Unmarshal(body, &q) != nil || json.Unmarshal(reply, &r) != nil || q["id"] == nil {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, q["id"]); err != nil {
			t.Fatal(err)
		}
		if want.String() != string(r["id"]) {
			t.Fatalf("id %s, want %s", r["id"], want.String())
		}
	})
}

// No bytes of a subscriber make the reader take more than a frame's bound or
// end in a panic.
func FuzzZMTP(f *testing.F) {
	f.Add([]byte{zmtpCommand, 5, 4, 'P', 'I', 'N', 'G'})
	f.Add(append([]byte{zmtpCommand, 24}, zmtpReady("SUB")...))
	f.Add([]byte{0, 1, 1, zmtpLong, 0, 0, 0, 0, 0, 0, 0, 2, 1, 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &subscriber{queue: make(chan []byte, 4), topics: make(map[string]struct{})}
		in := bufio.NewReader(bytes.NewReader(data))
		for {
			flags, body, err := zmtpReadFrame(in)
			if err != nil {
				break
			}
			if len(body) > zmtpMaxFrame {
				t.Fatalf("frame of %d bytes", len(body))
			}
			zmtpIsSubscriber(body)
			if !s.handle(flags, body) {
				break
			}
		}
		if len(s.topics) > zmqMaxTopics {
			t.Fatalf("%d topics", len(s.topics))
		}
	})
}
