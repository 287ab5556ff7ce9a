package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/poolscope/poolscope/internal/load"
	"github.com/poolscope/poolscope/internal/miner"
)

type loadCommand struct {
	Pool        string        `help:"Pool of yours, as stratum+tcp://host:port." required:"" placeholder:"URL"`
	User        string        `help:"Worker name; %d becomes the number of the connection." required:"" placeholder:"ADDRESS.W%%D"`
	Password    string        `help:"Password; empty asks for the lowest difficulty." placeholder:"TEXT"`
	Connections int           `help:"Miners to be." default:"100"`
	Shares      int           `help:"Shares that each of them submits." default:"100"`
	Outstanding int           `help:"Submits that each of them may have unanswered." default:"1"`
	Rate        float64       `help:"Shares per second of all together, whatever the pool's answers; 0 is as fast as it answers." default:"0"`
	Duration    time.Duration `help:"Longest time of the measurement; finding the shares before it takes up to two minutes more." default:"60s"`
	Hold        time.Duration `help:"Time to keep the connections idle, to measure that." default:"0s"`
	PID         int           `name:"pid" help:"Process of the pool, to measure its CPU time and memory." default:"0"`
	Insecure    bool          `help:"Take any TLS certificate."`
	JSON        bool          `name:"json" help:"Report as JSON."`
	LogLevel    string        `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"warn"`
	LogFormat   string        `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Run puts the load on and prints the report.
func (c *loadCommand) Run(env *environment) error {
	if _, err := miner.ParseEndpoint(c.Pool); err != nil {
		return usage("--pool: " + err.Error())
	}
	if c.Connections <= 0 || c.Shares < 0 || c.Outstanding <= 0 || c.Rate < 0 || c.Duration <= 0 || c.Hold < 0 {
		return usage("--connections, --outstanding and --duration must be above zero; --shares, --rate and --hold not below")
	}
	log, err := env.logger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	report, err := load.Run(env.ctx, load.Config{
		Pool:        c.Pool,
		User:        c.User,
		Password:    c.Password,
		Connections: c.Connections,
		Shares:      c.Shares,
		Outstanding: c.Outstanding,
		Rate:        c.Rate,
		Duration:    c.Duration,
		PID:         c.PID,
		Hold:        c.Hold,
		InsecureTLS: c.Insecure,
	}, log, env.stderr)
	// A load that could not be put on whole has a report of what was.
	if report != nil {
		err = errors.Join(err, c.print(env.stdout, report))
	}
	return err
}

func (c *loadCommand) print(out io.Writer, report *load.Report) error {
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	_, err := fmt.Fprintln(out, report)
	return err
}
