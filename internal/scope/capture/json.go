package capture

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// FormatTime writes a time as the API does.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// AppendJSON writes the message as the API gives it: all members of the
// contract and of the original, null where there is nothing, then ours. It is
// valid JSON and UTF-8 whatever the peers sent.
func (m *Message) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, m.MessageID())
	dst = append(dst, `,"ts_recv":`...)
	dst = appendTime(dst, m.Received)
	dst = append(dst, `,"ts_fwd":`...)
	dst = appendTime(dst, m.Forwarded)
	dst = append(dst, `,"direction":"`...)
	dst = append(dst, m.Direction.String()...)
	dst = append(dst, `","session_id":`...)
	dst = appendString(dst, m.Session)
	dst = append(dst, `,"peer":`...)
	dst = appendString(dst, m.Peer)
	dst = append(dst, `,"raw":`...)
	dst = appendRaw(dst, m.Raw)
	dst = append(dst, `,"decoded":`...)
	dst = appendJSON(dst, m.Decoded())
	dst = append(dst, `,"parse_error":`...)
	dst = appendOptional(dst, m.Fault)
	dst = append(dst, `,"size_bytes":`...)
	dst = strconv.AppendInt(dst, int64(m.Size), 10)
	dst = append(dst, `,"jsonrpc_id":`...)
	dst = appendJSON(dst, sanitize([]byte(m.ID)))
	dst = append(dst, `,"is_request":`...)
	dst = strconv.AppendBool(dst, m.IsRequest)
	dst = append(dst, `,"is_response":`...)
	dst = strconv.AppendBool(dst, m.IsResponse)
	dst = append(dst, `,"paired_message_id":`...)
	if m.Pair > 0 {
		dst = appendString(dst, MessageID(m.Session, m.Pair))
	} else {
		dst = append(dst, "null"...)
	}
	dst = m.appendResponse(dst)
	return m.appendOurs(dst)
}

// appendResponse writes what a request knows of its response.
func (m *Message) appendResponse(dst []byte) []byte {
	r := m.Response
	if r == nil {
		return append(dst, `,"response":null,"response_ts_recv":null,"response_raw":null,"latency_ms":null`...)
	}
	dst = append(dst, `,"response":`...)
	if m.Direction == ScopeToPool {
		dst = m.appendOwnResponse(dst)
	} else {
		dst = appendJSON(dst, r.Decoded())
	}
	dst = append(dst, `,"response_ts_recv":`...)
	dst = appendTime(dst, r.Received)
	dst = append(dst, `,"response_raw":`...)
	dst = appendRaw(dst, r.Raw)
	dst = append(dst, `,"latency_ms":`...)
	return strconv.AppendFloat(dst, float64(m.Latency().Microseconds())/1000, 'f', -1, 64)
}

// appendOwnResponse writes the answer to a line of ours with the five members
// that the original gives, null where absent, and the caller's id.
func (m *Message) appendOwnResponse(dst []byte) []byte {
	f := m.Response.Fields()
	dst = append(dst, `{"id":`...)
	dst = appendJSON(dst, sanitize([]byte(m.ID)))
	for _, member := range []struct {
		name  string
		value []byte
	}{{"method", f.Method}, {"params", f.Params}, {"result", f.Result}, {"error", f.Error}} {
		dst = append(append(append(dst, `,"`...), member.name...), `":`...)
		dst = appendJSON(dst, sanitize(member.value))
	}
	return append(dst, '}')
}

// ResponseJSON is the response as the API gives it; nil without one.
func (m *Message) ResponseJSON() json.RawMessage {
	switch {
	case m.Response == nil:
		return nil
	case m.Direction == ScopeToPool:
		return m.appendOwnResponse(nil)
	}
	return m.Response.Decoded()
}

// appendOurs writes the members that are not in the contract.
func (m *Message) appendOurs(dst []byte) []byte {
	dst = append(dst, `,"raw_encoding":"`...)
	dst = append(dst, rawEncoding(m.Raw)...)
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendUint(dst, m.Seq, 10)
	dst = append(dst, `,"method":`...)
	dst = appendOptional(dst, m.Method)
	if m.Response != nil {
		dst = append(dst, `,"response_raw_encoding":"`...)
		dst = append(dst, rawEncoding(m.Response.Raw)...)
		dst = append(dst, `","response_ok":`...)
		dst = strconv.AppendBool(dst, m.Response.OK)
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"truncated", m.Cut}, {"masked", m.Masked}, {"unterminated", m.Tail}} {
		if flag.set {
			dst = append(append(append(dst, `,"`...), flag.name...), `":true`...)
		}
	}
	if m.Gap > 0 {
		dst = append(dst, `,"gap_bytes":`...)
		dst = strconv.AppendUint(dst, m.Gap, 10)
	}
	if m.Worker != "" {
		dst = append(dst, `,"worker":`...)
		dst = appendString(dst, m.Worker)
	}
	if m.Direction == ScopeToPool {
		dst = m.appendOwn(dst)
	}
	if m.Share != nil {
		dst = append(dst, `,"share":`...)
		dst = m.Share.appendJSON(dst)
	}
	return append(dst, '}')
}

// appendOwn writes what lines of ours have: what they repeat, and why there is no
// answer, only where that is so.
func (m *Message) appendOwn(dst []byte) []byte {
	dst = append(dst, `,"wire_id":`...)
	dst = appendJSON(dst, []byte(m.WireID))
	if m.ReplayOf > 0 {
		dst = append(dst, `,"replay_of":`...)
		dst = appendString(dst, MessageID(m.Session, m.ReplayOf))
	}
	if m.Failure != "" {
		dst = append(dst, `,"replay_error":`...)
		dst = appendString(dst, m.Failure)
	}
	return dst
}

// appendJSON writes an audit: null where something is not known.
func (s *Share) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"job":`...)
	dst = appendString(dst, s.Job)
	dst = append(dst, `,"audit":`...)
	dst = appendString(dst, s.Audit)
	dst = append(dst, `,"pool":`...)
	dst = appendOptional(dst, s.Pool)
	dst = append(dst, `,"reason":`...)
	dst = appendOptional(dst, s.Reason)
	dst = append(dst, `,"conflict":`...)
	dst = appendOptional(dst, s.Conflict)
	dst = append(dst, `,"difficulty":`...)
	dst = appendKnown(dst, s.Difficulty)
	dst = append(dst, `,"target_difficulty":`...)
	dst = appendKnown(dst, s.Target)
	dst = append(dst, `,"hash":`...)
	dst = appendOptional(dst, s.Hash)
	dst = append(dst, `,"stale_ms":`...)
	dst = appendKnown(dst, float64(s.StaleBy.Microseconds())/1000)
	return append(dst, '}')
}

// MarshalJSON gives the audit as it stands in its message.
func (s *Share) MarshalJSON() ([]byte, error) { return s.appendJSON(nil), nil }

var _ json.Marshaler = (*Share)(nil)

// appendKnown writes a number that is above zero when it is known.
func appendKnown(dst []byte, v float64) []byte {
	if !(v > 0) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// MarshalJSON is AppendJSON.
func (m *Message) MarshalJSON() ([]byte, error) { return m.AppendJSON(nil), nil }

var _ json.Marshaler = (*Message)(nil)

// rawEncoding tells how raw bytes are written: as they are, or in base64 when
// they are no text.
func rawEncoding(raw []byte) string {
	if utf8.Valid(raw) {
		return "utf-8"
	}
	return "base64"
}

func appendRaw(dst, raw []byte) []byte {
	if utf8.Valid(raw) {
		return appendString(dst, string(raw))
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, raw)
	return append(dst, '"')
}

func appendString(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return append(dst, `""`...)
	}
	return append(dst, text...)
}

func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendString(dst, s)
}

func appendJSON(dst, value []byte) []byte {
	if len(value) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, value...)
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, timeLayout)
	return append(dst, '"')
}
