package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// ErrContent is the reason for refusing a content.
var ErrContent = errors.New("fleet: not a content of this schema")

// Bounds of contents.
const (
	maxID       = 128  // bytes of an agent's or event's id
	maxParams   = 16   // of a mining.submit
	maxParam    = 256  // bytes of one of them, as JSON
	minParams   = 5    // worker, job, extranonce2, ntime, nonce
	maxRepeat   = 1000 // as the scope's API bounds it
	maxErrors   = 10   // texts in telemetry
	maxErrText  = 300  // bytes of each
	maxWord     = 64   // bytes of a state, mode, region, version, reason
	maxReasons  = 33   // different ones: 32 and "other"
	maxTips     = 16
	maxHostText = 256
)

// timeLayout is how times are written: UTC, microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// FormatTime writes a time as contents have it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime reads a time of a content. One without a zone is UTC.
func ParseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 2000 && t.Year() < 2200 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Target is a pool's address.
type Target struct {
	Host string `json:"host" doc:"As configured, in HashScope's agents with the scheme" example:"pool.example.com"`
	Port int    `json:"port" example:"3333"`
}

// Share is the content of a share event: a mining.submit that a miner sent.
type Share struct {
	Schema      string  `json:"schema"`
	RunID       string  `json:"run_id"`
	EventID     string  `json:"event_id"` // UUID, version 4
	Seq         uint64  `json:"seq"`      // from 1, for each session
	Time        string  `json:"ts"`       // when the miner's line came
	Pool        Target  `json:"pool"`     // that the session is connected to
	Stratum     Submit  `json:"stratum"`
	RepeatCount int     `json:"repeat_count"` // how often each agent is to submit it
	Context     Context `json:"context"`
	Raw         *string `json:"raw"` // always null
}

// Submit is the miner's request.
type Submit struct {
	Method string            `json:"method"` // mining.submit
	ID     json.RawMessage   `json:"id"`     // the miner's: integer, string or null
	Params []json.RawMessage `json:"params"` // as the miner sent them
}

// Context says whose share it is.
type Context struct {
	SessionID string `json:"session_id"`
	MinerPeer string `json:"miner_peer"` // ip:port
}

const methodSubmit = "mining.submit"

// Encode writes the content, members in HashScope's order, without blanks.
func (s *Share) Encode() ([]byte, error) {
	c := *s
	c.Schema, c.Stratum.Method, c.Raw = Schema, methodSubmit, nil
	if len(c.Stratum.ID) == 0 {
		c.Stratum.ID = json.RawMessage("null")
	}
	return encode(&c)
}

// encode writes JSON without blanks in which only what JSON forces is escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("fleet: encode: %w", err)
	}
	text := bytes.TrimRight(b.Bytes(), "\n")
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrContent)
	}
	return text, nil
}

// ParseShare reads the content of a share event of a run. The repeat count is
// brought into its bounds, 1 to 1000. It fails with ErrContent.
func ParseShare(content []byte, run string) (*Share, error) {
	s := Share{RepeatCount: 1}
	if err := decode(content, &s); err != nil {
		return nil, err
	}
	switch {
	case s.Schema != Schema:
		return nil, fmt.Errorf("%w: schema", ErrContent)
	case s.RunID != run:
		return nil, fmt.Errorf("%w: run_id", ErrContent)
	case s.EventID == "" || len(s.EventID) > maxID, len(s.Context.SessionID) > maxID, len(s.Context.MinerPeer) > maxID:
		return nil, fmt.Errorf("%w: an id is missing or too long", ErrContent)
	case s.Stratum.Method != methodSubmit:
		return nil, fmt.Errorf("%w: method", ErrContent)
	case len(s.Stratum.Params) < minParams || len(s.Stratum.Params) > maxParams:
		return nil, fmt.Errorf("%w: a share has %d to %d parameters", ErrContent, minParams, maxParams)
	}
	for _, p := range s.Stratum.Params {
		if len(p) > maxParam || p[0] != '"' {
			return nil, fmt.Errorf("%w: a parameter is no text or too long", ErrContent)
		}
	}
	s.RepeatCount = min(max(s.RepeatCount, 1), maxRepeat)
	return &s, nil
}

// decode reads one JSON object.
func decode(content []byte, v any) error {
	if !utf8.Valid(content) {
		return fmt.Errorf("%w: not UTF-8", ErrContent)
	}
	if err := json.Unmarshal(content, v); err != nil {
		return fmt.Errorf("%w: %w", ErrContent, err)
	}
	return nil
}
