package app

import (
	"time"

	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// openAdmin makes the operators' part of the HTTP interface.
func (p *poolParts) openAdmin(build telemetry.Build) {
	p.inForce.Store(p.cfg)
	src := adminapi.Sources{
		Gate:        p.people.gate,
		Trail:       p.people.accounts,
		Pool:        adminPool{p.pool},
		StrikeLimit: p.watch.StrikeLimit,
		Notes:       p.store,
		Audit:       p.store,
		Settings:    &settings{pool: p, now: time.Now},
		State:       p.adminState(build),
		Log:         p.log.With("part", "http"),
	}
	if p.logs != nil {
		src.Logs = p.logs
	}
	p.admin = adminapi.New(src)
}

// adminPool is the pool as operators command it.
type adminPool struct{ *pool.Pool }

// Disconnect tells and closes a connection.
func (p adminPool) Disconnect(id string) bool { return p.DropConnection(id, pool.ByOperator) }
