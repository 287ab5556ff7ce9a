package scopeapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

type openAPI struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string
		Parameters  []struct {
			Name, In, Description string
			Required              bool
			Schema                map[string]any
		}
		RequestBody map[string]any `json:"requestBody"`
		Responses   map[string]struct {
			Description string
			Content     map[string]struct{ Schema map[string]any }
		}
		Security []map[string][]string
	}
	Components struct {
		Schemas         map[string]any
		SecuritySchemes map[string]map[string]any `json:"securitySchemes"`
	}
}

// TestDocument checks that the document describes each route, and nothing else.
func TestDocument(t *testing.T) {
	b := newBench(t)
	w := b.get("/openapi.json")
	doc := read[openAPI](t, w)
	if doc.OpenAPI != "3.1.0" || doc.Info.Title == "" || doc.Info.Version != "test" {
		t.Errorf("%s %+v", doc.OpenAPI, doc.Info)
	}
	if s := doc.Components.SecuritySchemes["token"]; s["type"] != "http" || s["scheme"] != "bearer" {
		t.Errorf("the token is described as %v", s)
	}

	routes := b.api.Routes()
	documented := 0
	ids := map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			documented++
			route := strings.ToUpper(method) + " " + path
			if !slices.Contains(routes, route) {
				t.Errorf("%s is documented and does not exist", route)
			}
			if op.Summary == "" || op.OperationID == "" || ids[op.OperationID] || len(op.Security) == 0 {
				t.Errorf("%s: summary %q, id %q, security %v", route, op.Summary, op.OperationID, op.Security)
			}
			ids[op.OperationID] = true
			for status, r := range op.Responses {
				if r.Description == "" || len(r.Content) == 0 && status != "101" {
					t.Errorf("%s: %s says nothing", route, status)
				}
			}
			for _, p := range op.Parameters {
				if p.Description == "" || len(p.Schema) == 0 || p.In == "path" && (!p.Required || !strings.Contains(path, "{"+p.Name+"}")) {
					t.Errorf("%s: parameter %+v", route, p)
				}
			}
			for _, needed := range []string{"200", "401", "403", "500"} {
				if _, ok := op.Responses[needed]; !ok {
					t.Errorf("%s: no %s", route, needed)
				}
			}
		}
	}
	if hidden := 1; documented != len(routes)-hidden { // the document does not list itself
		t.Errorf("%d operations are documented, %d exist", documented, len(routes))
	}
	// The original's operations under /api, every one.
	for _, op := range strings.Fields(`
		GET:/api/sessions GET:/api/sessions/{session_id} POST:/api/sessions/{session_id}/broadcast/enable
		POST:/api/sessions/{session_id}/broadcast/disable GET:/api/sessions/{session_id}/broadcast/status
		POST:/api/sessions/{session_id}/repeat-count GET:/api/sessions/{session_id}/repeat-count
		POST:/api/sessions/{session_id}/auto-replay/enable POST:/api/sessions/{session_id}/auto-replay/disable
		GET:/api/sessions/{session_id}/auto-replay/status POST:/api/sessions/{session_id}/auto-replay-count
		GET:/api/sessions/{session_id}/auto-replay-count POST:/api/sessions/{session_id}/disconnect GET:/api/messages
		GET:/api/messages/{message_id} POST:/api/messages/{message_id}/replay GET:/api/agents GET:/api/agents/{agent_id}
		GET:/api/agents/{agent_id}/history GET:/api/ws GET:/api/ws/agents GET:/api/config`) {
		method, path, _ := strings.Cut(op, ":")
		if _, ok := doc.Paths[path][strings.ToLower(method)]; !ok {
			t.Errorf("%s %s is missing", method, path)
		}
	}
	checkReferences(t, w.Body.Bytes(), doc.Components.Schemas)
}

// checkReferences finds references to schemas that do not exist.
func checkReferences(t *testing.T, text []byte, schemas map[string]any) {
	t.Helper()
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				name, ok := strings.CutPrefix(ref, "#/components/schemas/")
				if schemas[name] == nil || !ok {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	walk(tree)
}

// TestResponsesAreAsDocumented compares the members of real responses with those
// of their schemas, both ways.
func TestResponsesAreAsDocumented(t *testing.T) {
	b := newBench(t)
	b.api.src.Audit = b.auditor
	scenarioA(b, "s")
	doc := read[openAPI](t, b.get("/openapi.json"))
	for target, path := range map[string]string{
		"/api/sessions/s":                    "/api/sessions/{session_id}",
		"/api/messages/s-7":                  "/api/messages/{message_id}",
		"/api/messages/s-7/decoded":          "/api/messages/{message_id}/decoded",
		"/api/sessions/s/facts":              "/api/sessions/{session_id}/facts",
		"/api/sessions/s/jobs":               "/api/sessions/{session_id}/jobs",
		"/api/sessions/s/shares":             "/api/sessions/{session_id}/shares",
		"/api/sessions/s/difficulty":         "/api/sessions/{session_id}/difficulty",
		"/api/sessions/s/alarms":             "/api/sessions/{session_id}/alarms",
		"/api/alarms":                        "/api/alarms",
		"/api/compare?a=s&b=s":               "/api/compare",
		"/api/config":                        "/api/config",
		"/api/scope/status":                  "/api/scope/status",
		"/api/scope/gaps":                    "/api/scope/gaps",
		"/api/scope/tap":                     "/api/scope/tap",
		"/api/sessions/s/auto-replay/status": "/api/sessions/{session_id}/auto-replay/status",
		"/api/sessions/s/repeat-count":       "/api/sessions/{session_id}/repeat-count",
	} {
		w := b.get(target)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
			continue
		}
		schema := doc.Paths[path]["get"].Responses["200"].Content["application/json"].Schema
		conforms(t, target, doc.Components.Schemas, schema, read[any](t, w))
	}
}

// conforms checks a value against a schema, as far as this document uses JSON
// Schema: references, types, members, elements, enumerations.
func conforms(t *testing.T, at string, schemas map[string]any, schema map[string]any, v any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	}
	if kinds := kindsOf(schema["type"]); len(kinds) > 0 {
		kind := kindOf(v)
		switch {
		case kind == "time":
			kind = "string"
		case kind == "number" && slices.Contains(kinds, "integer"):
			kind = "integer"
		}
		if !slices.Contains(kinds, kind) {
			t.Errorf("%s is %s (%v), the document says %v", at, kind, v, kinds)
			return
		}
	}
	if enum, ok := schema["enum"].([]any); ok && v != nil && !slices.Contains(enum, v) {
		t.Errorf("%s is %v, which is none of %v", at, v, enum)
	}
	switch v := v.(type) {
	case []any:
		items, _ := schema["items"].(map[string]any)
		for _, element := range v {
			conforms(t, at+"[]", schemas, items, element)
		}
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		if properties == nil {
			return // anything
		}
		for name, inner := range v {
			property, ok := properties[name].(map[string]any)
			if !ok {
				t.Errorf("%s.%s is not documented", at, name)
				continue
			}
			conforms(t, at+"."+name, schemas, property, inner)
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if text, _ := name.(string); v[text] == nil && !has(v, text) {
				t.Errorf("%s.%s is missing", at, text)
			}
		}
	}
}

func has(v map[string]any, name string) bool {
	_, ok := v[name]
	return ok
}

func kindsOf(v any) (kinds []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, kind := range v {
			text, _ := kind.(string)
			kinds = append(kinds, text)
		}
	}
	return kinds
}
