package api

import (
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
)

// Limits of the error history in the pool page.
const (
	maxErrors   = 6
	errorWindow = time.Hour
)

// poolPage is the response of GET /api/pool-page. Blocks are counted over the
// life of the books, everything else from the start of the process; times are
// seconds.
type poolPage struct {
	APIVersion       string       `json:"api_version"`
	BlocksAccepted   uint64       `json:"blocks_accepted"`
	BlocksErrored    uint64       `json:"blocks_errored"`
	RPCGBTLastSec    float64      `json:"rpc_gbt_last_sec"`
	RPCGBTMaxSec     float64      `json:"rpc_gbt_max_sec"`
	RPCGBTCount      uint64       `json:"rpc_gbt_count"`
	RPCSubmitLastSec float64      `json:"rpc_submit_last_sec"`
	RPCSubmitMaxSec  float64      `json:"rpc_submit_max_sec"`
	RPCSubmitCount   uint64       `json:"rpc_submit_count"`
	RPCErrors        uint64       `json:"rpc_errors"`
	ShareErrors      uint64       `json:"share_errors"`
	RPCGBTMin1hSec   float64      `json:"rpc_gbt_min_1h_sec"`
	RPCGBTAvg1hSec   float64      `json:"rpc_gbt_avg_1h_sec"`
	RPCGBTMax1hSec   float64      `json:"rpc_gbt_max_1h_sec"`
	ErrorHistory     []errorEvent `json:"error_history,omitempty"`
}

// errorEvent is a PoolErrorEvent.
type errorEvent struct {
	At      time.Time `json:"at,omitzero"`
	Type    string    `json:"type"`
	Message string    `json:"message"`
}

func buildPoolPage(m moment) *poolPage {
	rpc := m.node.RPC
	return &poolPage{
		APIVersion:       apiVersion,
		BlocksAccepted:   m.ledger.BlocksAccepted,
		BlocksErrored:    m.ledger.BlocksRejected,
		RPCGBTLastSec:    seconds(rpc.GBT.Last),
		RPCGBTMaxSec:     seconds(rpc.GBT.Max),
		RPCGBTCount:      uint64(rpc.GBT.Count),
		RPCSubmitLastSec: seconds(rpc.Submit.Last),
		RPCSubmitMaxSec:  seconds(rpc.Submit.Max),
		RPCSubmitCount:   uint64(rpc.Submit.Count),
		RPCErrors:        rpc.Errors,
		ShareErrors:      m.pool.ShareErrors,
		RPCGBTMin1hSec:   seconds(rpc.GBT.Min1h),
		RPCGBTAvg1hSec:   seconds(rpc.GBT.Avg1h),
		RPCGBTMax1hSec:   seconds(rpc.GBT.Max1h),
		ErrorHistory:     errorHistory(m),
	}
}

// errorHistory merges what went wrong in the pool and with the nodes during
// the last hour, newest first.
func errorHistory(m moment) []errorEvent {
	events := make([]errorEvent, 0, len(m.pool.Errors)+len(m.node.Errors))
	for _, e := range m.pool.Errors {
		events = append(events, errorEvent{At: e.At, Type: e.Type, Message: e.Message})
	}
	for _, e := range m.node.Errors {
		events = append(events, errorEvent{At: e.At, Type: e.Type, Message: e.Message})
	}
	cut := m.now.Add(-errorWindow)
	events = slices.DeleteFunc(events, func(e errorEvent) bool { return e.At.Before(cut) })
	slices.SortStableFunc(events, func(a, b errorEvent) int { return b.At.Compare(a.At) })
	events = events[:min(len(events), maxErrors)]
	for i := range events {
		events[i].At = access.Stamp(events[i].At)
		events[i].Message = publicText(events[i].Message)
	}
	return events
}
