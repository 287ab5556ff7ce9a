package scopeapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// read checks a request against what the operation declares, parameters first,
// and keeps the values. Everything that is wrong is told at once.
func (c *call) read(op *operation) error {
	var problems []problem
	c.values = make(map[string]any)
	query := c.r.URL.Query()
	for _, p := range op.Parameters {
		if p.In != "query" {
			continue
		}
		given, ok := query[p.Name]
		if !ok {
			if p.Required {
				problems = append(problems, problem{Type: "missing", Loc: []any{"query", p.Name}, Msg: "Field required"})
			} else if p.Schema.Default != nil {
				c.values[p.Name] = p.Schema.Default
			}
			continue
		}
		text := given[len(given)-1]
		value, wrong := parseParam(p.Schema, text)
		if wrong == nil {
			wrong = checkBounds(p.Schema, value)
		}
		if wrong != nil {
			wrong.Loc, wrong.Input = []any{"query", p.Name}, text
			problems = append(problems, *wrong)
			continue
		}
		c.values[p.Name] = value
	}
	if op.body != nil {
		wrong, err := c.readBody(op)
		if err != nil {
			return err
		}
		problems = append(problems, wrong...)
	}
	if len(problems) > 0 {
		return &failure{http.StatusUnprocessableEntity, problems}
	}
	return nil
}

// parseParam reads the text of a parameter.
func parseParam(s *huma.Schema, text string) (value any, wrong *problem) {
	switch {
	case s.Type == huma.TypeInteger:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, &problem{Type: "int_parsing", Msg: "Input should be a valid integer, unable to parse string as an integer"}
		}
		return n, nil
	case s.Type == huma.TypeBoolean:
		switch strings.ToLower(text) {
		case "true", "1", "yes", "on":
			return true, nil
		case "false", "0", "no", "off":
			return false, nil
		}
		return nil, &problem{Type: "bool_parsing", Msg: "Input should be a valid boolean, unable to interpret input"}
	case s.Format == "date-time":
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), nil
			}
		}
		return nil, &problem{Type: "datetime_parsing", Msg: "Input should be a valid datetime"}
	}
	return text, nil
}

// checkBounds holds a value against its schema.
func checkBounds(s *huma.Schema, value any) *problem {
	switch v := value.(type) {
	case int64:
		return checkRange(s, float64(v))
	case float64:
		return checkRange(s, v)
	case string:
		switch {
		case len(s.Enum) > 0 && !inEnum(s.Enum, v):
			expected := enumText(s.Enum)
			return &problem{Type: "enum", Msg: "Input should be " + expected, Ctx: map[string]any{"expected": expected}}
		case s.MaxLength != nil && len(v) > *s.MaxLength:
			return &problem{
				Type: "string_too_long", Ctx: map[string]any{"max_length": *s.MaxLength},
				Msg: fmt.Sprintf("String should have at most %d characters", *s.MaxLength),
			}
		case s.MinLength != nil && len(v) < *s.MinLength:
			return &problem{
				Type: "string_too_short", Ctx: map[string]any{"min_length": *s.MinLength},
				Msg: fmt.Sprintf("String should have at least %d character", *s.MinLength),
			}
		}
	}
	return nil
}

// checkRange holds a number against its schema.
func checkRange(s *huma.Schema, v float64) *problem {
	switch {
	case s.Minimum != nil && v < *s.Minimum:
		return &problem{
			Type: "greater_than_equal", Ctx: map[string]any{"ge": *s.Minimum},
			Msg: "Input should be greater than or equal to " + strconv.FormatFloat(*s.Minimum, 'f', -1, 64),
		}
	case s.Maximum != nil && v > *s.Maximum:
		return &problem{
			Type: "less_than_equal", Ctx: map[string]any{"le": *s.Maximum},
			Msg: "Input should be less than or equal to " + strconv.FormatFloat(*s.Maximum, 'f', -1, 64),
		}
	}
	return nil
}

func inEnum(enum []any, v string) bool {
	for _, e := range enum {
		if e == v {
			return true
		}
	}
	return false
}

// enumText lists the values: 'a', 'b' or 'c'.
func enumText(enum []any) string {
	var b strings.Builder
	for i, e := range enum {
		switch {
		case i > 0 && i == len(enum)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "'%v'", e)
	}
	return b.String()
}
