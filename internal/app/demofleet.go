package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/agent"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/telemetry"
)

const (
	demoRun = "demo"
	// demoAgentRate are the shares per second of the mining agent, demoAgentShare
	// is what it may hash of what the miners do together.
	demoAgentRate     = 0.25
	demoAgentMaxRate  = 10
	demoAgentShare    = 0.25
	demoAgentInterval = 2 * time.Second
)

// demoFleet is a relay and two agents on this machine.
type demoFleet struct {
	listener net.Listener
	relay    *relay.Relay
	agents   []*agent.Agent
}

// listenDemoFleet binds the relay's address and tells the pool's scope of it. It
// returns nil when there is to be none.
func listenDemoFleet(o DemoOptions, cfg *config.Config) (*demoFleet, error) {
	if o.Relay == "" {
		return nil, nil
	}
	l, err := listen("relay", "--relay", o.Relay)
	if err != nil {
		return nil, err
	}
	f := &demoFleet{listener: l}
	f.relay = relay.New(relay.Config{Name: "poolscope demo"})
	cfg.Fleet.Relays = []string{f.address()}
	cfg.Fleet.Authors = []string{config.AnyAuthor} // who can reach the relay may take part
	cfg.Scope.RunID = demoRun
	if o.Miners > 0 {
		cfg.Fleet.Workers = []string{demoUser(o.Miners - 1)} // the one behind the proxy
	}
	return f, nil
}

func (f *demoFleet) address() string { return "ws://" + f.listener.Addr().String() }

// join makes the agents.
func (f *demoFleet) join(p *poolParts, build telemetry.Build, hashrate float64, log *slog.Logger) error {
	authors, err := config.PublicKeys([]string{p.scope.fleet.Status().PublicKey})
	if err != nil {
		return err
	}
	for _, a := range []agent.Config{
		{ID: "demo-eu-central", Region: "eu-central", Mode: fleet.ModeReplay, Rate: agent.DefaultRate(fleet.ModeReplay)},
		{ID: "demo-us-west", Region: "us-west", Mode: fleet.ModeMine, Rate: demoAgentRate, MaxRate: demoAgentMaxRate, Hashrate: hashrate},
	} {
		key, err := nostr.NewSecretKey()
		if err != nil {
			return err
		}
		if a.Member, err = fleet.NewMember(demoRun, fleet.DefaultKinds(), key, nostr.SecretKey{}); err != nil {
			return err
		}
		a.Key, a.Version, a.Relays, a.Interval = key, build.Version, []string{f.address()}, demoAgentInterval
		a.Authors = authors
		a.Own = true // the demo's
		a.Pool = "stratum+tcp://" + p.ownPool()
		a.User = demoAddress("agent "+a.ID) + "." + a.ID
		one, err := agent.New(a, log.With("part", "agent", "agent", a.ID))
		if err != nil {
			return err
		}
		f.agents = append(f.agents, one)
	}
	return nil
}

// serve runs the relay until ctx ends.
func (f *demoFleet) serve(ctx context.Context) error {
	server := &http.Server{Handler: f.relay, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		f.relay.Close()
		_ = server.Close() // nothing is left that could fail
	})
	defer stop()
	if err := server.Serve(f.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("relay: %w", err)
	}
	return nil
}

// close releases the address when nothing ran.
func (f *demoFleet) close() {
	if f != nil {
		_ = f.listener.Close()
	}
}

// front are the agents.
func (f *demoFleet) front() (parts stage) {
	if f == nil {
		return nil
	}
	for _, a := range f.agents {
		parts = append(parts, part{"agent", a.Run})
	}
	return parts
}

// back is the relay, which is to be there until nobody needs it.
func (f *demoFleet) back() stage {
	if f == nil {
		return nil
	}
	return stage{{"relay", f.serve}}
}
