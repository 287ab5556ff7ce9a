package access

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// MaxBody bounds the body of a request, in bytes.
const MaxBody = 64 << 10

// Body is what a POST of the contract says: the members of a JSON object, or the
// fields of a form.
type Body struct {
	members map[string]json.RawMessage
	fields  url.Values
}

// ReadBody reads the body of a request: JSON when the Content-Type contains
// application/json, otherwise a form. What cannot be decoded, and JSON that is no
// object, counts as empty. A body beyond MaxBody is answered with 413, one that
// broke off with 400; ok is false then.
func ReadBody(w http.ResponseWriter, r *http.Request) (b Body, ok bool) {
	text, ok := readAll(w, r)
	if !ok {
		return Body{}, false
	}
	if strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "application/json") {
		if json.Unmarshal(text, &b.members) != nil {
			b.members = nil
		}
		return b, true
	}
	fields, err := url.ParseQuery(string(text))
	if err == nil {
		b.fields = fields
	}
	return b, true
}

// Text is a string without the white space around it, "" when it is not given or
// no string.
func (b Body) Text(name string) string { return strings.TrimSpace(b.Secret(name)) }

// Secret is a string as it was given, such as a password, "" when it is not given
// or no string.
func (b Body) Secret(name string) string {
	var text string
	if raw, is := b.members[name]; is && json.Unmarshal(raw, &text) != nil {
		return ""
	}
	if b.fields != nil {
		text = b.fields.Get(name)
	}
	return text
}

// Bool is a yes or no: true and false of JSON; 1, true, on, yes, 0, false, off
// and no of a form, in any case of letters. given is false for anything else.
func (b Body) Bool(name string) (value, given bool) {
	switch string(b.members[name]) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	switch strings.ToLower(strings.TrimSpace(b.fields.Get(name))) {
	case "1", "true", "on", "yes":
		return true, true
	case "0", "false", "off", "no":
		return false, true
	}
	return false, false
}

// ReadJSON decodes the body of a request that is no contract's: one JSON value,
// sent as application/json, without members that are not known. An empty body
// leaves into as it is. Whatever else is answered with 400, 413 or 415 and plain
// text; ok is false then.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) (ok bool) {
	text, ok := readAll(w, r)
	if !ok {
		return false
	}
	if len(text) == 0 {
		return true
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && !errors.Is(decoder.Decode(&struct{}{}), io.EOF) {
		err = errors.New("more than one value")
	}
	if err != nil {
		http.Error(w, "invalid body: "+strings.TrimPrefix(err.Error(), "json: "), http.StatusBadRequest)
		return false
	}
	return true
}

// readAll reads a body within MaxBody.
func readAll(w http.ResponseWriter, r *http.Request) (text []byte, ok bool) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, "the body could not be read", http.StatusBadRequest)
	}
	return text, err == nil
}
