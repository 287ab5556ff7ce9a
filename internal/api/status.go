package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
)

// statusPage is the response of GET /api/status: what the page needs beyond
// the contract. Counters count from the start of the process unless the books
// say otherwise; it is described in docs/api.md.
type statusPage struct {
	APIVersion      string         `json:"api_version"`
	Version         string         `json:"version"`
	Network         string         `json:"network"` // empty until the node told
	State           string         `json:"state"`   // waiting_for_node, mining, turning_away, paused
	Reason          string         `json:"reason"`
	StartedAt       time.Time      `json:"started_at"`
	Stratum         []listenerView `json:"stratum"`
	Tag             string         `json:"tag"`
	FeePercent      float64        `json:"fee_percent"`
	Template        *templateView  `json:"template,omitempty"`
	Nodes           []nodeView     `json:"nodes"`
	Connections     int            `json:"connections"`
	TLSConnections  int            `json:"tls_connections"`
	Authorized      int            `json:"authorized"`
	Accepted        uint64         `json:"accepted"`
	Rejected        uint64         `json:"rejected"`
	AcceptedWork    float64        `json:"accepted_work"` // difficulty
	Rejects         []rejectView   `json:"rejects"`
	Closes          []countView    `json:"closes"`
	Drops           []countView    `json:"drops"`
	BestShare       *bestView      `json:"best_share,omitempty"`
	Hashrate        float64        `json:"hashrate"` // H/s
	SharesPerMinute float64        `json:"shares_per_minute"`
	PingP50MS       float64        `json:"ping_p50_ms,omitempty"`
	PingP95MS       float64        `json:"ping_p95_ms,omitempty"`
	BlocksAccepted  uint64         `json:"blocks_accepted"`
	BlocksErrored   uint64         `json:"blocks_errored"`
}

type listenerView struct {
	Name        string `json:"name,omitempty"`
	URL         string `json:"url"`
	TLS         bool   `json:"tls"`
	Connections int    `json:"connections"`
}

type templateView struct {
	ID                string    `json:"id"`
	Height            int64     `json:"height"` // of the block being mined
	PrevHash          string    `json:"prev_hash"`
	Bits              string    `json:"bits"` // 8 hex digits
	NetworkDifficulty float64   `json:"network_difficulty"`
	Transactions      int       `json:"transactions"` // without the coinbase
	FeesSats          int64     `json:"fees_sats"`
	ValueSats         int64     `json:"value_sats"`
	Weight            int64     `json:"weight"`
	CreatedAt         time.Time `json:"created_at"`
	UpdatedAt         time.Time `json:"updated_at"`
	Node              string    `json:"node"`
}

type nodeView struct {
	Name      string  `json:"name"`
	Address   string  `json:"address"` // host:port; empty when the page is open to others than this machine
	State     string  `json:"state"`
	Reason    string  `json:"reason"`
	Height    int64   `json:"height"`
	Headers   int64   `json:"headers"`
	LatencyMS float64 `json:"latency_ms"`
	ZMQ       bool    `json:"zmq"`
	Active    bool    `json:"active"` // templates come from this one
	Version   string  `json:"version"`
}

type rejectView struct {
	Reason string `json:"reason"`
	Text   string `json:"text"`   // as the miner sees it
	Advice string `json:"advice"` // what its owner can do
	Count  uint64 `json:"count"`
}

type countView struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

type bestView struct {
	Worker     string    `json:"worker"`
	Difficulty float64   `json:"difficulty"`
	Timestamp  time.Time `json:"timestamp"`
	Hash       string    `json:"hash"`
}

// buildStatus builds the response. private leaves addresses of the operator's
// network out.
func buildStatus(m moment, version string, private bool) *statusPage {
	p := m.pool
	page := &statusPage{
		APIVersion:      apiVersion,
		Version:         version,
		Network:         string(cmp.Or(m.node.Network, p.Network)),
		State:           cmp.Or(p.State, pool.StateWaiting),
		Reason:          p.Reason,
		StartedAt:       access.Stamp(m.started),
		Stratum:         make([]listenerView, 0, len(p.Listeners)),
		Tag:             p.Tag,
		FeePercent:      finite(p.FeePercent),
		Template:        buildTemplate(p.Job),
		Nodes:           buildNodes(m, private),
		Connections:     p.Connections,
		TLSConnections:  p.TLSConnections,
		Authorized:      p.Authorized,
		Accepted:        m.ledger.Accepted,
		Rejected:        m.ledger.Rejected,
		AcceptedWork:    finite(m.ledger.AcceptedWork),
		Rejects:         buildRejects(m.ledger.RejectedByReason),
		Closes:          nonZero(p.Closes),
		Drops:           nonZero(p.Drops),
		Hashrate:        finite(m.ledger.Hashrate),
		SharesPerMinute: finite(m.ledger.SharesPerMinute),
		BlocksAccepted:  m.ledger.BlocksAccepted,
		BlocksErrored:   m.ledger.BlocksRejected,
	}
	if private {
		page.Reason = publicText(page.Reason)
	}
	page.PingP50MS, page.PingP95MS = pings(m.ledger.Workers)
	for _, l := range p.Listeners {
		page.Stratum = append(page.Stratum, listenerView{Name: l.Name, URL: l.URL, TLS: l.TLS, Connections: l.Connections})
	}
	if best := bestShares(m.ledger.BestShares, m.full); len(best) > 0 {
		page.BestShare = &bestView{Worker: best[0].Worker, Difficulty: best[0].Difficulty, Timestamp: best[0].Timestamp, Hash: best[0].Hash}
	}
	return page
}

func buildTemplate(job *pool.JobStatus) *templateView {
	if job == nil {
		return nil
	}
	return &templateView{
		ID:                job.ID,
		Height:            job.Height,
		PrevHash:          job.PrevHash,
		Bits:              fmt.Sprintf("%08x", job.Bits),
		NetworkDifficulty: finite(job.NetworkDifficulty),
		Transactions:      job.Transactions,
		FeesSats:          job.Fees,
		ValueSats:         job.Value,
		Weight:            job.Weight,
		CreatedAt:         access.Stamp(job.CreatedAt),
		UpdatedAt:         access.Stamp(job.TemplateAt),
		Node:              job.Node,
	}
}

func buildNodes(m moment, private bool) []nodeView {
	views := make([]nodeView, 0, len(m.node.Nodes))
	for _, n := range m.node.Nodes {
		v := nodeView{
			Name:      n.Name,
			Address:   n.Address,
			State:     n.State,
			Reason:    n.Reason,
			Height:    n.Blocks,
			Headers:   n.Headers,
			LatencyMS: float64(n.Latency.Microseconds()) / 1000,
			ZMQ:       n.ZMQ,
			Active:    n.Name != "" && n.Name == m.node.Active,
			Version:   nodeVersion(n),
		}
		if private {
			v.Address, v.Reason = "", publicText(v.Reason)
		}
		views = append(views, v)
	}
	return views
}

// buildRejects explains the reasons for which shares were refused, the most
// frequent first.
func buildRejects(counts []ledger.RejectCount) []rejectView {
	views := make([]rejectView, 0, len(counts))
	for _, c := range counts {
		if c.Count > 0 {
			views = append(views, rejectView{Reason: c.Reason.Name(), Text: c.Reason.Text(), Advice: c.Reason.Advice(), Count: c.Count})
		}
	}
	slices.SortStableFunc(views, func(a, b rejectView) int { return cmp.Compare(b.Count, a.Count) })
	return views
}

// nonZero lists the counters that moved, the largest first.
func nonZero(counts []pool.Count) []countView {
	views := make([]countView, 0, len(counts))
	for _, c := range counts {
		if c.Count > 0 {
			views = append(views, countView{Reason: c.Name, Count: c.Count})
		}
	}
	slices.SortStableFunc(views, func(a, b countView) int { return cmp.Compare(b.Count, a.Count) })
	return views
}

// nodeVersion says which software a node runs: its user agent without the
// slashes, otherwise its version number.
func nodeVersion(n node.NodeStatus) string {
	if agent := strings.Trim(n.Subversion, "/"); agent != "" {
		return brief(agent, 128)
	}
	if n.Version > 0 {
		return strconv.FormatInt(n.Version, 10)
	}
	return ""
}
