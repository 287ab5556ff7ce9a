package main

import (
	"net/url"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/relay"
)

type relayCommand struct {
	Listen            string   `help:"Address for clients (${default})." default:"127.0.0.1:7777" placeholder:"HOST:PORT"`
	DB                string   `name:"db" help:"SQLite file that keeps the events across restarts; made when missing. Without it they are in memory." type:"path" placeholder:"FILE"`
	URL               string   `name:"url" help:"ws:// or wss:// address that clients know the relay by, for NIP-42. With it clients are challenged." placeholder:"URL"`
	RequireAuth       bool     `help:"Take events and requests only from clients that have proved their key (NIP-42), one of --author if there are any."`
	Author            []string `help:"Public key, npub or 64 hexadecimal digits, that may write. Repeat it for more. Everybody may without it." placeholder:"KEY"`
	Origin            []string `help:"Origin of web pages that may connect, such as https://page.example; * for all. Repeat it for more. Programs always may." placeholder:"ORIGIN"`
	MaxEvents         int      `help:"Events that are kept (${default})." default:"10000" placeholder:"N"`
	MaxBytes          int      `help:"Bytes of all that is kept (${default})." default:"67108864" placeholder:"N"`
	MaxEventBytes     int      `help:"Bytes of one event (${default})." default:"65536" placeholder:"N"`
	MaxResults        int      `help:"Kept events that answer one request (${default})." default:"1000" placeholder:"N"`
	MaxConnections    int      `help:"Clients at the same time (${default})." default:"256" placeholder:"N"`
	MaxPerAddress     int      `help:"Clients of one IP address; behind a proxy all have the proxy's (${default})." default:"128" placeholder:"N"`
	MaxSubscriptions  int      `help:"Subscriptions of one client (${default})." default:"32" placeholder:"N"`
	EventsPerSecond   float64  `help:"Events of one client per second on average, five times as many at once (${default})." default:"200" placeholder:"N"`
	RequestsPerSecond float64  `help:"Requests of one client per second on average, five times as many at once (${default})." default:"20" placeholder:"N"`
	Name              string   `help:"Name in the relay's document (NIP-11)." default:"poolscope relay" placeholder:"TEXT"`
	LogLevel          string   `help:"Least important messages that are shown: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat         string   `help:"${enum}: for people or for machines." enum:"text,json" default:"text"`
}

// Help says how it is used.
func (relayCommand) Help() string {
	return "A small Nostr relay for a fleet of your own: NIP-01, NIP-11, NIP-40 and NIP-42. It logs what it does once a minute and tells its counts to this machine at http://HOST:PORT/stats.\n\nExample: poolscope relay --listen :7777 --db data/relay.db"
}

// Run runs the relay until it is interrupted.
func (c *relayCommand) Run(env *environment) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	log, err := env.logger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	return app.RunRelay(env.ctx, app.RelayOptions{Listen: c.Listen, Database: c.DB, Relay: cfg}, env.build, log, env.stdout)
}

// config checks the flags and is the relay that they describe.
func (c *relayCommand) config() (relay.Config, error) {
	if err := checkAddresses(config.Flag{Name: "--listen", Value: c.Listen}); err != nil {
		return relay.Config{}, err
	}
	if min(c.MaxEvents, c.MaxBytes, c.MaxEventBytes, c.MaxResults, c.MaxConnections, c.MaxPerAddress, c.MaxSubscriptions) <= 0 || min(c.EventsPerSecond, c.RequestsPerSecond) <= 0 {
		return relay.Config{}, usage("limits must be above zero")
	}
	if c.MaxEventBytes > nostr.MaxMessageBytes {
		return relay.Config{}, usage("--max-event-bytes must not be above 262144, the longest message")
	}
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss") {
		return relay.Config{}, usage("--url must be a ws:// or wss:// address")
	}
	var authors []string
	for _, text := range c.Author {
		key, err := nostr.ParsePublicKey(text)
		if err != nil {
			return relay.Config{}, usage("--author: not an npub and not 64 hexadecimal digits of a public key")
		}
		authors = append(authors, key.String())
	}
	return relay.Config{
		MaxEvents: c.MaxEvents, MaxBytes: c.MaxBytes, MaxEventBytes: c.MaxEventBytes, MaxResults: c.MaxResults,
		MaxConnections: c.MaxConnections, MaxPerAddress: c.MaxPerAddress, MaxSubscriptions: c.MaxSubscriptions,
		EventsPerSecond: c.EventsPerSecond, EventBurst: int(5*c.EventsPerSecond) + 1,
		RequestsPerSecond: c.RequestsPerSecond, RequestBurst: int(5*c.RequestsPerSecond) + 1,
		Address: c.URL, RequireAuth: c.RequireAuth, Authors: authors, Origins: c.Origin, Name: c.Name,
	}, nil
}
