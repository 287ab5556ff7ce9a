package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/alertapi"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/scope/audit"
)

// alertSources are what alerts ask of the other parts.
type alertSources struct {
	store    alert.Store
	world    func(alarmsSince uint64) notify.World
	saved    func(ctx context.Context) ([]notify.Saved, error)
	person   func(ctx context.Context, id string) (notify.Person, bool, error)
	services []notify.Service // besides those of the catalog
}

// newAlerts makes alerts.
func newAlerts(cfg *config.Config, s alertSources, log *slog.Logger) *notify.Center {
	return notify.New(notify.Config{
		Store: s.store, World: s.world, Saved: s.saved, Person: s.person, Settings: alertSettingsOf(cfg).with(s.services),
	}, log.With("part", "alerts"))
}

// alertSettings are what a configuration says of alerts. All of it can change while
// the pool runs.
type alertSettings struct {
	catalog              notify.CatalogConfig
	quietStart           time.Duration
	userPerHour, perHour int
}

func alertSettingsOf(cfg *config.Config) alertSettings {
	a := &cfg.Alerts
	return alertSettings{
		catalog: notify.CatalogConfig{
			AllowPrivate: a.AllowPrivate,
			Mail: notify.MailServer{
				Host: a.SMTPHost, Port: a.SMTPPort, User: a.SMTPUser, Password: a.SMTPPassword.Reveal(), From: a.SMTPFrom, TLS: a.SMTPTLS,
			},
		},
		quietStart: a.QuietStart, userPerHour: a.UserMessagesPerHour, perHour: a.MessagesPerHour,
	}
}

// with are the settings, with services besides those of the catalog.
func (a alertSettings) with(services []notify.Service) notify.Settings {
	return notify.Settings{
		Services:   append(notify.Catalog(a.catalog), services...),
		QuietStart: a.quietStart, UserPerHour: a.userPerHour, PerHour: a.perHour,
	}
}

// alertSources are those of a pool.
func (p *poolParts) alertSources() alertSources {
	return alertSources{
		store: p.store.Alerts(), world: p.alertWorld, saved: p.alertSaved, services: p.discord.services(),
		person: func(ctx context.Context, id string) (notify.Person, bool, error) {
			return personOf(ctx, p.people.accounts, id)
		},
	}
}

// personOf tells alerts about somebody.
func personOf(ctx context.Context, accounts *account.Service, id string) (notify.Person, bool, error) {
	u, err := accounts.User(ctx, id)
	if errors.Is(err, account.ErrUnknown) {
		return notify.Person{}, false, nil
	}
	return notify.Person{Operator: u.Role == account.RoleOperator, Disabled: u.Disabled, Email: u.Email}, err == nil, err
}

// maxAlarmsAtOnce bounds what alerts read of the microscope's alarms at one look.
const maxAlarmsAtOnce = 100

// alertWorld is what alerts see of the pool.
func (p *poolParts) alertWorld(alarmsSince uint64) notify.World {
	w := notify.World{Ledger: p.ledger.Snapshot(), Node: p.nodes.Status(), Trouble: p.pool.Status().Health.Trouble}
	page := p.scope.auditor.Alarms(audit.AlarmFilter{Since: alarmsSince, Limit: maxAlarmsAtOnce})
	w.AlarmCursor = page.Cursor
	for i := range page.Alarms {
		a := &page.Alarms[i]
		w.Alarms = append(w.Alarms, notify.Alarm{Kind: a.Kind, Severity: a.Severity, Session: a.Session, At: a.FirstAt, Text: a.Text})
	}
	return w
}

// postTime bounds how long a part waits until an event of its is written.
const postTime = 5 * time.Second

// backupFailed tells that a backup failed.
func (p *poolParts) backupFailed(target string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), postTime)
	defer cancel()
	now := time.Now()
	p.alerts.Post(ctx, alert.Event{
		Kind: alert.BackupFailed, Key: fmt.Sprintf("backup:%s:%d", target, now.UnixMilli()), At: now, Severity: alert.Critical,
		Text: fmt.Sprintf("Backup to %s failed: %v", target, err), Values: map[string]any{"target": target},
	})
}

// alertPart answers for alerts.
func (p *poolParts) alertPart() api.Part {
	return alertapi.New(p.people.gate, p.alerts, p.people.accounts, audit.AlarmKinds(), p.log.With("part", "http"))
}

// alertFigures are what alerts count, for /metrics.
func (p *poolParts) alertFigures() []api.Figure {
	c := p.alerts.Counts()
	var all []api.Figure
	add := func(name, help, label string, counts []notify.Count) {
		for _, n := range counts {
			all = append(all, api.Figure{Name: "alerts_" + name, Help: help, Label: label, Value: n.Name, Number: float64(n.Count), Counter: true})
		}
	}
	add("events_total", "Events put into the outbox, by kind; once for each channel.", "kind", c.Events)
	add("messages_total", "Attempts to send a message, by what came of them; held ones wait for a limit per hour.", "result", c.Results)
	add("dropped_total", "Events that are not told, by reason.", "reason", c.Drops)
	add("panics_total", "Faults of alerts that were survived, by part.", "at", c.Panics)
	add("store_errors_total", "Times that alerts could not read or write what they keep, by what for.", "doing", c.Faults)
	return append(all, api.Figure{Name: "alerts_waiting", Help: "Events in the outbox that are still to be told.", Number: float64(c.Waiting)})
}
