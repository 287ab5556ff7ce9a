package alertapi

import (
	"net/http"
	"testing"
)

// TestNothingIsNoEntry: a viewer who asks for what is not there leaves no trace in
// the audit trail; an operator does.
func TestNothingIsNoEntry(t *testing.T) {
	r := newRig(t)
	r.want("ann", http.MethodDelete, "/api/alerts/rules/x", "", http.StatusNotFound, "not found")
	r.want("ann", http.MethodDelete, "/api/alerts/channels/x", "", http.StatusNotFound, "not found")
	if n := len(r.trail.actions); n != 0 {
		t.Errorf("%d entries: %+v", n, r.trail.actions)
	}
	r.want("op", http.MethodDelete, "/api/alerts/rules/x", "", http.StatusNotFound, "not found")
	if n := len(r.trail.actions); n != 1 || !r.trail.actions[0].Operator || !r.trail.actions[0].Failed {
		t.Errorf("%+v", r.trail.actions)
	}
}
