package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxLine bounds a line that is given to be sent. Lines of miners have a few
// hundred bytes.
const maxLine = 64 << 10

// order is a line to send.
type order struct {
	line []byte          // as the caller has it, line feed included
	wire []byte          // with the private id in place of the line's own
	id   json.RawMessage // the caller's
}

// edit makes the order for a line, an id as JSON text being given for the wire.
// The line ends with a line feed at most.
func edit(line []byte, wireID string) (order, error) {
	switch body := bytes.TrimSuffix(line, []byte("\n")); {
	case len(line) > maxLine:
		return order{}, ErrTooLong
	case bytes.IndexByte(body, '\n') >= 0:
		return order{}, ErrLineFeed
	}
	if err := check(line); err != nil {
		return order{}, err
	}
	wire, id := ReplaceID(line, wireID)
	switch {
	case id == nil || string(id) == "null":
		return order{}, ErrNoID
	case !isID(id):
		return order{}, ErrID
	}
	return order{line: terminated(line), wire: terminated(wire), id: id}, nil
}

// check says why a line is no JSON object.
func check(line []byte) error {
	var object json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if object[0] != '{' {
		return ErrNotObject
	}
	return nil
}

func terminated(line []byte) []byte {
	if bytes.HasSuffix(line, []byte("\n")) {
		return line
	}
	return append(slices.Clip(line), '\n')
}

// isID says whether a JSON value can be an id: a string, or an integer, which
// some proxies write as 1.0.
func isID(value []byte) bool {
	if value[0] == '"' {
		return true
	}
	whole, fraction, _ := bytes.Cut(bytes.TrimPrefix(value, []byte("-")), []byte("."))
	digits := len(whole) > 0
	for _, c := range whole {
		digits = digits && c >= '0' && c <= '9'
	}
	return digits && len(bytes.Trim(fraction, "0")) == 0
}

// ReplaceID puts an id into a JSON object in place of its own, and returns the
// one that was there, of several the last; nil when there was none. Readers
// differ in which of several members with one name they take, and some do not
// mind its case, so all are replaced: whatever the pool takes for the id, it is
// ours. Nothing else in the line changes.
func ReplaceID(object []byte, id string) (edited []byte, was json.RawMessage) {
	edited = make([]byte, 0, len(object)+len(id))
	done := 0
	members(object, func(name string, start, end int) {
		if !strings.EqualFold(name, "id") {
			return
		}
		edited = append(append(edited, object[done:start]...), id...)
		done = end
		if name == "id" {
			was = object[start:end]
		}
	})
	return append(edited, object[done:]...), was
}

// members calls do with the name of each member of a valid JSON object, and
// with where its value begins and ends.
func members(object []byte, do func(name string, start, end int)) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil { // the brace
		return
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return
		}
		end := int(d.InputOffset())
		text, _ := name.(string)
		do(text, end-len(value), end)
	}
}
