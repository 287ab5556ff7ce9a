package scopeapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxBody bounds a request's body.
const maxBody = 64 << 10

// maxUnknown bounds the unknown members that an answer names.
const maxUnknown = 10

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
	if op.exact {
		problems = unknownMembers(op.body, members)
	}
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
			if wrong.Loc = append([]any{"body", name}, wrong.Loc...); len(wrong.Loc) == 2 {
				wrong.Input = echo(given)
			}
			problems = append(problems, *wrong)
			continue
		}
		c.body[name] = value
	}
	return problems, nil
}

// unknownMembers are those that a schema does not have. Of a long list only the
// first are told.
func unknownMembers(s *huma.Schema, members map[string]any) (problems []problem) {
	for _, name := range sortedKeys(members) {
		if s.Properties[name] == nil && len(problems) < maxUnknown {
			problems = append(problems, problem{Type: "extra_forbidden", Loc: []any{"body", name}, Msg: "Extra inputs are not permitted", Input: echo(members[name])})
		}
	}
	return problems
}

func sortedKeys[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }

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

// convert takes a member as its schema wants it. Whole numbers may come as text,
// and with a fraction of zero. The place of a problem is empty, or that within a
// list.
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
	case huma.TypeArray:
		return convertList(s, given)
	}
	return given, nil
}

func convertList(s *huma.Schema, given any) (value any, wrong *problem) {
	list, ok := given.([]any)
	if !ok {
		return nil, &problem{Type: "list_type", Msg: "Input should be a valid list"}
	}
	if s.MaxItems != nil && len(list) > *s.MaxItems {
		return nil, &problem{
			Type: "too_long", Ctx: map[string]any{"field_type": "List", "max_length": *s.MaxItems, "actual_length": len(list)},
			Msg: fmt.Sprintf("List should have at most %d items after validation, not %d", *s.MaxItems, len(list)),
		}
	}
	converted := make([]any, len(list))
	for i, item := range list {
		if converted[i], wrong = convert(s.Items, item); wrong == nil {
			wrong = checkBounds(s.Items, converted[i])
		}
		if wrong != nil {
			wrong.Loc, wrong.Input = append([]any{i}, wrong.Loc...), echo(item)
			return nil, wrong
		}
	}
	return converted, nil
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
