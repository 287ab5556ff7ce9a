package top

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// binding is a key, or several, and what it does, as the help tells it.
type binding struct{ keys, does string }

// bindings are all keys.
var bindings = []binding{
	{"q, Ctrl-C", "quit"},
	{"?", "this help"},
	{"Tab, Shift-Tab, ← →, 1–4", "the next list, the one before, that list"},
	{"↑ ↓, k j", "a row up or down"},
	{"PgUp PgDn, Ctrl-B Ctrl-F", "a page up or down"},
	{"Home End, g G", "the first row, the last"},
	{"< >, s S", "sort by the column to the left or right"},
	{"r", "sort the other way round"},
	{"/", "search; Enter keeps it, Esc shows all again"},
	{"Enter", "all that is known of the row; Esc goes back"},
	{"Ctrl-L", "draw the screen anew"},
	{"Ctrl-Z", "to the shell; fg comes back"},
}

// press does what a key asks for.
func (m *model) press(key tea.KeyPressMsg) tea.Cmd {
	name := key.String()
	switch {
	case name == "ctrl+c":
		return tea.Quit
	case name == "ctrl+z":
		return tea.Suspend
	case name == "ctrl+l":
		return tea.ClearScreen
	case m.typing:
		m.typed(name, key.Key().Text)
		return nil
	}
	page := max(m.screen.height/2, 1)
	switch name {
	case "q":
		return tea.Quit
	case "?":
		m.help = !m.help
	case "esc":
		m.back()
	case "enter":
		m.details = !m.details && m.shown().detail(&m.screen) != nil
		return m.lookAgain()
	case "/":
		m.typing, m.help, m.details = true, false, false
	case "tab", "right":
		return m.turnTo((m.at + 1) % len(m.tabs))
	case "shift+tab", "left":
		return m.turnTo((m.at + len(m.tabs) - 1) % len(m.tabs))
	case "1", "2", "3", "4":
		return m.turnTo(int(name[0] - '1'))
	case "up", "k":
		m.shown().move(-1)
		return m.lookAgain()
	case "down", "j":
		m.shown().move(1)
		return m.lookAgain()
	case "pgup", "ctrl+b":
		m.shown().move(-page)
	case "pgdown", "ctrl+f":
		m.shown().move(page)
	case "home", "g":
		m.shown().move(-everything)
	case "end", "G":
		m.shown().move(everything)
	case ">", "s":
		m.shown().sortNext(1)
	case "<", "S":
		m.shown().sortNext(-1)
	case "r":
		m.shown().turn()
	}
	return nil
}

// lookAgain asks at once for what belongs to the row under the cursor.
func (m *model) lookAgain() tea.Cmd {
	if id := m.opened(); id == "" || id == string(m.worker.ID) {
		return nil
	}
	m.polls[listWorker].next = m.screen.now
	return m.poll()
}

// everything is further than any list goes.
const everything = 1 << 30

// back leaves what was opened last.
func (m *model) back() {
	switch {
	case m.help:
		m.help = false
	case m.details:
		m.details = false
	default:
		m.shown().search("")
	}
}

// turnTo shows another list, and asks for it at once if it is not new.
func (m *model) turnTo(at int) tea.Cmd {
	if at >= len(m.tabs) {
		return nil
	}
	m.at, m.help, m.details = at, false, false
	p := &m.polls[m.tabs[at].list]
	if m.screen.now.Sub(p.came) >= pollShown {
		p.next = m.screen.now
	}
	return m.poll()
}

// typed edits the search.
func (m *model) typed(name, text string) {
	const most = 100 // bytes
	search := m.shown().searched()
	switch name {
	case "enter", "up", "down", "tab":
		m.typing = false
		return
	case "esc":
		m.typing = false
		search = ""
	case "backspace", "ctrl+h":
		_, size := utf8.DecodeLastRuneInString(search)
		search = search[:len(search)-size]
	case "ctrl+u":
		search = ""
	case "ctrl+w":
		search = strings.TrimRight(search, " ")
		search = search[:strings.LastIndexByte(search, ' ')+1]
	default:
		if len(search)+len(text) <= most {
			search += clean(text)
		}
	}
	m.shown().search(search)
}
