package notify

import (
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
)

// World is what the watcher sees at one moment. Nothing in it changes later.
type World struct {
	Ledger *ledger.Snapshot // nil while the books are not read
	Node   *node.Status     // nil while there is none
	// Trouble says why miners' work is worth nothing or why miners cannot be
	// here, "" when all is well. While there is some, nobody is blamed for being
	// offline.
	Trouble string
	Alarms  []Alarm // of the microscope, that are newer than what was asked for
	// AlarmCursor is what to ask with for those that come later.
	AlarmCursor uint64
}

// Alarm is one of the microscope's.
type Alarm struct {
	Kind     string
	Severity string // info, warning or critical
	Session  string
	At       time.Time // when it was raised first
	Text     string
}

// Saved is a worker that a person saved.
type Saved struct {
	UserID string
	Name   string // in full
	Hash   string // SHA-256 of the name, in hex
	Notify bool
}

// Person is what alerts have to know about somebody.
type Person struct {
	Operator bool
	Disabled bool
	Email    string // "" when not known
}

// worker is what is read of one.
type worker struct {
	online             bool
	accepted, rejected uint64
	best               ledger.Best
}

// workersOf lists workers by name.
func workersOf(s *ledger.Snapshot) map[string]worker {
	if s == nil {
		return nil
	}
	all := make(map[string]worker, len(s.Workers))
	for i := range s.Workers {
		w := &s.Workers[i]
		all[w.Name] = worker{online: w.Online, accepted: w.Accepted, rejected: w.Rejected, best: w.BestEver}
	}
	return all
}

// severityOf turns the microscope's word into ours.
func severityOf(s string) string {
	switch s {
	case alert.Info, alert.Critical:
		return s
	default:
		return alert.Warning
	}
}
