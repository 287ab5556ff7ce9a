package scopeapi

import (
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// Endpoint is a GET that is answered elsewhere in the program, for the document.
// Its errors are plain text.
type Endpoint struct {
	Path     string
	Summary  string
	Response any               // a value of the type that it answers with
	Segments map[string]string // the parameters in its path, with what they mean
	Query    map[string]string // its other parameters, likewise
}

// Document adds endpoints to the document. It is to be called before the first
// request.
func (a *API) Document(endpoints []Endpoint) {
	b := builder{a.document.api.Components.Schemas}
	for _, e := range endpoints {
		o := &huma.Operation{
			Method: http.MethodGet, Path: e.Path, OperationID: operationID(http.MethodGet, e.Path), Summary: e.Summary, Tags: []string{"pool"},
			Security: []map[string][]string{{}},
			Responses: map[string]*huma.Response{
				"200": {Description: "Success", Content: jsonContent(b.schema(e.Response), nil)},
				"default": {Description: "An error, as text", Content: map[string]*huma.MediaType{
					"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
				}},
			},
		}
		for _, name := range slices.Sorted(maps.Keys(e.Segments)) {
			o.Parameters = append(o.Parameters, inPath(name, e.Segments[name]))
		}
		for _, name := range slices.Sorted(maps.Keys(e.Query)) {
			o.Parameters = append(o.Parameters, query(name, e.Query[name], text()))
		}
		a.document.api.AddOperation(o)
	}
}
