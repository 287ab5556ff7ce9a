package journal

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// rowColumns are the columns of a message, in the order of appendRow and
// scanRow. Those that filters look at come before those that may be long, so
// that SQLite need not read the latter.
const rowColumns = `seq, session, n, direction, received, forwarded, flags, size, gap, pair, peer, method, worker, rpc_id, fault, own, share, answer, raw`

const rowWidth = 19

// flagsOf makes bits of what is true or false of a message, in the order that
// schema.sql names.
func flagsOf(m *capture.Message) (flags int64) {
	for i, set := range []bool{m.Cut, m.Masked, m.Tail, m.IsRequest, m.IsResponse, m.OK} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

// setFlags is the reverse of flagsOf.
func setFlags(m *capture.Message, flags int64) {
	for i, flag := range []*bool{&m.Cut, &m.Masked, &m.Tail, &m.IsRequest, &m.IsResponse, &m.OK} {
		*flag = flags&(1<<i) != 0
	}
}

// toNanos is the form in which times are stored; NULL for the zero time.
func toNanos(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func fromNanos(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}

func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// appendRow appends the values of a message's row.
func appendRow(args []any, m *capture.Message, session int64) []any {
	// A time before 1678 or after 2262 is no time of a capture.
	args = append(args, int64(m.Seq), session, int64(m.N), int64(m.Direction), m.Received.UnixNano(), toNanos(m.Forwarded),
		flagsOf(m), int64(m.Size), orNull(int64(m.Gap)), orNull(int64(m.Pair)),
		orNull(m.Peer), orNull(m.Method), orNull(m.Worker), orNull(m.ID), orNull(m.Fault))
	raw := m.Raw
	if raw == nil {
		raw = []byte{}
	}
	return append(args, ownOf(m), shareOf(m), answerOf(m), raw)
}

// appendChanges appends the values of what may change in a row.
func appendChanges(args []any, m *capture.Message) []any {
	return append(args, toNanos(m.Forwarded), orNull(int64(m.Pair)), ownOf(m), shareOf(m), answerOf(m), int64(m.Seq))
}

const updateRow = `UPDATE messages SET forwarded = ?, pair = ?, own = ?, share = ?, answer = ? WHERE seq = ?`

// ownRow is what only lines of our own have.
type ownRow struct {
	WireID   string `json:"wire_id,omitempty"` // as JSON text
	ReplayOf uint64 `json:"replay_of,omitempty"`
	Failure  string `json:"failure,omitempty"`
}

func ownOf(m *capture.Message) any {
	o := ownRow{m.WireID, m.ReplayOf, m.Failure}
	if o == (ownRow{}) {
		return nil
	}
	return toJSON(o)
}

// shareRow is a capture.Share in the form in which it is stored.
type shareRow struct {
	Job        string  `json:"job,omitempty"`
	Audit      string  `json:"audit"`
	Pool       string  `json:"pool,omitempty"`
	Reason     string  `json:"reason,omitempty"`
	Conflict   string  `json:"conflict,omitempty"`
	Difficulty float64 `json:"difficulty,omitempty"`
	Target     float64 `json:"target,omitempty"`
	Hash       string  `json:"hash,omitempty"`
	StaleBy    int64   `json:"stale_ns,omitempty"`
}

func shareOf(m *capture.Message) any {
	s := m.Share
	if s == nil {
		return nil
	}
	return toJSON(shareRow{s.Job, s.Audit, s.Pool, s.Reason, s.Conflict, finite(s.Difficulty), finite(s.Target), s.Hash, int64(s.StaleBy)})
}

// finite is v, or 0, unknown, where JSON has no number for it.
func finite(v float64) float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	return v
}

func toJSON(v any) any {
	text, err := json.Marshal(v)
	if err != nil { // strings and finite numbers always have a JSON form
		return nil
	}
	return string(text)
}

// answerOf is the response of a request in the form in which it is stored.
func answerOf(m *capture.Message) any {
	if m.Response == nil {
		return nil
	}
	return appendAnswer(make([]byte, 0, 64+len(m.Response.Raw)), m.Response)
}

// scanner is what sql.Row and sql.Rows have in common.
type scanner interface{ Scan(dest ...any) error }

// errRow means that a row was not written by this program.
var errRow = errors.New("row is damaged")

// scanRow reads a row whose columns are rowColumns and the session's id.
func scanRow(row scanner) (*capture.Message, error) {
	var (
		m                               capture.Message
		key, flags, received, direction int64
		forwarded, gap, pair            sql.NullInt64
		peer, method, worker, id, fault sql.NullString
		own, share                      sql.NullString
		answer                          []byte
	)
	if err := row.Scan(&m.Seq, &key, &m.N, &direction, &received, &forwarded, &flags, &m.Size, &gap, &pair,
		&peer, &method, &worker, &id, &fault, &own, &share, &answer, &m.Raw, &m.Session); err != nil {
		return nil, err
	}
	m.Direction = capture.Direction(direction)
	m.Received, m.Forwarded = time.Unix(0, received).UTC(), fromNanos(forwarded)
	m.Gap, m.Pair = uint64(gap.Int64), uint64(pair.Int64)
	m.Peer, m.Method, m.Worker, m.ID, m.Fault = peer.String, method.String, worker.String, id.String, fault.String
	setFlags(&m, flags)
	if own.Valid {
		var o ownRow
		if err := json.Unmarshal([]byte(own.String), &o); err != nil {
			return nil, fmt.Errorf("message %d: %w: %w", m.Seq, errRow, err)
		}
		m.WireID, m.ReplayOf, m.Failure = o.WireID, o.ReplayOf, o.Failure
	}
	if share.Valid {
		var s shareRow
		if err := json.Unmarshal([]byte(share.String), &s); err != nil {
			return nil, fmt.Errorf("message %d: %w: %w", m.Seq, errRow, err)
		}
		m.Share = &capture.Share{
			Job: s.Job, Audit: s.Audit, Pool: s.Pool, Reason: s.Reason, Conflict: s.Conflict,
			Difficulty: s.Difficulty, Target: s.Target, Hash: s.Hash, StaleBy: time.Duration(s.StaleBy),
		}
	}
	if answer != nil {
		response, err := parseAnswer(answer)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", m.Seq, err)
		}
		response.Session = m.Session
		m.Response = response
		mend(response)
	}
	mend(&m)
	return &m, nil
}

// mend sees to it that what a failing disk did to a row breaks no answer of the
// API: what is called JSON is JSON.
func mend(m *capture.Message) {
	switch m.Fault {
	case "", capture.FaultID, capture.FaultMethod, capture.FaultParams:
		if !m.Cut && (!utf8.Valid(m.Raw) || !json.Valid(m.Raw)) {
			m.Fault = capture.FaultJSON
		}
	}
	for _, text := range []*string{&m.ID, &m.WireID} {
		if *text != "" && (!utf8.ValidString(*text) || !json.Valid([]byte(*text))) {
			*text = ""
		}
	}
}
