package playback

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Kinds of events.
const (
	KindSent       = "sent"       // a recorded line went to the peer
	KindAnswer     = "answer"     // the peer answered a recorded request
	KindAnswered   = "answered"   // the peer's request was given a recorded answer
	KindReceived   = "received"   // the peer said something else
	KindUnanswered = "unanswered" // the peer gave no answer
	KindUnasked    = "unasked"    // the peer never asked what an answer is recorded for
	KindSkipped    = "skipped"    // a recorded line that cannot be played
)

// Differences of a live answer from the recorded one.
const (
	Same           = "same"
	ValuesDiffer   = "values"       // both accept, or both reject with the same code, with other values
	NowRejected    = "now_rejected" // it was accepted in the recording
	NowAccepted    = "now_accepted" // it was rejected in the recording
	OtherRejection = "other_rejection"
	NotRecorded    = "not_recorded" // the recording has no answer
)

// Event is something that happened while playing.
type Event struct {
	Seconds float64 `json:"seconds"` // since the beginning
	Kind    string  `json:"kind"`
	Method  string  `json:"method,omitempty"` // of the request
	Line    string  `json:"line,omitempty"`   // as it went over the wire, without its line feed

	// Of answers.
	Recorded          string   `json:"recorded,omitempty"` // the recorded answer
	Difference        string   `json:"difference,omitempty"`
	LatencyMS         *float64 `json:"latency_ms,omitempty"`
	RecordedLatencyMS *float64 `json:"recorded_latency_ms,omitempty"`

	Note string `json:"note,omitempty"`
}

// Summary counts what happened.
type Summary struct {
	Sent        int     `json:"sent"`        // recorded lines
	Answers     int     `json:"answers"`     // of a live pool to them
	Same        int     `json:"same"`        // of these
	Different   int     `json:"different"`   // of these
	NotRecorded int     `json:"unrecorded"`  // of these: the recording has no answer to compare
	Unanswered  int     `json:"unanswered"`  // recorded requests that a live pool did not answer, though the recorded one did
	Answered    int     `json:"answered"`    // requests of a live miner that were given a recorded answer
	Unknown     int     `json:"unknown"`     // requests of a live miner that the recording has no answer for
	Unasked     int     `json:"unasked"`     // recorded requests that a live miner did not make
	Received    int     `json:"received"`    // other lines of the peer
	Skipped     int     `json:"skipped"`     // recorded lines that were cut when they were recorded
	Masked      int     `json:"masked"`      // recorded lines that were sent with a masked password
	Lost        uint64  `json:"lost"`        // lines of the peer that came too fast to be looked at
	Seconds     float64 `json:"seconds"`     // that it took
	Repeated    int     `json:"ids_reused"`  // live answers to an id that was asked with more than once at a time
	PeerEnded   bool    `json:"peer_closed"` // the peer ended the connection
}

// compare says how a live answer differs from the recorded one.
func compare(live, recorded *capture.Message) string {
	switch {
	case recorded == nil:
		return NotRecorded
	case live.OK && !recorded.OK:
		return NowAccepted
	case !live.OK && recorded.OK:
		return NowRejected
	}
	a, b := live.Fields(), recorded.Fields()
	if equal(a.Result, b.Result) && equal(a.Error, b.Error) {
		return Same
	}
	if !live.OK && !equal(code(a.Error), code(b.Error)) {
		return OtherRejection
	}
	return ValuesDiffer
}

// equal compares two JSON values; absent is null. Numbers are compared as they
// are written.
func equal(a, b json.RawMessage) bool {
	return reflect.DeepEqual(value(a), value(b))
}

func value(raw json.RawMessage) (v any) {
	if raw == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return string(raw)
	}
	return v
}

// code is the number of an error, whether it is an array or an object.
func code(raw json.RawMessage) json.RawMessage {
	var array []json.RawMessage
	if json.Unmarshal(raw, &array) == nil && len(array) > 0 {
		return array[0]
	}
	var object struct {
		Code json.RawMessage `json:"code"`
	}
	if json.Unmarshal(raw, &object) == nil && object.Code != nil {
		return object.Code
	}
	return raw
}

// text is a line without its ending.
func text(raw []byte) string { return string(bytes.TrimRight(raw, "\r\n")) }

func milliseconds(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
