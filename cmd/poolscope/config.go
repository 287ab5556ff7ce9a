package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/poolscope/poolscope/internal/config"
)

type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Say what is wrong with a configuration, all at once."`
	Print   configPrintCommand   `cmd:"" help:"Print the configuration in force and where each value comes from, without secrets."`
	Example configExampleCommand `cmd:"" help:"Print a commented configuration file with every key."`
}

type configCheckCommand struct {
	configFlags `embed:""`
	JSON        bool `name:"json" help:"Say it as JSON, for programs."`
	Scope       bool `help:"Check it for poolscope scope, which needs less than a pool does."`
}

// Run checks a configuration.
func (c *configCheckCommand) Run(env *environment) error {
	load := c.load
	if c.Scope {
		load = func() (*config.Config, error) { return config.LoadScope(c.Config, scopeDataDir, c.flags()...) }
	}
	cfg, err := load()
	if c.JSON {
		return errors.Join(err, printCheck(env.stdout, cfg, err))
	}
	if err != nil {
		return err
	}
	for _, warning := range cfg.Warnings() {
		fmt.Fprintln(env.stdout, "warning:", warning)
	}
	_, err = fmt.Fprintln(env.stdout, "The configuration is good.")
	return err
}

// checkReport is the outcome of a check for programs.
type checkReport struct {
	Good     bool           `json:"good"`
	Problems []checkProblem `json:"problems"`
	Warnings []string       `json:"warnings"`
}

// checkProblem is one mistake; Source is a file, a variable or a flag, and line
// and column are 0 where there is no such place.
type checkProblem struct {
	Source  string `json:"source"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

func printCheck(out io.Writer, cfg *config.Config, err error) error {
	report := checkReport{Good: err == nil, Problems: []checkProblem{}, Warnings: []string{}}
	var invalid *config.InvalidError
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			report.Problems = append(report.Problems, checkProblem(p))
		}
	case err != nil:
		report.Problems = append(report.Problems, checkProblem{Message: err.Error()})
	default:
		report.Warnings = append(report.Warnings, cfg.Warnings()...)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
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
