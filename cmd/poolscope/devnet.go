package main

import (
	"time"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/devnet"
)

type devnetCommand struct {
	DataDir       string        `help:"Folder for chain and cookie; made when missing (${default})." default:"data/devnet" placeholder:"DIR"`
	RPC           string        `name:"rpc" help:"Address of the RPC server (${default})." default:"127.0.0.1:18443" placeholder:"HOST:PORT"`
	ZMQ           string        `name:"zmq" help:"Address of the ZMQ publisher; empty for none (${default})." default:"127.0.0.1:28332" placeholder:"HOST:PORT"`
	BlockInterval time.Duration `help:"Mean time between blocks at --hashrate; fixed once the chain was made." default:"20s"`
	Hashrate      float64       `help:"Hashes per second that the miners will do together (${default})." default:"4000000" placeholder:"H/S"`
	TxRate        float64       `help:"Transactions per second." default:"1"`
	Regtest       bool          `help:"Bitcoin Core's own regtest genesis and difficulty, where any hash is nearly a block."`
	User          string        `help:"User for the RPC server, besides its cookie." placeholder:"NAME"`
	Password      string        `help:"Password of --user." env:"POOLSCOPE_DEVNET_PASSWORD" placeholder:"TEXT"`
	LogLevel      string        `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat     string        `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Run runs the network until it is interrupted.
func (c *devnetCommand) Run(env *environment) error {
	if c.BlockInterval <= 0 || c.TxRate < 0 || c.Hashrate <= 0 {
		return usage("--block-interval and --hashrate must be above zero, --tx-rate not below")
	}
	if err := checkAddresses(
		config.Flag{Name: "--rpc", Value: c.RPC},
		config.Flag{Name: "--zmq", Value: c.ZMQ},
	); err != nil {
		return err
	}
	log, err := env.logger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	return app.RunDevnet(env.ctx, devnet.Config{
		DataDir:       c.DataDir,
		RPCListen:     c.RPC,
		ZMQListen:     c.ZMQ,
		BlockInterval: c.BlockInterval,
		Hashrate:      c.Hashrate,
		Regtest:       c.Regtest,
		TxRate:        c.TxRate,
		User:          c.User,
		Password:      c.Password,
	}, env.build, log, env.stdout)
}
