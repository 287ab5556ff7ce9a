package alert

import "time"

// Kind is a kind of events.
type Kind string

// The kinds of events.
const (
	WorkerOffline  Kind = "worker_offline"
	WorkerOnline   Kind = "worker_online"
	BestShare      Kind = "best_share"
	BlockFound     Kind = "block_found"
	BlockConfirmed Kind = "block_confirmed"
	BlockStale     Kind = "block_stale"
	RejectRate     Kind = "reject_rate"
	RejectRateOver Kind = "reject_rate_over"
	NodeTrouble    Kind = "node_trouble"
	NodeRecovered  Kind = "node_recovered"
	ScopeAlarm     Kind = "scope_alarm"
	BackupFailed   Kind = "backup_failed"
	Test           Kind = "test" // the test of a channel; no rule is about it
)

// KindInfo describes a kind of events for people.
type KindInfo struct {
	Kind     Kind
	Title    string // what a rule about it says
	Operator bool   // for operators only
	Pool     bool   // persons may have it about the whole pool, with names shortened
}

// Kinds are all kinds that rules can be about.
func Kinds() []KindInfo {
	return []KindInfo{
		{Kind: WorkerOffline, Title: "A worker went offline"},
		{Kind: WorkerOnline, Title: "A worker is back"},
		{Kind: BestShare, Title: "A new best share"},
		{Kind: BlockFound, Title: "A block was found", Pool: true},
		{Kind: BlockConfirmed, Title: "A found block is confirmed", Pool: true},
		{Kind: BlockStale, Title: "A found block came to nothing", Pool: true},
		{Kind: RejectRate, Title: "Many shares are rejected"},
		{Kind: RejectRateOver, Title: "Shares are accepted again"},
		{Kind: NodeTrouble, Title: "Trouble with a Bitcoin node begins", Operator: true},
		{Kind: NodeRecovered, Title: "Trouble with a Bitcoin node is over", Operator: true},
		{Kind: ScopeAlarm, Title: "The microscope raised an alarm", Operator: true},
		{Kind: BackupFailed, Title: "A backup failed", Operator: true},
	}
}

// Info describes a kind; false when it is not one of [Kinds].
func (k Kind) Info() (KindInfo, bool) {
	for _, info := range Kinds() {
		if info.Kind == k {
			return info, true
		}
	}
	return KindInfo{}, false
}

// Severities of events.
const (
	Good     = "good"
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Event is something that happened.
type Event struct {
	Kind     Kind           `json:"kind"`
	Key      string         `json:"key"` // names this event and no other; whoever sees it again knows it
	At       time.Time      `json:"at"`
	Severity string         `json:"severity"`
	Worker   string         `json:"worker,omitempty"` // as whoever gets it may read it
	Text     string         `json:"text"`             // one line
	Values   map[string]any `json:"values,omitempty"` // numbers and words behind the text, by name

	// Maybe says that it may have been told before: the program was killed in the
	// instant of sending, to a service that cannot tell one message from another.
	Maybe bool `json:"maybe,omitempty"`
}
