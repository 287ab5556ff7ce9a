package api

import (
	"cmp"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
)

// Limits of the lists in the overview.
const (
	maxWorkers   = 15
	recentWindow = 30 * time.Minute // workers without a share in it are not listed
	maxBanned    = 25
	maxBest      = 12
	maxBanReason = 80 // bytes; the contract asks for a brief reason
	// Miners name themselves, and may name themselves anything.
	maxMinerTypes = 50
	maxUserAgent  = 64 // bytes
)

// overviewPage is the response of GET /api/overview. Fiat prices are left out
// while none is known: nobody is asked for them unless a feed is configured.
type overviewPage struct {
	APIVersion      string       `json:"api_version"`
	ActiveMiners    int          `json:"active_miners"`     // open Stratum connections
	ActiveTLSMiners int          `json:"active_tls_miners"` // those through TLS
	SharesPerMinute float64      `json:"shares_per_minute,omitempty"`
	PoolHashrate    float64      `json:"pool_hashrate,omitempty"` // H/s
	PoolTag         string       `json:"pool_tag,omitempty"`
	BTCPriceFiat    float64      `json:"btc_price_fiat,omitempty"`
	BTCPriceUpdated time.Time    `json:"btc_price_updated_at,omitzero"` // of the price, not of an attempt to get one
	FiatCurrency    string       `json:"fiat_currency,omitempty"`       // ISO 4217 code in lower case
	RenderDuration  int64        `json:"render_duration"`               // nanoseconds spent building this value
	Workers         []workerView `json:"workers"`
	BannedWorkers   []bannedView `json:"banned_workers"`
	BestShares      []bestShare  `json:"best_shares"`
	MinerTypes      []minerType  `json:"miner_types,omitempty"`
}

// workerView is a RecentWorkView: one worker name, its connections merged.
type workerView struct {
	Name             string  `json:"name"`
	DisplayName      string  `json:"display_name"`
	RollingHashrate  float64 `json:"rolling_hashrate"` // H/s
	HashrateAccuracy string  `json:"hashrate_accuracy,omitempty"`
	Difficulty       float64 `json:"difficulty"`
	Vardiff          float64 `json:"vardiff"`
	ShareRate        float64 `json:"share_rate"` // per minute
	Accepted         uint64  `json:"accepted"`
	ConnectionID     string  `json:"connection_id"`
}

// bannedView is a WorkerView.
type bannedView struct {
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	Banned      bool      `json:"banned"`
	BannedUntil time.Time `json:"banned_until,omitzero"`
	BanReason   string    `json:"ban_reason,omitempty"`
}

// bestShare is a BestShare.
type bestShare struct {
	Worker        string    `json:"worker"`
	Difficulty    float64   `json:"difficulty"`
	Timestamp     time.Time `json:"timestamp"`
	Hash          string    `json:"hash,omitempty"`
	DisplayWorker string    `json:"display_worker,omitempty"`
	DisplayHash   string    `json:"display_hash,omitempty"`
}

// minerType is a MinerTypeView: a kind of mining software and its versions.
type minerType struct {
	Name         string         `json:"name"`
	TotalWorkers int            `json:"total_workers"`
	Versions     []minerVersion `json:"versions"`
}

type minerVersion struct {
	Version string `json:"version,omitempty"`
	Workers int    `json:"workers"`
}

// buildOverview builds the response from m. RenderDuration is left to the
// caller, who knows when the work began.
func buildOverview(m moment) *overviewPage {
	return &overviewPage{
		APIVersion:      apiVersion,
		ActiveMiners:    m.pool.Connections,
		ActiveTLSMiners: m.pool.TLSConnections,
		SharesPerMinute: finite(m.ledger.SharesPerMinute),
		PoolHashrate:    finite(m.ledger.Hashrate),
		PoolTag:         m.pool.Tag,
		BTCPriceFiat:    finite(m.price.Value),
		BTCPriceUpdated: access.Stamp(m.price.At),
		FiatCurrency:    m.price.Currency,
		Workers:         recentWorkers(m),
		BannedWorkers:   bannedWorkers(m),
		BestShares:      bestShares(m.ledger.BestShares, m.full),
		MinerTypes:      minerTypes(m.ledger.MinerTypes),
	}
}

// recentWorkers picks the workers with the newest shares, newest first.
//
// Only the few that are shown are kept sorted while all are looked at once, so
// the cost stays linear with many workers.
func recentWorkers(m moment) []workerView {
	cut := m.now.Add(-recentWindow)
	newest := make([]*ledger.WorkerView, 0, maxWorkers+1)
	for i := range m.ledger.Workers {
		w := &m.ledger.Workers[i]
		if w.LastShare.IsZero() || w.LastShare.Before(cut) {
			continue
		}
		if len(newest) == maxWorkers && compareRecent(w, newest[maxWorkers-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(newest, w, compareRecent)
		newest = slices.Insert(newest, at, w)
		newest = newest[:min(len(newest), maxWorkers)]
	}

	views := make([]workerView, 0, len(newest))
	for _, w := range newest {
		name := shownName(w.Name, m.full)
		views = append(views, workerView{
			Name:             name,
			DisplayName:      name,
			RollingHashrate:  finite(w.Hashrate),
			HashrateAccuracy: w.Accuracy,
			Difficulty:       finite(w.Difficulty),
			Vardiff:          finite(w.Vardiff),
			ShareRate:        finite(w.ShareRate),
			Accepted:         w.Accepted,
			ConnectionID:     lastConnection(w),
		})
	}
	return views
}

// compareRecent orders by the time of the last share, newest first, then by
// name so that the order is stable.
func compareRecent(a, b *ledger.WorkerView) int {
	if c := b.LastShare.Compare(a.LastShare); c != 0 {
		return c
	}
	return cmp.Compare(a.Name, b.Name)
}

// lastConnection returns the id of a worker's newest connection.
func lastConnection(w *ledger.WorkerView) string {
	if n := len(w.ConnectionIDs); n > 0 {
		return w.ConnectionIDs[n-1]
	}
	return ""
}

// bannedWorkers lists the bans in force, those that last longest first. Bans
// are of addresses, never of workers, and an address is nobody's business: it is
// left out, and no worker is named for it.
func bannedWorkers(m moment) []bannedView {
	views := make([]bannedView, 0, min(len(m.pool.Abuse.Bans), maxBanned))
	for _, b := range m.pool.Abuse.Bans {
		if !b.InForce(m.now) {
			continue
		}
		if len(views) == maxBanned {
			break
		}
		views = append(views, bannedView{
			Name:        unnamed,
			DisplayName: unnamed,
			Banned:      true,
			BannedUntil: access.Stamp(b.Until),
			BanReason:   brief(publicText(b.Reason), maxBanReason),
		})
	}
	return views
}

// unnamed stands for whoever is at a banned address.
const unnamed = "(unnamed)"

// bestShares lists the best shares ever, best first; of equals, the newest.
func bestShares(shares []ledger.BestShare, full bool) []bestShare {
	sorted := slices.Clone(shares)
	slices.SortStableFunc(sorted, func(a, b ledger.BestShare) int {
		return cmp.Or(cmp.Compare(b.Difficulty, a.Difficulty), b.At.Compare(a.At))
	})
	views := make([]bestShare, 0, min(len(sorted), maxBest))
	for _, s := range sorted[:min(len(sorted), maxBest)] {
		worker, hash := shownName(s.Worker, full), shownHash(s.Hash, full)
		views = append(views, bestShare{
			Worker:        worker,
			Difficulty:    finite(s.Difficulty),
			Timestamp:     access.Stamp(s.At),
			Hash:          hash,
			DisplayWorker: worker,
			DisplayHash:   hash,
		})
	}
	return views
}

// minerTypes lists the kinds of miners, the most used first, then by name.
func minerTypes(types []ledger.MinerType) []minerType {
	views := make([]minerType, 0, len(types))
	for _, t := range types {
		v := minerType{Name: publicAgent(t.Name), TotalWorkers: t.Total, Versions: make([]minerVersion, 0, len(t.Versions))}
		if v.Name == "" {
			v.Name = "(unknown)"
		}
		for _, ver := range t.Versions {
			v.Versions = append(v.Versions, minerVersion{Version: publicAgent(ver.Version), Workers: ver.Total})
		}
		views = append(views, v)
	}
	slices.SortStableFunc(views, func(a, b minerType) int {
		return cmp.Or(cmp.Compare(b.TotalWorkers, a.TotalWorkers), cmp.Compare(a.Name, b.Name))
	})
	return views[:min(len(views), maxMinerTypes)]
}
