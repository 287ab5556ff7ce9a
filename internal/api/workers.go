package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
)

const (
	// maxWorkerRows bounds GET /api/workers; those that left first are left out.
	maxWorkerRows = 20_000
	periodWorkers = 5 * time.Second
)

// workersPage is the response of GET /api/workers.
type workersPage struct {
	APIVersion string      `json:"api_version"`
	UpdatedAt  time.Time   `json:"updated_at"`
	Operator   bool        `json:"operator"`            // names are in full
	Total      int         `json:"total"`               // workers that are connected or were in the last half hour
	Online     int         `json:"online"`              // those with a connection
	Truncated  int         `json:"truncated,omitempty"` // those of Total that are not in the list
	Workers    []WorkerRow `json:"workers"`             // connected ones first, then those that left last
}

// WorkerRow is one worker, its connections merged. It is exported since the
// description of the API knows only exported types inside of others.
type WorkerRow struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	Online           bool      `json:"online"`
	Connections      int       `json:"connections"`
	TLS              bool      `json:"tls"`        // at least one connection is through TLS
	UserAgent        string    `json:"user_agent"` // of the newest miner that tells
	Hashrate         float64   `json:"hashrate"`   // H/s
	HashrateAccuracy string    `json:"hashrate_accuracy,omitempty"`
	ShareRate        float64   `json:"share_rate"` // accepted, per minute
	Difficulty       float64   `json:"difficulty"` // assigned now
	Vardiff          float64   `json:"vardiff"`    // what the difficulty control would choose now
	Accepted         uint64    `json:"accepted"`   // ever
	Rejected         uint64    `json:"rejected"`
	BestShare        float64   `json:"best_share"`   // difficulty; 0 when there was none
	BestSession      float64   `json:"best_session"` // since it came online
	PingP50MS        float64   `json:"ping_p50_ms,omitempty"`
	LastShare        time.Time `json:"last_share,omitzero"`
	LastSeen         time.Time `json:"last_seen"` // now while it is online
	FirstSeen        time.Time `json:"first_seen"`
}

// serveWorkers answers GET /api/workers.
func (s *Server) serveWorkers(w http.ResponseWriter, r *http.Request) {
	if s.operator(r) {
		s.serveView(w, r, s.workers.full)
		return
	}
	s.serveView(w, r, s.workers.public)
}

// buildWorkers lists the workers. Without full, names are censored.
func buildWorkers(m moment, full bool) *workersPage {
	all := m.ledger.Workers
	page := &workersPage{
		APIVersion: apiVersion,
		UpdatedAt:  access.Stamp(m.now),
		Operator:   full,
		Total:      len(all),
		Workers:    make([]WorkerRow, 0, min(len(all), maxWorkerRows)),
	}
	var left []*ledger.WorkerView
	for i := range all {
		w := &all[i]
		if !w.Online {
			left = append(left, w)
			continue
		}
		page.Online++
		if len(page.Workers) < maxWorkerRows {
			page.Workers = append(page.Workers, rowOf(w, full, m.now))
		}
	}
	slices.SortStableFunc(left, func(a, b *ledger.WorkerView) int { return b.LastSeen.Compare(a.LastSeen) })
	for _, w := range left[:min(len(left), maxWorkerRows-len(page.Workers))] {
		page.Workers = append(page.Workers, rowOf(w, full, m.now))
	}
	page.Truncated = page.Total - len(page.Workers)
	return page
}

// rowOf is what a list shows of a worker.
func rowOf(w *ledger.WorkerView, full bool, now time.Time) WorkerRow {
	row := WorkerRow{
		ID:               workerIDOf(w.Name).String(),
		Name:             shownName(w.Name, full),
		Online:           w.Online,
		Connections:      w.Connections,
		TLS:              w.TLS,
		Hashrate:         significant(w.Hashrate),
		HashrateAccuracy: w.Accuracy,
		ShareRate:        significant(w.ShareRate),
		Difficulty:       finite(w.Difficulty),
		Vardiff:          significant(w.Vardiff),
		Accepted:         w.Accepted,
		Rejected:         w.Rejected,
		BestShare:        finite(w.BestEver.Difficulty),
		BestSession:      finite(w.BestNow.Difficulty),
		PingP50MS:        significant(w.PingP50),
		LastShare:        access.Stamp(w.LastShare),
		LastSeen:         access.Stamp(firstKnown(w.LastSeen, w.FirstSeen, now)),
		FirstSeen:        access.Stamp(firstKnown(w.FirstSeen, w.ConnectedAt, now)),
	}
	if n := len(w.UserAgents); n > 0 {
		row.UserAgent = shownAgent(w.UserAgents[n-1], full)
	}
	return row
}

// firstKnown is the first of the times that is not zero.
func firstKnown(times ...time.Time) time.Time { return cmp.Or(times...) }

// appendJSON encodes the page; it may have ten thousand rows and more.
func (p *workersPage) appendJSON(dst []byte) []byte {
	head := *p
	head.Workers = []WorkerRow{}
	text, err := json.Marshal(&head)
	if err != nil {
		return append(dst, "{}"...) // its members always have a JSON form
	}
	// The list is the last member: its end and the object's are put back below.
	dst = slices.Grow(dst, len(text)+len(p.Workers)*rowSize)
	dst = append(dst, text[:len(text)-len("]}")]...)
	for i := range p.Workers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = p.Workers[i].appendJSON(dst)
	}
	return append(dst, "]}"...)
}

// rowSize is about the size of an encoded row.
const rowSize = 512

func (r *WorkerRow) appendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"id":`...), r.ID)
	dst = appendText(append(dst, `,"name":`...), r.Name)
	dst = strconv.AppendBool(append(dst, `,"online":`...), r.Online)
	dst = strconv.AppendInt(append(dst, `,"connections":`...), int64(r.Connections), 10)
	dst = strconv.AppendBool(append(dst, `,"tls":`...), r.TLS)
	dst = appendText(append(dst, `,"user_agent":`...), r.UserAgent)
	dst = appendNumber(append(dst, `,"hashrate":`...), r.Hashrate)
	if r.HashrateAccuracy != "" {
		dst = appendText(append(dst, `,"hashrate_accuracy":`...), r.HashrateAccuracy)
	}
	dst = appendNumber(append(dst, `,"share_rate":`...), r.ShareRate)
	dst = appendNumber(append(dst, `,"difficulty":`...), r.Difficulty)
	dst = appendNumber(append(dst, `,"vardiff":`...), r.Vardiff)
	dst = strconv.AppendUint(append(dst, `,"accepted":`...), r.Accepted, 10)
	dst = strconv.AppendUint(append(dst, `,"rejected":`...), r.Rejected, 10)
	dst = appendNumber(append(dst, `,"best_share":`...), r.BestShare)
	dst = appendNumber(append(dst, `,"best_session":`...), r.BestSession)
	if r.PingP50MS != 0 {
		dst = appendNumber(append(dst, `,"ping_p50_ms":`...), r.PingP50MS)
	}
	if !r.LastShare.IsZero() {
		dst = appendTime(append(dst, `,"last_share":`...), r.LastShare)
	}
	dst = appendTime(append(dst, `,"last_seen":`...), r.LastSeen)
	dst = appendTime(append(dst, `,"first_seen":`...), r.FirstSeen)
	return append(dst, '}')
}
