package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// AlarmKinds has every constant, once: the API refuses to look for any other.
func TestAlarmKinds(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "alarm.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Alarm") {
			kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, kind)
		}
		return true
	})
	if got := AlarmKinds(); len(want) < 20 || !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
