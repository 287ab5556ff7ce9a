package top

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/format"
)

// onceRows is how many rows of each list one frame has.
const onceRows = 20

// Options are how to show what is seen.
type Options struct {
	ASCII bool // write nothing beyond ASCII
	Width int  // cells of a line of Once, at least 60
}

// Once writes one frame as plain text: the headline figures, and the beginning
// of each list.
func Once(ctx context.Context, c *Client, out io.Writer, o Options) error {
	m := newModel(ctx, c.Host(), o.screen(), c.fetchList, nil)
	m.screen.ink.plain = true
	m.screen.height = leastHeight
	e := liveEvent{overview: new(overview), hashrate: new(hashrate), status: new(status)}
	for path, into := range map[string]any{
		"/api/overview": e.overview, "/api/pool-hashrate?include_history=1": e.hashrate, "/api/status": e.status,
	} {
		if err := c.get(ctx, path, into); err != nil {
			return err
		}
	}
	m.take(e)
	m.history = e.hashrate.History
	for _, t := range m.tabs {
		value, err := c.fetchList(ctx, t.list, "")
		m.answered(answer{t.list, value, err})
	}
	lines := m.screen.finish(m.all())
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	_, err := io.WriteString(out, strings.Join(lines, "\n")+"\n")
	return err
}

func (o Options) screen() screen {
	return screen{width: max(o.Width, leastWidth), now: time.Now(), ascii: o.ASCII}
}

// all is everything below each other.
func (m *model) all() []string {
	lines := m.head(true)
	for _, t := range m.tabs {
		shown, _ := t.pane.counts()
		lines = append(lines, "", t.title)
		if words := m.trouble(t.list); words != "" {
			lines = append(lines, wrap(words, m.screen.width)...)
		}
		if m.polls[t.list].err != nil {
			continue
		}
		lines = append(lines, t.pane.draw(&m.screen, onceRows+1)...)
		if shown > onceRows {
			lines = append(lines, "… and "+format.Count(shown-onceRows)+" more")
		}
	}
	return lines
}
