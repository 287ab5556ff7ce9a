package main

import (
	"time"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/telemetry"
)

type demoCommand struct {
	DataDir       string        `help:"Folder for chain, books and logs; made when missing (${default})." default:"data/demo" placeholder:"DIR"`
	HTTP          string        `name:"http" help:"Address of the web page (${default})." default:"127.0.0.1:8000" placeholder:"HOST:PORT"`
	Stratum       string        `help:"Address for miners (${default})." default:"127.0.0.1:3333" placeholder:"HOST:PORT"`
	StratumTLS    string        `name:"stratum-tls" help:"Address for miners over TLS; empty for none (${default})." default:"127.0.0.1:4333" placeholder:"HOST:PORT"`
	Scope         string        `help:"Address of the scope, the proxy that shows the wire; empty for none (${default})." default:"127.0.0.1:3334" placeholder:"HOST:PORT"`
	Relay         string        `help:"Address of the fleet's Nostr relay; empty for no fleet (${default})." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	NodeRPC       string        `name:"node-rpc" help:"Address of the Bitcoin node's RPC server (${default})." default:"127.0.0.1:18443" placeholder:"HOST:PORT"`
	NodeZMQ       string        `name:"node-zmq" help:"Address of the Bitcoin node's ZMQ publisher (${default})." default:"127.0.0.1:28332" placeholder:"HOST:PORT"`
	BlockInterval time.Duration `help:"Mean time between blocks; fixed once the data folder's chain was made." default:"20s"`
	TxRate        float64       `help:"Transactions per second on the network." default:"1"`
	Miners        int           `help:"Number of CPU miners." default:"2"`
	MaxHashrate   float64       `help:"Most hashes per second of all miners together, besides half of what the machine can (${default})." default:"4000000" placeholder:"H/S"`
	LogLevel      string        `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"warn"`
	LogFormat     string        `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Run runs the demo until it is interrupted.
func (c *demoCommand) Run(env *environment) error {
	if c.BlockInterval <= 0 || c.Miners < 0 || c.TxRate < 0 || c.MaxHashrate < 0 {
		return usage("--block-interval must be above zero; --miners, --tx-rate and --max-hashrate not below")
	}
	if err := checkAddresses(
		config.Flag{Name: "--http", Value: c.HTTP},
		config.Flag{Name: "--stratum", Value: c.Stratum},
		config.Flag{Name: "--stratum-tls", Value: c.StratumTLS},
		config.Flag{Name: "--scope", Value: c.Scope},
		config.Flag{Name: "--relay", Value: c.Relay},
		config.Flag{Name: "--node-rpc", Value: c.NodeRPC},
		config.Flag{Name: "--node-zmq", Value: c.NodeZMQ},
	); err != nil {
		return err
	}
	logs, err := telemetry.NewLogs(env.stderr, telemetry.LogConfig{Level: c.LogLevel, Format: c.LogFormat})
	if err != nil {
		return err
	}
	defer logs.Close()
	return app.RunDemo(env.ctx, app.DemoOptions{
		DataDir:       c.DataDir,
		HTTP:          c.HTTP,
		Stratum:       c.Stratum,
		StratumTLS:    c.StratumTLS,
		Scope:         c.Scope,
		Relay:         c.Relay,
		NodeRPC:       c.NodeRPC,
		NodeZMQ:       c.NodeZMQ,
		BlockInterval: c.BlockInterval,
		TxRate:        c.TxRate,
		Miners:        c.Miners,
		MaxHashrate:   c.MaxHashrate,
	}, env.build, logs, env.stdout)
}
