package devnet

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// method is one RPC.
type method struct {
	name   string
	params []string // names of the parameters, the optional ones with a "?"
	about  string   // one line for help
	run    func(ctx context.Context, a *args) (any, error)
}

// usage returns the method's line in help.
func (m *method) usage() string {
	words := []string{m.name}
	for _, p := range m.params {
		if name, optional := strings.CutSuffix(p, "?"); optional {
			words = append(words, "( "+name+" )")
		} else {
			words = append(words, `"`+name+`"`)
		}
	}
	return strings.Join(words, " ")
}

// args are the arguments of a call by position.
type args struct {
	method *method
	values []json.RawMessage
}

// arguments brings positional or named parameters into order and checks
// their number.
func (m *method) arguments(raw json.RawMessage) (*args, *rpcError) {
	a := &args{method: m, values: make([]json.RawMessage, len(m.params))}
	switch {
	case raw == nil:
	case raw[0] == '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, rpcErrorf(codeParse, "Parse error")
		}
		if len(list) > len(m.params) {
			return nil, rpcErrorf(codeMisc, "%s\n\n%s", m.usage(), m.about)
		}
		copy(a.values, list)
	default:
		var named map[string]json.RawMessage
		if err := json.Unmarshal(raw, &named); err != nil {
			return nil, rpcErrorf(codeParse, "Parse error")
		}
		for i, p := range m.params {
			name := strings.TrimSuffix(p, "?")
			if v, ok := named[name]; ok {
				a.values[i] = v
				delete(named, name)
			}
		}
		for name := range named {
			return nil, rpcErrorf(codeInvalidParameter, "Unknown named parameter %s", name)
		}
	}
	for i, p := range m.params {
		if !strings.HasSuffix(p, "?") && !present(a.values[i]) {
			return nil, rpcErrorf(codeMisc, "%s\n\n%s", m.usage(), m.about)
		}
	}
	return a, nil
}

// has tells whether an optional argument was given.
func (a *args) has(i int) bool { return present(a.values[i]) }

// decode reads an argument that must be of the JSON type named.
func (a *args) decode(i int, into any, want string) error {
	if err := json.Unmarshal(a.values[i], into); err != nil {
		return rpcErrorf(codeType, "Wrong type passed:\n{\n    \"Position %d (%s)\": \"JSON value of type %s is not of expected type %s\"\n}",
			i+1, strings.TrimSuffix(a.method.params[i], "?"), jsonType(a.values[i]), want)
	}
	return nil
}

// text reads a string.
func (a *args) text(i int) (string, error) {
	var s string
	err := a.decode(i, &s, "string")
	return s, err
}

// number reads an integer, or returns the default when it was not given.
func (a *args) number(i int, otherwise int64) (int64, error) {
	if !a.has(i) {
		return otherwise, nil
	}
	var n int64
	err := a.decode(i, &n, "number")
	return n, err
}

// flag reads a boolean, or returns the default when it was not given.
func (a *args) flag(i int, otherwise bool) (bool, error) {
	if !a.has(i) {
		return otherwise, nil
	}
	var b bool
	err := a.decode(i, &b, "bool")
	return b, err
}

// verbosity reads a number that may also be given as a boolean.
func (a *args) verbosity(i int, otherwise int64) (int64, error) {
	if !a.has(i) {
		return otherwise, nil
	}
	switch string(a.values[i]) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return a.number(i, otherwise)
}

// hash reads a block hash or transaction id.
func (a *args) hash(i int) (*chainhash.Hash, error) {
	s, err := a.text(i)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(a.method.params[i], "?")
	if len(s) != 2*chainhash.HashSize {
		return nil, rpcErrorf(codeInvalidParameter, "%s must be of length %d (not %d, for '%s')", name, 2*chainhash.HashSize, len(s), s)
	}
	h, err := chainhash.NewHashFromStr(s)
	if err != nil {
		return nil, rpcErrorf(codeInvalidParameter, "%s must be hexadecimal string (not '%s')", name, s)
	}
	return h, nil
}

// bytes reads hex, failing with the given message otherwise.
func (a *args) bytes(i int, failure string) ([]byte, error) {
	s, err := a.text(i)
	if err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, rpcErrorf(codeDeserialization, "%s", failure)
	}
	return b, nil
}

// jsonType names the type of a JSON value as Core does.
func jsonType(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	if len(v) == 0 {
		return "null"
	}
	switch v[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}
