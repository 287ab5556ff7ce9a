package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write example.toml anew from the comments on Config")

func TestExampleIsGeneratedFromTheComments(t *testing.T) {
	want := generateExample(t)
	if *update {
		if err := os.WriteFile("example.toml", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, Example()); diff != "" {
		t.Errorf("example.toml differs from the comments on Config; run: go test ./internal/config -update\n%s", diff)
	}
}

func TestExampleIsTheDefaults(t *testing.T) {
	got, err := Parse("example.toml", []byte(Example()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got, cmpopts.IgnoreUnexported(Config{}), sameSecret, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the example is not the defaults (-default +example):\n%s", diff)
	}
	for _, f := range got.fields() {
		if o := got.OriginOf(f.key); o.Kind != "file" {
			t.Errorf("%s is not in the example", f.key)
		}
	}
}

// generateExample writes the annotated file from the source of Config.
func generateExample(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	docs := make(map[string]string)
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(docs, fieldDocs(source))
	}

	defaults := Default()
	for i := range defaults.Nodes {
		defaults.Nodes[i].Name = "" // follows from the url
	}
	var b strings.Builder
	b.WriteString("# poolscope's configuration. Every key stands here with its default; what you\n" +
		"# leave out keeps it. Environment variables win over the file: the key listen in\n" +
		"# section [http] is POOLSCOPE_HTTP_LISTEN, the url of the second [[node]] is\n" +
		"# POOLSCOPE_NODE_2_URL, lists are separated by commas.\n")
	writeExample(t, &b, docs, "", reflect.ValueOf(defaults).Elem())
	return b.String()
}

func writeExample(t *testing.T, b *strings.Builder, docs map[string]string, table string, v reflect.Value) {
	t.Helper()
	var sections []func()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("toml")
		if name == "" {
			continue
		}
		doc := docs[v.Type().Name()+"."+f.Name]
		if doc == "" {
			t.Errorf("%s.%s has no comment", v.Type().Name(), f.Name)
		}
		// The form of the settings shows each alone.
		if strings.HasPrefix(doc, "…") || strings.HasSuffix(doc, "…") {
			t.Errorf("%s.%s: the comment is half a sentence: %s", v.Type().Name(), f.Name, doc)
		}
		comment := "\n# " + strings.ReplaceAll(doc, "\n", "\n# ") + "\n"

		switch {
		case isTable(f.Type):
			sections = append(sections, func() {
				fmt.Fprintf(b, "%s[%s]\n", comment, name)
				writeExample(t, b, docs, name, v.Field(i))
			})
		case isTables(f.Type):
			sections = append(sections, func() {
				if v.Field(i).Len() == 0 {
					fmt.Fprintf(b, "%s# [[%s]]\n", comment, name)
					writeCommented(t, b, docs, name, f.Type.Elem())
					return
				}
				fmt.Fprintf(b, "%s[[%s]]\n", comment, name)
				writeExample(t, b, docs, name, v.Field(i).Index(0))
			})
		default:
			fmt.Fprintf(b, "%s%s = %s\n", comment, name, formatTOML(v.Field(i)))
		}
	}
	// TOML wants the plain keys of a table before its sub-tables.
	for _, section := range sections {
		section()
	}
}

// writeCommented writes the keys of a section that is not there by default.
func writeCommented(t *testing.T, b *strings.Builder, docs map[string]string, table string, element reflect.Type) {
	t.Helper()
	var section strings.Builder
	writeExample(t, &section, docs, table, reflect.New(element).Elem())
	for line := range strings.Lines(section.String()) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			line = "# " + line
		}
		b.WriteString(line)
	}
}

// fieldDocs maps "HTTP.Listen" to the comment above the field.
func fieldDocs(source *ast.File) map[string]string {
	docs := make(map[string]string)
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					docs[spec.Name.Name+"."+name.Name] = strings.TrimSpace(f.Doc.Text())
				}
			}
		}
		return true
	})
	return docs
}
