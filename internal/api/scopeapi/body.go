package scopeapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxBody bounds a request's body.
const maxBody = 64 << 10

// readBody reads the members of the body. err is for bodies that are no JSON by
// their type, or too large.
func (c *call) readBody(op *operation) (problems []problem, err error) {
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, fail(http.StatusRequestEntityTooLarge, "The body is too large")
		}
		return nil, fail(http.StatusBadRequest, "The body could not be read")
	}
	if len(text) > 0 {
		// A form or plain text needs no permission to be sent from another site.
		if kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return nil, errMediaType
		}
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		if op.RequestBody.Required {
			return []problem{{Type: "missing", Loc: []any{"body"}, Msg: "Field required"}}, nil
		}
		return nil, nil
	}
	value, wrong := parseBody(text)
	if wrong != nil {
		return []problem{*wrong}, nil
	}
	if value == nil && !op.RequestBody.Required {
		return nil, nil
	}
	members, ok := value.(map[string]any)
	if !ok {
		return []problem{{
			Type: "model_attributes_type", Loc: []any{"body"}, Input: echo(value),
			Msg: "Input should be a valid dictionary or object to extract fields from",
		}}, nil
	}
	c.body = make(map[string]any)
	for _, name := range sortedKeys(op.body.Properties) {
		schema := op.body.Properties[name]
		given, ok := members[name]
		if !ok {
			if slices.Contains(op.body.Required, name) {
				problems = append(problems, problem{Type: "missing", Loc: []any{"body", name}, Msg: "Field required", Input: echo(members)})
			}
			continue
		}
		if given == nil && schema.Nullable {
			continue
		}
		value, wrong := convert(schema, given)
		if wrong == nil {
			wrong = checkBounds(schema, value)
		}
		if wrong != nil {
			wrong.Loc, wrong.Input = []any{"body", name}, echo(given)
			problems = append(problems, *wrong)
			continue
		}
		c.body[name] = value
	}
	return problems, nil
}

func sortedKeys(properties map[string]*huma.Schema) []string {
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// errExtra is for a body of more than one value.
var errExtra = errors.New("extra data")

// parseBody reads one JSON value; numbers stay as they are written.
func parseBody(text []byte) (value any, wrong *problem) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(&value)
	if err == nil {
		if _, more := d.Token(); errors.Is(more, io.EOF) {
			return value, nil
		}
		err = errExtra
	}
	at := d.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	return nil, &problem{
		Type: "json_invalid", Loc: []any{"body", at}, Msg: "JSON decode error",
		Input: map[string]any{}, Ctx: map[string]any{"error": err.Error()},
	}
}

// echo is a value to be told back. Numbers that not every reader can hold become
// texts.
func echo(value any) any {
	switch v := value.(type) {
	case json.Number:
		if _, err := v.Float64(); err != nil {
			return v.String()
		}
	case []any:
		for i := range v {
			v[i] = echo(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = echo(v[name])
		}
	}
	return value
}

// convert takes a member as its schema wants it. Numbers may come as text, and
// whole ones with a fraction of zero.
func convert(s *huma.Schema, given any) (value any, wrong *problem) {
	switch s.Type {
	case huma.TypeInteger:
		return convertInteger(given)
	case huma.TypeBoolean:
		if b, ok := given.(bool); ok {
			return b, nil
		}
		return nil, &problem{Type: "bool_type", Msg: "Input should be a valid boolean"}
	case huma.TypeNumber:
		if n, ok := given.(json.Number); ok {
			if f, err := n.Float64(); err == nil {
				return f, nil
			}
		}
		return nil, &problem{Type: "float_type", Msg: "Input should be a valid number"}
	case huma.TypeString:
		if text, ok := given.(string); ok {
			return text, nil
		}
		return nil, &problem{Type: "string_type", Msg: "Input should be a valid string"}
	}
	return given, nil
}

func convertInteger(given any) (value any, wrong *problem) {
	switch v := given.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		switch f, err := v.Float64(); {
		case err != nil || math.Abs(f) >= 1<<53:
			return nil, &problem{Type: "int_parsing_size", Msg: "Unable to parse input string as an integer, exceeded maximum size"}
		case f != math.Trunc(f):
			return nil, &problem{Type: "int_from_float", Msg: "Input should be a valid integer, got a number with a fractional part"}
		default:
			return int64(f), nil
		}
	case string:
		if value, wrong := parseParam(&huma.Schema{Type: huma.TypeInteger}, strings.TrimSpace(v)); wrong == nil {
			return value, nil
		}
		return nil, &problem{Type: "int_parsing", Msg: "Input should be a valid integer, unable to parse string as an integer"}
	}
	return nil, &problem{Type: "int_type", Msg: "Input should be a valid integer"}
}
