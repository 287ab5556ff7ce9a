package top

import (
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/poolscope/poolscope/internal/format"
)

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(strings.Join(m.frame(), "\n"))
	v.AltScreen = true
	v.WindowTitle = "poolscope top " + m.host
	return v
}

// frame is the screen's lines: at most as many as it has, none wider than it is.
func (m *model) frame() []string {
	s := &m.screen
	var lines []string
	if s.width < leastWidth || s.height < leastHeight {
		lines = []string{
			cut(fmt.Sprintf("This terminal is %d×%d: poolscope top needs %d×%d.", s.width, s.height, leastWidth, leastHeight), s.width),
			cut("q quits", s.width),
		}
	} else {
		lines = m.head(s.height >= 22)
		if m.help {
			lines = append(lines, m.helpLines()...)
		} else {
			lines = append(lines, m.body(s.height-len(lines)-1)...)
		}
		lines = lines[:min(len(lines), s.height-1)]
		for len(lines) < s.height-1 {
			lines = append(lines, "")
		}
		lines = append(lines, m.foot())
	}
	lines = lines[:min(len(lines), max(s.height, 0))]
	return s.finish(lines)
}

// finish makes lines plain where the terminal knows no more.
func (s *screen) finish(lines []string) []string {
	if s.ascii {
		for i, line := range lines {
			lines[i] = toASCII(line)
		}
	}
	return lines
}

// head is what stands above the lists.
func (m *model) head(roomy bool) []string {
	s := &m.screen
	lines := []string{m.title()}
	if words := m.notice(); words != "" {
		lines = append(lines, s.ink.paint(warn, cut(words, s.width)))
	}
	if !m.hasPool() {
		return append(lines, s.grid(scopeFigures(m.sessions.rows, m.alarms.rows), roomy)...)
	}
	lines = append(lines, s.grid(m.views.poolFigures(s.now), roomy)...)
	chart := 1
	if s.height >= 30 {
		chart = 2
	}
	lines = append(lines, s.chart(m.history, chart)...)
	if m.views.status != nil {
		lines = append(lines, s.nodeLine(m.views.status.Nodes))
	}
	return lines
}

// title says what is watched, and whether it is live.
func (m *model) title() string {
	begin := []cell{{"poolscope", heading}, {gap + m.host, plain}}
	if v := m.views.status; v != nil {
		if v.Network != "" {
			begin = append(begin, cell{gap + string(v.Network), faint})
		}
		if v.hasPool() {
			begin = append(begin, cell{gap + strings.ReplaceAll(string(v.State), "_", " "), toneOf(string(v.State))})
		} else {
			begin = append(begin, cell{gap + "scope", good})
		}
	}
	clock := m.screen.now.Format("15:04:05")
	switch {
	case m.feed == nil: // one frame, no feed
		return m.screen.spread(begin, []cell{{clock, plain}})
	case m.lost != nil:
		return m.screen.spread(begin, []cell{{"○ not live", bad}, {gap + clock, plain}})
	case m.heard.IsZero():
		return m.screen.spread(begin, []cell{{"○ connecting", warn}, {gap + clock, plain}})
	}
	return m.screen.spread(begin, []cell{{"● live", good}, {gap + clock, plain}})
}

// notice says what is wrong, "" when nothing is.
func (m *model) notice() string {
	if m.lost != nil {
		words := "Connecting again"
		if wait := m.again.Sub(m.screen.now).Seconds(); wait >= 1 {
			words += " in " + format.Duration(wait)
		}
		words += ": " + oneLine(m.lost)
		if !m.heard.IsZero() {
			words = "Figures of " + m.screen.ago(m.heard) + ". " + words
		}
		return words
	}
	v := m.views.status
	if v == nil || !v.hasPool() || v.State == "mining" && v.Reason == "" {
		return ""
	}
	titles := map[text]string{
		"waiting_for_node": "Waiting for a Bitcoin node",
		"turning_away":     "Miners are sent to their backup pools",
		"paused":           "Mining is paused",
		"mining":           "Mining goes on, but something is wrong",
	}
	words := titles[v.State]
	if v.Reason != "" {
		words = strings.TrimPrefix(words+": "+string(v.Reason), ": ")
	}
	return words
}

// body is the list that is looked at, or one of its rows, in h lines.
func (m *model) body(h int) []string {
	lines := []string{m.tabLine()}
	if words := m.trouble(m.tabs[m.at].list); words != "" {
		for _, line := range wrap(words, m.screen.width) {
			lines = append(lines, m.screen.ink.paint(warn, line))
		}
	}
	if m.details {
		return append(lines, m.detailLines(h-len(lines))...)
	}
	if p := m.polls[m.tabs[m.at].list]; p.came.IsZero() {
		if p.err == nil {
			lines = append(lines, m.screen.ink.paint(faint, "Asking…"))
		}
		return lines
	}
	return append(lines, m.shown().draw(&m.screen, h-len(lines))...)
}

// trouble says why a list is missing or old, "" when it is neither.
func (m *model) trouble(l list) string {
	err := m.polls[l].err
	var r *refused
	switch {
	case err == nil && l == listWorkers && m.cutOff > 0:
		return format.Count(m.cutOff) + " more workers are not in the server's list"
	case err == nil && l == listAlarms && m.dropped > 0:
		return format.Count(m.dropped) + " older alarms made room for newer ones"
	case err == nil:
		return ""
	case errors.As(err, &r) && (l == listSessions || l == listAlarms) && (r.status == 404 || r.status == 503):
		return "The scope does not run in this program: " + r.words
	}
	return sentence(oneLine(err))
}

// sentence begins a text with a capital.
func sentence(words string) string {
	if words == "" || !isASCII(words[:1]) {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// tabLine names the lists, their lengths and the search.
func (m *model) tabLine() string {
	var cells []cell
	for i, t := range m.tabs {
		look := faint
		if i == m.at {
			look = heading
		}
		_, all := t.pane.counts()
		name := fmt.Sprintf("%d %s", i+1, t.title)
		if i == m.at {
			name = "[" + name + "]"
		}
		cells = append(cells, cell{name, look})
		if !m.polls[t.list].came.IsZero() {
			cells = append(cells, cell{" " + format.Count(all), faint})
		}
		cells = append(cells, cell{gap, plain})
	}
	var end []cell
	if search := m.shown().searched(); search != "" && !m.typing {
		shown, _ := m.shown().counts()
		end = []cell{{cut("/"+search, 20) + ": " + format.Count(shown), accent}}
	}
	return m.screen.spread(cells, end)
}

// detailLines are the facts of one row, as many as fit into h lines.
func (m *model) detailLines(h int) []string {
	const names = 14
	var lines []string
	facts := m.shown().detail(&m.screen)
	if id := m.opened(); id != "" && id == string(m.worker.ID) {
		facts = append(facts, m.worker.facts(&m.screen)...)
	} else if words := m.trouble(listWorker); id != "" && words != "" {
		facts = append(facts, fact{"More", cell{words, warn}})
	}
	for _, f := range facts {
		for i, part := range wrap(f.text, m.screen.width-names) {
			name := f.name
			if i > 0 {
				name = ""
			}
			lines = append(lines, m.screen.ink.paint(faint, left(name, names))+m.screen.ink.paint(f.style, part))
		}
	}
	if over := len(lines) - h; over > 0 {
		lines = append(lines[:max(h-1, 0)], m.screen.ink.paint(faint, "… and "+plural(over+1, "more line")))
	}
	return lines
}

// wrap breaks a text into lines of at most w cells, between words where it can.
func wrap(text string, w int) []string {
	var lines []string
	for width(text) > w {
		head := ansi.Truncate(text, w, "")
		if at := strings.LastIndexByte(head, ' '); at > 0 && text[len(head)] != ' ' {
			head = head[:at]
		}
		if head == "" {
			break
		}
		lines = append(lines, head)
		text = strings.TrimPrefix(text[len(head):], " ")
	}
	return append(lines, cut(text, w))
}

// helpLines are all keys.
func (m *model) helpLines() []string {
	const keys = 26
	lines := []string{m.screen.ink.paint(heading, "Keys")}
	for _, b := range bindings {
		lines = append(lines, m.screen.ink.paint(bold, left(b.keys, keys))+cut(b.does, m.screen.width-keys))
	}
	return lines
}

// foot is the last line: the keys, or the search while it is typed.
func (m *model) foot() string {
	s := &m.screen
	switch {
	case m.typing:
		shown, all := m.shown().counts()
		end := []cell{{fmt.Sprintf("%s of %s", format.Count(shown), format.Count(all)), faint}}
		room := s.width - cellsWidth(end) - len(gap) - 2
		return s.spread([]cell{{"/", accent}, {cutLeft(m.shown().searched(), room), plain}, {" ", reverse}}, end)
	case m.help:
		return s.spread([]cell{{"Esc back  q quit", faint}}, nil)
	case m.details:
		return s.spread([]cell{{"Esc back  ↑↓ other rows  q quit", faint}}, nil)
	}
	return s.spread([]cell{{"q quit  ? help  Tab list  / search  <> sort  r reverse  Enter more", faint}}, nil)
}
