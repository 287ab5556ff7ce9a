package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/inspect"
)

type inspectCommand struct {
	File     string   `arg:"" help:"pcap or pcapng of any network, JSONL of the export, messages as the API gives them, or a recording of poolscope capture; also with gzip. - is standard input."`
	Port     []uint16 `help:"Port that a pool is on, in files of packets: every TCP stream of it is a session. Without, sessions are found by what is said in them." placeholder:"N"`
	Network  string   `help:"Network of the addresses that jobs pay: ${enum} (${default}: that of the miner's own address, or main)." enum:"auto,main,test,testnet4,signet,regtest" default:"auto"`
	Payout   []string `help:"Address of yours: an alarm is raised for every coinbase that pays none of them." placeholder:"ADDRESS"`
	Session  string   `help:"Show this session only, or those whose id begins so." placeholder:"ID"`
	Rows     int      `help:"Most rows of a table, the newest; 0 shows all (${default})." default:"20"`
	Messages bool     `help:"Show what was said, too, a sentence for each line."`
	JSON     bool     `name:"json" help:"Everything as one JSON object."`
}

// Run reads a capture and prints what is in it. A file that can be read only in
// part, or was changed after it was written, is an error, after all that could
// be read.
func (c *inspectCommand) Run(env *environment) error {
	if c.Rows < 0 {
		return usage("--rows must not be below zero")
	}
	var network bitcoin.Network
	if c.Network != "auto" {
		network = bitcoin.Network(c.Network)
	}
	in, name := io.Reader(os.Stdin), "standard input"
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer file.Close()
		in, name = file, c.File
	}
	result, problem := inspect.Read(interruptible{env.ctx, in}, inspect.Options{Ports: c.Port, Payouts: c.Payout, Network: network})
	result.Keep(c.Session, c.Messages)
	if problem != nil {
		problem = fmt.Errorf("%s: %w", name, problem)
	}
	var err error
	switch {
	case errors.Is(problem, inspect.ErrUnknownFormat):
		return problem
	case c.JSON:
		encoder := json.NewEncoder(env.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(result)
	default:
		err = result.Print(env.stdout, inspect.Text{Name: name, Rows: c.Rows})
	}
	if chain := result.File.Chain; problem == nil && chain != nil && !chain.Intact {
		// A file that was cut off is damaged, which was told already.
		problem = fmt.Errorf("%s: the hash chain is broken: %s", name, chain.Broken)
	}
	return errors.Join(problem, err)
}

// interruptible ends a reader with its context: what was read is shown.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, errors.New("interrupted")
	}
	return r.Reader.Read(b)
}
