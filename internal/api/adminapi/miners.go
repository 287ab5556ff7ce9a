package adminapi

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/pool"
)

// Pool is what operators see and command of a pool.
type Pool interface {
	// Miners lists the open connections, those that are here longest first.
	Miners() []pool.Miner
	// Remote is where an open connection comes from; false when it is not open.
	Remote(connection string) (netip.Addr, bool)
	// Disconnect tells and closes a connection; false when it is not open.
	Disconnect(connection string) bool
	// BanAddress bans a block of addresses for a time, 0 until it is lifted, and
	// closes the connections from there. Its error is abuse.ErrTooManyBans.
	BanAddress(block netip.Prefix, d time.Duration, reason string) (abuse.Ban, error)
}

const (
	// minersEvery is how long a list of connections stands.
	minersEvery = 2 * time.Second
	// maxMinerRows bounds a list; a search finds the others.
	maxMinerRows  = 20_000
	maxBanReason  = 200                  // characters
	maxBanSeconds = 10 * 365 * 24 * 3600 // what is to last longer has no end
)

// minerRow is one open connection.
type minerRow struct {
	ID           string    `json:"id"`
	Worker       string    `json:"worker"`         // "" until it signed in
	WorkerHash   string    `json:"worker_hash"`    // SHA-256 of the name in hex, "" without one
	Workers      int       `json:"workers"`        // names on this connection
	Address      string    `json:"address"`        // payout address
	Remote       string    `json:"remote"`         // IP address, "" when not known
	Port         uint16    `json:"port,omitempty"` // of the miner's end
	UserAgent    string    `json:"user_agent"`
	TLS          bool      `json:"tls"`
	ConnectedAt  time.Time `json:"connected_at"`
	Hashrate     float64   `json:"hashrate"`   // H/s
	Difficulty   float64   `json:"difficulty"` // assigned now
	Accepted     uint64    `json:"accepted"`   // shares of this connection
	Rejected     uint64    `json:"rejected"`
	Strikes      float64   `json:"strikes"` // points for what was wrong
	Note         string    `json:"note,omitempty"`
	ScopeSession string    `json:"scope_session,omitempty"` // where its wire can be seen
}

// minersPage is the response of GET /api/admin/miners.
type minersPage struct {
	UpdatedAt   time.Time  `json:"updated_at"`
	Total       int        `json:"total"`               // open connections
	Matching    int        `json:"matching"`            // those that the search finds
	Truncated   int        `json:"truncated,omitempty"` // those of Matching that are not in the list
	StrikeLimit float64    `json:"strike_limit"`        // points at which a connection is dropped; 0: never
	Miners      []minerRow `json:"miners"`              // those that are here longest first
}

// minersView is the list of connections, made when somebody asks, at most every
// two seconds.
type minersView struct {
	mu    sync.Mutex
	at    time.Time
	rows  []minerRow
	plain []byte // the response without a search
	gz    []byte
}

// forget has the next request make the list anew.
func (v *minersView) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.at = time.Time{}
}

// serveMiners answers GET /api/admin/miners.
func (a *API) serveMiners(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	if a.src.Pool == nil {
		missing(w, "the pool")
		return
	}
	plain, gz, err := a.minersPage(r.Context(), strings.ToLower(strings.TrimSpace(r.URL.Query().Get("q"))))
	if err != nil {
		a.log.Warn("response not built", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	if gz != nil && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		plain = gz
	}
	h.Set("Content-Length", strconv.Itoa(len(plain)))
	// A client that went away is no news.
	_, _ = w.Write(plain)
}

// minersPage returns the response, for a search without compression.
func (a *API) minersPage(ctx context.Context, search string) (plain, gz []byte, err error) {
	v := &a.miners
	v.mu.Lock()
	defer v.mu.Unlock()
	now := a.now()
	if age := now.Sub(v.at); age < 0 || age >= minersEvery {
		v.rows = a.minerRows(ctx)
		v.at, v.plain, v.gz = now, nil, nil
	}
	if search != "" {
		found := make([]minerRow, 0, 64)
		for i := range v.rows {
			if v.rows[i].contains(search) {
				found = append(found, v.rows[i])
			}
		}
		plain, err = a.encodeMiners(v.at, len(v.rows), found)
		return plain, nil, err
	}
	if v.plain == nil {
		if v.plain, err = a.encodeMiners(v.at, len(v.rows), v.rows); err != nil {
			return nil, nil, err
		}
		v.gz = compress(v.plain)
	}
	return v.plain, v.gz, nil
}

func (a *API) encodeMiners(at time.Time, total int, rows []minerRow) ([]byte, error) {
	page := minersPage{UpdatedAt: access.Stamp(at), Total: total, Matching: len(rows), Miners: rows[:min(len(rows), maxMinerRows)]}
	page.Truncated = len(rows) - len(page.Miners)
	if a.src.StrikeLimit != nil {
		page.StrikeLimit = a.src.StrikeLimit()
	}
	body, err := json.Marshal(&page)
	return append(body, '\n'), err
}

// minerRows asks the pool.
func (a *API) minerRows(ctx context.Context) []minerRow {
	miners := a.src.Pool.Miners()
	noted := a.notes.all(ctx, a.src.Notes, a.log)
	rows := make([]minerRow, 0, len(miners))
	for i := range miners {
		m := &miners[i]
		row := minerRow{
			ID: m.ID, Worker: m.Worker, Workers: m.Workers, Address: m.Address, UserAgent: strings.ToValidUTF8(m.UserAgent, ""), TLS: m.TLS,
			ConnectedAt: access.Stamp(m.ConnectedAt), Hashrate: round(m.Hashrate), Difficulty: finite(m.Difficulty),
			Accepted: m.Accepted, Rejected: m.Rejected, Strikes: math.Round(m.Strikes*100) / 100, ScopeSession: m.TapSession,
		}
		if m.Remote.IsValid() {
			row.Remote, row.Port = m.Remote.Addr().String(), m.Remote.Port()
		}
		if m.Worker != "" {
			row.WorkerHash = HashOf(m.Worker)
			row.Note = noted[row.WorkerHash]
		}
		rows = append(rows, row)
	}
	return rows
}

// contains says whether a text in lower case is in what people search for.
func (m *minerRow) contains(search string) bool {
	for _, text := range []string{m.Worker, m.Address, m.Remote, m.UserAgent, m.Note, m.ID, m.WorkerHash} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return false
}

// HashOf names a worker: the SHA-256 of its full name in hex.
func HashOf(worker string) string {
	sum := sha256.Sum256([]byte(worker))
	return hex.EncodeToString(sum[:])
}

// serveDisconnect answers DELETE /api/admin/miners/CONNECTION.
func (a *API) serveDisconnect(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if a.src.Pool == nil {
		missing(w, "the pool")
		return
	}
	id := r.PathValue("connection")
	found := a.src.Pool.Disconnect(id)
	a.record(r.Context(), v, "miner.disconnect", clip(id, maxTarget), "", !found)
	if !found {
		http.Error(w, "not connected", http.StatusNotFound)
		return
	}
	a.miners.forget()
	w.WriteHeader(http.StatusNoContent)
}

// banOrder is the body of POST /api/admin/miners/CONNECTION/ban.
type banOrder struct {
	DurationSec int64  `json:"duration_sec"` // 0: until it is lifted
	Reason      string `json:"reason"`
	Private     bool   `json:"private"` // also an address of this machine or of a private network
}

// banView is a ban that was made.
type banView struct {
	Address string    `json:"address"` // or the network, in CIDR notation
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // left out: until it is lifted
	Reason  string    `json:"reason"`
}

// serveBan bans the block of addresses that a connection comes from.
func (a *API) serveBan(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	var order banOrder
	switch {
	case a.src.Pool == nil:
		missing(w, "the pool")
		return
	case !access.ReadJSON(w, r, &order):
		return
	case order.DurationSec < 0 || order.DurationSec > maxBanSeconds:
		http.Error(w, "duration_sec must be 0 (until lifted) to 315360000", http.StatusBadRequest)
		return
	}
	address, open := a.src.Pool.Remote(r.PathValue("connection"))
	if !open {
		http.Error(w, "not connected", http.StatusNotFound)
		return
	}
	reason := cmp.Or(clip(cleanLine(order.Reason), maxBanReason), "by an operator")
	if abuse.IsLocal(address) && !order.Private {
		a.record(r.Context(), v, "ban.add", address.String(), "refused: a private address", true)
		http.Error(w, address.String()+" is an address of this machine or of a private network, which may be all of your own miners or a proxy; disconnect the miner instead, or, to ban it nevertheless, send \"private\": true", http.StatusConflict)
		return
	}
	block := abuse.BlockOf(address)
	ban, err := a.src.Pool.BanAddress(block, time.Duration(order.DurationSec)*time.Second, reason)
	if err != nil {
		a.record(r.Context(), v, "ban.add", block.String(), "refused: too many bans", true)
		http.Error(w, "no more bans can be kept; lift some", http.StatusInsufficientStorage)
		return
	}
	view := banView{Address: block.String(), Since: access.Stamp(ban.Since), Until: access.Stamp(ban.Until), Reason: ban.Reason}
	if block.IsSingleIP() {
		view.Address = block.Addr().String()
	}
	until := "until it is lifted"
	if !ban.Until.IsZero() {
		until = "until " + view.Until.Format(time.RFC3339)
	}
	a.record(r.Context(), v, "ban.add", view.Address, until+": "+reason, false)
	a.miners.forget()
	access.SendJSON(w, a.log, http.StatusCreated, view)
}

// finite replaces what JSON cannot express by 0.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// round keeps six digits of an estimate.
func round(f float64) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(finite(f), 'g', 6, 64), 64)
	if err != nil {
		return 0
	}
	return f
}

// acceptsGzip reports whether the client takes a gzipped response; what says so
// with a weight of 0 does not.
func acceptsGzip(r *http.Request) bool {
	for item := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(item, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(cmp.Or(weight, "q=1"), "q="), 64)
			return err == nil && q > 0
		}
	}
	return false
}

// compress returns a body gzipped, nil when it is so short that it does not matter.
func compress(body []byte) []byte {
	if len(body) < 1200 {
		return nil
	}
	var out bytes.Buffer
	// Neither a constant level nor a bytes.Buffer gives an error.
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil
	}
	if _, err := z.Write(body); err != nil || z.Close() != nil {
		return nil
	}
	return out.Bytes()
}
