package hub

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/endpoint"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

const (
	// maxWaiting bounds the shares that wait to be signed.
	maxWaiting = 1024
	// maxShareSize bounds the content of a share event, in bytes.
	maxShareSize = 16 << 10
	methodSubmit = "mining.submit"
	// withheld stands for names that are not published.
	withheld = "withheld"
	// defaultPort is a pool's when its address names none.
	defaultPort = 3333
)

// Reasons why a share of a broadcasting session is not published.
const (
	DropQueueFull  = "queue_full"
	DropParameters = "parameters"    // not a list of 5 to 16 texts
	DropAgent      = "agent_session" // an agent's own: its shares would go round for ever
	DropOversized  = "oversized"
	DropSigning    = "signing"
)

// agentPrefixes are how agents name themselves to pools.
var agentPrefixes = []string{"poolscope-agent/", "hashscope_agent/"}

// Switches are the settings of sessions. *replay.Service is one.
type Switches interface {
	Settings(session string) replay.Settings
	Change(session string, c replay.Change) (replay.Settings, error)
}

// publisher makes share events of captured shares.
type publisher struct {
	member   *fleet.Member
	switches Switches
	session  func(id string) (capture.Session, bool)
	publish  func(*nostr.Event)
	names    bool     // publish names and addresses
	workers  []string // whose sessions are switched to broadcasting by themselves
	now      func() time.Time
	log      *slog.Logger
	queue    chan task

	mu      sync.Mutex
	seqs    map[string]uint64 // of the sessions that broadcast or were looked at
	shares  uint64
	dropped map[string]uint64
}

// task is a share to publish.
type task struct {
	message *capture.Message
	seq     uint64
	repeat  int
}

func (p *publisher) drop(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped[why]++
}

// captured takes each message of the recorder, whose goroutine it never keeps.
func (p *publisher) captured(m *capture.Message) {
	if m.Direction != capture.MinerToPool || m.Method != methodSubmit {
		return
	}
	settings := p.switches.Settings(m.Session)
	if !settings.Broadcast {
		if len(p.workers) == 0 || !p.begins(m) {
			return
		}
		settings.Broadcast = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seqs[m.Session]++ // before the queue: who gets the others sees the hole
	select {
	case p.queue <- task{m, p.seqs[m.Session], settings.RepeatCount}:
	default:
		p.dropped[DropQueueFull]++
	}
}

// begins switches a session to broadcasting, once, when its worker is one of
// those that are always published.
func (p *publisher) begins(m *capture.Message) bool {
	if !slices.Contains(p.workers, m.Worker) {
		return false
	}
	p.mu.Lock()
	_, known := p.seqs[m.Session]
	if !known {
		p.seqs[m.Session] = 0
	}
	p.mu.Unlock()
	if known {
		return false // somebody switched it off
	}
	if s, ok := p.session(m.Session); !ok || s.Origin != capture.OriginProxy {
		return false // the tap sees the same shares once more
	}
	on := true
	_, err := p.switches.Change(m.Session, replay.Change{Broadcast: &on})
	return err == nil
}

// ended forgets a session.
func (p *publisher) ended(session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seqs, session)
}

// run publishes until ctx ends.
func (p *publisher) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-p.queue:
			p.one(t)
		}
	}
}

func (p *publisher) one(t task) {
	e, why := p.event(t)
	if why != "" {
		p.drop(why)
		return
	}
	p.publish(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shares++
}

// event makes the event of a share, or says why there is none.
func (p *publisher) event(t task) (e *nostr.Event, why string) {
	m := t.message
	s, _ := p.session(m.Session)
	if slices.ContainsFunc(agentPrefixes, func(prefix string) bool { return strings.HasPrefix(s.UserAgent, prefix) }) {
		return nil, DropAgent
	}
	fields := m.Fields()
	var params []json.RawMessage
	if json.Unmarshal(fields.Params, &params) != nil || len(params) < 5 {
		return nil, DropParameters
	}
	share := fleet.Share{
		RunID: p.member.Run(), EventID: capture.NewID(), Seq: t.seq, Time: fleet.FormatTime(m.Received), Pool: targetOf(s),
		Stratum: fleet.Submit{ID: json.RawMessage(m.ID), Params: params}, RepeatCount: t.repeat,
		Context: fleet.Context{SessionID: m.Session, MinerPeer: m.Peer},
	}
	if !p.names && !p.member.Encrypted() {
		share.Stratum.Params = slices.Clone(params)
		share.Stratum.Params[0] = json.RawMessage(`"` + withheld + `"`)
		share.Context.MinerPeer = withheld
	}
	content, err := share.Encode()
	switch {
	case err != nil:
		return nil, DropParameters
	case len(content) > maxShareSize:
		return nil, DropOversized
	}
	if _, err := fleet.ParseShare(content, p.member.Run()); err != nil {
		return nil, DropParameters // no agent would take it
	}
	if e, err = p.member.Seal(fleet.TypeShare, content, p.now()); err != nil {
		p.log.Warn("share not published", "session", m.Session, "err", err)
		return nil, DropSigning
	}
	return e, ""
}

// targetOf is a session's pool; that of a tap is this program's own and has no
// name.
func targetOf(s capture.Session) fleet.Target {
	for _, text := range []string{s.Pool, s.PoolPeer, s.Listener} {
		if e, err := endpoint.Parse(text); err == nil {
			port := int(e.Port)
			if port == 0 {
				port = defaultPort
			}
			return fleet.Target{Host: e.Host, Port: port}
		}
	}
	return fleet.Target{}
}

func (p *publisher) status() Published {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Published{Shares: p.shares, Waiting: len(p.queue), Dropped: maps.Clone(p.dropped)}
}
