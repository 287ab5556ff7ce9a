package savedapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
)

// maxRows bounds the rows of one worker: there is one for each connection.
const maxRows = 16

// list is the response of GET /api/saved-workers. All of its members are the
// contract's.
type list struct {
	UpdatedAt            time.Time `json:"updated_at"`
	SavedMax             int       `json:"saved_max"`
	SavedCount           int       `json:"saved_count"`
	OnlineCount          int       `json:"online_count"` // workers, not rows
	DiscordRegistered    *bool     `json:"discord_registered,omitempty"`
	DiscordNotifyEnabled *bool     `json:"discord_notify_enabled,omitempty"`
	BestDifficulty       float64   `json:"best_difficulty"`
	OnlineWorkers        []row     `json:"online_workers"`
	OfflineWorkers       []row     `json:"offline_workers"`
}

// row is one connection of a saved worker, or a saved worker without any.
type row struct {
	Name           string    `json:"name"`
	Hash           string    `json:"hash"`
	Online         bool      `json:"online"`
	NotifyEnabled  bool      `json:"notify_enabled"`
	BestDifficulty float64   `json:"best_difficulty"` // of the worker, ever
	LastOnlineAt   time.Time `json:"last_online_at,omitzero"`

	// Of the connection; of an offline worker what its last session had, as far as
	// that is in memory.
	LastShare        time.Time `json:"last_share,omitzero"`
	Hashrate         float64   `json:"hashrate"`
	HashrateAccuracy string    `json:"hashrate_accuracy,omitempty"`
	SharesPerMinute  float64   `json:"shares_per_minute"`
	Accepted         uint64    `json:"accepted"`
	Rejected         uint64    `json:"rejected"`
	Difficulty       float64   `json:"difficulty"`
	PingP50MS        *float64  `json:"estimated_ping_p50_ms,omitempty"`
	PingP95MS        *float64  `json:"estimated_ping_p95_ms,omitempty"`
	FirstShareMS     *float64  `json:"notify_to_first_share_ms,omitempty"`
	FirstShareP50MS  *float64  `json:"notify_to_first_share_p50_ms,omitempty"`
	FirstShareP95MS  *float64  `json:"notify_to_first_share_p95_ms,omitempty"`
	FirstShareCount  *int      `json:"notify_to_first_share_samples,omitempty"`
	ConnectionSeq    *uint64   `json:"connection_seq,omitempty"`
	ConnectionTime   *float64  `json:"connection_duration_seconds,omitempty"`

	// Ours.
	Owned             bool      `json:"owned"`
	Proof             string    `json:"proof,omitempty"` // password or address
	Claim             *claim    `json:"claim,omitempty"`
	UptimePercent     *float64  `json:"uptime_percent_24h,omitempty"`
	BestSession       *float64  `json:"best_session,omitempty"`
	OrderedDifficulty *float64  `json:"ordered_difficulty,omitempty"`
	AcceptedTotal     uint64    `json:"accepted_total"` // of the worker, ever
	RejectedTotal     uint64    `json:"rejected_total"`
	AddedAt           time.Time `json:"added_at"`
}

// claim is a proof under way.
type claim struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"`
	Waiting   bool      `json:"waiting,omitempty"` // the code came: the worker's first shares decide
	Refused   string    `json:"refused,omitempty"` // why the code did not count when it came
}

// serveList answers GET /api/saved-workers.
func (a *API) serveList(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	workers, err := a.saved.ByUser(r.Context(), v.UserID())
	if err != nil {
		a.refuse(w, err)
		return
	}
	page, err := a.build(r.Context(), v.UserID(), workers)
	if err != nil {
		a.refuse(w, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, page)
}

// build lists a person's workers, whose order it keeps.
func (a *API) build(ctx context.Context, user string, workers []saved.Saved) (*list, error) {
	now := a.now()
	page := &list{
		UpdatedAt: access.Stamp(now), SavedMax: saved.MaxPerUser, SavedCount: len(workers),
		OnlineWorkers: []row{}, OfflineWorkers: []row{},
	}
	if a.cfg.Discord != nil {
		registered, enabled := a.cfg.Discord.Linked(ctx, user)
		page.DiscordRegistered, page.DiscordNotifyEnabled = &registered, &enabled
	}
	details := make(map[string]ledger.WorkerDetail)
	var away []string
	for _, s := range workers {
		if d, ok := a.cfg.Books.Worker(s.Name); ok {
			details[s.Name] = d
		} else {
			away = append(away, s.Name)
		}
	}
	records, err := a.records(ctx, away)
	if err != nil {
		return nil, err
	}
	for _, s := range workers {
		common := a.common(s)
		d, here := details[s.Name]
		if !here {
			addRecord(&common, records[s.Name])
			page.OfflineWorkers = append(page.OfflineWorkers, common)
		} else if addWorker(&common, &d, now); !d.Online {
			page.OfflineWorkers = append(page.OfflineWorkers, common)
		} else {
			page.OnlineCount++
			for i := range d.Open[:min(len(d.Open), maxRows)] {
				page.OnlineWorkers = append(page.OnlineWorkers, rowOf(common, &d.Open[i], now))
			}
		}
		page.BestDifficulty = max(page.BestDifficulty, common.BestDifficulty)
	}
	return page, nil
}

// records are what the books have of workers that are not in memory.
func (a *API) records(ctx context.Context, names []string) (map[string]*ledger.WorkerRecord, error) {
	found := make(map[string]*ledger.WorkerRecord, len(names))
	if len(names) == 0 {
		return found, nil
	}
	records, err := a.cfg.Store.Workers(ctx, names)
	for i := range records {
		found[records[i].Name] = &records[i]
	}
	return found, err
}

// common is what all rows of a worker share.
func (a *API) common(s saved.Saved) row {
	out := row{
		Name: s.Name, Hash: s.Hash, NotifyEnabled: s.Notify, AddedAt: access.Stamp(s.Added),
		Owned: s.Owned != saved.NotProven, Proof: string(s.Owned),
	}
	if c, ok := a.saved.ClaimOf(s.UserID, s.Hash); ok {
		out.Claim = &claim{Code: c.Code, ExpiresAt: access.Stamp(c.Expires), Waiting: c.Waiting, Refused: c.Refused}
	}
	seen := a.saved.PresenceOf(s.Name)
	out.LastOnlineAt = access.Stamp(seen.LastOnline)
	if seen.Known {
		out.UptimePercent = &seen.Uptime
	}
	if d := a.saved.OrderOf(s.Name); d > 0 {
		out.OrderedDifficulty = &d
	}
	return out
}

// addRecord adds what the books have of a worker that has been away for long; nil
// is nothing.
func addRecord(out *row, r *ledger.WorkerRecord) {
	if r == nil {
		return
	}
	out.BestDifficulty, out.LastShare = r.Best.Difficulty, access.Stamp(r.LastShare)
	out.AcceptedTotal, out.RejectedTotal = r.Totals.Accepted, r.Totals.Rejected
	if r.LastSeen.After(out.LastOnlineAt) {
		out.LastOnlineAt = access.Stamp(r.LastSeen)
	}
}

// addWorker adds what the books in memory have of a worker.
func addWorker(out *row, d *ledger.WorkerDetail, now time.Time) {
	out.Online = d.Online
	out.BestDifficulty, out.LastShare = d.BestEver.Difficulty, access.Stamp(d.LastShare)
	out.Accepted, out.Rejected = d.SessionAccepted, d.SessionRejected
	out.AcceptedTotal, out.RejectedTotal = d.Accepted, d.Rejected
	if best := d.BestNow.Difficulty; best > 0 {
		out.BestSession = &best
	}
	switch {
	case d.Online:
		out.LastOnlineAt = access.Stamp(now)
	case d.LastSeen.After(out.LastOnlineAt):
		out.LastOnlineAt = access.Stamp(d.LastSeen)
	}
}

// rowOf is the row of one connection.
func rowOf(out row, c *ledger.ConnectionView, now time.Time) row {
	out.LastShare = access.Stamp(c.LastShare)
	out.Hashrate, out.HashrateAccuracy, out.SharesPerMinute = c.Hashrate, c.Accuracy, c.ShareRate
	out.Accepted, out.Rejected, out.Difficulty = c.Accepted, c.Rejected, c.Difficulty
	if c.PingP50 > 0 {
		out.PingP50MS, out.PingP95MS = &c.PingP50, &c.PingP95
	}
	if f := c.FirstShare; f.Samples > 0 {
		out.FirstShareMS, out.FirstShareP50MS, out.FirstShareP95MS = millis(f.Last), millis(f.P50), millis(f.P95)
		out.FirstShareCount = &f.Samples
	}
	// The id of a connection is the hex form of a number that counts them.
	if n, err := strconv.ParseUint(c.ID, 16, 64); err == nil {
		out.ConnectionSeq = &n
	}
	lasted := max(0, now.Sub(c.ConnectedAt).Seconds())
	out.ConnectionTime = &lasted
	return out
}

func millis(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
