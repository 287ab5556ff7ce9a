package app

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// reloads counts what became of requests to reload.
type reloads struct {
	applied, refused atomic.Uint64
	waiting          atomic.Int64 // changed keys that wait for a restart
}

// reload reads the configuration again and puts in force what can be while the
// pool runs. It says for each changed key whether that was so. A configuration
// with any mistake changes nothing.
func (p *poolParts) reload(load func() (*config.Config, error)) {
	changes, err := p.adopt(load)
	if err != nil {
		p.reloads.refused.Add(1)
		p.refuse(err)
		return
	}
	p.tellChanges(changes)
}

// tellChanges says for each changed key whether it is in force.
func (p *poolParts) tellChanges(changes []config.Change) (live, waiting []string) {
	p.reloads.applied.Add(1)
	for _, c := range changes {
		if c.Live {
			live = append(live, c.Key)
			p.log.Info("configuration changed", "key", c.Key, "result", "in force")
		} else {
			waiting = append(waiting, c.Key)
			p.log.Warn("configuration changed", "key", c.Key, "result", "needs a restart")
		}
	}
	p.reloads.waiting.Store(int64(len(waiting)))
	p.log.Info("configuration read", "in_force", len(live), "need_restart", len(waiting))
	if len(waiting) > 0 {
		p.pool.Note("configuration", "changes that need a restart: "+strings.Join(waiting, ", "))
	}
	return live, waiting
}

// adopt puts a configuration in force, or returns why not, with everything as
// it was.
func (p *poolParts) adopt(load func() (*config.Config, error)) ([]config.Change, error) {
	next, err := load()
	if err != nil {
		return nil, err
	}
	adopted, changes, err := p.cfg.Adopt(next)
	if err != nil {
		return nil, err
	}
	poolConfig, err := poolConfigOf(adopted)
	if err != nil {
		return nil, err
	}
	certificate := p.cert.Load()
	if p.tls != nil {
		if certificate, err = certificateOf(adopted, time.Now()); err != nil {
			return nil, err
		}
	}
	if err := p.pool.Reconfigure(poolConfig); err != nil {
		return nil, err
	}
	if err := p.logs.Reconfigure(LogConfig(adopted)); err != nil {
		if old, oldErr := poolConfigOf(p.cfg); oldErr == nil {
			err = errors.Join(err, p.pool.Reconfigure(old))
		}
		return nil, err
	}
	p.cert.Store(certificate)
	if token, _, err := scopeToken(adopted); err != nil {
		p.log.Error("the scope keeps its access token", "err", err)
	} else {
		p.scope.api.SetToken(token)
	}
	p.api.SetToken(adopted.HTTP.Token.Reveal()) // and the scope's
	p.people.accounts.Configure(accountConfigOf(adopted))
	p.alerts.Configure(alertSettingsOf(adopted).with(p.discord.services()))
	for _, warning := range adopted.Warnings() {
		p.log.Warn("configuration", "warning", warning)
	}
	p.cfg = adopted
	p.inForce.Store(adopted)
	p.paceGarbage()
	return changes, nil
}

// refuse tells every mistake of a configuration that was not taken.
func (p *poolParts) refuse(err error) {
	var invalid *config.InvalidError
	if !errors.As(err, &invalid) {
		p.log.Error("configuration not taken, the old one stays in force", "err", err)
		p.pool.Note("configuration", "not taken, the old one stays in force: "+err.Error())
		return
	}
	for _, problem := range invalid.Problems {
		p.log.Error("configuration not taken, the old one stays in force", "problem", problem.String())
	}
	// The public page hides what looks like host:port, as file:line does, and
	// the path is nobody's business there.
	first := invalid.Problems[0]
	where := ""
	if first.Line > 0 {
		where = fmt.Sprintf("line %d: ", first.Line)
	}
	first.Source = ""
	p.pool.Note("configuration", fmt.Sprintf("not taken, the old one stays in force; %d problems, the first: %s%s",
		len(invalid.Problems), where, first))
}

// deskStatus is what the operator's requests have led to, for metrics.
func (p *poolParts) deskStatus() api.Desk {
	d := api.Desk{
		ReloadsApplied: p.reloads.applied.Load(),
		ReloadsRefused: p.reloads.refused.Load(),
		RestartKeys:    int(p.reloads.waiting.Load()),
	}
	if p.logs != nil {
		d.LogLinesLost = p.logs.Lost()
	}
	return d
}

// LogConfig is the configuration's part about logs.
func LogConfig(cfg *config.Config) telemetry.LogConfig {
	return telemetry.LogConfig{
		Level:  cfg.Log.Level,
		Format: cfg.Log.Format,
		File:   cfg.Log.File,
		Rotation: telemetry.Rotation{
			Size:     int64(cfg.Log.RotateMegabytes) << 20,
			Every:    cfg.Log.RotateEvery,
			Keep:     cfg.Log.KeepFiles,
			KeepFor:  cfg.Log.KeepFor,
			Compress: cfg.Log.Compress,
		},
		Secrets: cfg.Secrets(),
	}
}
