package main

import (
	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/miner"
)

type minerCommand struct {
	Pool              string  `help:"Pool, as stratum+tcp://host:port or stratum+ssl://host:port." required:"" placeholder:"URL"`
	User              string  `help:"Worker name: a Bitcoin address, and after a dot a name for this miner." required:"" placeholder:"ADDRESS.NAME"`
	Password          string  `help:"Password; many pools read d=DIFFICULTY in it." default:"x" placeholder:"TEXT"`
	Threads           int     `help:"Threads; 0 is one per processor." default:"0"`
	MaxHashrate       float64 `help:"Most hashes per second of all threads together; 0 is no limit." default:"0" placeholder:"H/S"`
	SuggestDifficulty float64 `help:"Difficulty to suggest to the pool; 0 for none." default:"0.001" placeholder:"D"`
	Insecure          bool    `help:"Take any TLS certificate, such as a self-signed one."`
	LogLevel          string  `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat         string  `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Run mines until it is interrupted.
func (c *minerCommand) Run(env *environment) error {
	if c.Threads < 0 || c.MaxHashrate < 0 || c.SuggestDifficulty < 0 {
		return usage("--threads, --max-hashrate and --suggest-difficulty must not be below zero")
	}
	if _, err := miner.ParseEndpoint(c.Pool); err != nil {
		return usage("--pool: " + err.Error())
	}
	log, err := env.logger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	return app.RunMiner(env.ctx, miner.Config{
		Pool:              c.Pool,
		User:              c.User,
		Password:          c.Password,
		UserAgent:         "poolscope-miner/" + env.build.Version,
		Threads:           c.Threads,
		MaxHashrate:       c.MaxHashrate,
		InsecureTLS:       c.Insecure,
		SuggestDifficulty: c.SuggestDifficulty,
	}, log, env.stdout)
}
