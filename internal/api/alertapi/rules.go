package alertapi

import (
	"math"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/notify"
)

// ruleBody is what POST and PATCH of a rule take. What is left out stays as it
// is.
type ruleBody struct {
	Name            *string      `json:"name"`
	Enabled         *bool        `json:"enabled"`
	Events          []alert.Kind `json:"events"`
	Scope           *string      `json:"scope"`
	Workers         []string     `json:"workers"`
	Alarms          []string     `json:"alarms"`
	Channels        []string     `json:"channels"`
	OfflineAfterSec *int64       `json:"offline_after_sec"`
	RejectPercent   *float64     `json:"reject_percent"`
	RejectWindowSec *int64       `json:"reject_window_sec"`
	RejectMinShares *uint64      `json:"reject_min_shares"`
	MinDifficulty   *float64     `json:"min_difficulty"`
}

func (b *ruleBody) change() notify.RuleChange {
	return notify.RuleChange{
		Name: b.Name, Enabled: b.Enabled, Kinds: b.Events, Scope: b.Scope, Workers: b.Workers, Alarms: b.Alarms, Channels: b.Channels,
		OfflineAfter: seconds(b.OfflineAfterSec), RejectPercent: b.RejectPercent, RejectWindow: seconds(b.RejectWindowSec),
		RejectShares: b.RejectMinShares, MinDifficulty: b.MinDifficulty,
	}
}

// seconds is a duration; what does not fit is one that no rule may have.
func seconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(-1)
	if *n >= 0 && *n <= int64(math.MaxInt64/time.Second) {
		d = time.Duration(*n) * time.Second
	}
	return &d
}

func (a *API) addRule(w http.ResponseWriter, r *http.Request, c caller) {
	var body ruleBody
	if !access.ReadJSON(w, r, &body) {
		return
	}
	rule, err := a.alerts.AddRule(r.Context(), c.owner, body.change())
	a.record(r, c, "alert_rule.add", rule.ID, rule.Name, err)
	a.tellRule(w, r, c, rule, err, http.StatusCreated)
}

func (a *API) changeRule(w http.ResponseWriter, r *http.Request, c caller) {
	var body ruleBody
	if !access.ReadJSON(w, r, &body) {
		return
	}
	rule, err := a.alerts.ChangeRule(r.Context(), c.owner, r.PathValue("id"), body.change())
	a.record(r, c, "alert_rule.change", r.PathValue("id"), rule.Name, err)
	a.tellRule(w, r, c, rule, err, http.StatusOK)
}

func (a *API) deleteRule(w http.ResponseWriter, r *http.Request, c caller) {
	rule, err := a.alerts.DeleteRule(r.Context(), c.owner, r.PathValue("id"))
	a.record(r, c, "alert_rule.delete", r.PathValue("id"), rule.Name, err)
	a.tellDone(w, r, err)
}

func (a *API) tellRule(w http.ResponseWriter, r *http.Request, c caller, rule alert.Rule, err error, code int) {
	if err != nil {
		a.fail(w, r, err)
		return
	}
	access.SendJSON(w, a.log, code, ruleViewOf(rule, c))
}
