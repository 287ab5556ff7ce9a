package top

import (
	"cmp"
	"strings"

	"github.com/poolscope/poolscope/internal/format"
)

// alarmTable lists the scope's alarms, those raised last first.
func alarmTable() *table[alarm] {
	t := &table[alarm]{
		key: func(a *alarm) string { return number(a.ID) },
		words: func(a *alarm) string {
			return a.kind() + " " + string(a.Severity) + " " + string(a.Text) + " " + string(a.Session)
		},
		facts: alarmFacts,
		none:  "No alarm so far.",
		columns: []column[alarm]{
			{
				title: "Severity", width: 9, rank: 0, falling: true,
				compare: func(a, b *alarm) int { return cmp.Compare(gravity(a), gravity(b)) },
				cell:    func(a *alarm, _ int, _ *screen) cell { return cell{string(a.Severity), toneOf(string(a.Severity))} },
			},
			{
				title: "Kind", width: 19, rank: 2,
				compare: func(a, b *alarm) int { return cmp.Compare(a.kind(), b.kind()) },
				cell:    func(a *alarm, _ int, _ *screen) cell { return cell{a.kind(), toneOf(string(a.Kind))} },
			},
			{
				title: "What happened", width: 16, flex: true, rank: 1,
				compare: func(a, b *alarm) int { return natural(string(a.Text), string(b.Text)) },
				cell:    func(a *alarm, _ int, _ *screen) cell { return cell{text: string(a.Text)} },
			},
			{
				title: "Times", width: 7, right: true, rank: 4, falling: true,
				compare: func(a, b *alarm) int { return cmp.Compare(a.Count, b.Count) },
				cell:    func(a *alarm, _ int, _ *screen) cell { return cell{text: format.Count(a.Count)} },
			},
			{
				title: "Last", width: 13, right: true, rank: 3, falling: true,
				compare: func(a, b *alarm) int { return a.LastAt.Compare(b.LastAt) },
				cell:    func(a *alarm, _ int, s *screen) cell { return cell{text: s.time(a.LastAt)} },
			},
		},
	}
	t.by, t.fall = len(t.columns)-1, true
	return t
}

// kind is the kind of an alarm in words: payout_missing is "Payout missing".
func (a *alarm) kind() string {
	words := strings.NewReplacer("_", " ", "nbits", "nBits", "ntime", "nTime").Replace(string(a.Kind))
	if words != "" && isASCII(words[:1]) {
		words = strings.ToUpper(words[:1]) + words[1:]
	}
	return words
}

// gravity orders severities.
func gravity(a *alarm) int {
	switch a.Severity {
	case "critical":
		return 2
	case "warning":
		return 1
	}
	return 0
}

// alarmFacts are all that the list knows of an alarm.
func alarmFacts(a *alarm, s *screen) []fact {
	return []fact{
		{"Alarm", cell{a.kind(), bold}},
		{"Severity", cell{string(a.Severity), toneOf(string(a.Severity))}},
		{"Happened", cell{text: string(a.Text)}},
		{"Times", cell{text: format.Count(a.Count)}},
		{"First", cell{text: s.timeAgo(a.FirstAt)}},
		{"Last", cell{text: s.timeAgo(a.LastAt)}},
		{"Session", cell{text: string(a.Session)}},
	}
}
