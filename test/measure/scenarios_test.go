package measure

import (
	"math"
	"time"

	"github.com/poolscope/poolscope/internal/load"
)

// scenario is one load with what is read off it.
type scenario struct {
	name    string
	load    load.Config
	fresh   bool // on servers that have just been started
	metrics []metric
}

// metric is one row of the table.
type metric struct {
	what   string
	unit   string
	digits int
	target string                     // empty: none
	of     func(*load.Report) float64 // not a number: nothing to show
}

// known is not a number where there was nothing to measure.
func known(v float64) float64 {
	if v == 0 {
		return math.NaN()
	}
	return v
}

func cpuPerShare(target string) metric {
	return metric{"server CPU per accepted share", "µs", 2, target, func(r *load.Report) float64 { return r.Shares.CPUMicrosPerShare }}
}

func sharesPerSecond() metric {
	return metric{"shares a second", "", 0, "", func(r *load.Report) float64 { return r.Shares.AcceptedPerSecond }}
}

func latency50(target string) metric {
	return metric{"submit→reply p50", "ms", 3, target, func(r *load.Report) float64 { return r.Shares.Latency.P50 / 1000 }}
}

func latency99(target string) metric {
	return metric{"submit→reply p99", "ms", 3, target, func(r *load.Report) float64 { return r.Shares.Latency.P99 / 1000 }}
}

func latency999() metric {
	return metric{"submit→reply p99.9", "ms", 3, "", func(r *load.Report) float64 { return r.Shares.Latency.P999 / 1000 }}
}

// scenarios are run in this order. Sizes keep three runs of all within four
// minutes on two cores.
var scenarios = []scenario{
	{
		name:    "100 connections, one outstanding",
		load:    load.Config{Connections: 100, Shares: 2000, Outstanding: 1, Settle: 500 * time.Millisecond},
		metrics: []metric{cpuPerShare("≤ 11"), sharesPerSecond(), latency50(""), latency99("")},
	},
	{
		name:    "100 connections, 32 outstanding",
		load:    load.Config{Connections: 100, Shares: 5000, Outstanding: 32, Settle: 500 * time.Millisecond},
		metrics: []metric{cpuPerShare("≤ 4"), sharesPerSecond()},
	},
	{
		name:    "open loop, 10,000 shares a second on 100 connections",
		load:    load.Config{Connections: 100, Shares: 400, Rate: 10_000, Settle: 500 * time.Millisecond},
		metrics: []metric{latency50("≤ 0.10"), latency99("≤ 0.25"), latency999(), cpuPerShare("")},
	},
	{
		name:  "10,000 miners: handshakes, idle, then one outstanding each",
		load:  load.Config{Connections: 10_000, InFlight: 256, Settle: 3 * time.Second, Hold: 3 * time.Second, Shares: 20, Outstanding: 1},
		fresh: true,
		metrics: []metric{
			{"handshakes a second", "", 0, "≥ 12,000", func(r *load.Report) float64 { return r.Handshakes.PerSecond }},
			{"server CPU per handshake", "µs", 0, "", func(r *load.Report) float64 { return r.Handshakes.CPUMicrosPerConnect }},
			{"resident memory per idle miner", "KiB", 2, "≤ 5", func(r *load.Report) float64 { return r.Memory.PerConnectionKiB }},
			{"server CPU while idle", "% of a core", 1, "", func(r *load.Report) float64 { return r.Idle.CPUPercent }},
			cpuPerShare("within 20 % of 100 connections"),
		},
	},
	{
		name:  "2,000 miners, new tips",
		load:  load.Config{Connections: 2000, InFlight: 256, Settle: time.Second, Blocks: 5, BlockGap: time.Second},
		fresh: true,
		metrics: []metric{
			{"block at the node → last miner", "ms", 1, "≤ 25", func(r *load.Report) float64 { return known(r.Fanout.BlockToLast) }},
			{"block at the node → first miner", "ms", 1, "", func(r *load.Report) float64 { return known(r.Fanout.BlockToFirst) }},
			{"first → last miner", "ms", 1, "≤ 12", func(r *load.Report) float64 { return r.Fanout.Last }},
			{"server CPU per block", "ms", 1, "", func(r *load.Report) float64 { return known(r.Fanout.CPUMillis) }},
		},
	},
}
