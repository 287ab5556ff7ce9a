package alertapi

import (
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/notify"
)

// recentEntries is how many of the latest events are listed.
const recentEntries = 100

// page is the answer of GET /api/alerts.
type page struct {
	Channels   []channelView `json:"channels"`
	Rules      []ruleView    `json:"rules"`
	Recent     []entryView   `json:"recent"` // newest first
	Events     []kindView    `json:"events"`
	AlarmKinds []string      `json:"alarm_kinds"` // of the microscope, for operators
	Services   []serviceView `json:"services"`
}

type channelView struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind"`
	Name       string            `json:"name"`
	Enabled    bool              `json:"enabled"`
	Shared     bool              `json:"shared"`      // of all operators
	Settings   map[string]string `json:"settings"`    // without secrets
	SecretsSet []string          `json:"secrets_set"` // keys of secrets that there are
	Quiet      *quietView        `json:"quiet,omitempty"`
	Confirmed  bool              `json:"confirmed"`
	CreatedAt  time.Time         `json:"created_at"`
	LastSentAt time.Time         `json:"last_sent_at,omitzero"`
	LastError  string            `json:"last_error,omitempty"`
	ErrorAt    time.Time         `json:"error_at,omitzero"`
}

type quietView struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Zone   string `json:"zone"`
	Blocks bool   `json:"blocks"` // found blocks are told nevertheless
}

type ruleView struct {
	ID              string       `json:"id"`
	Name            string       `json:"name"`
	Enabled         bool         `json:"enabled"`
	Shared          bool         `json:"shared"`
	Events          []alert.Kind `json:"events"`
	Scope           string       `json:"scope"`
	Workers         []string     `json:"workers"`
	Alarms          []string     `json:"alarms"`
	Channels        []string     `json:"channels"`
	OfflineAfterSec int64        `json:"offline_after_sec"`
	RejectPercent   float64      `json:"reject_percent"`
	RejectWindowSec int64        `json:"reject_window_sec"`
	RejectMinShares uint64       `json:"reject_min_shares"`
	MinDifficulty   float64      `json:"min_difficulty"`
	CreatedAt       time.Time    `json:"created_at"`
}

type entryView struct {
	ID        int64       `json:"id"`
	ChannelID string      `json:"channel_id"`
	Kind      alert.Kind  `json:"kind"`
	Severity  string      `json:"severity"`
	Worker    string      `json:"worker,omitempty"`
	Text      string      `json:"text"`
	At        time.Time   `json:"at"`
	State     alert.State `json:"state"`
	Attempts  int         `json:"attempts"`
	NextTryAt time.Time   `json:"next_try_at,omitzero"`
	Error     string      `json:"error,omitempty"`
	UpdatedAt time.Time   `json:"updated_at"`
}

type kindView struct {
	Kind     alert.Kind `json:"kind"`
	Title    string     `json:"title"`
	Operator bool       `json:"operator"` // for operators only
	Pool     bool       `json:"pool"`     // may be about the whole pool for everybody
}

type serviceView struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Fields   []notify.Field `json:"fields"`
	Operator bool           `json:"operator"`
	Managed  bool           `json:"managed"` // is not made in the form
	Confirm  bool           `json:"confirm"` // needs a code that is sent to it
}

// read lists what there is.
func (a *API) read(w http.ResponseWriter, r *http.Request, c caller) {
	v, err := a.alerts.View(r.Context(), c.owner, recentEntries)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	p := page{
		Channels: []channelView{}, Rules: []ruleView{}, Recent: []entryView{}, Events: []kindView{}, Services: []serviceView{}, AlarmKinds: []string{},
	}
	for _, ch := range v.Channels {
		p.Channels = append(p.Channels, a.channelView(ch, c))
	}
	for _, rule := range v.Rules {
		p.Rules = append(p.Rules, ruleViewOf(rule, c))
	}
	for _, e := range v.Recent {
		view := entryView{
			ID: e.ID, ChannelID: e.Channel, Kind: e.Event.Kind, Severity: e.Event.Severity, Worker: e.Event.Worker, Text: e.Event.Text,
			At: e.Event.At.UTC(), State: e.State, Attempts: e.Attempts, Error: e.Error, UpdatedAt: e.Updated.UTC(),
		}
		if (e.State == alert.Queued || e.State == alert.Sending) && e.NextTry.After(e.Updated) {
			view.NextTryAt = e.NextTry.UTC()
		}
		p.Recent = append(p.Recent, view)
	}
	for _, k := range alert.Kinds() {
		if c.owner.Operator || !k.Operator {
			p.Events = append(p.Events, kindView(k))
		}
	}
	if c.owner.Operator {
		p.AlarmKinds = append(p.AlarmKinds, a.alarmKinds...)
	}
	for _, s := range a.alerts.Services(c.owner) {
		fields := s.Fields
		if fields == nil {
			fields = []notify.Field{}
		}
		p.Services = append(p.Services, serviceView{s.ID, s.Name, fields, s.Operator, s.Managed, s.Mailbox && !c.owner.Operator})
	}
	access.SendJSON(w, a.log, http.StatusOK, p)
}

// channelView shows a channel without its secrets.
func (a *API) channelView(ch alert.Channel, c caller) channelView {
	v := channelView{
		ID: ch.ID, Kind: ch.Kind, Name: ch.Name, Enabled: ch.Enabled, Shared: ch.UserID == "" && c.UserID() != "",
		Settings: map[string]string{}, SecretsSet: []string{}, Confirmed: ch.Confirmed,
		CreatedAt: ch.Created.UTC(), LastSentAt: ch.LastSent.UTC(), LastError: ch.LastError, ErrorAt: ch.ErrorAt.UTC(),
	}
	if q := ch.Quiet; q.IsSet() {
		v.Quiet = &quietView{q.From, q.To, q.Zone, q.Blocks}
	}
	service, _ := a.alerts.Service(ch.Kind)
	for _, f := range service.Fields {
		value, is := ch.Settings[f.Key]
		switch {
		case !is || value == "":
		case f.Secret:
			v.SecretsSet = append(v.SecretsSet, f.Key)
		default:
			v.Settings[f.Key] = value
		}
	}
	return v
}

func ruleViewOf(r alert.Rule, c caller) ruleView {
	return ruleView{
		ID: r.ID, Name: r.Name, Enabled: r.Enabled, Shared: r.UserID == "" && c.UserID() != "",
		Events: orEmpty(r.Kinds), Scope: r.Scope, Workers: orEmpty(r.Workers), Alarms: orEmpty(r.Alarms), Channels: orEmpty(r.Channels),
		OfflineAfterSec: int64(r.OfflineAfter / time.Second), RejectPercent: r.RejectPercent, RejectWindowSec: int64(r.RejectWindow / time.Second),
		RejectMinShares: r.RejectShares, MinDifficulty: r.MinDifficulty, CreatedAt: r.Created.UTC(),
	}
}

// orEmpty is a list that JSON shows as [].
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
