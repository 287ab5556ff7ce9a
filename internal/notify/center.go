package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// Config is what alerts need of the program that they are part of.
type Config struct {
	Store alert.Store
	// World gives what there is to notice, with the microscope's alarms since a
	// cursor. It is called every few seconds, and must not wait for anything.
	World func(alarmsSince uint64) World
	// Saved are all saved workers. nil: none.
	Saved func(ctx context.Context) ([]Saved, error)
	// Person knows whose rules and channels there are; false for somebody who is
	// gone. nil: nobody but the operator without an account.
	Person func(ctx context.Context, id string) (Person, bool, error)

	Settings
	Batch       time.Duration // how long an event waits for others; 0 is 5 seconds
	MaxChannels int           // of one person; 0 is 10
	MaxRules    int           // of one person; 0 is 20
}

// Settings are what can be changed while alerts run, by [Center.Configure].
type Settings struct {
	Services    []Service     // kinds of channels
	QuietStart  time.Duration // after the start, and after trouble of our own; 0 is 5 minutes
	UserPerHour int           // messages of one person; 0 is no limit
	PerHour     int           // of all people together but operators; 0 is no limit
}

// Center is all of alerts.
type Center struct {
	cfg     Config // but for Settings, which are in force
	log     *slog.Logger
	inUse   atomic.Pointer[settings]
	count   *counters
	limits  limiter
	loud    limiter // of log lines
	posted  chan alert.Event
	wake    chan struct{} // tells the courier that there is something
	waiting atomic.Int64  // entries that are to be sent

	editing sync.Mutex // one change of channels and rules at a time

	mu       sync.Mutex // guards the rest
	loaded   bool
	channels map[string]alert.Channel
	rules    []alert.Rule          // oldest first
	persons  map[string]personSeen // lately asked about
	crowded  map[string]int        // how many entries wait for a channel, or are of a person
}

// personSeen is a person as known at one time.
type personSeen struct {
	Person
	exists bool
	at     time.Time
}

// personAge is how long it may take until alerts notice that somebody became an
// operator, or is none any more.
const personAge = 30 * time.Second

// maxPersons is how many people are remembered.
const maxPersons = 10_000

// New makes alerts. It starts nothing.
func New(cfg Config, log *slog.Logger) *Center {
	if cfg.Batch == 0 {
		cfg.Batch = 5 * time.Second
	}
	if cfg.MaxChannels == 0 {
		cfg.MaxChannels = 10
	}
	if cfg.MaxRules == 0 {
		cfg.MaxRules = 20
	}
	c := &Center{
		cfg: cfg, log: log, count: newCounters(),
		posted: make(chan alert.Event, 64), wake: make(chan struct{}, 1),
		persons: make(map[string]personSeen), crowded: make(map[string]int),
	}
	c.Configure(cfg.Settings)
	return c
}

// settings are Settings in force.
type settings struct {
	Settings
	kinds map[string]Service // Services by id
}

// Configure puts other settings in force. What is being sent goes on as it is.
func (c *Center) Configure(s Settings) {
	if s.QuietStart == 0 {
		s.QuietStart = 5 * time.Minute
	}
	kinds := make(map[string]Service, len(s.Services))
	for _, service := range s.Services {
		kinds[service.ID] = service
	}
	c.inUse.Store(&settings{s, kinds})
}

// services are the kinds of channels by id.
func (c *Center) services() map[string]Service { return c.inUse.Load().kinds }

// Run notices and sends until ctx ends. Its error is that of a part that
// panicked, after which the other one was ended.
func (c *Center) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := make(chan error, 2)
	run := func(name string, do func(context.Context)) {
		var err error
		defer func() {
			if v := recover(); v != nil {
				c.count.panicked(name)
				err = fmt.Errorf("%s: panic: %v", name, v)
			}
			cancel()
			ends <- err
		}()
		do(ctx)
	}
	go run(partWatcher, (&watcher{c: c}).run)
	go run(partCourier, newCourier(c).run)
	return errors.Join(<-ends, <-ends)
}

// loudEvery is the least time between two log lines about the same failure.
const loudEvery = time.Minute

// complain logs a failure of the store, once a minute while it lasts, and counts
// every one.
func (c *Center) complain(doing, message string, err error) {
	c.count.failure(doing)
	if c.loud.allow(doing, 1, loudEvery, time.Now()) {
		c.log.Warn(message, "err", err)
	}
}

// Post tells an event that another part of the program noticed, such as a backup
// that failed. When it returns the event is in the outbox, and nothing loses it.
// So it waits for the store, and is not for those that miners wait for. While the
// store fails, events wait in memory: a few dozen, beyond which they are dropped and
// counted.
func (c *Center) Post(ctx context.Context, e alert.Event) {
	err := c.postNow(ctx, e)
	if err == nil {
		return
	}
	c.complain(faultPost, "an event was not written; it waits in memory", err)
	select {
	case c.posted <- e:
	default:
		c.count.dropped(dropPosted, 1)
	}
}

// postNow puts an event into the outbox of all that want it.
func (c *Center) postNow(ctx context.Context, e alert.Event) error {
	rules, _, err := c.inForce(ctx)
	if err != nil {
		return err
	}
	l := &look{d: newDraft(time.Now()), rules: rules}
	l.tellAll(e)
	return c.commit(ctx, l.d)
}

// commit writes what was noticed and tells the courier.
func (c *Center) commit(ctx context.Context, d *draft) error {
	c.crowdOut(d)
	change, err := d.change()
	if err != nil {
		return err
	}
	added, err := c.cfg.Store.Commit(ctx, change)
	if err != nil {
		return err
	}
	if added == 0 {
		return nil
	}
	for i := range d.entries {
		c.count.event(string(d.entries[i].Event.Kind))
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

// Bounds of the outbox.
const (
	maxWaiting         = 5000 // entries that wait
	maxWaitingOfOne    = 500  // for one channel
	maxWaitingOfPerson = 1000 // of one person, in all their channels
	// reserved is room for operators' entries, whatever others fill the outbox with.
	reserved = 1000
)

// What crowded is about.
const (
	ofChannel = "channel "
	ofPerson  = "person "
)

// crowdOut leaves out what there is no room for in the outbox.
func (c *Center) crowdOut(d *draft) {
	if len(d.entries) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	total := int(c.waiting.Load())
	d.entries = slices.DeleteFunc(d.entries, func(e alert.Entry) bool {
		room := maxWaiting
		if d.operators[e.UserID] {
			room += reserved
		}
		channel, person := ofChannel+e.Channel, ofPerson+e.UserID
		if total >= room || c.crowded[channel] >= maxWaitingOfOne || c.crowded[person] >= maxWaitingOfPerson {
			c.count.dropped(dropQueue, 1)
			return true
		}
		total++
		c.crowded[channel]++
		c.crowded[person]++
		return false
	})
}

// loadLocked reads channels and rules when that is not done yet.
func (c *Center) loadLocked(ctx context.Context) error {
	if c.loaded {
		return nil
	}
	channels, err := c.cfg.Store.Channels(ctx)
	if err != nil {
		return err
	}
	rules, err := c.cfg.Store.Rules(ctx)
	if err != nil {
		return err
	}
	c.channels = make(map[string]alert.Channel, len(channels))
	for _, ch := range channels {
		c.channels[ch.ID] = ch
	}
	c.rules, c.loaded = rules, true
	return nil
}

// changed has channels and rules read again.
func (c *Center) changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded = false
}

// channel returns a channel, false when there is none.
func (c *Center) channel(ctx context.Context, id string) (alert.Channel, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.loadLocked(ctx); err != nil {
		return alert.Channel{}, false, err
	}
	ch, ok := c.channels[id]
	return ch.Clone(), ok, nil
}

// list returns all channels and rules; what they hold is to be read only.
func (c *Center) list(ctx context.Context) (channels map[string]alert.Channel, rules []alert.Rule, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.loadLocked(ctx); err != nil {
		return nil, nil, err
	}
	return maps.Clone(c.channels), c.rules, nil
}

// person knows somebody, "" being the operator without an account.
func (c *Center) person(ctx context.Context, id string) (Person, bool, error) {
	if id == "" {
		return Person{Operator: true}, true, nil
	}
	if c.cfg.Person == nil {
		return Person{}, false, nil
	}
	now := time.Now()
	c.mu.Lock()
	seen, ok := c.persons[id]
	c.mu.Unlock()
	if ok && now.Sub(seen.at).Abs() < personAge {
		return seen.Person, seen.exists, nil
	}
	p, exists, err := c.cfg.Person(ctx, id)
	if err != nil {
		return Person{}, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.persons) >= maxPersons {
		clear(c.persons)
	}
	c.persons[id] = personSeen{p, exists, now}
	return p, exists, nil
}

// forgetPersons removes what belonged to people whose accounts are gone.
func (c *Center) forgetPersons(ctx context.Context) error {
	if c.cfg.Person == nil {
		return nil // nobody can be asked about
	}
	channels, rules, err := c.list(ctx)
	if err != nil {
		return err
	}
	defer c.changed()
	for id, ch := range channels {
		if _, exists, err := c.person(ctx, ch.UserID); err != nil || exists {
			continue // who cannot be asked about is not gone
		}
		if err := c.cfg.Store.DeleteChannel(ctx, id); err != nil && !errors.Is(err, alert.ErrNotFound) {
			return err
		}
	}
	for _, r := range rules {
		if _, exists, err := c.person(ctx, r.UserID); err != nil || exists {
			continue
		}
		if err := c.cfg.Store.DeleteRule(ctx, r.ID); err != nil && !errors.Is(err, alert.ErrNotFound) {
			return err
		}
	}
	return nil
}

// inForce are the rules that apply now, and the workers that people saved and
// want to be told about.
func (c *Center) inForce(ctx context.Context) (rules []*ruleInForce, saved map[string][]string, err error) {
	channels, all, err := c.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range all {
		if !r.Enabled {
			continue
		}
		person, exists, err := c.person(ctx, r.UserID)
		if err != nil {
			return nil, nil, fmt.Errorf("look up whose rule it is: %w", err)
		}
		if !exists || person.Disabled {
			continue
		}
		in := &ruleInForce{Rule: r, person: person}
		for _, id := range r.Channels {
			if ch, ok := channels[id]; ok && c.usable(ch, person) == nil && ch.Enabled {
				in.channels = append(in.channels, id)
			}
		}
		rules = append(rules, in)
	}
	if len(rules) == 0 || c.cfg.Saved == nil {
		return rules, nil, nil
	}
	list, err := c.cfg.Saved(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list saved workers: %w", err)
	}
	saved = make(map[string][]string)
	for _, s := range list {
		if s.Notify {
			saved[s.UserID] = append(saved[s.UserID], s.Name)
		}
	}
	return rules, saved, nil
}

// Why a channel may not be used.
var (
	ErrService     = errors.New("this program does not have that kind of channel")
	ErrOperator    = errors.New("that kind of channel is for operators only")
	ErrUnconfirmed = errors.New("the address is not confirmed yet: enter the code that was sent to it")
)

// usable says why a channel may not be used; nil when it may.
func (c *Center) usable(ch alert.Channel, p Person) error {
	s, ok := c.services()[ch.Kind]
	switch {
	case !ok:
		return ErrService
	case s.Operator && !p.Operator:
		return ErrOperator
	case s.Mailbox && !ch.Confirmed:
		return ErrUnconfirmed
	}
	return nil
}

// open makes the sender of a channel.
func (c *Center) open(ch alert.Channel, p Person) (Channel, error) {
	if err := c.usable(ch, p); err != nil {
		return nil, Permanent(err)
	}
	sender, err := c.services()[ch.Kind].Open(Opening{UserID: ch.UserID, Operator: p.Operator, Settings: ch.Settings})
	if err != nil {
		return nil, Permanent(err)
	}
	return sender, nil
}
