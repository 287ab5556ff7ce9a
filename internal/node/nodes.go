package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Nodes is the pool's view of its Bitcoin nodes. Make it with New, then Run it.
type Nodes struct {
	log      *slog.Logger
	expected *bitcoin.Hash // Config.ExpectedGenesis
	members  []*member     // in order of preference
	dial     dialFunc      // for ZMQ

	templates chan *Template // capacity 1, newest wins
	tips      chan Tip       // capacity 1, newest wins
	kick      chan struct{}  // capacity 1: fetch a template
	fetched   chan struct{}  // capacity 1: look up what only pages want
	unseen    chan unseen    // capacity 1, newest wins: a block of which only the hash is known
	known     atomic.Pointer[txSet]

	// forced makes the next template be delivered even if it is no better.
	forced atomic.Bool

	over chan struct{}  // closed when Run ends
	late sync.WaitGroup // submissions that nobody waits for; added to before over

	// mu guards the rest, and the members' state. It is never held during I/O.
	mu         sync.Mutex
	changed    chan struct{} // closed and replaced when active, current or hinted change
	network    bitcoin.Network
	active     *member
	current    *Template // of active, or of the one before it
	tipSince   time.Time // when the first template on current.PrevHash arrived
	tipLive    bool      // the tip was seen to change, not just found at start
	sentAt     time.Time // when a template was last delivered
	fetchingAt time.Time // since when the feed waits for a template; zero: it does not
	hinted     bitcoin.Hash
	awaited    announcement // a tip without template
	tip        *Tip
	tipEmitted bitcoin.Hash
	tipAt      time.Time // when a tip was last emitted
	recent     []time.Time

	faults                                   uint64
	rpcDisconnects, rpcReconnects, rpcErrors uint64
	zmqDisconnects, zmqReconnects, zmqGaps   uint64
	rawBlockAt                               time.Time
	rawBlockBytes                            int
	gbt, submit                              latency
	events                                   []Event // newest last
	feedHistory                              []string
	feedErr                                  string
	feedErrAt                                time.Time
}

// Limits of what is remembered.
const (
	maxEvents      = 50
	maxFeedHistory = 3
)

// dialFunc opens a connection to a ZMQ publisher.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// deps is what a test replaces.
type deps struct {
	transport func(NodeConfig) http.RoundTripper
	dial      dialFunc
}

// New checks the configuration and builds the client; it starts nothing. All
// problems are reported together.
func New(cfg Config, log *slog.Logger) (*Nodes, error) {
	return newNodes(cfg, log, deps{
		transport: func(NodeConfig) http.RoundTripper { return newTransport() },
		dial:      newDialer().DialContext,
	})
}

func newNodes(cfg Config, log *slog.Logger, d deps) (*Nodes, error) {
	n := &Nodes{
		log:       log,
		expected:  cfg.ExpectedGenesis,
		dial:      d.dial,
		templates: make(chan *Template, 1),
		tips:      make(chan Tip, 1),
		kick:      make(chan struct{}, 1),
		fetched:   make(chan struct{}, 1),
		unseen:    make(chan unseen, 1),
		changed:   make(chan struct{}),
		over:      make(chan struct{}),
		network:   cfg.Network,
	}
	n.known.Store(new(txSet))

	var problems []error
	if len(cfg.Nodes) == 0 {
		problems = append(problems, ErrNoNodes)
	}
	names := make(map[string]bool)
	for i, nc := range cfg.Nodes {
		m, err := newMember(i, nc, cfg.Network, d.transport(nc))
		if err != nil {
			problems = append(problems, fmt.Errorf("node %d: %w", i+1, err))
			continue
		}
		if names[m.name] {
			problems = append(problems, fmt.Errorf("node %d: %w: %q", i+1, ErrDuplicateName, m.name))
		}
		names[m.name] = true
		n.members = append(n.members, m)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return n, nil
}

func newMember(index int, nc NodeConfig, network bitcoin.Network, transport http.RoundTripper) (*member, error) {
	e, user, password, err := parseEndpoint(nc.URL, network)
	if err != nil {
		return nil, err
	}
	if nc.User != "" || nc.Password != "" {
		user, password = nc.User, nc.Password
	}
	subscriptions, err := newSubscriptions(nc)
	if err != nil {
		return nil, err
	}
	m := &member{
		name:   nc.Name,
		index:  index,
		rpc:    newRPCClient(e, newCredentials(user, password, nc.CookieFile), transport),
		zmq:    subscriptions,
		wake:   make(chan struct{}, 1),
		state:  StateConnecting,
		reason: "No answer from the node yet.",
	}
	if m.name == "" {
		m.name = e.address
	}
	return m, nil
}

// Run keeps in touch with the nodes until ctx ends; then it returns nil. It
// may be called once. A panic in one of its parts is logged and counted
// (Status.Faults), and the part begins anew.
func (n *Nodes) Run(ctx context.Context) error {
	for _, m := range n.members {
		n.log.Info("using node", "node", m.name, "address", m.rpc.endpoint.address, "credentials", m.rpc.creds.String(), "cookie_file", m.rpc.creds.cookieFile)
	}

	var actors sync.WaitGroup
	for _, m := range n.members {
		actors.Go(func() { n.guard(ctx, "monitor", func(ctx context.Context) { n.monitor(ctx, m) }) })
		for _, s := range m.zmq {
			actors.Go(func() { n.guard(ctx, "zmq", func(ctx context.Context) { n.subscribe(ctx, m, s) }) })
		}
	}
	actors.Go(func() { n.guard(ctx, "feed", n.feed) })
	actors.Go(func() { n.guard(ctx, "long poll", n.longPoll) })
	actors.Go(func() { n.guard(ctx, "watch", n.watch) })
	actors.Go(func() { n.guard(ctx, "headers", n.lookUp) })
	actors.Go(func() { n.guard(ctx, "announced headers", n.announcedHeaders) })
	actors.Wait()
	n.end()
	n.late.Wait()

	for _, m := range n.members {
		m.rpc.http.CloseIdleConnections()
	}
	return nil
}

// end makes submissions in the background end.
func (n *Nodes) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.over)
}

// Templates delivers a template whenever the work changed (another tip,
// height, difficulty, version, value or set of transactions), when Refresh
// asked for one, and every 30 s. The channel holds one: a template that was
// not read yet is replaced by a newer one.
func (n *Nodes) Templates() <-chan *Template { return n.templates }

// Tips delivers the active node's new tips, as early as they are known: with a
// rawblock publisher before the template is there. The channel holds one, the
// newest. Only what the node accepted as its tip is delivered. After a tip, no
// template follows that was asked for before it and builds on another.
func (n *Nodes) Tips() <-chan Tip { return n.tips }

// Refresh asks for a new template now. It does not wait for it.
func (n *Nodes) Refresh() {
	n.forced.Store(true)
	n.fetchNow()
}

// fetchNow makes the feed fetch a template; during a fetch, another one.
func (n *Nodes) fetchNow() { signal(n.kick) }

// signal leaves a token in a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// eventLocked remembers an event and logs it.
func (n *Nodes) eventLocked(kind, message string) {
	n.noteLocked(slog.LevelInfo, kind, message)
}

// troubleLocked is eventLocked for what an operator has to know of.
func (n *Nodes) troubleLocked(kind, message string) {
	n.noteLocked(slog.LevelWarn, kind, message)
}

func (n *Nodes) noteLocked(level slog.Level, kind, message string) {
	n.log.Log(context.Background(), level, "node event", "type", kind, "event", message)
	n.events = append(n.events, Event{At: time.Now(), Type: kind, Message: message})
	if extra := len(n.events) - maxEvents; extra > 0 {
		n.events = append(n.events[:0:0], n.events[extra:]...)
	}
}

// feedEventLocked adds a line to the short history of the flow of templates.
func (n *Nodes) feedEventLocked(line string) {
	if last := len(n.feedHistory) - 1; last >= 0 && n.feedHistory[last] == line {
		return
	}
	n.feedHistory = append(n.feedHistory, line)
	if extra := len(n.feedHistory) - maxFeedHistory; extra > 0 {
		n.feedHistory = append(n.feedHistory[:0:0], n.feedHistory[extra:]...)
	}
}

// broadcastLocked wakes whoever waits for another active node, template or
// announcement.
func (n *Nodes) broadcastLocked() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// String describes a node without its credentials, whatever verb prints it.
func (c NodeConfig) String() string {
	name := c.Name
	if e, _, _, err := parseEndpoint(c.URL, ""); err == nil {
		name = strings.TrimSpace(name + " " + e.address)
	}
	return "node " + name
}

// GoString is String.
func (c NodeConfig) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c NodeConfig) LogValue() slog.Value { return slog.StringValue(c.String()) }
