package main

import (
	"errors"
	"os"
	"time"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/agent"
	"github.com/poolscope/poolscope/internal/miner"
)

type agentCommand struct {
	Pool     string `help:"Pool to submit to, as stratum+tcp://host:port or stratum+ssl://host:port." required:"" placeholder:"URL" env:"POOLSCOPE_AGENT_POOL"`
	User     string `help:"Worker name at the pool: a Bitcoin address, and after a dot a name." required:"" placeholder:"ADDRESS.NAME" env:"POOLSCOPE_AGENT_USER"`
	Password string `help:"Password at the pool." default:"x" placeholder:"TEXT" env:"POOLSCOPE_AGENT_PASSWORD"`
	Insecure bool   `help:"Take any TLS certificate of the pool."`
	Own      bool   `help:"The pool is mine. Always needed, also on this machine: load on other people's pools is an attack, and without it nothing is connected to." env:"POOLSCOPE_AGENT_OWN"`

	Relay        []string `help:"Nostr relay, as wss://host. Repeat it for more." required:"" placeholder:"URL" env:"POOLSCOPE_AGENT_RELAY"`
	RunID        string   `name:"run" help:"Name of the run, as the scope shows it." required:"" placeholder:"NAME" env:"POOLSCOPE_AGENT_RUN"`
	Author       []string `help:"Public key of the scope, as it shows it: only its shares and orders are taken. any: everybody's." placeholder:"NPUB" env:"POOLSCOPE_AGENT_AUTHOR"`
	KeyFile      string   `help:"File with the agent's own secret key; made when missing (${default})." default:"data/agent/key" placeholder:"FILE" env:"POOLSCOPE_AGENT_KEY_FILE"`
	GroupKeyFile string   `help:"File with the secret key that the whole fleet shares; what is said is encrypted with it." placeholder:"FILE" env:"POOLSCOPE_AGENT_GROUP_KEY_FILE"`
	HashScope    bool     `name:"hashscope" help:"Also take shares that HashScope publishes. It uses the kinds 30080 and 30079."`

	AgentID string `name:"agent-id" help:"Name of the agent, different from that of all others; the host's when left out." placeholder:"NAME" env:"POOLSCOPE_AGENT_ID"`
	Region  string `help:"Where the agent is, such as eu-central or us-west." placeholder:"NAME" env:"POOLSCOPE_AGENT_REGION"`

	Mode        string   `help:"replay: the scope's shares as they are, which an honest pool rejects. mine: its own valid shares (${default})." enum:"replay,mine" default:"replay" env:"POOLSCOPE_AGENT_MODE"`
	Rate        *float64 `help:"Shares per second: aimed at in mine (0.2), the most in replay (50); 0: none, in mine until an order says otherwise." placeholder:"N" env:"POOLSCOPE_AGENT_RATE"`
	MaxRate     float64  `help:"Most shares per second that an order of the scope can ask for in mine (${default}); 0: no order is followed." default:"10" placeholder:"N"`
	Difficulty  float64  `help:"Least difficulty of the shares in mine; 0 is that of the pool." default:"0" placeholder:"D" env:"POOLSCOPE_AGENT_DIFFICULTY"`
	MaxHashrate float64  `help:"Most hashes per second in mine (${default})." default:"2000000" placeholder:"H/S"`
	MaxRepeat   int      `help:"Most times that one share is submitted in replay, whatever the scope says (${default})." default:"1000" placeholder:"N"`
	Queue       int      `help:"Share events that wait while the pool is slow or away; more are dropped and counted (${default})." default:"1000" placeholder:"N"`

	TelemetryInterval time.Duration `help:"Time between two reports to the scope, at most 10m (${default})." default:"5s" env:"POOLSCOPE_AGENT_TELEMETRY_INTERVAL"`
	ShareKind         int           `help:"Nostr kind of share events (${default})." default:"3080"`
	TelemetryKind     int           `help:"Nostr kind of telemetry events (${default})." default:"3079"`
	OrderKind         int           `help:"Nostr kind of orders (${default})." default:"3081"`
	LogLevel          string        `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat         string        `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Help says how it is used.
func (agentCommand) Help() string {
	return "Submits shares to a pool of yours from where it runs, and tells the scope how it went: latency, acceptance, when it saw new blocks. The scope prints --relay, --run and --author when it starts.\n\nExample: poolscope agent --pool stratum+tcp://pool.example:3333 --own --user ADDRESS.eu --relay wss://relay.example --run lab --author npub1… --region eu-central --mode mine"
}

// Run runs the agent until it is interrupted.
func (c *agentCommand) Run(env *environment) error {
	rate := agent.DefaultRate(c.Mode)
	if c.Rate != nil {
		rate = *c.Rate
	}
	if rate < 0 || c.MaxRate < 0 || c.Difficulty < 0 || c.MaxHashrate <= 0 || c.MaxRepeat < 1 || c.Queue < 1 || c.TelemetryInterval <= 0 {
		return usage("--max-hashrate, --max-repeat, --queue and --telemetry-interval must be above zero; --rate, --max-rate and --difficulty not below")
	}
	id := c.AgentID
	if id == "" {
		var err error
		if id, err = os.Hostname(); err != nil || id == "" {
			return usage("--agent-id: this machine has no name")
		}
	}
	log, err := env.logger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	err = app.RunAgent(env.ctx, app.AgentOptions{
		Agent: agent.Config{
			Pool: c.Pool, User: c.User, Password: c.Password, Insecure: c.Insecure, Own: c.Own,
			Relays: c.Relay, HashScope: c.HashScope, ID: id, Region: c.Region, Version: env.build.Version,
			Mode: c.Mode, Rate: rate, MaxRate: c.MaxRate, Difficulty: c.Difficulty, Hashrate: c.MaxHashrate,
			MaxRepeat: c.MaxRepeat, Queue: c.Queue, Interval: c.TelemetryInterval,
		},
		Run: c.RunID, Kinds: fleet.Kinds{Share: c.ShareKind, Telemetry: c.TelemetryKind, Order: c.OrderKind},
		Authors: c.Author, KeyFile: c.KeyFile, GroupKeyFile: c.GroupKeyFile,
	}, log, env.stdout)
	switch {
	case errors.Is(err, app.ErrAuthors), errors.Is(err, config.ErrAuthor), errors.Is(err, agent.ErrConfig), errors.Is(err, miner.ErrBadPool), errors.Is(err, fleet.ErrRun), errors.Is(err, fleet.ErrKinds):
		return usage(err.Error())
	}
	return err
}
