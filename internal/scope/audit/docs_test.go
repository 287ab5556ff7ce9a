package audit

import (
	"os"
	"strings"
	"testing"
)

// Every kind of alarm is explained to those who get it.
func TestAlarmsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/scope.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		if !strings.Contains(string(text), "`"+kind+"`") {
			t.Errorf("docs/scope.md does not explain %s", kind)
		}
	}
	if c := (&Auditor{alarms: newBook(1)}).alarms.counts(); len(c) != len(kinds) {
		t.Errorf("%d counters for %d kinds", len(c), len(kinds))
	}
}
