package devnet

import (
	"bytes"
	"encoding/json"
)

// request is one JSON-RPC request.
type request struct {
	id      json.RawMessage // null when absent
	hasID   bool
	version int // 1 for 1.0 and 1.1, 2 for 2.0
	method  string
	params  json.RawMessage
}

// notification tells whether the request wants no answer: version 2.0 without
// an id.
func (q *request) notification() bool { return q.version == 2 && !q.hasID }

// encode makes the reply object of a request and counts it.
func (s *rpcServer) encode(q *request, result any, rerr *rpcError) []byte {
	s.calls.Add(1)
	if rerr != nil {
		s.errs.Add(1)
	}
	id := q.id
	if id == nil {
		id = json.RawMessage("null")
	}

	var reply []byte
	var err error
	switch {
	case q.version == 2 && rerr != nil:
		reply, err = encodeJSON(struct {
			JSONRPC string          `json:"jsonrpc"`
			Error   *rpcError       `json:"error"`
			ID      json.RawMessage `json:"id"`
		}{"2.0", rerr, id})
	case q.version == 2:
		reply, err = encodeJSON(struct {
			JSONRPC string          `json:"jsonrpc"`
			Result  any             `json:"result"`
			ID      json.RawMessage `json:"id"`
		}{"2.0", result, id})
	default:
		reply, err = encodeJSON(struct {
			Result any             `json:"result"`
			Error  *rpcError       `json:"error"`
			ID     json.RawMessage `json:"id"`
		}{result, rerr, id})
	}
	if err != nil && rerr == nil {
		return s.encode(q, nil, rpcErrorf(codeInternal, "%v", err))
	}
	return reply
}

// parseRequest reads a request object. On an error the request still holds
// what is needed to answer it.
func parseRequest(raw json.RawMessage) (*request, *rpcError) {
	q := &request{version: 1}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return q, rpcErrorf(codeInvalidRequest, "Invalid Request object")
	}

	q.id, q.hasID = fields["id"]
	if v := fields["jsonrpc"]; present(v) {
		var version string
		if err := json.Unmarshal(v, &version); err != nil {
			return q, rpcErrorf(codeInvalidRequest, "jsonrpc field must be a string")
		}
		switch version {
		case "1.0", "1.1":
		case "2.0":
			q.version = 2
		default:
			return q, rpcErrorf(codeInvalidRequest, "JSON-RPC version not supported")
		}
	}

	v := fields["method"]
	if !present(v) {
		return q, rpcErrorf(codeInvalidRequest, "Missing method")
	}
	if err := json.Unmarshal(v, &q.method); err != nil {
		return q, rpcErrorf(codeInvalidRequest, "Method must be a string")
	}
	if v := fields["params"]; present(v) {
		if v[0] != '[' && v[0] != '{' {
			return q, rpcErrorf(codeInvalidRequest, "Params must be an array or object")
		}
		q.params = v
	}
	return q, nil
}

// present tells whether a field is there and not null.
func present(v json.RawMessage) bool { return v != nil && string(v) != "null" }

// encodeJSON writes a value without the escapes for HTML, so that ids come
// back as they were sent.
func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
