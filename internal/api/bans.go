package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/pool"
)

// Bans is what the API asks of the pool about bans. *pool.Pool is one.
type Bans interface {
	// Bans lists the bans in force, those that last longest first.
	Bans() []abuse.Ban
	// BanAddress bans a block for a time, 0 until it is lifted. Its error is
	// abuse.ErrTooManyBans.
	BanAddress(block netip.Prefix, d time.Duration, reason string) (abuse.Ban, error)
	// LiftBan ends the ban of exactly that block. Its error is
	// abuse.ErrNotBanned.
	LiftBan(block netip.Prefix) error
}

var _ Bans = (*pool.Pool)(nil)

// maxBanSeconds is ten years: what is to last longer has no end.
const maxBanSeconds = 10 * 365 * 24 * 3600

// banView is one ban as the operator sees it.
type banView struct {
	Address string    `json:"address"` // or the network, in CIDR notation
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // left out: until it is lifted
	Level   int       `json:"level"`          // 1 for a first ban; the time doubles with each
	Reason  string    `json:"reason"`
	Manual  bool      `json:"manual"` // made by a person
}

// bansPage is the response of GET /api/bans.
type bansPage struct {
	APIVersion string    `json:"api_version"`
	Bans       []banView `json:"bans"`
}

// banOrder is the body of POST /api/bans.
type banOrder struct {
	Address     string `json:"address"`
	DurationSec int64  `json:"duration_sec"`
	Reason      string `json:"reason"`
	Private     bool   `json:"private"` // also an address of this machine or of a private network
}

func viewOfBan(b abuse.Ban) banView {
	address := b.Block.String()
	if b.Block.IsSingleIP() {
		address = b.Block.Addr().String()
	}
	return banView{
		Address: address, Since: access.Stamp(b.Since), Until: access.Stamp(b.Until),
		Level: b.Level, Reason: b.Reason, Manual: b.Manual,
	}
}

// serveBans answers GET and POST /api/bans. Addresses are not public: the
// route is behind the guard.
func (s *Server) serveBans(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.src.Bans == nil:
		http.Error(w, "the pool is not running yet", http.StatusServiceUnavailable)
	case r.Method == http.MethodPost:
		s.serveBan(w, r)
	default:
		page := bansPage{APIVersion: apiVersion, Bans: []banView{}}
		for _, b := range s.src.Bans.Bans() {
			page.Bans = append(page.Bans, viewOfBan(b))
		}
		s.sendJSON(w, http.StatusOK, page)
	}
}

// serveBan bans an address.
func (s *Server) serveBan(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	var order banOrder
	body := json.NewDecoder(r.Body)
	body.DisallowUnknownFields()
	err := body.Decode(&order)
	if err == nil && !errors.Is(body.Decode(&struct{}{}), io.EOF) {
		err = errors.New("more than one value")
	}
	if err != nil {
		http.Error(w, "the body must be {\"address\", \"duration_sec\", \"reason\"}: "+err.Error(), http.StatusBadRequest)
		return
	}
	block, err := abuse.ParseBlock(order.Address)
	if err != nil {
		http.Error(w, "address must be an IP address, or a network of at most /16 (IPv4) or /32 (IPv6)", http.StatusBadRequest)
		return
	}
	if order.DurationSec < 0 || order.DurationSec > maxBanSeconds {
		http.Error(w, "duration_sec must be 0 (until lifted) to 315360000", http.StatusBadRequest)
		return
	}
	if abuse.IsLocalBlock(block) && !order.Private {
		http.Error(w, block.String()+" is this machine's or of a private network, which may be all of your own miners or a proxy; to ban it nevertheless, send \"private\": true", http.StatusConflict)
		return
	}
	ban, err := s.src.Bans.BanAddress(block, time.Duration(order.DurationSec)*time.Second, brief(order.Reason, maxBanReason))
	if err != nil {
		http.Error(w, "no more bans can be kept; lift some", http.StatusInsufficientStorage)
		return
	}
	s.record(r, "ban.add", block.String(), ban.Reason)
	s.sendJSON(w, http.StatusCreated, viewOfBan(ban))
}

// serveLiftBan answers DELETE /api/bans/ADDRESS.
func (s *Server) serveLiftBan(w http.ResponseWriter, r *http.Request) {
	if s.src.Bans == nil {
		http.Error(w, "the pool is not running yet", http.StatusServiceUnavailable)
		return
	}
	block, err := abuse.ParseBlock(r.PathValue("address"))
	if err != nil {
		http.Error(w, "not an IP address or network", http.StatusBadRequest)
		return
	}
	if err := s.src.Bans.LiftBan(block); err != nil {
		http.Error(w, "not banned", http.StatusNotFound)
		return
	}
	s.record(r, "ban.lift", block.String(), "")
	w.WriteHeader(http.StatusNoContent)
}

// sendJSON sends a response that nobody may keep.
func (s *Server) sendJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		s.log.Warn("response not built", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", noStore)
	w.WriteHeader(status)
	// A client that went away is no news.
	_, _ = w.Write(append(body, '\n'))
}

// protect refuses what another site's page sends in an operator's name: the
// guard knows this machine by its address, and the browser is on this machine.
func protect(next http.HandlerFunc) http.HandlerFunc {
	origin := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := origin.Check(r); err != nil {
			http.Error(w, "forbidden: the request comes from another site", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
