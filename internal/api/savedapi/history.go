package savedapi

import (
	"context"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
)

// Sparklines: a day in steps of ten minutes.
const (
	chartRange  = 24 * time.Hour
	chartStep   = 10 * time.Minute
	chartFresh  = time.Minute // that a chart is kept for
	maxCharts   = 64          // that are kept; one is 300 kB at most
	maxReadings = 2           // at once

	hashesPerDifficulty = 1 << 32
)

// chartPage is the response of GET /api/saved-workers/history.
type chartPage struct {
	Workers map[string][]point `json:"workers"` // by hash, oldest first
}

// point is the mean over ten minutes, or over what has passed of them. Those
// without an accepted share are left out.
type point struct {
	At       time.Time `json:"at"`
	Hashrate float64   `json:"hashrate"` // H/s
}

// chart is what a person saw last.
type chart struct {
	at    time.Time
	names int // workers that the person had saved
	added time.Time
	page  *chartPage
}

// serveHistory answers GET /api/saved-workers/history.
func (a *API) serveHistory(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if span := r.URL.Query().Get("range"); span != "24h" && span != "" {
		http.Error(w, "range must be 24h", http.StatusBadRequest)
		return
	}
	workers, err := a.saved.ByUser(r.Context(), v.UserID())
	if err != nil {
		a.refuse(w, err)
		return
	}
	page, err := a.chart(r.Context(), v.UserID(), workers)
	if err != nil {
		a.refuse(w, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, page)
}

// chart is a person's chart, at most a minute old.
func (a *API) chart(ctx context.Context, user string, workers []saved.Saved) (*chartPage, error) {
	now := a.now()
	next := chart{at: now, names: len(workers)}
	for _, s := range workers {
		if s.Added.After(next.added) {
			next.added = s.Added
		}
	}
	a.mu.Lock()
	last, ok := a.charts[user]
	a.mu.Unlock()
	if ok && now.Sub(last.at) < chartFresh && last.names == next.names && last.added.Equal(next.added) {
		return last.page, nil
	}
	select {
	case a.reading <- struct{}{}:
		defer func() { <-a.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	page, err := a.readChart(ctx, workers, now)
	if err != nil {
		return nil, err
	}
	next.page = page
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.charts) >= maxCharts {
		clear(a.charts)
	}
	a.charts[user] = next
	return page, nil
}

func (a *API) readChart(ctx context.Context, workers []saved.Saved, now time.Time) (*chartPage, error) {
	names := make([]string, len(workers))
	page := &chartPage{Workers: make(map[string][]point, len(workers))}
	for i, s := range workers {
		names[i] = s.Name
		page.Workers[s.Hash] = []point{}
	}
	from := now.Add(-chartRange).Truncate(chartStep).Add(chartStep)
	sums, err := a.cfg.Store.WorkSums(ctx, names, from, now, int(chartStep/time.Minute))
	if err != nil {
		return nil, err
	}
	for _, s := range workers {
		for _, sum := range sums[s.Name] {
			span := min(chartStep, max(now.Sub(sum.At), time.Minute))
			page.Workers[s.Hash] = append(page.Workers[s.Hash], point{At: access.Stamp(sum.At), Hashrate: sum.Work * hashesPerDifficulty / span.Seconds()})
		}
	}
	return page, nil
}
