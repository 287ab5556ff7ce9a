package alertapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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

// TestTrail: everything that somebody does with channels and rules is in the audit
// trail, refused things too, and without the secrets in them.
func TestTrail(t *testing.T) {
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer sink.Close()
	r := newRig(t)
	channel := idOf(t, r.want("op", "POST", "/api/alerts/channels", `{"kind":"webhook","name":"mine","settings":{"webhook":"`+sink.URL+`/hook-secret"}}`, 201, ""))
	path := "/api/alerts/channels/" + channel
	r.want("op", "PATCH", path, `{"name":"other"}`, 200, "")
	r.want("op", "POST", path+"/test", "", 200, "")
	r.want("op", "POST", path+"/code", "", 400, "nothing to confirm")
	r.want("op", "POST", path+"/confirm", `{"code":"12345678"}`, 200, "")
	rule := idOf(t, r.want("op", "POST", "/api/alerts/rules", `{"name":"blocks","events":["block_found"],"scope":"pool","channels":["`+channel+`"]}`, 201, ""))
	r.want("op", "PATCH", "/api/alerts/rules/"+rule, `{"enabled":false}`, 200, "")
	r.want("op", "PATCH", "/api/alerts/rules/"+rule, `{"reject_percent":-1}`, 400, "")
	r.want("op", "DELETE", "/api/alerts/rules/"+rule, "", 200, "")
	r.want("op", "DELETE", path, "", 200, "")
	var got []string
	for _, a := range r.trail.actions {
		line := a.Name + " " + a.Target
		if a.Failed {
			line += " in vain"
		}
		if got = append(got, line); a.UserID != "op" || strings.Contains(a.Detail, "secret") {
			t.Errorf("%+v", a)
		}
	}
	want := []string{
		"alert_channel.add " + channel, "alert_channel.change " + channel, "alert_channel.test " + channel, "alert_channel.send_code " + channel + " in vain",
		"alert_channel.confirm " + channel, "alert_rule.add " + rule, "alert_rule.change " + rule, "alert_rule.change " + rule + " in vain",
		"alert_rule.delete " + rule, "alert_channel.delete " + channel,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit trail has\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
