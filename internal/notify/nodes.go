package notify

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/node"
)

// nodeAfter is how long trouble has to last, and to be over, until it is told:
// nodes stumble for some seconds at every block.
const nodeAfter = time.Minute

// nodeSeen is the trouble with a node, or with the work that nodes give.
type nodeSeen struct {
	Bad   bool      `json:"bad"`
	Since time.Time `json:"since"` // of Bad, or of its opposite
	Told  bool      `json:"told"`  // that it is bad
}

// seeNodes looks at every node, and at what miners get from all of them.
func (l *look) seeNodes() {
	troubles := map[string]string{"": l.w.Trouble} // by name; "" for none
	if l.w.Node != nil {
		for i := range l.w.Node.Nodes {
			n := &l.w.Node.Nodes[i]
			troubles[n.Name] = ""
			if n.State != node.StateReady {
				troubles[n.Name] = strings.TrimSpace(strings.ReplaceAll(n.State, "_", " ") + ": " + n.Reason)
			} else if !n.Split.IsZero() {
				troubles[n.Name] = "is on another branch of the chain than the active node"
			}
		}
	}
	for name, trouble := range troubles {
		l.seeNode(name, trouble)
	}
	for key := range maps.Keys(l.m.nodes) {
		if _, in := troubles[strings.TrimPrefix(key, aboutNode)]; !in {
			l.d.forget(key)
		}
	}
}

func (l *look) seeNode(name, trouble string) {
	key := aboutNode + name
	s, known := l.m.nodes[key]
	if bad := trouble != ""; !known || s.Bad != bad {
		s.Bad, s.Since = bad, l.d.now
		l.d.set(key, s)
	}
	lasted := l.d.now.Sub(s.Since)
	if s.Bad == s.Told || lasted < nodeAfter {
		return
	}
	s.Told = s.Bad
	l.d.set(key, s)

	title := "Node " + Plain(name, 64)
	if name == "" {
		title = "Work of all miners"
	}
	e := alert.Event{At: s.Since, Values: map[string]any{"node": name}}
	if s.Bad {
		e.Kind, e.Severity = alert.NodeTrouble, alert.Warning
		if name == "" {
			e.Severity = alert.Critical
		}
		e.Text = fmt.Sprintf("%s: trouble: %s", title, Plain(trouble, 300))
		e.Values["trouble"] = Plain(trouble, 300)
	} else {
		e.Kind, e.Severity = alert.NodeRecovered, alert.Good
		e.Text = title + ": all is well again"
	}
	e.Key = fmt.Sprintf("%s:%s:%d", e.Kind, name, s.Since.UnixMilli())
	l.tellAll(e)
}

// tellAll tells an event that is about no worker to every rule that wants it.
func (l *look) tellAll(e alert.Event) {
	for _, r := range l.rules {
		if r.wants(e.Kind) {
			l.d.tell(r, e)
		}
	}
}
