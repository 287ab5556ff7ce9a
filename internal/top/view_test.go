package top

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/rivo/uniseg"
)

// sgr are the only escape sequences that we write: styles.
var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestGoldenFrames(t *testing.T) {
	for _, size := range [][2]int{{60, 15}, {80, 24}, {120, 40}, {200, 50}} {
		for i, name := range []string{"workers", "sessions", "blocks", "alarms"} {
			m := modelOf(t, goldenPayloads(t), size[0], size[1])
			press(m, fmt.Sprint(i+1))
			frame := strings.Join(m.frame(), "\n")
			plain := plainFrame(m)
			wantGolden(t, fmt.Sprintf("%s-%dx%d.txt", name, size[0], size[1]), strings.Join(plain, "\n")+"\n")
			if got := trimLines(sgr.ReplaceAllString(frame, "")); got != trimLines(strings.Join(plain, "\n")) {
				t.Errorf("styles change the text:\n%s", got)
			}
			wantFits(t, m)
		}
	}
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// wantFits checks that a frame has as many lines as the screen, none of them
// wider, measured by somebody else's rule, and nothing in it but text and
// styles.
func wantFits(t *testing.T, m *model) {
	t.Helper()
	frame := m.frame()
	if len(frame) != m.screen.height {
		t.Errorf("%d lines on a screen of %d", len(frame), m.screen.height)
	}
	for _, line := range frame {
		wantHarmless(t, sgr.ReplaceAllString(line, ""))
		if w := uniseg.StringWidth(sgr.ReplaceAllString(line, "")); w > m.screen.width {
			t.Errorf("%d cells of %d: %q", w, m.screen.width, line)
		}
	}
}

// wantHarmless checks that a line cannot steer a terminal or lie about its order.
func wantHarmless(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Errorf("not UTF-8: %q", line)
	}
	for _, r := range line {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Bidi_Control) {
			t.Errorf("%U in %q", r, line)
		}
	}
}

// TestEverySizeFits draws everything in every size, also those that are too
// small.
func TestEverySizeFits(t *testing.T) {
	m := modelOf(t, goldenPayloads(t), 80, 24)
	for _, width := range []int{0, 1, 30, 59, 60, 61, 83, 99, 117, 131, 132, 210} {
		for _, height := range []int{0, 1, 14, 15, 22, 31} {
			m.Update(tea.WindowSizeMsg{Width: width, Height: height})
			for range m.tabs {
				press(m, "tab")
				for _, keys := range [][]string{{}, {"end"}, {"enter"}, {"esc", "?"}, {"esc", "/", "x", "矿"}, {"esc", "home"}} {
					press(m, keys...)
					if width < leastWidth || height < leastHeight {
						for _, line := range m.frame() {
							if w := uniseg.StringWidth(line); w > width {
								t.Errorf("%d cells of %d: %q", w, width, line)
							}
						}
						continue
					}
					wantFits(t, m)
				}
			}
		}
	}
}

// TestColumnsAreStraight looks where the numbers of a column end.
func TestColumnsAreStraight(t *testing.T) {
	for _, width := range []int{60, 80, 120, 200} {
		m := modelOf(t, goldenPayloads(t), width, 60)
		lines := plainFrame(m)
		ends := -1
		for _, line := range lines {
			if before, _, ok := strings.Cut(line, "Hashrate▼"); ok && strings.HasPrefix(line, "Worker") {
				ends = uniseg.StringWidth(before + "Hashrate▼")
			} else if before, _, ok := strings.Cut(line, "H/s "); ok && ends > 0 {
				if got := uniseg.StringWidth(before + "H/s"); got != ends {
					t.Errorf("at %d instead of %d: %q", got, ends, line)
				}
			}
		}
		if ends < 0 {
			t.Fatalf("no table in\n%s", strings.Join(lines, "\n"))
		}
	}
}

// hostile are texts that miners could send.
var hostile = []string{
	"\x1b[2J\x1b[31mred", "\x1b]52;c;ZXZpbA==\x07", "\u009b2J", "\u009d0;title\u009c", "a\nb\rc\td", "\x00\x08\x7f",
	"\u202eabc\u202c", "\u2066x\u2069", "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "\u0301", "👩‍👩‍👧‍👦", "🇩🇪🇫", "👍🏽", "矿机", "ｆｕｌｌ",
	"\u200b\u200d\ufeff", "\U000e0041", "\u2028\u2029", "ก็็็็็็็็็", "한\u1112\u1161\u11ab", "\u115f\u3164", "❤\ufe0f", "\ue000", "\ufdd0", "⸻", "\u00ad", strings.Repeat("x", 5000),
}

// TestNothingOfTheServerSteersTheTerminal replaces every text in every answer.
func TestNothingOfTheServerSteersTheTerminal(t *testing.T) {
	for _, text := range append(hostile, strings.Join(hostile, "")) {
		p := goldenPayloads(t)
		for _, data := range []*[]byte{&p.overview, &p.hashrate, &p.blocks, &p.status, &p.workers, &p.sessions, &p.alarms} {
			*data = poisoned(t, *data, text)
		}
		m := modelOf(t, p, 100, 40)
		for range 4 {
			wantFits(t, m)
			press(m, "enter")
			wantFits(t, m)
			press(m, "/", "e", "enter", "tab")
		}
		for _, line := range m.all() {
			wantHarmless(t, sgr.ReplaceAllString(line, ""))
		}
		m.screen.ascii = true
		for _, line := range m.screen.finish(m.frame()) {
			if line = sgr.ReplaceAllString(line, ""); strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
				t.Errorf("not ASCII: %q", line)
			}
		}
		m.Update(liveEvent{lost: errors.New(text), again: noon})
		wantFits(t, m)
		m.Update(answer{listWorkers, nil, errors.New(text)})
		wantFits(t, m)
	}
}

// poisoned is JSON with every text but the times replaced. A status must stay a
// poolscope's to be one.
func poisoned(t *testing.T, data []byte, text string) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			if _, err := time.Parse(time.RFC3339, v); err != nil {
				return text
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		}
		return v
	}
	out, err := json.Marshal(walk(value))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScopeAloneAndPoolAlone(t *testing.T) {
	p := goldenPayloads(t)
	p.status = []byte(`{"api_version":"1","state":"waiting_for_node","stratum":[],"nodes":[],"tag":"","reason":"no node"}`)
	p.overview, p.hashrate, p.blocks = apiGolden(t, "overview-empty"), apiGolden(t, "pool-hashrate-empty"), apiGolden(t, "blocks-empty")
	m := modelOf(t, p, 80, 24)
	wantFits(t, m)
	wantGolden(t, "scope-alone-80x24.txt", strings.Join(plainFrame(m), "\n")+"\n")

	m = modelOf(t, goldenPayloads(t), 80, 24)
	m.Update(answer{listSessions, nil, &refused{404, "not found"}})
	press(m, "2")
	if frame := strings.Join(plainFrame(m), "\n"); !strings.Contains(frame, "The scope does not run in this program: not found") {
		t.Errorf("why are there no sessions?\n%s", frame)
	}
}

func TestEmptyAndLoading(t *testing.T) {
	p := payloads{
		overview: apiGolden(t, "overview-empty"), hashrate: apiGolden(t, "pool-hashrate-history-empty"), blocks: apiGolden(t, "blocks-empty"),
		status: apiGolden(t, "status-empty"), workers: []byte(`{"workers":[]}`), sessions: []byte(`[]`), alarms: []byte(`{"alarms":[]}`),
	}
	m := modelOf(t, p, 80, 24)
	for range m.tabs {
		wantFits(t, m)
		press(m, "enter", "down", "tab") // nothing to open
	}
	m = newModel(t.Context(), "h", screen{width: 80, height: 24, now: noon}, nil, nil)
	wantFits(t, m)
}

func TestNoticeSaysWhatIsWrong(t *testing.T) {
	m := modelOf(t, goldenPayloads(t), 120, 24)
	if words := m.notice(); words != "" {
		t.Errorf("nothing is wrong, and it says %q", words)
	}
	m.Update(second(noon.Add(22 * time.Second)))
	m.Update(liveEvent{lost: errors.New("the connection was cut"), again: noon.Add(26 * time.Second)})
	frame := strings.Join(plainFrame(m), "\n")
	if !strings.Contains(frame, "Figures of 22 s ago. Connecting again in 4 s: the connection was cut") || !strings.Contains(frame, "○ not live") {
		t.Errorf("it does not say that figures are old:\n%s", frame)
	}
	m.Update(liveEvent{status: &status{State: "paused", Reason: "the operator wants it", Tag: "x"}})
	if got, want := m.notice(), "Mining is paused: the operator wants it"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
