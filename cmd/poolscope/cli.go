package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// cli is the command line; kong reads it.
type cli struct {
	Demo    demoCommand    `cmd:"" help:"Run a whole Bitcoin network, a pool, miners and a web page on this machine. Needs nothing, changes nothing outside its data folder."`
	Pool    poolCommand    `cmd:"" help:"Run the solo mining pool on your own Bitcoin node."`
	Scope   scopeCommand   `cmd:"" help:"Put a microscope in front of any pool: every line between it and your miners is shown, kept and checked."`
	Devnet  devnetCommand  `cmd:"" help:"Run a Bitcoin test network of one node, with Bitcoin Core's RPC and ZMQ."`
	Miner   minerCommand   `cmd:"" help:"Mine on the processor, at any Stratum V1 pool."`
	Agent   agentCommand   `cmd:"" help:"Submit shares to a pool of yours from another place, and tell the scope how it goes."`
	Load    loadCommand    `cmd:"" help:"Put load with really valid shares on a pool of yours, and measure it."`
	Capture captureCommand `cmd:"" help:"Record what one miner and a running pool say to each other, into a file of the pool's."`
	Replay  replayCommand  `cmd:"" help:"Play one side of a captured session to a pool or to a miner."`
	Inspect inspectCommand `cmd:"" help:"Show the Stratum sessions, jobs, shares and alarms in a file: pcap, pcapng or JSON messages."`
	Top     topCommand     `cmd:"" help:"Show a running poolscope in the terminal: headline figures, workers, sessions, blocks and alarms, live."`
	Relay   relayCommand   `cmd:"" help:"Run a small Nostr relay for a fleet of your own."`
	Backup  backupCommand  `cmd:"" help:"Make, list and restore backups of a pool's books, blocks and accounts."`
	Account accountCommand `cmd:"" help:"Make and change accounts and end sessions, while the program runs or not."`
	Config  configCommand  `cmd:"" help:"Check, print or generate the configuration of the pool."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// environment is what commands share.
type environment struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	build  telemetry.Build
}

// errUsage marks errors of how the program was called.
var errUsage = errors.New("usage")

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var commands cli
	env := &environment{ctx, stdout, stderr, telemetry.ReadBuild(version, commit, date)}
	exited := -1
	parser, err := kong.New(&commands,
		kong.Name("poolscope"),
		kong.Description("The Bitcoin pool that you can see through.\n\nTry it: poolscope demo"),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(stderr, "poolscope:", err)
		return exitFailure
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err == nil {
		err = command.Run(env)
	} else {
		err = fmt.Errorf("%w: %w", errUsage, err)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "poolscope: %s\nSee poolscope --help.\n", strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		return exitUsage
	}
	fmt.Fprintln(stderr, "poolscope:", err)
	if errors.Is(err, config.ErrInvalid) {
		return exitUsage
	}
	return exitFailure
}

// logger writes to standard error.
func (e *environment) logger(level, format string) (*slog.Logger, error) {
	return telemetry.NewLogger(e.stderr, level, format)
}
