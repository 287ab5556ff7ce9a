package audit

import "time"

// Facts are what is known of one session. All times are UTC, cut to
// microseconds; members that are not known yet are left out.
type Facts struct {
	Session  string `json:"session_id"`
	Origin   string `json:"origin"`    // "proxy", "tap" or "file"
	Peer     string `json:"peer"`      // ip:port of the miner
	Pool     string `json:"pool"`      // host:port as configured; "" for a tap
	PoolPeer string `json:"pool_peer"` // ip:port of the pool; "" before it was connected

	BeganAt     time.Time `json:"began_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	CloseReason string    `json:"close_reason,omitempty"` // snake_case, of an ended session
	Complete    bool      `json:"complete"`               // captured from its first line, and nothing of it was lost

	UserAgent       string   `json:"user_agent"`                // of mining.subscribe; "" before it
	ResumeID        string   `json:"resume_id"`                 // session id that the miner asked to resume; "" without
	Workers         []string `json:"workers"`                   // names authorized with, in their order, at most 64
	Extranonce1     string   `json:"extranonce1,omitempty"`     // hex, of the next job
	Extranonce2Size int      `json:"extranonce2_size"`          // bytes; 0 when not known
	VersionMask     string   `json:"version_mask,omitempty"`    // 8 hex digits; left out when none was negotiated
	Difficulty      float64  `json:"difficulty"`                // that the pool asks for now; 0 before the first
	DifficultyCount uint64   `json:"difficulty_changes"`        // mining.set_difficulty with another value than before
	Suggested       float64  `json:"suggested_difficulty"`      // that the miner asked for last; 0 without
	Network         string   `json:"network,omitempty"`         // chain of the payout address: "main", "test" or "regtest"
	PayoutAddress   string   `json:"payout_address,omitempty"`  // that a worker's name begins with
	PayoutFraction  *float64 `json:"payout_fraction,omitempty"` // 0 to 1, of the latest coinbase's value that goes there

	SubscribeToNotify *float64  `json:"subscribe_to_notify_ms,omitempty"` // from the first mining.subscribe to the first job
	SubmitLatency     Quantiles `json:"submit_latency"`                   // mining.submit to its response
	RoundTrip         Quantiles `json:"round_trip"`                       // other requests of the miner to their responses
	NotifyToSubmit    Quantiles `json:"notify_to_submit"`                 // a clean job to the first share on it or a later one

	Shares       ShareCounts `json:"shares"`
	Hashrate     Hashrates   `json:"hashrate"`
	BestShare    float64     `json:"best_share_difficulty"`        // highest true difficulty of the session; 0 without shares
	BestShareID  string      `json:"best_share_message,omitempty"` // message of that share
	LastShareAt  time.Time   `json:"last_share_at,omitzero"`       // received from the miner
	LastNotifyAt time.Time   `json:"last_notify_at,omitzero"`      // received from the pool

	Jobs      uint64 `json:"jobs"`       // mining.notify that make a job
	EmptyJobs uint64 `json:"empty_jobs"` // of these, without transactions
	CleanJobs uint64 `json:"clean_jobs"` // of these, with clean_jobs
	Tips      uint64 `json:"tips"`       // different previous blocks in a row

	Messages       uint64 `json:"messages"`          // captured
	MinerBytes     uint64 `json:"miner_bytes"`       // captured from the miner
	PoolBytes      uint64 `json:"pool_bytes"`        // captured from the pool
	Gaps           uint64 `json:"gaps"`              // places where bytes were not captured
	LostBytes      uint64 `json:"lost_bytes"`        // in all gaps together
	ParseErrors    uint64 `json:"parse_errors"`      // lines that are no Stratum
	OddSubscribes  uint64 `json:"repeat_subscribes"` // mining.subscribe after the first
	DroppedRecords uint64 `json:"dropped_records"`   // jobs, shares and difficulties of this session that made room
	Alarms         int    `json:"alarms"`            // kinds of alarm raised in this session
}

// ShareCounts count the mining.submit of a miner; replays by the scope are not
// among them.
type ShareCounts struct {
	Submitted  uint64        `json:"submitted"`
	Accepted   uint64        `json:"accepted"`
	Rejected   uint64        `json:"rejected"`
	Unanswered uint64        `json:"unanswered"`  // submitted and neither of both
	AcceptRate *float64      `json:"accept_rate"` // accepted / (accepted + rejected); null before the first answer
	Reasons    []ReasonCount `json:"reasons"`     // of rejections, in the pool's words, most frequent first, at most 32
	Audit      VerdictCounts `json:"audit"`
	Conflicts  uint64        `json:"conflicts"` // shares that pool and audit disagree about
}

// ReasonCount is how often a pool gave a reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// VerdictCounts count shares by what the audit says of them.
type VerdictCounts struct {
	Valid         uint64 `json:"valid"`
	LowDifficulty uint64 `json:"low_difficulty"`
	Duplicate     uint64 `json:"duplicate"`
	Stale         uint64 `json:"stale"`
	UnknownJob    uint64 `json:"unknown_job"`
	Malformed     uint64 `json:"malformed"`
	Block         uint64 `json:"block"`
	Unknown       uint64 `json:"unknown"`
}

// Quantiles describe durations in milliseconds, each within 7 % of the true
// value; Max is exact. All are 0 when Count is.
type Quantiles struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Hashrates are what accepted shares prove, over three windows.
type Hashrates struct {
	FiveMinutes Hashrate `json:"5m"`
	OneHour     Hashrate `json:"1h"`
	Session     Hashrate `json:"session"` // since the first job
}

// Hashrate is work over time: the difficulty of accepted shares × 2^32 hashes,
// by the time in which they were found.
//
// At the beginning there is no evidence: the rate is null until a share was
// accepted and the miner has had work for 30 seconds. Later it is 0 in a
// window without shares. With n shares its standard error is about 1/√n.
type Hashrate struct {
	Hashes  *float64 `json:"hashes_per_second"`
	Shares  uint64   `json:"shares"`  // accepted in the window
	Work    float64  `json:"work"`    // their difficulties together
	Seconds float64  `json:"seconds"` // of the window that the miner has had work in
}
