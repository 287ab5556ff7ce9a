package main

import (
	"fmt"

	"github.com/poolscope/poolscope/internal/config"
)

type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Say what is wrong with a configuration, all at once."`
	Print   configPrintCommand   `cmd:"" help:"Print the configuration in force and where each value comes from, without secrets."`
	Example configExampleCommand `cmd:"" help:"Print a commented configuration file with every key."`
}

type configCheckCommand struct {
	configFlags `embed:""`
}

// Run checks a configuration.
func (c *configCheckCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	for _, warning := range cfg.Warnings() {
		fmt.Fprintln(env.stdout, "warning:", warning)
	}
	_, err = fmt.Fprintln(env.stdout, "The configuration is good.")
	return err
}

type configPrintCommand struct {
	configFlags `embed:""`
}

// Run prints a configuration.
func (c *configPrintCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	return cfg.Print(env.stdout)
}

type configExampleCommand struct{}

// Run prints the commented example.
func (configExampleCommand) Run(env *environment) error {
	_, err := fmt.Fprint(env.stdout, config.Example())
	return err
}
