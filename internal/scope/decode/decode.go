package decode

import (
	"encoding/json"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Context is what has to be known besides a line to read all of it. The zero
// value is fine: what depends on the unknown is left out or guessed, and marked.
type Context struct {
	Network         bitcoin.Network // for addresses and the subsidy; "" is main
	FromMiner       bool            // the line went from the miner to the pool
	Received        time.Time       // of the line; zero leaves out skews
	Extranonce1     []byte          // nil when unknown
	Extranonce2     []byte          // nil for zeros
	Extranonce2Size int             // bytes; 0 when unknown
	Difficulty      float64         // that the pool asks for; 0 when unknown
	VersionMask     uint32          // bits that the miner may roll; 0 when none were agreed
	Work            *Work           // the job of a mining.submit; nil when unknown
}

// Problem is a field that is not as it should be.
type Problem struct {
	Field   string `json:"field"`   // the field's name in Stratum: "nbits", "merkle_branch[3]"
	Problem string `json:"problem"` // what is wrong, in words
}

// problems collects them, no more than anybody reads.
type problems []Problem

const maxProblems = 32

func (p *problems) add(field, problem string) {
	if len(*p) < maxProblems {
		*p = append(*p, Problem{field, problem})
	}
}

// Message is what a line says. Of the pointers at most those of its kind are
// set; an answer has the kind of its question with "_result" at its end.
type Message struct {
	// Kind is the method without its prefix: "notify", "subscribe", "submit",
	// "set_difficulty", …; "unknown" for other methods, "result" and "error"
	// for an answer to an unknown question.
	Kind     string    `json:"kind"`
	Summary  string    `json:"summary"`  // one line of plain English
	Problems []Problem `json:"problems"` // empty when all is well

	Job       *Job             `json:"job,omitempty"`              // mining.notify
	Submit    *Submit          `json:"submit,omitempty"`           // mining.submit
	Header    *Header          `json:"header,omitempty"`           // mining.submit, when its job is known
	Subscribe *Subscribe       `json:"subscribe,omitempty"`        // mining.subscribe
	Assigned  *Subscribed      `json:"subscribe_result,omitempty"` // its answer
	Configure *Configure       `json:"configure,omitempty"`        // mining.configure
	Agreed    *ConfigureResult `json:"configure_result,omitempty"` // its answer
	Authorize *Authorize       `json:"authorize,omitempty"`        // mining.authorize

	Difficulty *Difficulty `json:"difficulty,omitempty"`   // set_difficulty, suggest_difficulty, suggest_target, set_target
	Extranonce *Extranonce `json:"extranonce,omitempty"`   // mining.set_extranonce
	Mask       *Mask       `json:"version_mask,omitempty"` // mining.set_version_mask
	Reconnect  *Reconnect  `json:"reconnect,omitempty"`    // client.reconnect
	Text       string      `json:"text,omitempty"`         // client.show_message, and the answer to client.get_version

	Accepted *bool  `json:"accepted,omitempty"` // of an answer: whether it is a yes
	Error    *Error `json:"error,omitempty"`    // of an answer that is a no
}

// Decode reads a line. It takes the JSON object of the line, as
// capture.Message.Decoded gives it, and for an answer the one of the question,
// nil when that is unknown. It never fails: what cannot be read is named in
// Problems.
func Decode(line, question json.RawMessage, ctx Context) *Message {
	m := &Message{Kind: "unknown"}
	members := object(line)
	method, isRequest := stringOf(members["method"])
	switch {
	case members == nil:
		m.Summary = "Not a Stratum message."
		m.problem("message", "is not a JSON object")
	case isRequest:
		m.request(method, members["params"], ctx)
	default:
		m.answer(members["result"], members["error"], question, ctx)
	}
	if m.Problems == nil {
		m.Problems = []Problem{}
	}
	return m
}

func (m *Message) problem(field, text string) { (*problems)(&m.Problems).add(field, text) }
