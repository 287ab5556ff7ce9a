package decode

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Error is what an answer says went wrong.
type Error struct {
	Code    int    `json:"code"`    // 0 when there is none
	Message string `json:"message"` // as the peer wrote it
	Meaning string `json:"meaning"` // of the code or the message, in plain English; "" when unknown
	Shape   string `json:"shape"`   // array (as Stratum has it), object (as JSON-RPC 2.0 has it), string, or other
}

// meanings of error codes: Stratum's, and those of JSON-RPC 2.0.
var meanings = map[int]string{
	20:     "Something else; the message says what.",
	21:     "The job is not known any more, or stale.",
	22:     "The same share was sent before.",
	23:     "The share's difficulty is too low.",
	24:     "The worker is not signed in.",
	25:     "The connection is not subscribed.",
	-1:     "Something else; the message says what.",
	-2:     "The service was not found.",
	-3:     "The method was not found.",
	-10:    "The signature is not there or wrong.",
	-20:    "Something else; the message says what.",
	-21:    "The signature is not there.",
	-22:    "The signature is not valid.",
	-32700: "The line was not JSON.",
	-32600: "The request was not one of JSON-RPC.",
	-32601: "The method is not known.",
	-32602: "The parameters are not those of the method.",
	-32603: "A fault of the pool.",
}

// ParseError reads the error member of an answer, which pools write as an
// array, an object or a string. It is nil for null.
func ParseError(raw json.RawMessage) *Error {
	if !set(raw) {
		return nil
	}
	e := &Error{Shape: "other"}
	switch raw[0] {
	case '[':
		e.Shape = "array"
		values := list(raw)
		e.code(element(values, 0))
		if v := element(values, 1); set(v) {
			e.Message = anyText(v)
		} else if text, ok := stringOf(element(values, 0)); ok {
			e.Message = printable(text)
		}
	case '{':
		e.Shape = "object"
		values := object(raw)
		e.code(values["code"])
		if v := values["message"]; set(v) {
			e.Message = anyText(v)
		}
	case '"':
		e.Shape = "string"
		e.Message = textOf(raw)
	default:
		e.code(raw)
		e.Message = anyText(raw)
	}
	e.Meaning = meanings[e.Code]
	if e.Meaning == "" || e.Code == 20 || e.Code == -1 || e.Code == -20 {
		if known := adviceOf(e.Message); known != "" {
			e.Meaning = known
		}
	}
	return e
}

func (e *Error) code(raw json.RawMessage) {
	if n, ok := numberOf(raw); ok && n == float64(int32(n)) {
		e.Code = int(n)
	}
}

// adviceOf explains the reasons that pools give, whatever their code.
func adviceOf(message string) string {
	for _, r := range stratum.Rejects() {
		if r.Code() == 20 && strings.EqualFold(r.Text(), strings.TrimSpace(message)) {
			return r.Advice()
		}
	}
	return ""
}

// answer reads a line without a method.
func (m *Message) answer(result, failure, question json.RawMessage, ctx Context) {
	asked := object(question)
	method, known := stringOf(asked["method"])
	name := strings.ToLower(method)
	if strings.HasPrefix(name, "mining.auth") {
		name = "mining.authorize"
	}
	what := kinds[name]
	m.Error = ParseError(failure)
	m.Kind = "result"
	if m.Error != nil {
		m.Kind = "error"
	}
	if what != "" {
		m.Kind = what + "_result"
	}
	accepted := m.Error == nil && set(result) && string(result) != "false"
	m.Accepted = &accepted

	to := "the question"
	if known {
		to = printable(method)
	}
	if m.Error != nil {
		m.Summary = refusal(what, to) + because(m.Error) + "."
		return
	}
	switch what {
	case "subscribe":
		m.subscribed(result)
	case "configure":
		m.configured(result)
	case "authorize":
		m.Summary = yesNo(accepted, "The pool lets the miner in.", "The pool does not let the miner in.")
	case "submit":
		m.Summary = yesNo(accepted, "The pool accepts the share.", "The pool rejects the share, without a reason.")
	case "get_version":
		m.Text = anyText(result)
		m.Summary = "The miner is " + quoted(m.Text) + "."
	case "extranonce_subscribe":
		m.Summary = yesNo(accepted, "The pool may change the extranonce.", "The pool will not change the extranonce.")
	default:
		m.Summary = yesNo(accepted, "The answer to "+to+" is yes.", "The answer to "+to+" is no.")
		if text := anyText(result); set(result) && text != "true" && text != "false" {
			m.Summary = "The answer to " + to + " is " + quoted(text) + "."
		}
	}
}

// refusal begins a sentence about an error.
func refusal(what, to string) string {
	switch what {
	case "submit":
		return "The pool rejects the share"
	case "authorize":
		return "The pool does not let the miner in"
	case "subscribe":
		return "The pool does not take the miner"
	}
	return "The answer to " + to + " is an error"
}

// because ends it.
func because(e *Error) string {
	switch {
	case e.Message != "" && e.Code != 0:
		return fmt.Sprintf(": %s (%d)", quoted(e.Message), e.Code)
	case e.Message != "":
		return ": " + quoted(e.Message)
	case e.Code != 0:
		return fmt.Sprintf(" (%d)", e.Code)
	}
	return ", without a reason"
}

func yesNo(yes bool, ifYes, ifNo string) string {
	if yes {
		return ifYes
	}
	return ifNo
}

// subscribed reads the answer to mining.subscribe: subscriptions, extranonce1
// and the size of extranonce2. The subscriptions are pairs, or a single one.
func (m *Message) subscribed(result json.RawMessage) {
	values := list(result)
	if values == nil {
		m.problem("result", "is not a list")
		m.Summary = "The pool takes the miner, but does not say with which extranonce."
		return
	}
	r := &Subscribed{Subscriptions: []Subscription{}}
	pairs := list(element(values, 0))
	if len(pairs) > 0 && pairs[0][0] == '"' {
		pairs = []json.RawMessage{values[0]}
	}
	for _, pair := range pairs {
		if two := list(pair); len(two) > 0 && len(r.Subscriptions) < maxProblems {
			r.Subscriptions = append(r.Subscriptions, Subscription{textOf(two[0]), anyText(element(two, 1))})
		}
	}
	r.Extranonce1, r.Extra, r.Extranonce2Size = m.extranonce(values, 1)
	m.Assigned = r
	m.Summary = "The pool takes the miner: " + extranonces(r.Extranonce1, r.Extranonce2Size) + "."
}

// configured reads the answer to mining.configure: an object of extensions.
func (m *Message) configured(result json.RawMessage) {
	values := object(result)
	if values == nil {
		m.problem("result", "is not an object")
		m.Summary = "The pool answers mining.configure with something else than extensions."
		return
	}
	r := &ConfigureResult{Extensions: []ExtensionResult{}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		switch {
		case name == "version-rolling.mask":
			text, _ := stringOf(value)
			mask, ok := stratum.ParseHex32([]byte(text))
			if !ok {
				m.problem("version-rolling.mask", "is not a hex number of at most 8 digits")
				continue
			}
			r.Mask, r.VersionMask = mask, hex32(mask)
		case strings.Contains(name, "."):
		case len(r.Extensions) < maxProblems:
			e := ExtensionResult{Name: printable(name), Accepted: string(value) == "true"}
			if text, ok := stringOf(value); ok {
				e.Reason = printable(text)
			}
			r.Extensions = append(r.Extensions, e)
		}
	}
	m.Agreed = r
	var yes, no []string
	for _, e := range r.Extensions {
		if e.Accepted {
			yes = append(yes, e.Name)
		} else {
			no = append(no, e.Name)
		}
	}
	m.Summary = "The pool agrees to " + orNothing(strings.Join(yes, ", "))
	if r.VersionMask != "" {
		m.Summary += " (version mask " + r.VersionMask + ")"
	}
	if len(no) > 0 {
		m.Summary += ", not to " + strings.Join(no, ", ")
	}
	m.Summary += "."
}
