package top

import (
	"math"
	"time"
)

// What the server sends, as far as it is shown; docs/api.md describes all of it.
// Hashrates are in H/s, difficulties in difficulty 1, amounts in satoshis.

// overview is /api/overview.
type overview struct {
	ActiveMiners    int            `json:"active_miners"`
	ActiveTLSMiners int            `json:"active_tls_miners"`
	SharesPerMinute float64        `json:"shares_per_minute"`
	Workers         []recentWorker `json:"workers"`
}

type recentWorker struct {
	Name       text    `json:"name"`
	Hashrate   float64 `json:"rolling_hashrate"`
	Accuracy   text    `json:"hashrate_accuracy"`
	Difficulty float64 `json:"difficulty"`
	Vardiff    float64 `json:"vardiff"`
	ShareRate  float64 `json:"share_rate"`
	Accepted   uint64  `json:"accepted"`
	Connection text    `json:"connection_id"`
}

// hashrate is /api/pool-hashrate.
type hashrate struct {
	Hashrate   float64     `json:"pool_hashrate"`
	History    []point     `json:"pool_hashrate_history"`
	Difficulty float64     `json:"block_difficulty"`
	BlockTimes []time.Time `json:"recent_block_times"` // oldest first
}

type point struct {
	At       time.Time `json:"at"`
	Hashrate float64   `json:"hashrate"`
}

// status is /api/status.
type status struct {
	APIVersion text       `json:"api_version"`
	Version    text       `json:"version"`
	Network    text       `json:"network"`
	State      text       `json:"state"`
	Reason     text       `json:"reason"`
	Stratum    []listener `json:"stratum"`
	Tag        text       `json:"tag"`
	Nodes      []node     `json:"nodes"`
	Authorized int        `json:"authorized"`
	Accepted   uint64     `json:"accepted"`
	Rejected   uint64     `json:"rejected"`
	BestShare  *struct {
		Difficulty float64 `json:"difficulty"`
	} `json:"best_share"`
	Ping float64 `json:"ping_p50_ms"`
}

type listener struct {
	URL text `json:"url"`
}

type node struct {
	Name    text    `json:"name"`
	State   text    `json:"state"`
	Reason  text    `json:"reason"`
	Height  int64   `json:"height"`
	Headers int64   `json:"headers"`
	Latency float64 `json:"latency_ms"`
	ZMQ     bool    `json:"zmq"`
	Active  bool    `json:"active"`
	Version text    `json:"version"`
}

// hasPool reports whether a pool runs in the program: a scope alone listens for
// nobody as a pool, and knows no node.
func (s *status) hasPool() bool { return len(s.Stratum) > 0 || len(s.Nodes) > 0 || s.Tag != "" }

// block is one of /api/blocks.
type block struct {
	Height        int64     `json:"height"`
	Hash          text      `json:"display_hash"`
	Worker        text      `json:"display_worker"`
	At            time.Time `json:"timestamp"`
	Difficulty    float64   `json:"share_diff"`
	Payout        int64     `json:"worker_payout_sats"`
	Confirmations int64     `json:"confirmations"`
	Result        text      `json:"result"`
}

// workerPage is /api/workers.
type workerPage struct {
	Operator  bool     `json:"operator"`
	Total     int      `json:"total"`
	Online    int      `json:"online"`
	Truncated int      `json:"truncated"`
	Workers   []worker `json:"workers"`
}

type worker struct {
	ID          text      `json:"id"`
	Name        text      `json:"name"`
	Online      bool      `json:"online"`
	Connections int       `json:"connections"`
	TLS         bool      `json:"tls"`
	UserAgent   text      `json:"user_agent"`
	Hashrate    float64   `json:"hashrate"`
	Accuracy    text      `json:"hashrate_accuracy"`
	ShareRate   float64   `json:"share_rate"`
	Difficulty  float64   `json:"difficulty"`
	Vardiff     float64   `json:"vardiff"`
	Accepted    uint64    `json:"accepted"`
	Rejected    uint64    `json:"rejected"`
	BestShare   float64   `json:"best_share"`
	BestSession float64   `json:"best_session"`
	Ping        float64   `json:"ping_p50_ms"`
	LastShare   time.Time `json:"last_share"`
	LastSeen    time.Time `json:"last_seen"`
	FirstSeen   time.Time `json:"first_seen"`
}

// workerDetail is /api/workers/ID, as far as the list does not have it.
type workerDetail struct {
	ID      text `json:"id"`
	Rejects []struct {
		Text   text   `json:"text"`
		Advice text   `json:"advice"`
		Count  uint64 `json:"count"`
	} `json:"rejects"`
	Connections []struct {
		ID          text      `json:"id"`
		UserAgent   text      `json:"user_agent"`
		Remote      text      `json:"remote"`
		ConnectedAt time.Time `json:"connected_at"`
		Difficulty  float64   `json:"difficulty"`
	} `json:"connections_list"`
}

// session is one of /api/sessions.
type session struct {
	ID         text      `json:"session_id"`
	Peer       text      `json:"peer"`
	FirstSeen  time.Time `json:"first_seen"`
	LastSeen   time.Time `json:"last_seen"`
	Messages   uint64    `json:"message_count"`
	UserAgent  text      `json:"user_agent"`
	Difficulty float64   `json:"difficulty"`
	PoolHost   text      `json:"pool_host"`
	PoolPort   int       `json:"pool_port"`
	PoolPeer   text      `json:"pool_peer"`
	Origin     text      `json:"origin"`
	Live       bool      `json:"live"`
	EndedAt    time.Time `json:"ended_at"`
	Close      text      `json:"close_reason"`
	Workers    []text    `json:"workers"`
	Gaps       uint64    `json:"gaps"`
	Brief      *brief    `json:"brief"`
}

// brief are a session's facts in a list.
type brief struct {
	Accepted   uint64   `json:"accepted"`
	Rejected   uint64   `json:"rejected"`
	Unanswered uint64   `json:"unanswered"`
	Conflicts  uint64   `json:"conflicts"`
	Hashrate   *float64 `json:"hashes_per_second"`
	Latency    *float64 `json:"submit_p50_ms"`
	Alarms     int      `json:"alarms"`
}

// alarmPage is /api/alarms.
type alarmPage struct {
	Alarms  []alarm `json:"alarms"`
	Cursor  uint64  `json:"cursor"`
	More    bool    `json:"more"`
	Dropped uint64  `json:"dropped"`
}

type alarm struct {
	ID       uint64    `json:"id"`
	Kind     text      `json:"kind"`
	Severity text      `json:"severity"`
	Session  text      `json:"session_id"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	Count    uint64    `json:"count"`
	Text     text      `json:"text"`
}

// known is a number, NaN when the server did not tell it.
func known(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
