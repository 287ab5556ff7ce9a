package main

import (
	"strings"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// scopeDataDir is where a scope keeps its things when nobody says otherwise:
// not in a pool's folder, which the pool holds.
const scopeDataDir = "data/scope"

type scopeCommand struct {
	Listen        []string `help:"Address for miners (:3333). Repeat it for more." placeholder:"HOST:PORT"`
	TLSListen     []string `name:"tls-listen" help:"Address for miners over TLS. Repeat it for more." placeholder:"HOST:PORT"`
	Pool          []string `help:"Pool behind the scope: stratum+tcp://host:port, stratum+ssl://host:port or host:port. Repeat it for pools to fall back on." placeholder:"URL"`
	OwnPool       []string `help:"Pool that is yours: load tests (automatic replay) are for these only. Repeat it for more." placeholder:"URL"`
	Relay         []string `help:"Nostr relay where agents of a fleet are met, as wss://host. Repeat it for more." placeholder:"URL"`
	RunID         string   `name:"run" help:"Name of the run, for agents; a new one at each start when left out." placeholder:"NAME"`
	Author        []string `help:"Public key of an agent whose telemetry is taken; any: everybody's. Repeat it for more." placeholder:"NPUB"`
	KeepPasswords bool     `help:"Record the passwords that miners sign in with. They are masked otherwise."`
	Config        string   `help:"Configuration file; poolscope config example writes one." type:"path" placeholder:"FILE"`
	DataDir       string   `help:"Folder for the journal and the access token (data/scope)." placeholder:"DIR"`
	HTTP          string   `name:"http" help:"Address of the web page and the API (127.0.0.1:8000)." placeholder:"HOST:PORT"`
	LogLevel      string   `help:"debug, info, warn or error (info)." placeholder:"LEVEL"`
}

// Help says how it is used.
func (scopeCommand) Help() string {
	return "Point miners at --listen instead of at the pool. Every line between them and the pool is passed on as it is, then shown, kept and checked: see http://127.0.0.1:8000/docs for the API.\n\nExample: poolscope scope --listen :3333 --pool stratum+tcp://pool.example:3333"
}

// Run runs the scope until it is interrupted.
func (c *scopeCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	logs, err := telemetry.NewLogs(env.stderr, app.LogConfig(cfg))
	if err != nil {
		return err
	}
	defer logs.Close()
	return app.RunScope(env.ctx, cfg, env.build, logs.Logger(), env.stdout)
}

// load reads the file and lays environment and flags over it.
func (c *scopeCommand) load() (*config.Config, error) {
	var flags []config.Flag
	for _, f := range []config.Flag{
		{Name: "--listen", Key: "scope.listen", Value: strings.Join(c.Listen, ",")},
		{Name: "--tls-listen", Key: "scope.tls_listen", Value: strings.Join(c.TLSListen, ",")},
		{Name: "--pool", Key: "scope.pools", Value: strings.Join(c.Pool, ",")},
		{Name: "--own-pool", Key: "scope.own_pools", Value: strings.Join(c.OwnPool, ",")},
		{Name: "--relay", Key: "fleet.relays", Value: strings.Join(c.Relay, ",")},
		{Name: "--run", Key: "scope.run_id", Value: c.RunID},
		{Name: "--author", Key: "fleet.authors", Value: strings.Join(c.Author, ",")},
		{Name: "--data-dir", Key: "data_dir", Value: c.DataDir},
		{Name: "--http", Key: "http.listen", Value: c.HTTP},
		{Name: "--log-level", Key: "log.level", Value: c.LogLevel},
	} {
		if f.Value != "" {
			flags = append(flags, f)
		}
	}
	if c.KeepPasswords {
		flags = append(flags, config.Flag{Name: "--keep-passwords", Key: "scope.keep_passwords", Value: "true"})
	}
	return config.LoadScope(c.Config, scopeDataDir, flags...)
}
