package capture

import "time"

// Share is what the audit found out about a mining.submit: what the share was
// worth, and whether the pool's word agrees.
type Share struct {
	Job    string // id of the job, as submitted
	Audit  string // one of the Audit constants
	Pool   string // PoolAccepted, PoolRejected, or "" while the pool has not answered
	Reason string // the pool's reason for a rejection, short
	// Conflict is not empty when pool and audit disagree: the pool's word, then
	// "_though_", then the audit's, such as "rejected_though_valid".
	Conflict string

	Difficulty float64       // true difficulty of the header's hash; 0 when unknown
	Target     float64       // difficulty that the pool had asked for; 0 when unknown
	Hash       string        // of the header in display order, hex; "" when unknown
	StaleBy    time.Duration // from the job's end to the submit, of stale shares
}

// What the audit can say of a share.
const (
	AuditUnknown    = "unknown"        // not enough was captured to tell
	AuditValid      = "valid"          // its hash meets the difficulty
	AuditLow        = "low_difficulty" // its hash does not
	AuditDuplicate  = "duplicate"      // the same header was submitted before
	AuditStale      = "stale"          // its job had been replaced by one of a newer block
	AuditUnknownJob = "unknown_job"    // the pool never sent this job in the session
	AuditMalformed  = "malformed"      // its parameters make no header
	AuditBlock      = "block"          // its hash meets the network's target
)

// What the pool can say of a share.
const (
	PoolAccepted   = "accepted"
	PoolRejected   = "rejected"
	PoolUnanswered = "unanswered" // in filters
)

// PoolVerdict is what the pool said of a mining.submit; "" for other messages.
func (m *Message) PoolVerdict() string {
	switch {
	case m.Method != "mining.submit" || !m.IsRequest:
		return ""
	case m.Response == nil:
		return PoolUnanswered
	case m.Response.OK:
		return PoolAccepted
	}
	return PoolRejected
}
