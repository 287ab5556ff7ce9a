package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/poolscope/poolscope/internal/load"
	"github.com/poolscope/poolscope/internal/miner"
)

type loadCommand struct {
	Pool        string        `help:"Pool of yours, as stratum+tcp://host:port." required:"" placeholder:"URL"`
	User        string        `help:"Worker name; %d becomes the number of the connection." required:"" placeholder:"ADDRESS.W%%D"`
	Password    string        `help:"Password; empty asks for the lowest difficulty." placeholder:"TEXT"`
	Connections int           `help:"Miners to be, at most 100000." default:"100"`
	Shares      int           `help:"Shares that each of them submits; 0 for none." default:"100"`
	Outstanding int           `help:"Submits that each of them may have unanswered." default:"1"`
	Rate        float64       `help:"Shares per second of all together, whatever the pool's answers; 0 is as fast as it answers." default:"0"`
	Duration    time.Duration `help:"Longest time of the whole run; what was measured until then is reported." default:"2m"`
	PID         int           `name:"pid" help:"Process of the pool on this machine, to measure its CPU time and resident memory." default:"0"`

	Settle   time.Duration `help:"Pause after the last handshake, before memory is read." default:"1s"`
	Hold     time.Duration `help:"Time to keep the connections idle, to measure that and new tips meanwhile." default:"0s"`
	Blocks   int           `help:"Blocks to mine through --node-rpc, to measure how each reaches all miners." default:"0"`
	BlockGap time.Duration `help:"Pause after each block." default:"2s"`
	NodeRPC  string        `name:"node-rpc" help:"RPC address of the regtest node or devnet that the pool is on." placeholder:"http://USER:PASSWORD@HOST:PORT"`
	Cookie   string        `name:"node-cookie" help:"Cookie file of that node, instead of user and password." placeholder:"FILE"`

	Through    string `help:"Proxy in front of the same pool: every second miner goes through it, and both are compared." placeholder:"URL"`
	ThroughPID int    `name:"through-pid" help:"Process of the proxy on this machine." default:"0"`

	InFlight         int           `help:"Handshakes under way at once." default:"64"`
	HandshakeTimeout time.Duration `help:"Longest time for all handshakes together." default:"30s"`
	Sources          int           `help:"Loopback addresses to connect from (127.0.0.1, 127.0.0.2, …) when the pool is on this machine; 0 is one for every 5000 connections." default:"0"`
	Targets          int           `help:"Loopback addresses to connect to, the pool's and those behind it, when it listens on all." default:"1"`
	Agent            string        `help:"User agent (${default})." default:"poolscope-load/1" placeholder:"TEXT"`
	Suggest          float64       `help:"Difficulty to suggest; 0 is a tenth of a millionth where shares are sent, -1 none." default:"0"`
	SuggestLate      bool          `help:"Suggest it after authorize, for pools that wait for it there."`
	VersionRolling   bool          `help:"Ask for version rolling, and roll the version of each share."`
	Insecure         bool          `help:"Take any TLS certificate."`
	Yes              bool          `help:"The pool is mine. Needed on private networks above 1000 connections and on public addresses, where the load stays small all the same."`

	JSON      bool   `name:"json" help:"Report as JSON."`
	JSONFile  string `name:"json-file" help:"Write the report as JSON into a file, too." placeholder:"FILE"`
	LogLevel  string `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"warn"`
	LogFormat string `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Run puts the load on and prints the report.
func (c *loadCommand) Run(env *environment) error {
	if _, err := miner.ParseEndpoint(c.Pool); err != nil {
		return usage("--pool: " + err.Error())
	}
	if c.Connections <= 0 || c.Shares < 0 || c.Outstanding <= 0 || c.Rate < 0 || c.Duration <= 0 || c.Hold < 0 || c.Blocks < 0 {
		return usage("--connections, --outstanding and --duration must be above zero; --shares, --rate, --hold and --blocks not below")
	}
	if c.Blocks > 0 && c.NodeRPC == "" {
		return usage("--blocks needs --node-rpc: the blocks are mined through the pool's node")
	}
	if c.Through != "" {
		if _, err := miner.ParseEndpoint(c.Through); err != nil {
			return usage("--through: " + err.Error())
		}
	}
	log, err := env.logger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	report, err := load.Run(env.ctx, load.Config{
		Pool:              c.Pool,
		User:              c.User,
		Password:          c.Password,
		UserAgent:         c.Agent,
		SuggestDifficulty: c.Suggest,
		SuggestLate:       c.SuggestLate,
		VersionRolling:    c.VersionRolling,
		Sources:           c.Sources,
		Targets:           c.Targets,
		Confirmed:         c.Yes,
		Connections:       c.Connections,
		InFlight:          c.InFlight,
		HandshakeTimeout:  c.HandshakeTimeout,
		Settle:            c.Settle,
		Hold:              c.Hold,
		Blocks:            c.Blocks,
		BlockGap:          c.BlockGap,
		Node:              c.NodeRPC,
		NodeCookie:        c.Cookie,
		Shares:            c.Shares,
		Outstanding:       c.Outstanding,
		Rate:              c.Rate,
		Duration:          c.Duration,
		PID:               c.PID,
		InsecureTLS:       c.Insecure,
		Through:           c.Through,
		ThroughPID:        c.ThroughPID,
	}, log, env.stderr)
	switch {
	case errors.Is(err, load.ErrNotConfirmed):
		return usage(err.Error() + " with --yes")
	case errors.Is(err, load.ErrBadConfig), errors.Is(err, load.ErrTooMuch):
		return usage(err.Error())
	}
	// A load that could not be put on whole has a report of what was.
	if report != nil {
		err = errors.Join(err, c.print(env.stdout, report))
	}
	return err
}

func (c *loadCommand) print(out io.Writer, report *load.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	text = append(text, '\n')
	if c.JSONFile != "" {
		if err := os.WriteFile(c.JSONFile, text, 0o644); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if c.JSON {
		_, err = out.Write(text)
	} else {
		_, err = fmt.Fprintln(out, report)
	}
	return err
}
