package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/devnet"
	"github.com/poolscope/poolscope/internal/format"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Facts of the demo.
const (
	demoSharesPerMinute = 30
	demoBenchmark       = 200 * time.Millisecond
	demoShareOfCPU      = 0.5              // of what the machine can do, so that it stays usable
	demoQuietStart      = 15 * time.Second // its miners are there at once
)

// DemoOptions say how the demo runs. Addresses are host:port.
type DemoOptions struct {
	DataDir       string
	HTTP          string
	Stratum       string
	StratumTLS    string
	Scope         string
	Relay         string // of the fleet's relay; "" for no fleet
	NodeRPC       string
	NodeZMQ       string
	BlockInterval time.Duration
	TxRate        float64 // transactions per second
	Miners        int
	MaxHashrate   float64 // of all miners together, H/s
}

// RunDemo runs a whole system on loopback until ctx ends: a Bitcoin network of
// one node, a pool on it, and miners at the pool.
func RunDemo(ctx context.Context, o DemoOptions, build telemetry.Build, logs *telemetry.Logs, out io.Writer) (err error) {
	log := logs.Logger()
	release, err := openDataDir(o.DataDir)
	if err != nil {
		return err
	}
	defer release()

	// The addresses first: a busy one must not leave a chain behind that was
	// never mined on.
	p := &poolParts{cfg: demoConfig(o), log: log, logs: logs}
	defer func() { p.close() }()
	agents, err := listenDemoFleet(o, p.cfg)
	if err != nil {
		return err
	}
	defer agents.close()
	if err := p.listen(); err != nil {
		return err
	}
	hashrate := demoHashrate(o)
	chain, err := devnet.New(devnet.Config{
		DataDir:       filepath.Join(o.DataDir, "devnet"),
		RPCListen:     o.NodeRPC,
		ZMQListen:     o.NodeZMQ,
		BlockInterval: o.BlockInterval,
		Hashrate:      hashrate,
		TxRate:        o.TxRate,
	}, log.With("part", "devnet"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeInTime(chain.Close)) }()
	// A chain keeps the difficulty that it was made with. The miners keep to the
	// wanted interval as far as the machine is able to.
	hashrate = min(hashrate, chain.Difficulty()*bitcoin.HashesPerDifficulty/o.BlockInterval.Seconds())

	useDevnet(p.cfg, chain, demoDifficulty(hashrate, o.Miners))
	if err := p.open(ctx, build); err != nil {
		return err
	}
	ports := p.ports()
	addDevnet(ports, chain)
	if agents != nil {
		ports.Relay = agents.address()
		if err := agents.join(p, build, demoAgentShare*hashrate, log); err != nil {
			return err
		}
	}

	miners := stage{}
	for i := range o.Miners {
		m, err := miner.New(miner.Config{
			Pool:              "stratum+tcp://" + p.demoPool(i, o.Miners),
			User:              demoUser(i),
			Threads:           1,
			MaxHashrate:       hashrate / float64(o.Miners),
			SuggestDifficulty: demoDifficulty(hashrate, o.Miners),
		}, log.With("part", "miner", "miner", i))
		if err != nil {
			return err
		}
		miners = append(miners, part{"miner", m.Run})
	}
	if err := ports.write(o.DataDir); err != nil {
		return err
	}
	printAddresses(out, "poolscope demo "+build.Version+": a Bitcoin network, a pool and miners on this machine", o.DataDir, ports)
	p.scope.printFleet(out)
	switch every := expectedInterval(chain, hashrate).Round(time.Second); {
	case o.Miners > 0:
		fmt.Fprintf(out, "%d miners at %s find a block about every %s. Press Ctrl-C to end.\n", o.Miners, format.Hashrate(hashrate), every)
	default:
		fmt.Fprintf(out, "No miners; %s would find a block about every %s. Press Ctrl-C to end.\n", format.Hashrate(hashrate), every)
	}
	printToken(out, p.newToken, p.newToken != "")
	p.people.print(out)
	stages := append([]stage{append(stage{{"devnet", chain.Run}}, agents.back()...)}, p.keeping()...)
	return runStages(ctx, log, append(stages, p.front(), append(miners, agents.front()...))...)
}

// demoPool is where a demo miner connects to: the last one goes through the
// scope, so that there is something to see.
func (p *poolParts) demoPool(i, miners int) string {
	if through := p.scope.address(); through != "" && i == miners-1 {
		return through
	}
	return p.ownPool()
}

// demoHashrate is what the miners will do together: a part of what the machine
// can, and never more than was allowed.
func demoHashrate(o DemoOptions) float64 {
	threads := min(max(o.Miners, 1), runtime.NumCPU())
	able := miner.Benchmark(demoBenchmark) * float64(threads) * demoShareOfCPU
	if o.MaxHashrate > 0 {
		able = min(able, o.MaxHashrate)
	}
	return able
}

// demoDifficulty is the share difficulty at which one of the miners finds the
// wanted number of shares.
func demoDifficulty(hashrate float64, miners int) float64 {
	return hashrate / float64(max(miners, 1)) * 60 / demoSharesPerMinute / bitcoin.HashesPerDifficulty
}

func expectedInterval(chain *devnet.Node, hashrate float64) time.Duration {
	return time.Duration(chain.Difficulty() * bitcoin.HashesPerDifficulty / hashrate * float64(time.Second))
}

// demoUser is the address and name of a demo miner. Nobody has its key: coins
// of this network are worth nothing.
func demoUser(i int) string {
	return fmt.Sprintf("%s.miner%d", demoAddress(fmt.Sprintf("miner %d", i)), i+1)
}

// demoAddress is an address of the demo's network for a name.
func demoAddress(name string) string {
	program := sha256.Sum256([]byte("poolscope demo " + name))
	script := append([]byte{0x00, 20}, program[:20]...)
	address, _ := bitcoin.AddressOf(script, bitcoin.Regtest)
	return address
}

// demoConfig is the pool's configuration apart from its node.
func demoConfig(o DemoOptions) *config.Config {
	cfg := config.Default()
	cfg.DataDir = o.DataDir
	cfg.HTTP.Listen = o.HTTP
	cfg.Stratum.Listen = []string{o.Stratum}
	cfg.Stratum.TLSListen = nil
	if o.StratumTLS != "" {
		cfg.Stratum.TLSListen = []string{o.StratumTLS}
	}
	if o.Scope != "" {
		cfg.Scope.Listen = []string{o.Scope}
	}
	cfg.Scope.Tap = "all"
	cfg.Difficulty.SharesPerMinute = demoSharesPerMinute
	cfg.Network.Chain = string(bitcoin.Regtest)
	cfg.Alerts.AllowPrivate, cfg.Alerts.QuietStart = true, demoQuietStart
	return cfg
}

// useDevnet points a pool's configuration at a devnet, whose miners need a
// share difficulty.
func useDevnet(cfg *config.Config, chain *devnet.Node, difficulty float64) {
	cfg.Difficulty.Start = difficulty
	cfg.Difficulty.Min = min(cfg.Difficulty.Min, difficulty)
	cfg.Network.Genesis = chain.GenesisHash().String()
	cfg.Nodes = []config.Node{{
		Name:       "devnet",
		URL:        "http://" + chain.RPCAddr(),
		CookieFile: chain.CookieFile(),
	}}
	if address := chain.ZMQAddr(); address != "" {
		cfg.Nodes[0].ZMQHashBlock = "tcp://" + address
		cfg.Nodes[0].ZMQRawBlock = "tcp://" + address
	}
}
