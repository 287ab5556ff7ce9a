package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// What is noticed is kept under these names, followed by what it is about.
const (
	aboutClock  = "clock"   // the watcher's own clock
	aboutBlocks = "blocks"  // that blocks are followed
	aboutBlock  = "block:"  // HASH: the last state of a block that was noticed
	aboutNode   = "node:"   // NAME: trouble with a node; without name that of the pool's work
	aboutWorker = "worker:" // RULE:NAME: whether a worker is there
	aboutBest   = "best:"   // RULE:NAME: the best share that was told
	aboutReject = "reject:" // RULE:NAME: that many shares are rejected
)

// about is the name of what a rule noticed of a worker; "" is the pool.
func about(what, rule, name string) string { return what + rule + ":" + name }

// ruleOf is the rule in a name that about made.
func ruleOf(what, name string) string {
	rule, _, _ := strings.Cut(strings.TrimPrefix(name, what), ":")
	return rule
}

// memory is what the watcher noticed so far: the same as what the store has.
type memory struct {
	clock     time.Duration
	following bool // blocks are followed
	blocks    map[string]blockSeen
	nodes     map[string]nodeSeen
	presences map[string]map[string]presence // by rule, so that none looks through all others'
	bests     map[string]bestTold
	rejects   map[string]rejecting
}

func newMemory() *memory {
	return &memory{
		blocks: make(map[string]blockSeen), nodes: make(map[string]nodeSeen), presences: make(map[string]map[string]presence),
		bests: make(map[string]bestTold), rejects: make(map[string]rejecting),
	}
}

// adopt takes in one thing that the store has.
func (m *memory) adopt(name string, value any) {
	switch v := value.(type) {
	case time.Duration:
		m.clock = v
	case bool:
		m.following = v
	case blockSeen:
		m.blocks[name] = v
	case nodeSeen:
		m.nodes[name] = v
	case presence:
		rule := ruleOf(aboutWorker, name)
		if m.presences[rule] == nil {
			m.presences[rule] = make(map[string]presence)
		}
		m.presences[rule][name] = v
	case bestTold:
		m.bests[name] = v
	case rejecting:
		m.rejects[name] = v
	}
}

// forget is the opposite of adopt.
func (m *memory) forget(name string) {
	switch {
	case name == aboutBlocks:
		m.following = false
	case strings.HasPrefix(name, aboutBlock):
		delete(m.blocks, name)
	case strings.HasPrefix(name, aboutNode):
		delete(m.nodes, name)
	case strings.HasPrefix(name, aboutWorker):
		rule := ruleOf(aboutWorker, name)
		if delete(m.presences[rule], name); len(m.presences[rule]) == 0 {
			delete(m.presences, rule)
		}
	case strings.HasPrefix(name, aboutBest):
		delete(m.bests, name)
	case strings.HasPrefix(name, aboutReject):
		delete(m.rejects, name)
	}
}

// recall fills an empty memory from the store. What cannot be read is left out
// and returned by name: it is noticed anew.
func (m *memory) recall(noticed map[string][]byte) (unreadable []string) {
	for name, text := range noticed {
		var err error
		switch {
		case name == aboutClock:
			err = adoptText(m, name, text, time.Duration(0))
		case name == aboutBlocks:
			err = adoptText(m, name, text, false)
		case strings.HasPrefix(name, aboutBlock):
			err = adoptText(m, name, text, blockSeen(""))
		case strings.HasPrefix(name, aboutNode):
			err = adoptText(m, name, text, nodeSeen{})
		case strings.HasPrefix(name, aboutWorker):
			err = adoptText(m, name, text, presence{})
		case strings.HasPrefix(name, aboutBest):
			err = adoptText(m, name, text, bestTold{})
		case strings.HasPrefix(name, aboutReject):
			err = adoptText(m, name, text, rejecting{})
		default:
			err = fmt.Errorf("unknown name %q", name)
		}
		if err != nil {
			unreadable = append(unreadable, name)
		}
	}
	return unreadable
}

func adoptText[T any](m *memory, name string, text []byte, value T) error {
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	m.adopt(name, value)
	return nil
}

// draft is what one look at the world brings: it becomes memory when the store
// has it.
type draft struct {
	now     time.Time
	put     map[string]any
	forgets []string
	entries []alert.Entry

	operators map[string]bool // those of the people that entries are for
}

func newDraft(now time.Time) *draft {
	return &draft{now: now, put: make(map[string]any), operators: make(map[string]bool)}
}

// set notes what was noticed.
func (d *draft) set(name string, value any) { d.put[name] = value }

// forget notes what is of no use any more.
func (d *draft) forget(name string) { d.forgets = append(d.forgets, name) }

// tell puts an event into the outbox of all of a rule's channels.
func (d *draft) tell(r *ruleInForce, e alert.Event) {
	if e.At.IsZero() {
		e.At = d.now
	}
	e.Text = Plain(e.Text, 1000)
	d.operators[r.UserID] = r.person.Operator
	for _, id := range r.channels {
		d.entries = append(d.entries, alert.Entry{
			Key: id + "|" + e.Key, Channel: id, UserID: r.UserID, Event: e, State: alert.Queued, NextTry: d.now, Created: d.now,
		})
	}
}

// change is the draft as the store takes it.
func (d *draft) change() (alert.Change, error) {
	c := alert.Change{Forget: d.forgets, Entries: d.entries, Put: make(map[string][]byte, len(d.put))}
	for name, value := range d.put {
		text, err := json.Marshal(value)
		if err != nil {
			return c, fmt.Errorf("encode %s: %w", name, err)
		}
		c.Put[name] = text
	}
	return c, nil
}
