package api

import (
	"math"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/stratum"
)

// poolCollector turns the read models into metrics at each scrape. Nothing is
// counted twice, and the hot path knows nothing of Prometheus.
//
// Workers are not labels: their number is not bounded, and their names are
// other people's addresses.
type poolCollector struct {
	s *Server
	d descs
}

// descs are the descriptions of all metrics of the collector.
type descs struct {
	build, up, state                                                *prometheus.Desc
	connections, tls, authorized, workers                           *prometheus.Desc
	accepted, rejected, work, messages, rejects, closes, drops      *prometheus.Desc
	hashrate, sharesPerMinute, ping, bestShare                      *prometheus.Desc
	blocksAccepted, blocksErrored, tipFirst, hashing, hashingFailed *prometheus.Desc
	proposals, tipToWork                                            *prometheus.Desc
	bans, bansMade, bansSpared, banErrors, bansUnsaved, blocks      *prometheus.Desc
	jobHeight, jobAge, templateAge, jobTx, jobFees, networkDiff     *prometheus.Desc
	tipHeight, trouble, turningAway, sentAway                       *prometheus.Desc
	nodeReady, nodeActive, nodeBlocks, nodeLatency                  *prometheus.Desc
	rpcErrors, rpcDisconnects, rpcReconnects, rpcCalls, rpcLast     *prometheus.Desc
	zmqHealthy, zmqDisconnects, zmqReconnects, zmqGaps              *prometheus.Desc
	bookErrors, bookBatches, bookDropped                            *prometheus.Desc
	ready                                                           *prometheus.Desc
	liveClients, liveEnds, liveMessages, panics, refused, encodings *prometheus.Desc
	reloads, restartKeys, logLost, capturing                        *prometheus.Desc
}

var _ prometheus.Collector = (*poolCollector)(nil)

func newPoolCollector(s *Server) *poolCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("poolscope_"+name, help, labels, nil)
	}
	return &poolCollector{s: s, d: descs{
		build:           desc("build_info", "Always 1; the labels say which program this is.", "version", "commit", "go"),
		up:              desc("start_time_seconds", "Unix time at which the pool started."),
		state:           desc("mining", "1 while miners have work on the current tip."),
		connections:     desc("connections", "Open Stratum connections."),
		tls:             desc("connections_tls", "Open Stratum connections through TLS."),
		authorized:      desc("connections_authorized", "Open Stratum connections with an authorized worker."),
		workers:         desc("workers", "Workers with at least one connection."),
		accepted:        desc("shares_accepted_total", "Accepted shares, since the process started."),
		rejected:        desc("shares_refused_total", "Refused shares that belong to a worker, since the process started."),
		work:            desc("work_accepted_total", "Accepted work as a sum of difficulties, since the books began."),
		messages:        desc("stratum_messages_total", "Lines received from miners."),
		rejects:         desc("rejects_total", "Shares and requests refused, by reason.", "reason"),
		closes:          desc("connections_closed_total", "Stratum connections closed, by reason.", "reason"),
		drops:           desc("messages_dropped_total", "Messages dropped, by reason.", "reason"),
		hashrate:        desc("hashrate", "Estimated hashrate of all workers in hashes per second."),
		sharesPerMinute: desc("shares_per_minute", "Accepted shares per minute."),
		ping:            desc("miner_ping_seconds", "Round-trip time to the miners as the kernel measures it: the median of their medians, the 95th percentile of their 95th percentiles.", "quantile"),
		bestShare:       desc("best_share_difficulty", "Difficulty of the best share ever."),
		blocksAccepted:  desc("blocks_accepted_total", "Found blocks that a node accepted."),
		blocksErrored:   desc("blocks_errored_total", "Found blocks that every node refused."),
		tipFirst:        desc("tip_first_total", "New tips that miners got work for before the node's template was there."),
		hashing:         desc("hashing_info", "Always 1; the label says what hashes shares.", "kernels"),
		hashingFailed:   desc("hashing_failed", "1 when a way to hash gave wrong hashes and is not used any more."),
		tipToWork:       desc("tip_to_work_seconds", "Time from the node's announcement of the last tip until every miner had work on it: early (without transactions) and full.", "work"),
		proposals:       desc("block_proposals_total", "Unsolved blocks of ours that nodes were asked about, by verdict.", "verdict"),
		bans:            desc("bans", "Address blocks that are banned at the moment."),
		bansMade:        desc("bans_made_total", "Bans made, by the pool or by hand."),
		bansSpared:      desc("bans_spared_total", "Bans not made, since an honest miner is at the same address."),
		banErrors:       desc("ban_write_errors_total", "Failed attempts to write bans to the database."),
		bansUnsaved:     desc("bans_unsaved_total", "Bans that were given up before they were written."),
		blocks:          desc("address_blocks", "Address blocks that are remembered."),
		jobHeight:       desc("job_height", "Height of the block that miners work on."),
		jobAge:          desc("job_age_seconds", "Age of the current job."),
		templateAge:     desc("template_age_seconds", "Age of the current job's block template."),
		jobTx:           desc("template_transactions", "Transactions in the template, without the coinbase."),
		jobFees:         desc("template_fees_satoshis", "Sum of the template's transaction fees."),
		networkDiff:     desc("network_difficulty", "Difficulty of the network."),
		trouble:         desc("node_trouble_seconds", "How long miners' work has been worth nothing, since the node is not well; 0 when it is."),
		turningAway:     desc("turning_away", "1 while miners are turned away since the node is not well."),
		sentAway:        desc("sent_away_total", "Miners disconnected since the node was not well."),
		tipHeight:       desc("tip_height", "Height of the chain's tip."),
		nodeReady:       desc("node_ready", "1 while a node gives templates.", "node"),
		nodeActive:      desc("node_active", "1 for the node that templates come from.", "node"),
		nodeBlocks:      desc("node_blocks", "Height of a node's chain.", "node"),
		nodeLatency:     desc("node_latency_seconds", "Duration of the last regular look at a node.", "node"),
		rpcErrors:       desc("rpc_errors_total", "Failed calls to nodes."),
		rpcDisconnects:  desc("rpc_disconnects_total", "Times that a node stopped answering."),
		rpcReconnects:   desc("rpc_reconnects_total", "Times that a node answered again."),
		rpcCalls:        desc("rpc_calls_total", "Answered calls to nodes, by kind.", "call"),
		rpcLast:         desc("rpc_last_seconds", "Duration of the last answered call, by kind.", "call"),
		zmqHealthy:      desc("zmq_healthy", "1 while the active node's publishers are connected."),
		zmqDisconnects:  desc("zmq_disconnects_total", "Lost connections to publishers."),
		zmqReconnects:   desc("zmq_reconnects_total", "Renewed connections to publishers."),
		zmqGaps:         desc("zmq_gaps_total", "Publisher messages lost, by their sequence numbers."),
		bookErrors:      desc("books_errors_total", "Failed attempts to write the books."),
		bookBatches:     desc("books_batches_total", "Batches written to the books."),
		bookDropped:     desc("books_dropped_total", "Unwritten changes given up because the books could not be written, by kind.", "kind"),
		ready:           desc("ready", "1 while a readiness check passes.", "check"),
		liveClients:     desc("live_clients", "Open WebSockets."),
		liveEnds:        desc("live_ended_total", "WebSockets ended or refused, by reason.", "reason"),
		liveMessages:    desc("live_messages_total", "Messages queued for WebSockets."),
		panics:          desc("panics_total", "Panics survived, by part of the program.", "part"),
		refused:         desc("http_connections_refused_total", "HTTP connections closed because there were too many."),
		reloads:         desc("config_reloads_total", "Configurations read again while the pool ran, by result.", "result"),
		restartKeys:     desc("config_restart_keys", "Changed keys of the configuration that need a restart."),
		capturing:       desc("capture_running", "1 while a miner's wire is recorded."),
		logLost:         desc("log_lines_lost_total", "Lines that the log file did not take; they went to standard error."),
		encodings:       desc("live_encodings_total", "Encodings of live topics; grows with time, not with clients."),
	}}
}

// Describe sends nothing: the set of nodes is configuration, so the collector
// is an unchecked one.
func (c *poolCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads one moment of the sources. The registry calls it in a goroutine
// of its own, out of the reach of the handlers' recovery, and would show a
// panic's stack to the client; here it fails the scrape and is counted.
func (c *poolCollector) Collect(ch chan<- prometheus.Metric) {
	defer func() {
		if v := recover(); v != nil {
			c.s.panics.Add(1)
			c.s.log.Error("metrics panicked", "panic", v, "stack", string(debug.Stack()))
			ch <- prometheus.NewInvalidMetric(c.d.panics, errPanic)
		}
	}()
	now := c.s.now()
	m := c.s.read(now)
	d := &c.d
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	counter := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, v, labels...)
	}

	b := c.s.src.Build
	gauge(d.build, 1, b.Version, b.Commit, b.GoVersion)
	gauge(d.up, float64(m.started.Unix()))

	if c.s.src.Desk != nil {
		desk := c.s.src.Desk()
		counter(d.reloads, float64(desk.ReloadsApplied), "applied")
		counter(d.reloads, float64(desk.ReloadsRefused), "refused")
		gauge(d.restartKeys, float64(desk.RestartKeys))
		counter(d.logLost, float64(desk.LogLinesLost))
	}

	if c.s.src.Captures != nil {
		running := 0.0
		if status, ok := c.s.src.Captures.Capture(); ok && status.End == "" {
			running = 1
		}
		gauge(d.capturing, running)
	}

	c.collectPool(m, gauge, counter)
	c.collectNode(m, gauge, counter)

	failed := make(map[string]bool)
	for _, r := range c.s.readiness(now).Reasons {
		failed[r.Check] = true
	}
	for _, check := range checks() {
		gauge(d.ready, oneIf(!failed[check]), check)
	}

	h := c.s.hub
	gauge(d.liveClients, float64(h.size()))
	for end := range numLiveEnds {
		counter(d.liveEnds, float64(h.ends[end].Load()), end.String())
	}
	counter(d.liveMessages, float64(h.messages.Load()))
	counter(d.encodings, float64(h.encoded.Load()))
	counter(d.panics, float64(c.s.panics.Load()), "http")
	counter(d.panics, float64(h.panics.Load()), "live")
	if c.s.src.Panics != nil {
		for _, n := range c.s.src.Panics() {
			counter(d.panics, float64(n.Count), n.Name)
		}
	}
	counter(d.refused, float64(c.s.refused.Load()))
}

// emit sends one metric.
type emit func(desc *prometheus.Desc, v float64, labels ...string)

func (c *poolCollector) collectPool(m moment, gauge, counter emit) {
	d, p, l := &c.d, m.pool, m.ledger
	gauge(d.connections, float64(p.Connections))
	gauge(d.tls, float64(p.TLSConnections))
	gauge(d.authorized, float64(p.Authorized))
	gauge(d.workers, float64(l.Online))
	counter(d.accepted, float64(l.SessionAccepted))
	counter(d.rejected, float64(l.SessionRejected))
	counter(d.work, finite(l.AcceptedWork))
	counter(d.messages, float64(p.Messages))
	counter(d.blocksAccepted, float64(p.BlocksAccepted))
	counter(d.blocksErrored, float64(p.BlocksErrored))
	counter(d.tipFirst, float64(p.TipFirst))
	gauge(d.tipToWork, p.TipEarly.Seconds(), "early")
	gauge(d.tipToWork, p.TipFull.Seconds(), "full")
	gauge(d.hashing, 1, p.Hashing)
	gauge(d.hashingFailed, oneIf(p.HashingFailed != ""))
	counter(d.proposals, float64(p.Proposals.Passed), "passed")
	counter(d.proposals, float64(p.Proposals.Refused), "refused")
	counter(d.proposals, float64(p.Proposals.Unasked), "none")
	inForce := 0
	for _, b := range p.Abuse.Bans {
		if b.InForce(m.now) {
			inForce++
		}
	}
	gauge(d.bans, float64(inForce))
	counter(d.bansMade, float64(p.Abuse.Made))
	counter(d.bansSpared, float64(p.Abuse.Spared))
	counter(d.banErrors, float64(p.Abuse.Failures))
	counter(d.bansUnsaved, float64(p.Abuse.Unsaved))
	gauge(d.blocks, float64(p.Abuse.Blocks))
	waiting := 0.0
	if !p.Health.Since.IsZero() {
		waiting = age(m.now, p.Health.Since)
	}
	gauge(d.trouble, waiting)
	gauge(d.turningAway, oneIf(p.Health.TurningAway))
	counter(d.sentAway, float64(p.Health.SentAway))
	gauge(d.hashrate, finite(l.Hashrate))
	gauge(d.sharesPerMinute, finite(l.SharesPerMinute))
	if p50, p95 := pings(l.Workers); p50 > 0 {
		gauge(d.ping, p50/1000, "0.5")
		gauge(d.ping, p95/1000, "0.95")
	}
	if len(l.BestShares) > 0 {
		gauge(d.bestShare, l.BestShares[0].Difficulty)
	}

	// Every reason from the first scrape on, so that a rate is never missing.
	rejects := make(map[string]uint64, len(p.Rejects))
	for _, n := range p.Rejects {
		rejects[n.Name] = n.Count
	}
	for _, r := range stratum.Rejects() {
		counter(d.rejects, float64(rejects[r.Name()]), r.Name())
	}
	for _, n := range p.Closes {
		counter(d.closes, float64(n.Count), n.Name)
	}
	for _, n := range p.Drops {
		counter(d.drops, float64(n.Count), n.Name)
	}

	gauge(d.state, oneIf(p.Job != nil && p.State == pool.StateMining))
	if job := p.Job; job != nil {
		gauge(d.jobHeight, float64(job.Height))
		gauge(d.jobAge, age(m.now, job.CreatedAt))
		gauge(d.templateAge, age(m.now, job.TemplateAt))
		gauge(d.jobTx, float64(job.Transactions))
		gauge(d.jobFees, float64(job.Fees))
		gauge(d.networkDiff, finite(job.NetworkDifficulty))
	}

	counter(d.bookErrors, float64(l.Books.Errors))
	counter(d.bookBatches, float64(l.Books.Batches))
	counter(d.bookDropped, float64(l.Books.DroppedMinutes), "minutes")
	counter(d.bookDropped, float64(l.Books.DroppedWorkers), "workers")
}

func (c *poolCollector) collectNode(m moment, gauge, counter emit) {
	d, n := &c.d, m.node
	if tip := m.tip(); tip != nil {
		gauge(d.tipHeight, float64(tip.Height))
	}
	seen := make(map[string]bool, len(n.Nodes))
	for _, s := range n.Nodes {
		if seen[s.Name] {
			continue // two metrics with the same labels would spoil the scrape
		}
		seen[s.Name] = true
		gauge(d.nodeReady, oneIf(s.State == node.StateReady), s.Name)
		gauge(d.nodeActive, oneIf(s.Name == n.Active), s.Name)
		gauge(d.nodeBlocks, float64(s.Blocks), s.Name)
		gauge(d.nodeLatency, s.Latency.Seconds(), s.Name)
	}
	counter(d.rpcErrors, float64(n.RPC.Errors))
	counter(d.rpcDisconnects, float64(n.RPC.Disconnects))
	counter(d.rpcReconnects, float64(n.RPC.Reconnects))
	counter(d.rpcCalls, float64(n.RPC.GBT.Count), "getblocktemplate")
	counter(d.rpcCalls, float64(n.RPC.Submit.Count), "submitblock")
	gauge(d.rpcLast, n.RPC.GBT.Last.Seconds(), "getblocktemplate")
	gauge(d.rpcLast, n.RPC.Submit.Last.Seconds(), "submitblock")
	gauge(d.zmqHealthy, oneIf(n.ZMQ.Healthy))
	counter(d.zmqDisconnects, float64(n.ZMQ.Disconnects))
	counter(d.zmqReconnects, float64(n.ZMQ.Reconnects))
	counter(d.zmqGaps, float64(n.ZMQ.Gaps))
}

// oneIf is a boolean as a metric.
func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// age is the time since at in seconds, never negative.
func age(now, at time.Time) float64 { return math.Max(0, now.Sub(at).Seconds()) }
