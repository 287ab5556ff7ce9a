package audit

import "time"

// Alarm is something that somebody ought to know.
type Alarm struct {
	ID       uint64    `json:"id"`     // stays the same while Count rises
	Cursor   uint64    `json:"cursor"` // rises with every change of any alarm
	Kind     string    `json:"kind"`   // one of the Alarm constants
	Severity string    `json:"severity"`
	Session  string    `json:"session_id"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	Count    uint64    `json:"count"`    // how often it was raised
	Text     string    `json:"text"`     // what happened the last time, a plain English sentence
	Messages []string  `json:"messages"` // ids of messages that prove it: of the first time, then of the last ones; at most 8
}

// Severities.
const (
	SeverityInfo     = "info"     // good to know
	SeverityWarning  = "warning"  // costs work, or may
	SeverityCritical = "critical" // costs money
)

// Kinds of alarms.
const (
	AlarmBlock              = "block_found"         // a share meets the network's target
	AlarmBlockNotSubmitted  = "block_not_submitted" // our node could not be given the block
	AlarmPayoutMissing      = "payout_missing"      // the coinbase does not pay who it should
	AlarmPayoutChanged      = "payout_changed"      // the coinbase pays another main output, or another share of the value
	AlarmWorkerRewritten    = "worker_rewritten"    // the same share is seen in another session under another name
	AlarmUnknownWorker      = "unknown_worker"      // a share of a worker that was never authorized
	AlarmExtranonceChanged  = "extranonce_changed"  // an unasked mining.set_extranonce, or another size
	AlarmReconnect          = "reconnect_requested" // client.reconnect
	AlarmUnknownTip         = "unknown_tip"         // jobs on a block that our node does not know
	AlarmOldTip             = "old_tip"             // jobs on a block that is not our node's tip any more
	AlarmLateJob            = "late_job"            // the first job on a tip came long after our node's
	AlarmBits               = "wrong_nbits"         // differs from our node's, or changes on one tip
	AlarmTime               = "wrong_ntime"         // far from the clock, or runs backwards
	AlarmEmptyBlocks        = "empty_jobs"          // jobs without transactions long after the tip
	AlarmDifficultyRaised   = "difficulty_raised"   // without shares that would justify it
	AlarmPoolSilent         = "pool_silent"         // no job for long
	AlarmSubmitUnanswered   = "submit_unanswered"   // no answer to a share for long
	AlarmMinerSilent        = "miner_silent"        // no share for long
	AlarmRejectedValid      = "rejected_though_valid"
	AlarmRejectedBlock      = "rejected_though_block"
	AlarmAcceptedLow        = "accepted_though_low"
	AlarmAcceptedDuplicate  = "accepted_though_duplicate"
	AlarmAcceptedStale      = "accepted_though_stale"
	AlarmAcceptedUnknownJob = "accepted_though_unknown_job"
	AlarmAcceptedMalformed  = "accepted_though_malformed"
)

// AlarmKinds are all kinds, in the order of the constants.
func AlarmKinds() []string {
	return []string{
		AlarmBlock, AlarmBlockNotSubmitted, AlarmPayoutMissing, AlarmPayoutChanged, AlarmWorkerRewritten, AlarmUnknownWorker,
		AlarmExtranonceChanged, AlarmReconnect, AlarmUnknownTip, AlarmOldTip, AlarmLateJob, AlarmBits, AlarmTime, AlarmEmptyBlocks,
		AlarmDifficultyRaised, AlarmPoolSilent, AlarmSubmitUnanswered, AlarmMinerSilent, AlarmRejectedValid, AlarmRejectedBlock,
		AlarmAcceptedLow, AlarmAcceptedDuplicate, AlarmAcceptedStale, AlarmAcceptedUnknownJob, AlarmAcceptedMalformed,
	}
}

// AlarmCount is how often a kind was raised, over all sessions.
type AlarmCount struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}
