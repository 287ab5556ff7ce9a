package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// operations is the document that tells operators what a reload takes.
const operations = "../../docs/operations.md"

// TestReloadTableIsTrue keeps the table in the document what the struct says.
func TestReloadTableIsTrue(t *testing.T) {
	const begin, end = "<!-- reload table, generated: go test ./internal/config -update -->\n", "<!-- end -->"
	data, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	table, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no marks around the table", operations)
	}
	want := reloadTable()
	if *update {
		if err := os.WriteFile(operations, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table differs from the tags on Config; run: go test ./internal/config -update\n%s", want)
	}
}

func reloadTable() string {
	var order []string
	keys := make(map[string][2][]string)
	for _, k := range Keys() {
		table, name, ok := strings.Cut(k.Name, ".")
		if !ok {
			table, name = "", k.Name
		}
		if _, seen := keys[table]; !seen {
			order = append(order, table)
		}
		columns, column := keys[table], 1
		if k.Live {
			column = 0
		}
		columns[column] = append(columns[column], "`"+name+"`")
		keys[table] = columns
	}
	var b strings.Builder
	b.WriteString("| section | in force at once | with the next start |\n|---|---|---|\n")
	for _, table := range order {
		title := ""
		if table != "" {
			title = "`[" + table + "]`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", title, strings.Join(keys[table][0], ", "), strings.Join(keys[table][1], ", "))
	}
	return b.String()
}
