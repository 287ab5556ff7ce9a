package main

import (
	"fmt"
	"net"
	"strconv"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

type poolCommand struct {
	configFlags `embed:""`
}

// Help says what signals do.
func (poolCommand) Help() string {
	return "SIGHUP reads the configuration again and opens the log file anew. SIGUSR2 puts the poolscope that is installed now in the place of the running one; its sockets stay open."
}

// Run runs the pool until it is interrupted.
func (c *poolCommand) Run(env *environment) error {
	sockets, err := app.TakeSockets()
	if err != nil {
		return err
	}
	requests, stop := operatorRequests()
	defer stop()
	cfg, err := c.load()
	if err != nil {
		return err
	}
	logs, err := telemetry.NewLogs(env.stderr, app.LogConfig(cfg))
	if err != nil {
		return err
	}
	defer logs.Close()
	return app.RunPool(env.ctx, app.PoolOptions{
		Config:    cfg,
		Source:    config.Source{Path: c.Config, Flags: c.flags()},
		Logs:      logs,
		Build:     env.build,
		Out:       env.stdout,
		Requests:  requests,
		Program:   app.ThisProgram(append([]string{"pool"}, c.arguments()...), append([]string{"config", "check"}, c.arguments()...)),
		Inherited: sockets,
	})
}

// configFlags name a configuration file and what wins over it. Every other key
// of the file can be set by an environment variable, POOLSCOPE_SECTION_KEY.
type configFlags struct {
	Config     string `help:"Configuration file; poolscope config example writes one." type:"path" placeholder:"FILE"`
	DataDir    string `help:"Folder for books, found blocks and the certificate (data)." placeholder:"DIR"`
	HTTP       string `name:"http" help:"Address of the web page (127.0.0.1:8000)." placeholder:"HOST:PORT"`
	Stratum    string `help:"Address for miners (:3333)." placeholder:"HOST:PORT"`
	StratumTLS string `name:"stratum-tls" help:"Address for miners over TLS (:4333)." placeholder:"HOST:PORT"`
	LogLevel   string `help:"debug, info, warn or error (info)." placeholder:"LEVEL"`
}

// flags are those that were given.
func (c *configFlags) flags() []config.Flag {
	var given []config.Flag
	for _, f := range []config.Flag{
		{Name: "--data-dir", Key: "data_dir", Value: c.DataDir},
		{Name: "--http", Key: "http.listen", Value: c.HTTP},
		{Name: "--stratum", Key: "stratum.listen", Value: c.Stratum},
		{Name: "--stratum-tls", Key: "stratum.tls_listen", Value: c.StratumTLS},
		{Name: "--log-level", Key: "log.level", Value: c.LogLevel},
	} {
		if f.Value != "" {
			given = append(given, f)
		}
	}
	return given
}

// load reads the file and lays environment and flags over it.
func (c *configFlags) load() (*config.Config, error) { return config.Load(c.Config, c.flags()...) }

// arguments call another program in the same way.
func (c *configFlags) arguments() []string {
	var list []string
	if c.Config != "" {
		list = append(list, "--config="+c.Config)
	}
	for _, f := range c.flags() {
		list = append(list, f.Name+"="+f.Value)
	}
	return list
}

// usage is an error of how the program was called.
func usage(text string) error { return fmt.Errorf("%w: %s", errUsage, text) }

// checkAddresses says which of the flags' values is no host:port. Empty ones
// are left to the command.
func checkAddresses(flags ...config.Flag) error {
	for _, f := range flags {
		if f.Value == "" {
			continue
		}
		_, port, err := net.SplitHostPort(f.Value)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return usage(fmt.Sprintf("%s: %q must be host:port with a port between 0 and 65535", f.Name, f.Value))
		}
	}
	return nil
}
