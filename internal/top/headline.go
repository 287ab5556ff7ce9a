package top

import (
	"math"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/format"
)

// figure is one of the numbers that a miner looks for first.
type figure struct {
	label string
	value cell
	note  string
}

// hashesPerDifficulty is what one unit of difficulty stands for, on average.
const hashesPerDifficulty = 1 << 32

// views are the four views of the live feed, as far as they came.
type views struct {
	overview *overview
	hashrate *hashrate
	blocks   []block
	status   *status
}

// merge takes over what is new.
func (v *views) merge(e liveEvent) {
	if e.overview != nil {
		v.overview = e.overview
	}
	if e.hashrate != nil {
		v.hashrate = e.hashrate
	}
	if e.blocks != nil {
		v.blocks = e.blocks
	}
	if e.status != nil {
		v.status = e.status
	}
}

// poolFigures are those of the page's overview.
func (v *views) poolFigures(now time.Time) []figure {
	if v.overview == nil || v.hashrate == nil || v.status == nil {
		return []figure{{"Pool hashrate", cell{format.None, faint}, "no figures yet"}}
	}
	return []figure{v.rate(), v.miners(), v.shares(), v.bestShare(), v.nextBlock(), v.blockTimer(now)}
}

func (v *views) rate() figure {
	mark := poolAccuracy(v.overview.Workers)
	f := figure{"Pool hashrate", cell{mark + format.Hashrate(v.hashrate.Hashrate), bold}, "a settled estimate"}
	switch {
	case v.hashrate.Hashrate <= 0:
		f.note = "no miner is connected"
	case mark == "~":
		f.note = "a first guess"
	case mark == "≈":
		f.note = "still settling"
	}
	return f
}

// poolAccuracy is how sure the pool's hashrate is, judged by the miners that
// make up a fifth of it or more: "~" warming up, "≈" settling, "" settled.
func poolAccuracy(workers []recentWorker) string {
	const matters = 0.2
	total, warming, settling := 0.0, 0.0, 0.0
	for _, w := range workers {
		total += w.Hashrate
		switch w.Accuracy {
		case "~":
			warming += w.Hashrate
		case "≈":
			settling += w.Hashrate
		}
	}
	switch {
	case total <= 0:
		return ""
	case warming/total >= matters:
		return "~"
	case (warming+settling)/total >= matters:
		return "≈"
	}
	return ""
}

func (v *views) miners() figure {
	var notes []string
	if n := v.overview.ActiveTLSMiners; n > 0 {
		notes = append(notes, format.Count(n)+" over TLS")
	}
	if n := v.overview.ActiveMiners - v.status.Authorized; n > 0 {
		notes = append(notes, format.Count(n)+" signing in")
	}
	if len(notes) == 0 {
		notes = append(notes, "connected")
	}
	return figure{"Miners", cell{format.Count(v.overview.ActiveMiners), bold}, strings.Join(notes, ", ")}
}

func (v *views) shares() figure {
	f := figure{"Shares", cell{format.Rate(v.overview.SharesPerMinute) + " /min", bold}, "none yet"}
	if all := v.status.Accepted + v.status.Rejected; all > 0 {
		f.note = rejectCell(v.status.Accepted, v.status.Rejected).text + " of " + format.Count(all) + " rejected"
	}
	return f
}

func (v *views) bestShare() figure {
	f := figure{"Best share", cell{format.None, bold}, "none yet"}
	if best := v.status.BestShare; best != nil {
		f.value = cell{format.Difficulty(best.Difficulty), gold}
		f.note = "enough for a block"
		if p := best.Difficulty / v.hashrate.Difficulty; p < 1 {
			f.note = format.Percent(p) + " of a block"
		}
	}
	return f
}

func (v *views) nextBlock() figure {
	expected := v.hashrate.Difficulty * hashesPerDifficulty / v.hashrate.Hashrate
	if expected <= 0 || math.IsNaN(expected) || math.IsInf(expected, 0) {
		return figure{"A block every", cell{format.None, bold}, "once mining"}
	}
	name, seconds := chanceSpan(expected)
	return figure{
		"A block every", cell{format.Duration(expected), bold},
		format.Percent(chanceWithin(seconds, expected)) + " per " + name,
	}
}

// chanceWithin is the chance of at least one block within seconds. Finding
// blocks is a Poisson process: past bad luck changes nothing.
func chanceWithin(seconds, expected float64) float64 { return -math.Expm1(-seconds / expected) }

// chanceSpan is the span of time in which the chance says something.
func chanceSpan(expected float64) (name string, seconds float64) {
	name, seconds = "minute", 60
	for _, longer := range []struct {
		name    string
		seconds float64
	}{{"hour", 3600}, {"day", 86_400}, {"year", 365.25 * 86_400}} {
		if chanceWithin(seconds, expected) >= 0.01 {
			break
		}
		name, seconds = longer.name, longer.seconds
	}
	return name, seconds
}

// blockTimer counts from the time that the tip's header tells.
func (v *views) blockTimer(now time.Time) figure {
	f := figure{"Since last block", cell{format.None, bold}, "not started yet"}
	times := v.hashrate.BlockTimes
	if len(times) == 0 {
		return f
	}
	elapsed := max(now.Sub(times[len(times)-1]).Seconds(), 0)
	f.value.text, f.note = format.Timer(elapsed), ""
	const target, intervals = 600, 3
	if elapsed > target {
		f.value.style = warn
		f.note = "overdue"
	}
	var before []string
	for i := len(times) - 1; i > 0 && len(before) < intervals; i-- {
		before = append(before, format.Timer(times[i].Sub(times[i-1]).Seconds()))
	}
	if len(before) > 0 {
		f.note = "before: " + strings.Join(before, ", ")
	}
	return f
}

// scopeFigures are those of a scope without a pool.
func scopeFigures(sessions []session, alarms []alarm) []figure {
	var live, ended int
	var accepted, rejected, conflicts, messages uint64
	rate := 0.0
	for i := range sessions {
		v := &sessions[i]
		messages += v.Messages
		b := v.brief()
		accepted, rejected, conflicts = accepted+b.Accepted, rejected+b.Rejected, conflicts+b.Conflicts
		if !v.Live {
			ended++
			continue
		}
		live++
		if h := known(b.Hashrate); h > 0 {
			rate += h
		}
	}
	critical := 0
	for i := range alarms {
		if alarms[i].Severity == "critical" {
			critical++
		}
	}
	alarmLook := bold
	if critical > 0 {
		alarmLook = bad
	}
	return []figure{
		{"Sessions", cell{format.Count(live), bold}, format.Count(ended) + " ended"},
		{"Hashrate", cell{format.Hashrate(rate), bold}, "of five minutes"},
		{"Shares", cell{format.Count(accepted + rejected), bold}, rejectCell(accepted, rejected).text + " rejected"},
		{"Conflicts", cell{format.Count(conflicts), bold}, "pool against audit"},
		{"Alarms", cell{format.Count(len(alarms)), alarmLook}, format.Count(critical) + " critical"},
		{"Messages", cell{format.Count(messages), bold}, "captured"},
	}
}

// allInOneRow is the width from which on all figures stand in one row, with
// their notes whole.
const allInOneRow = 132

// grid sets figures side by side: all in one row where there is room, else in
// rows of three.
func (s *screen) grid(figures []figure, notes bool) []string {
	perRow := min(len(figures), 3)
	if s.width >= allInOneRow {
		perRow = len(figures)
	}
	w := (s.width - (perRow-1)*len(gap)) / perRow
	var lines []string
	for from := 0; from < len(figures); from += perRow {
		var labels, values, below []string
		for _, f := range figures[from:min(from+perRow, len(figures))] {
			labels = append(labels, s.ink.paint(faint, left(f.label, w)))
			values = append(values, s.ink.paint(f.value.style, left(f.value.text, w)))
			below = append(below, s.ink.paint(faint, left(f.note, w)))
		}
		lines = append(lines, strings.Join(labels, gap), strings.Join(values, gap))
		if notes {
			lines = append(lines, strings.Join(below, gap))
		}
	}
	return lines
}

// chart draws the hashrate of the last six minutes.
func (s *screen) chart(history []point, h int) []string {
	values := make([]float64, 0, len(history))
	largest := 0.0
	for _, p := range history {
		values = append(values, p.Hashrate)
		largest = max(largest, p.Hashrate)
	}
	caption, most := "6 min", "no hashrate yet"
	if largest > 0 {
		most = "up to " + format.Hashrate(largest)
	}
	w := s.width - width(caption) - width(most) - 2*len(gap)
	lines := spark(values, min(w, max(len(values), w)), h)
	for i := range lines {
		begin, end := blank(width(caption)), ""
		if i == h-1 {
			begin = caption
		}
		if i == 0 {
			end = gap + most
		}
		lines[i] = s.ink.paint(faint, begin) + gap + s.ink.paint(accent, lines[i]) + s.ink.paint(faint, end)
	}
	return lines
}

// nodeLine says in a line how the node is that templates come from, or the most
// preferred one when none is usable.
func (s *screen) nodeLine(nodes []node) string {
	if len(nodes) == 0 {
		return s.ink.paint(faint, "No node is configured")
	}
	n := nodes[0]
	for _, other := range nodes {
		if other.Active {
			n = other
		}
	}
	said := []cell{{"Node ", faint}, {string(n.Name) + " ", plain}, {strings.ReplaceAll(string(n.State), "_", " "), toneOf(string(n.State))}}
	add := func(words string) { said = append(said, cell{" · " + words, faint}) }
	if n.Reason != "" {
		add(string(n.Reason))
	} else if n.Height > 0 {
		height := "block " + format.Count(n.Height)
		if n.Headers > n.Height {
			height += " of " + format.Count(n.Headers)
		}
		add(height)
	}
	if n.Latency > 0 {
		add("answers in " + format.Latency(n.Latency))
	}
	if n.ZMQ {
		add("ZMQ")
	}
	if len(nodes) > 1 {
		add(plural(len(nodes)-1, "other node"))
	}
	if n.Version != "" {
		add(strings.Trim(string(n.Version), "/"))
	}
	return s.spread(said, nil)
}
