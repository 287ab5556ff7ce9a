package playback

import (
	"bytes"
	"slices"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Recording is a recorded session, both sides of it.
type Recording struct {
	Session string

	messages []*capture.Message // as they were said
	partner  []int              // of each request its answer, of each answer its request; -1 without
}

// New makes a recording of a session's messages, which stand in the order of
// their numbers. What the scope sent itself is left out.
func New(session string, messages []*capture.Message) *Recording {
	r := &Recording{Session: session}
	at := make(map[uint64]int, len(messages)) // place of a message, by its number
	for _, m := range messages {
		if m.Direction != capture.ScopeToPool && len(m.Raw) > 0 {
			at[m.N] = len(r.messages)
			r.messages = append(r.messages, m)
		}
	}
	r.partner = make([]int, len(r.messages))
	for i, m := range r.messages {
		r.partner[i] = -1
		if p, ok := at[m.Pair]; ok && m.Pair > 0 {
			r.partner[i] = p
		}
	}
	return r
}

// Count is how many lines went in a direction.
func (r *Recording) Count(d capture.Direction) (n int) {
	for _, m := range r.messages {
		if m.Direction == d {
			n++
		}
	}
	return n
}

// line is a line to send. It has a line feed, whether the recorded one had or
// not.
func (r *Recording) line(i int) []byte {
	raw := r.messages[i].Raw
	if raw[len(raw)-1] != '\n' {
		return append(slices.Clip(raw), '\n')
	}
	return raw
}

// answer is the answer to a request, nil when it had none.
func (r *Recording) answer(i int) *capture.Message {
	if p := r.partner[i]; p >= 0 {
		return r.messages[p]
	}
	return nil
}

// masked says whether a password in a line was replaced when it was recorded.
func masked(m *capture.Message) bool {
	return m.Masked || m.Method == methodAuthorize && bytes.Contains(m.Raw, []byte(`"********"`))
}

// request says whether a line is a request that wants an answer.
func (r *Recording) request(i int) bool {
	m := r.messages[i]
	return m.IsRequest && m.ID != ""
}
