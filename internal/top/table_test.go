package top

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// shownNames are the workers in the order of the screen.
func shownNames(t *table[worker]) []string {
	names := make([]string, 0, len(t.order))
	for _, i := range t.order {
		names = append(names, string(t.rows[i].Name))
	}
	return names
}

func TestSortingAndSearching(t *testing.T) {
	m := modelOf(t, goldenPayloads(t), 200, 50)
	m.workers.set([]worker{
		{ID: "1", Name: "a.rig10", Online: true, Hashrate: 5, UserAgent: "Bitaxe"},
		{ID: "2", Name: "a.rig2", Online: true, Hashrate: 9, UserAgent: "cgminer"},
		{ID: "3", Name: "a.Rig1", Online: true, Hashrate: 7, UserAgent: "bitaxe"},
		{ID: "4", Name: "b.x", Hashrate: 0},
	})
	want := func(what string, names ...string) {
		t.Helper()
		if got := shownNames(m.workers); !slices.Equal(got, names) {
			t.Errorf("%s: %v, want %v", what, got, names)
		}
	}
	want("most hashrate first", "a.rig2", "a.Rig1", "a.rig10", "b.x")
	press(m, "r")
	want("turned", "b.x", "a.rig10", "a.Rig1", "a.rig2")
	press(m, "<")
	want("by name, as people count", "a.Rig1", "a.rig2", "a.rig10", "b.x")
	press(m, "<")
	if m.workers.by != len(m.workers.columns)-1 {
		t.Errorf("left of the first column is %d", m.workers.by)
	}
	press(m, ">", ">")
	want("by hashrate again, the most first", "a.rig2", "a.Rig1", "a.rig10", "b.x")

	press(m, "/", "B", "I", "T")
	want("searched while typing", "a.Rig1", "a.rig10")
	press(m, " ", "1", "0")
	want("all words", "a.rig10")
	press(m, "backspace", "backspace", "q")
	if want("none", []string{}...); !m.typing {
		t.Error("q in a search quits")
	}
	if frame := strings.Join(plainFrame(m), "\n"); !strings.Contains(frame, "Nothing matches “BIT q”") || !strings.Contains(frame, "0 of 4") {
		t.Errorf("the search is not told:\n%s", frame)
	}
	press(m, "ctrl+w", "enter")
	want("the last word is gone", "a.Rig1", "a.rig10")
	press(m, "esc")
	want("all again", "a.rig2", "a.Rig1", "a.rig10", "b.x")
	press(m, "/", "x", "esc")
	want("the search was given up", "a.rig2", "a.Rig1", "a.rig10", "b.x")
}

func TestTheCursorStaysOnItsRow(t *testing.T) {
	table := workerTable()
	rows := func(rates ...float64) (rows []worker) {
		for i, r := range rates {
			rows = append(rows, worker{ID: text(fmt.Sprint(i)), Online: true, Hashrate: r})
		}
		return rows
	}
	table.set(rows(3, 2, 1))
	table.set(rows(1, 2, 3))
	if got := table.current().ID; got != "2" {
		t.Errorf("at the top the cursor follows worker %s instead of staying there", got)
	}
	table.move(2)
	if got := table.current().ID; got != "0" {
		t.Fatalf("the last is %s", got)
	}
	table.set(rows(9, 2, 3))
	if got := table.current().ID; got != "0" || table.cursor != 0 {
		t.Errorf("the cursor is on worker %s in line %d, and its worker is the first now", got, table.cursor)
	}
	table.move(everything)
	table.set(rows(9))
	if table.current() == nil || table.current().ID != "0" {
		t.Error("the cursor is on a row that is gone")
	}
	table.set(nil)
	table.move(1)
	if table.current() != nil || table.cursor != 0 {
		t.Error("there is no row, and the cursor is on one")
	}
}

// TestTenThousandWorkers scrolls through a farm: every row can be reached, and
// no more are drawn than are seen.
func TestTenThousandWorkers(t *testing.T) {
	m := modelOf(t, goldenPayloads(t), 80, 24)
	rows := make([]worker, 10_000)
	for i := range rows {
		rows[i] = worker{ID: text(fmt.Sprint(i)), Name: text(fmt.Sprintf("a.rig%d", i)), Online: true, Hashrate: float64(len(rows) - i)}
	}
	m.workers.set(rows)
	seen := make(map[string]bool)
	for range len(rows) {
		for _, line := range m.workers.draw(&m.screen, 5) {
			seen[strings.Fields(sgr.ReplaceAllString(line, ""))[0]] = true
		}
		if m.workers.cursor == len(rows)-1 {
			break
		}
		press(m, "pgdown")
		if !strings.Contains(strings.Join(plainFrame(m), "\n"), fmt.Sprintf("a.rig%d ", m.workers.cursor)) {
			t.Fatalf("row %d is under the cursor and not on the screen", m.workers.cursor)
		}
	}
	if m.workers.cursor != len(rows)-1 || !seen["a.rig9999"] {
		t.Errorf("the end is never reached: row %d", m.workers.cursor)
	}
}

func TestListsAreAskedForInTime(t *testing.T) {
	m := modelOf(t, goldenPayloads(t), 80, 24)
	m.polls = [numLists]polled{}
	asked := func(after time.Duration) (lists []list) {
		m.screen.now = m.screen.now.Add(after)
		m.poll()
		for l := range numLists {
			if m.polls[l].busy {
				lists = append(lists, l)
				m.polls[l].busy = false
			}
		}
		return lists
	}
	for _, step := range []struct {
		after time.Duration
		want  []list
	}{
		{0, []list{listWorkers, listSessions, listBlocks, listAlarms, listHistory}},
		{4 * time.Second, nil},
		{time.Second, []list{listWorkers, listHistory}},
		{25 * time.Second, []list{listWorkers, listSessions, listBlocks, listAlarms, listHistory}},
	} {
		if got := asked(step.after); !slices.Equal(got, step.want) {
			t.Errorf("%v later lists %v are asked for, want %v", step.after, got, step.want)
		}
	}
	m.Update(liveEvent{blocks: []block{{Hash: "new"}}})
	if m.polls[listBlocks].busy = false; !m.polls[listBlocks].next.After(m.screen.now) {
		t.Error("a new block was found, and the list of blocks is not asked for")
	}
	m.Update(liveEvent{lost: fmt.Errorf("cut"), again: noon})
	if got := asked(time.Hour); got != nil {
		t.Errorf("a server that is away is asked for %v", got)
	}
	m.Update(liveEvent{status: m.views.status})
	for l := range listWorker {
		if !m.polls[l].busy {
			t.Errorf("after the feed came back, list %d is not asked for", l)
		}
	}
}

func TestSpark(t *testing.T) {
	for _, c := range []struct {
		values []float64
		w, h   int
		want   string
	}{
		{nil, 3, 1, "   "},
		{[]float64{0, 0}, 3, 1, " ▁▁"},
		{[]float64{1, 2, 4, 8}, 4, 1, "▁▂▄█"},
		{[]float64{8, 1}, 4, 2, "  █ |  █▂"},
		{[]float64{1, 3, 5, 7, 8, 8}, 3, 1, "▂▆█"},
		{[]float64{1e300, 1e-300}, 2, 1, "█▁"},
	} {
		if got := strings.Join(spark(c.values, c.w, c.h), "|"); got != c.want {
			t.Errorf("%v in %d by %d: %q, want %q", c.values, c.w, c.h, got, c.want)
		}
	}
}

// TestAnOpenRowTellsWhySharesWereRefused opens workers one after the other.
func TestAnOpenRowTellsWhySharesWereRefused(t *testing.T) {
	m := modelOf(t, goldenPayloads(t), 100, 40)
	var asked []string
	m.fetch = func(_ context.Context, l list, id string) (any, error) {
		if l != listWorker {
			return nil, errors.New("not now")
		}
		asked = append(asked, id)
		return decode[workerDetail](t, fmt.Appendf(nil, `{"id":%q,"rejects":[{"reason":"stale","text":"Stale","advice":"A few are normal.","count":1234}],
			"connections_list":[{"id":"3052dac7","difficulty":512,"connected_at":"2026-01-31T19:54:03Z","remote":"192.0.2.7:5\u001b[2J"}]}`, id)), nil
	}
	key := func(k tea.Key) {
		_, command := m.Update(tea.KeyPressMsg(k))
		run(m, command)
	}
	key(tea.Key{Code: tea.KeyEnter})
	frame := strings.Join(plainFrame(m), "\n")
	for _, want := range []string{"1,234 × Stale. A few are normal.", "3052dac7  difficulty 512  since 19:54:03 (1 min ago)  from 192.0.2.7:5�[2J"} {
		if !strings.Contains(frame, want) {
			t.Errorf("there is no %q in\n%s", want, frame)
		}
	}
	wantFits(t, m)
	key(tea.Key{Code: tea.KeyDown})
	if want := []string{"0000000000000000", "0000000000000002"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	m.worker.ID = "another"
	if frame := strings.Join(plainFrame(m), "\n"); strings.Contains(frame, "Stale") {
		t.Errorf("another worker's refusals are shown:\n%s", frame)
	}
}

// run carries out a command, as bubbletea does.
func run(m *model, command tea.Cmd) {
	if command == nil {
		return
	}
	switch message := command().(type) {
	case tea.BatchMsg:
		for _, c := range message {
			run(m, c)
		}
	default:
		m.Update(message)
	}
}
