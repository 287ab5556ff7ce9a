package top

import (
	"context"
	"errors"
	"net/url"
	"time"

	tea "charm.land/bubbletea/v2"
)

// How often lists are asked for: the one that is looked at, and the others,
// whose numbers are beside their names.
const (
	pollShown  = 5 * time.Second
	pollHidden = 30 * time.Second
)

// list names what is asked for now and then.
type list int

const (
	listWorkers list = iota
	listSessions
	listBlocks
	listAlarms
	listHistory // of the hashrate; it has no tab
	listWorker  // all about one worker, whose row is open
	numLists
)

// pane is a table of any kind of rows.
type pane interface {
	counts() (shown, all int)
	draw(s *screen, h int) []string
	move(by int)
	sortNext(step int)
	turn()
	search(text string)
	searched() string
	detail(s *screen) []fact
}

// tab is one of the lists and how it stands with it.
type tab struct {
	list  list
	title string
	pane  pane
}

// polled is how it stands with asking for a list.
type polled struct {
	came time.Time // when the last answer came; zero before
	next time.Time // when to ask again
	busy bool
	err  error // why the last answer was none
}

// model is everything that is shown; bubbletea calls it from one goroutine.
type model struct {
	ctx   context.Context //nolint:containedctx // commands of bubbletea have no other way to end with the program
	fetch func(ctx context.Context, l list, id string) (any, error)
	feed  <-chan liveEvent
	host  string

	screen screen
	views  views
	heard  time.Time // when the feed said something last; zero before
	lost   error     // why there is no feed now
	again  time.Time // when it is tried again

	history  []point
	operator bool
	cutOff   int // workers that the server left out
	dropped  uint64
	workers  *table[worker]
	worker   workerDetail // of the row that was opened last
	sessions *table[session]
	blocks   *table[block]
	alarms   *table[alarm]
	polls    [numLists]polled

	tabs    []tab
	at      int  // tab
	typing  bool // into the search
	help    bool
	details bool
}

// answer is what came of asking for a list.
type answer struct {
	list  list
	value any
	err   error
}

// second passes once a second.
type second time.Time

func newModel(ctx context.Context, host string, s screen, fetch func(ctx context.Context, l list, id string) (any, error), feed <-chan liveEvent) *model {
	m := &model{
		ctx: ctx, fetch: fetch, feed: feed, host: host, screen: s,
		workers: workerTable(), sessions: sessionTable(), blocks: blockTable(), alarms: alarmTable(),
	}
	m.tabs = []tab{
		{listWorkers, "Workers", m.workers},
		{listSessions, "Sessions", m.sessions},
		{listBlocks, "Blocks", m.blocks},
		{listAlarms, "Alarms", m.alarms},
	}
	return m
}

// Init starts the feed and the clock.
func (m *model) Init() tea.Cmd { return tea.Batch(m.listen(), tick()) }

func tick() tea.Cmd {
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return second(t) })
}

// listen waits for the next news of the feed.
func (m *model) listen() tea.Cmd {
	return func() tea.Msg {
		select {
		case e := <-m.feed:
			return e
		case <-m.ctx.Done():
			return nil
		}
	}
}

// Update takes one message in.
func (m *model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		m.screen.width, m.screen.height = message.Width, message.Height
	case second:
		m.screen.now = time.Time(message).In(m.screen.now.Location())
		return m, tea.Batch(tick(), m.poll())
	case liveEvent:
		m.take(message)
		return m, tea.Batch(m.listen(), m.poll())
	case answer:
		m.answered(message)
	case tea.PasteMsg:
		if m.typing {
			m.shown().search(m.shown().searched() + clean(message.Content))
		}
	case tea.KeyPressMsg:
		command := m.press(message)
		return m, command
	}
	return m, nil
}

// take takes in news of the feed.
func (m *model) take(e liveEvent) {
	if e.lost != nil {
		m.lost, m.again = e.lost, e.again
		return
	}
	if m.lost != nil {
		m.lost = nil
		for i := range m.polls {
			m.polls[i].next = time.Time{} // the lists may have missed something, too
		}
	}
	if e.blocks != nil && newest(e.blocks) != newest(m.views.blocks) {
		m.polls[listBlocks].next = time.Time{}
	}
	m.heard = m.screen.now
	m.views.merge(e)
	m.arrangeTabs()
}

// newest names the block that was found last.
func newest(blocks []block) text {
	if len(blocks) == 0 {
		return ""
	}
	return blocks[0].Hash
}

// arrangeTabs leaves out what a scope without a pool has not.
func (m *model) arrangeTabs() {
	if m.views.status == nil || m.views.status.hasPool() || len(m.tabs) == 2 {
		return
	}
	m.tabs = []tab{{listSessions, "Sessions", m.sessions}, {listAlarms, "Alarms", m.alarms}}
	m.at = 0
}

// hasPool reports whether the server has a pool, as far as is known.
func (m *model) hasPool() bool { return m.views.status == nil || m.views.status.hasPool() }

// shown is the table that is looked at.
func (m *model) shown() pane { return m.tabs[m.at].pane }

// poll asks for what is due. While the server is away only the feed asks it.
func (m *model) poll() tea.Cmd {
	if m.lost != nil || m.heard.IsZero() {
		return nil
	}
	var commands []tea.Cmd
	for l := range numLists {
		p := &m.polls[l]
		if p.busy || m.screen.now.Before(p.next) || !m.hasPool() && (l == listWorkers || l == listBlocks || l == listHistory) {
			continue
		}
		every, id := pollHidden, ""
		if l == m.tabs[m.at].list || l == listHistory || !m.hasPool() {
			every = pollShown
		}
		if l == listWorker {
			if id = m.opened(); id == "" {
				continue
			}
			every = pollShown
		}
		p.busy, p.next = true, m.screen.now.Add(every)
		commands = append(commands, func() tea.Msg {
			value, err := m.fetch(m.ctx, l, id)
			return answer{l, value, err}
		})
	}
	return tea.Batch(commands...)
}

// opened is the id of the worker whose row is open, "" when none is.
func (m *model) opened() string {
	if w := m.workers.current(); m.details && m.tabs[m.at].list == listWorkers && w != nil {
		return string(w.ID)
	}
	return ""
}

// answered takes in an answer. A list that could not be had stays as it was.
func (m *model) answered(a answer) {
	p := &m.polls[a.list]
	p.busy, p.err = false, a.err
	if a.err != nil {
		return
	}
	p.came = m.screen.now
	switch v := a.value.(type) {
	case workerPage:
		m.operator, m.cutOff = v.Operator, v.Truncated
		m.workers.set(v.Workers)
	case []session:
		m.sessions.set(v)
	case []block:
		m.blocks.set(v)
	case alarmPage:
		m.dropped = v.Dropped
		m.alarms.set(v.Alarms)
	case hashrate:
		m.history = v.History
	case workerDetail:
		m.worker = v
	}
}

// fetchList asks for one of the lists, or for the worker with an id.
func (c *Client) fetchList(ctx context.Context, l list, id string) (any, error) {
	switch l {
	case listWorkers:
		return c.workers(ctx)
	case listSessions:
		var sessions []session
		err := c.get(ctx, "/api/sessions?brief=true&limit=2000", &sessions)
		return sessions, err
	case listBlocks:
		var blocks []block
		err := c.get(ctx, "/api/blocks?limit=100", &blocks)
		return blocks, err
	case listAlarms:
		return c.alarms(ctx)
	case listHistory:
		var h hashrate
		err := c.get(ctx, "/api/pool-hashrate?include_history=1", &h)
		return h, err
	case listWorker:
		var w workerDetail
		err := c.get(ctx, "/api/workers/"+url.PathEscape(id), &w)
		return w, err
	}
	return nil, errors.ErrUnsupported
}
