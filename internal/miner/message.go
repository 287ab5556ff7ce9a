package miner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Message is one line from a pool. A line with a method is a notification, or
// a request if it has an id; a line without is the reply to a request.
type Message struct {
	ID     json.RawMessage // nil if absent or null
	Method string          // empty in a reply
	Params []json.RawMessage
	Result json.RawMessage // nil if absent or null
	Error  *ReplyError     // nil if absent, null, false or empty
}

// ReplyError is the pool's word for what was wrong with a request.
type ReplyError struct {
	Code int
	Text string
}

// Error returns the pool's text.
func (e *ReplyError) Error() string {
	if e.Code == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s (%d)", e.Text, e.Code)
}

// ParseMessage reads one line. It fails with ErrBadMessage.
func ParseMessage(line []byte) (*Message, error) {
	var raw struct {
		ID     json.RawMessage `json:"id"`
		Method json.RawMessage `json:"method"`
		Params json.RawMessage `json:"params"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadMessage, err)
	}
	if trimmed := bytes.TrimLeft(line, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, fmt.Errorf("%w: not an object", ErrBadMessage)
	}

	m := &Message{ID: notNull(raw.ID), Result: notNull(raw.Result), Error: parseReplyError(raw.Error)}
	if method := notNull(raw.Method); method != nil {
		if err := json.Unmarshal(method, &m.Method); err != nil || m.Method == "" {
			return nil, fmt.Errorf("%w: method is not a name", ErrBadMessage)
		}
	}
	if params := notNull(raw.Params); params != nil {
		if err := json.Unmarshal(params, &m.Params); err != nil && m.Method != "" {
			return nil, fmt.Errorf("%w: params is not a list", ErrBadMessage)
		}
	}
	return m, nil
}

// RequestID returns the id as the number that we gave to a request. Pools that
// send it back as a string are understood.
func (m *Message) RequestID() (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.Trim(m.ID, `"`)), 10, 64)
	return n, err == nil
}

// OK says whether a reply is positive: true, with no error.
func (m *Message) OK() bool {
	return m.Error == nil && bytes.Equal(m.Result, []byte("true"))
}

// Refusal returns why a reply is not positive.
func (m *Message) Refusal() string {
	switch {
	case m.Error != nil && m.Error.Text != "":
		return clip(m.Error.Text)
	case m.Error != nil:
		return "error " + strconv.Itoa(m.Error.Code)
	}
	return "refused without a reason"
}

// Subscription is what a pool answers to mining.subscribe.
type Subscription struct {
	Extranonce1     []byte
	Extranonce2Size int // bytes, 1 to 16
}

// ParseSubscription reads the result of mining.subscribe. It fails with
// ErrBadSubscription.
func ParseSubscription(result json.RawMessage) (Subscription, error) {
	var list []json.RawMessage
	if json.Unmarshal(result, &list) != nil || len(list) < 3 {
		return Subscription{}, fmt.Errorf("%w: not a list of three", ErrBadSubscription)
	}
	return parseExtranonce(list[1], list[2])
}

// parseExtranonce reads extranonce1 as hex and the size of extranonce2, from a
// subscription or from mining.set_extranonce.
func parseExtranonce(first, size json.RawMessage) (Subscription, error) {
	var s Subscription
	var digits string
	if json.Unmarshal(first, &digits) != nil || len(digits)%2 != 0 || len(digits) > 64 {
		return s, fmt.Errorf("%w: extranonce1 is not hex of at most 32 bytes", ErrBadSubscription)
	}
	s.Extranonce1 = make([]byte, len(digits)/2)
	if !stratum.DecodeHex(s.Extranonce1, []byte(digits)) {
		return s, fmt.Errorf("%w: extranonce1 is not hex", ErrBadSubscription)
	}
	n, ok := parseNumber(size)
	if !ok || n != math.Trunc(n) || n < 1 || n > 16 {
		return s, fmt.Errorf("%w: the size of extranonce2 is not 1 to 16 bytes", ErrBadSubscription)
	}
	s.Extranonce2Size = int(n)
	return s, nil
}

// ParseDifficulty reads the parameters of mining.set_difficulty. ok is false if
// there is no positive number.
func ParseDifficulty(params []json.RawMessage) (difficulty float64, ok bool) {
	if len(params) == 0 {
		return 0, false
	}
	d, ok := parseNumber(params[0])
	return d, ok && d > 0
}

// parseNumber reads a finite number, or a string that holds one.
func parseNumber(raw json.RawMessage) (float64, bool) {
	text := strings.TrimSpace(parseText(raw))
	if text == "" {
		text = string(raw)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	return v, true
}

// parseText reads a JSON string; anything else is the empty string.
func parseText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// parseHex32 reads a JSON string of 1 to 8 hex digits.
func parseHex32(raw json.RawMessage) (uint32, bool) {
	return stratum.ParseHex32([]byte(parseText(raw)))
}

// parseReplyError reads the error member in all the forms that pools use: a
// list of code and text, an object with code and message, or a text.
func parseReplyError(raw json.RawMessage) *ReplyError {
	raw = notNull(raw)
	switch string(raw) {
	case "", "false", "[]", "{}", `""`:
		return nil
	}
	e := &ReplyError{}
	var list []json.RawMessage
	var object struct {
		Code    json.RawMessage `json:"code"`
		Message json.RawMessage `json:"message"`
	}
	switch {
	case json.Unmarshal(raw, &list) == nil:
		if len(list) > 0 {
			e.Code = parseCode(list[0])
		}
		if len(list) > 1 {
			e.Text = parseText(list[1])
		}
	case json.Unmarshal(raw, &object) == nil:
		e.Code, e.Text = parseCode(object.Code), parseText(object.Message)
	default:
		e.Text = parseText(raw)
	}
	if e.Code == 0 && e.Text == "" {
		e.Text = clip(string(raw))
	}
	return e
}

func parseCode(raw json.RawMessage) int {
	n, ok := parseNumber(raw)
	if !ok || math.Abs(n) > 1e9 {
		return 0
	}
	return int(n)
}

func notNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return raw
}

// maxText bounds what is kept of a pool's words, in bytes.
const maxText = 256

// clip makes a pool's words fit for logs and screens: no control characters,
// bounded length.
func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
