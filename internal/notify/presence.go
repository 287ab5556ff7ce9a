package notify

import (
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// presence is whether a worker is there, as one rule sees it. It follows the
// custom of the field, with two sides: only who was there for long enough is
// missed, after being away for as long; only who was away for that long is
// welcomed, after being there for as long. Whoever comes and goes more quickly
// than that makes no noise.
//
// Times are those of the watcher's own clock, which stands still while nobody
// can be blamed for being away.
type presence struct {
	Online bool          `json:"online"`
	Since  time.Duration `json:"since"`           // of the last change, or of the first look
	Armed  alert.Kind    `json:"armed,omitempty"` // what will be told if it stays like this
}

// see takes in whether the worker is there, and says whether something changed
// that has to be kept. after is the rule's threshold.
func (p *presence) see(online bool, now, after time.Duration) (changed bool) {
	if online == p.Online {
		return false
	}
	lasted := now-p.Since >= after
	p.Online, p.Since, p.Armed = online, now, ""
	switch {
	case lasted && online:
		p.Armed = alert.WorkerOnline
	case lasted:
		p.Armed = alert.WorkerOffline
	}
	return true
}

// due says what is to be told now, "" for nothing.
func (p *presence) due(now, after time.Duration) alert.Kind {
	if p.Armed != "" && now-p.Since >= after {
		return p.Armed
	}
	return ""
}
