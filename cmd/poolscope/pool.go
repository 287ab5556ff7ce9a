package main

import (
	"fmt"
	"net"
	"strconv"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
)

type poolCommand struct {
	configFlags `embed:""`
}

// Run runs the pool until it is interrupted.
func (c *poolCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := env.logger(cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	return app.RunPool(env.ctx, cfg, env.build, log, env.stdout)
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

// load reads the file and lays environment and flags over it.
func (c *configFlags) load() (*config.Config, error) {
	var flags []config.Flag
	for _, f := range []config.Flag{
		{Name: "--data-dir", Key: "data_dir", Value: c.DataDir},
		{Name: "--http", Key: "http.listen", Value: c.HTTP},
		{Name: "--stratum", Key: "stratum.listen", Value: c.Stratum},
		{Name: "--stratum-tls", Key: "stratum.tls_listen", Value: c.StratumTLS},
		{Name: "--log-level", Key: "log.level", Value: c.LogLevel},
	} {
		if f.Value != "" {
			flags = append(flags, f)
		}
	}
	return config.Load(c.Config, flags...)
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
