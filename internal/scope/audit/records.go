package audit

import "time"

// Difficulty is a mining.set_difficulty of the pool.
type Difficulty struct {
	At      time.Time `json:"at"`    // received from the pool
	Value   float64   `json:"value"` // in units of difficulty 1 = 2^32 hashes
	Message string    `json:"message_id"`
	Before  float64   `json:"before"`            // value in force before; 0 for the first
	Shares  uint64    `json:"accepted_before"`   // shares accepted while that was in force
	Seconds float64   `json:"seconds_before"`    // for how long it was in force
	Asked   bool      `json:"suggested_by_peer"` // the miner suggested a difficulty within the minute before
}

// DifficultyTimeline are the difficulties of a session, oldest first. Above
// Limits.Difficulties the oldest are dropped.
type DifficultyTimeline struct {
	Session string       `json:"session_id"`
	Changes []Difficulty `json:"changes"`
	Dropped uint64       `json:"dropped"`
}

// Job is a mining.notify that a session was sent.
type Job struct {
	Message     string    `json:"message_id"`
	N           uint64    `json:"n"` // number of the message in the session
	ReceivedAt  time.Time `json:"received_at"`
	ForwardedAt time.Time `json:"forwarded_at,omitzero"`

	ID          string  `json:"job_id"`
	PrevHash    string  `json:"prev_hash"`          // display order, hex
	Height      int64   `json:"height"`             // of the block that is mined, by the coinbase (BIP34); -1 when it does not say
	Version     string  `json:"version"`            // 8 hex digits
	Bits        string  `json:"nbits"`              // 8 hex digits
	NetworkDiff float64 `json:"network_difficulty"` // of nbits
	Time        uint32  `json:"ntime"`              // Unix seconds
	SkewSeconds float64 `json:"ntime_skew_s"`       // ntime - time of receipt
	Clean       bool    `json:"clean_jobs"`
	NewTip      bool    `json:"new_tip"` // first job of the session on its previous block
	Empty       bool    `json:"empty"`   // no transactions but the coinbase
	Branches    int     `json:"merkle_branches"`
	Tag         string  `json:"pool_tag"` // printable text of the coinbase script
	Value       int64   `json:"coinbase_value_sat"`
	Payouts     int     `json:"coinbase_outputs"`
	Extranonce1 string  `json:"extranonce1"` // hex, in force when the job was sent; "" when not known
	Difficulty  float64 `json:"difficulty"`  // of shares, in force when the job was sent; 0 when not known

	SupersededAt time.Time `json:"superseded_at,omitzero"`       // a newer job came
	StaleAt      time.Time `json:"stale_at,omitzero"`            // shares on it are stale since
	BehindTip    *float64  `json:"behind_node_tip_ms,omitempty"` // from our node's new tip to this job, the first on it; negative when the pool was first
	Shares       JobShares `json:"shares"`
}

// JobShares count the shares on a job.
type JobShares struct {
	Submitted uint64  `json:"submitted"`
	Accepted  uint64  `json:"accepted"`
	Rejected  uint64  `json:"rejected"`
	Best      float64 `json:"best_difficulty"` // true difficulty; 0 without
}

// Share is one mining.submit with what the audit and the pool say of it.
type Share struct {
	Message    string    `json:"message_id"`
	N          uint64    `json:"n"` // number of the message in the session
	ReceivedAt time.Time `json:"received_at"`
	Worker     string    `json:"worker"`
	Job        string    `json:"job_id"`
	Replayed   bool      `json:"replayed"` // sent by the scope, not by the miner

	Audit      string   `json:"audit"`             // a capture.Audit constant
	Pool       string   `json:"pool"`              // "accepted", "rejected" or "unanswered"
	Reason     string   `json:"reason"`            // the pool's, of a rejection
	Conflict   string   `json:"conflict"`          // "" when pool and audit agree
	Difficulty float64  `json:"difficulty"`        // true difficulty of the hash; 0 when not known
	Target     float64  `json:"target_difficulty"` // that the pool had asked for; 0 when not known
	Hash       string   `json:"hash"`              // display order, hex; "" when not known
	StaleBy    float64  `json:"stale_ms"`          // of stale shares
	Latency    *float64 `json:"latency_ms"`        // to the response; null while unanswered
}

// Page is a part of a list: newest first, at most limit elements.
type Page[T any] struct {
	Items   []T    `json:"items"`
	Next    uint64 `json:"next"`    // cursor of the page that follows; 0 when there is none
	Dropped uint64 `json:"dropped"` // elements that made room for newer ones
}
