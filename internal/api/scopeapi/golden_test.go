package scopeapi

import (
	"bytes"
	"encoding/json"
	goflag "flag"
	"os"
	"path/filepath"
	"testing"
)

var update = goflag.Bool("update", false, "write the golden file anew")

// TestGoldenDocument compares the document with the one that the page's types
// are generated from. After a change of the API:
//
//	go test ./internal/api/scopeapi -run GoldenDocument -update
//	cd ui && npm run types
func TestGoldenDocument(t *testing.T) {
	var got bytes.Buffer
	if err := json.Indent(&got, newBench(t).get("/openapi.json").Body.Bytes(), "", " "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	name := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not what the API describes; write it anew with -update, then the page's types with npm run types", name)
	}
}

// TestBrief looks at the list with what it can be asked for besides.
func TestBrief(t *testing.T) {
	b := newBench(t)
	b.api.src.Audit = b.auditor
	scenarioA(b, "abc")
	if plain := read[[]sessionView](t, b.get("/api/sessions")); len(plain) != 1 || plain[0].Brief != nil {
		t.Errorf("unasked: %+v", plain)
	}
	list := read[[]sessionView](t, b.get("/api/sessions?brief=true"))
	if len(list) != 1 || list[0].Brief == nil {
		t.Fatalf("%+v", list)
	}
	if f := list[0].Brief; f.Accepted != 1 || f.Rejected != 0 || f.AcceptRate == nil || *f.AcceptRate != 1 || f.Latency == nil {
		t.Errorf("%+v", f)
	}
}
