package scopeapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// openAPIPath is where the document is.
const openAPIPath = "/openapi.json"

// healthPath is where supervisors ask, as they ask the original.
const healthPath = "/health"

// document is the OpenAPI document, encoded when somebody first asks.
type document struct {
	api    *huma.OpenAPI
	once   sync.Once
	text   []byte
	packed []byte
	err    error
}

// read returns the document, plain and compressed.
func (d *document) read() (text, packed []byte, err error) {
	d.once.Do(func() {
		if d.text, d.err = json.Marshal(d.api); d.err != nil {
			return
		}
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(d.text) // into memory
		_ = z.Close()
		d.packed = b.Bytes()
	})
	return d.text, d.packed, d.err
}

// serveDocument answers GET /openapi.json.
func serveDocument(c *call) error {
	text, packed, err := c.api.document.read()
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		text = packed
	}
	return c.raw(text)
}

// describe begins the document.
func (a *API) describe() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:   "poolscope API",
			Version: a.cfg.Version,
			Description: "Every line between miners and pools: recorded, explained, proven and replayed.\n\n" +
				"Reading is open to this machine. Whatever changes or sends something, and everything from elsewhere, " +
				"wants the token that the program showed at its first start, as `Authorization: Bearer TOKEN`. " +
				"It is kept in the file `scope-token` of the data folder.\n\n" +
				"Errors are `{\"detail\": …}`. Times are RFC 3339 in UTC, in microseconds.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: "/", Description: "This program"}},
		Tags: []*huma.Tag{
			{Name: "sessions", Description: "Connections of miners, and their settings"},
			{Name: "messages", Description: "Captured lines"},
			{Name: "audit", Description: "What the lines prove"},
			{Name: "live", Description: "WebSockets"},
			{Name: "agents", Description: "The fleet"},
			{Name: "scope", Description: "The program itself"},
			{Name: "pool", Description: "The pool of this program; its errors are plain text"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "The token that the program showed at its first start"},
			},
		},
	}
}

// schemaName names the schema of a type: those of other packages have the
// package's name before theirs, since both audit and decode have jobs.
func schemaName(t reflect.Type, hint string) string {
	name := strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if room := path.Base(t.PkgPath()); t.PkgPath() != "" && room != "scopeapi" {
		name = strings.ToUpper(room[:1]) + room[1:] + name
	}
	return name
}

// builder makes operations.
type builder struct{ registry huma.Registry }

// schema is the schema of a Go type.
func (b builder) schema(value any) *huma.Schema {
	return b.registry.Schema(reflect.TypeOf(value), true, "")
}

// object is the schema of a struct, without a reference.
func (b builder) object(value any) *huma.Schema {
	return huma.SchemaFromType(b.registry, reflect.TypeOf(value))
}

// responses describes the success of an operation and its errors.
func (b builder) responses(description string, content map[string]*huma.MediaType, errors ...int) map[string]*huma.Response {
	out := map[string]*huma.Response{"200": {Description: description, Content: content}}
	for _, status := range errors {
		schema, example := b.schema(textError{}), any(textError{http.StatusText(status)})
		if status == http.StatusUnprocessableEntity {
			schema = b.schema(problemsError{})
			example = problemsError{[]problem{{
				Type: "less_than_equal", Loc: []any{"query", "limit"}, Input: "1001", Ctx: map[string]any{"le": 1000},
				Msg: "Input should be less than or equal to 1000",
			}}}
		}
		out[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema, Example: example}},
		}
	}
	return out
}

// textError is an error with one text.
type textError struct {
	Detail string `json:"detail" doc:"What is wrong, for people"`
}

// problemsError is the error of a request that does not fit its schema.
type problemsError struct {
	Detail []problem `json:"detail" doc:"All that is wrong"`
}

// jsonContent is a JSON body.
func jsonContent(schema *huma.Schema, example any) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: schema, Example: example}}
}

// Parameters.

func query(name, doc string, schema *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: schema}
}

func required(p *huma.Param) *huma.Param {
	p.Required = true
	return p
}

func inPath(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "path", Description: doc, Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
}

// maxText bounds the texts that are searched for.
const maxText = 1024

func text() *huma.Schema {
	most := maxText
	return &huma.Schema{Type: huma.TypeString, MaxLength: &most}
}

func instant() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "date-time"} }

func flag() *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} }

func enum(values ...string) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		s.Enum = append(s.Enum, v)
	}
	return s
}

// integer is a whole number of at least least, and of at most most unless that
// is 0. The default 0 is none.
func integer(least, most, standard float64) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least}
	if most > 0 {
		s.Maximum = &most
	}
	if standard > 0 {
		s.Default = int64(standard)
	}
	return s
}
