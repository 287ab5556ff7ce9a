package nostr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Reasons why a text is not read at all.
var (
	ErrTooLong = errors.New("nostr: message is too long")
	ErrTooDeep = errors.New("nostr: brackets are nested too deeply")
	ErrJSON    = errors.New("nostr: not valid JSON")
)

// ParseEvent reads an event's JSON object. It does not verify it.
func ParseEvent(data []byte) (*Event, error) {
	if err := bounded(data); err != nil {
		return nil, err
	}
	return parseEvent(data)
}

// bounded refuses what is too long, too deep, not UTF-8 or not JSON.
func bounded(data []byte) error {
	if len(data) > MaxMessageBytes {
		return ErrTooLong
	}
	if !utf8.Valid(data) {
		return ErrUTF8
	}
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return ErrTooDeep
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	if !json.Valid(data) {
		return ErrJSON
	}
	return nil
}

// parseEvent reads an event out of JSON that is known to be valid.
func parseEvent(data []byte) (*Event, error) {
	m, err := members(data)
	if err != nil {
		return nil, err
	}
	e := &Event{}
	if e.ID, err = hexMember(m, "id", 64); err != nil {
		return nil, err
	}
	if e.PubKey, err = hexMember(m, "pubkey", 64); err != nil {
		return nil, err
	}
	if e.Sig, err = hexMember(m, "sig", 128); err != nil {
		return nil, err
	}
	if e.CreatedAt, err = number(m["created_at"]); err != nil {
		return nil, fmt.Errorf("nostr: created_at: %w", err)
	}
	kind, err := number(m["kind"])
	if err != nil || kind > 65535 {
		return nil, ErrKind
	}
	e.Kind = int(kind)
	if e.Content, err = text(m["content"]); err != nil {
		return nil, fmt.Errorf("nostr: content: %w", err)
	}
	if e.Tags, err = parseTags(m["tags"]); err != nil {
		return nil, err
	}
	return e, nil
}

func parseTags(data []byte) ([]Tag, error) {
	list, err := elements(data, MaxTags)
	if err != nil {
		return nil, fmt.Errorf("nostr: tags: %w", err)
	}
	tags := make([]Tag, len(list))
	for i, raw := range list {
		values, err := texts(raw, MaxTagElements)
		if err != nil {
			return nil, fmt.Errorf("nostr: tag %d: %w", i, err)
		}
		tags[i] = values
	}
	return tags, nil
}

var (
	errMissing   = errors.New("missing, or of the wrong type")
	errTooMany   = errors.New("too many values")
	errDuplicate = errors.New("nostr: a member appears twice")
)

// first is the byte that tells the type of a JSON value, 0 for a missing one.
func first(data []byte) byte {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 {
		return 0
	}
	return data[0]
}

// members are the members of a JSON object, by their exact names.
func members(data []byte) (map[string]json.RawMessage, error) {
	if first(data) != '{' {
		return nil, fmt.Errorf("nostr: object: %w", errMissing)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return nil, ErrJSON
	}
	m := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, ErrJSON
		}
		key, _ := name.(string)
		if _, twice := m[key]; twice {
			return nil, errDuplicate
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, ErrJSON
		}
		m[key] = value
	}
	return m, nil
}

// elements are the elements of a JSON array.
func elements(data []byte, limit int) ([]json.RawMessage, error) {
	if first(data) != '[' {
		return nil, errMissing
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, ErrJSON
	}
	if len(list) > limit {
		return nil, errTooMany
	}
	return list, nil
}

func text(data []byte) (string, error) {
	if first(data) != '"' {
		return "", errMissing
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return "", ErrJSON
	}
	return s, nil
}

func texts(data []byte, limit int) ([]string, error) {
	list, err := elements(data, limit)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(list))
	for i, raw := range list {
		if out[i], err = text(raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// number is a whole number that is not negative, written without fraction or
// exponent.
func number(data []byte) (int64, error) {
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || n < 0 {
		return 0, errMissing
	}
	return n, nil
}

func hexMember(m map[string]json.RawMessage, name string, digits int) (string, error) {
	s, err := text(m[name])
	if err != nil || !isHex(s, digits) {
		return "", fmt.Errorf("nostr: %s is not %d lower-case hexadecimal digits", name, digits)
	}
	return s, nil
}

func isHex(s string, digits int) bool {
	if len(s) != digits {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
