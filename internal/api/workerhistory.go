package api

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// maxShelf bounds the charts of workers that are kept: one of minutes is some
	// 200 kB, and anybody may ask for any worker's.
	maxShelf = 16
	// maxReadings bounds the charts that are read from the books at once.
	maxReadings = 2
)

// shelf keeps the charts of the workers that were asked for last.
type shelf struct {
	readings chan struct{} // holds a value for each reading that is under way

	mu    sync.Mutex
	books []shelved // the last used ones last
}

type shelved struct {
	worker, span string
	view         *view
}

func newShelf() *shelf { return &shelf{readings: make(chan struct{}, maxReadings)} }

// take finds a chart, or makes a place for it where the one was that nobody asked
// for the longest time.
func (s *shelf) take(worker, span string, fresh func() *view) *view {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.books, func(b shelved) bool { return b.worker == worker && b.span == span })
	var book shelved
	switch {
	case i >= 0:
		book = s.books[i]
		s.books = slices.Delete(s.books, i, i+1)
	case len(s.books) == maxShelf:
		s.books = slices.Delete(s.books, 0, 1)
		fallthrough
	default:
		book = shelved{worker, span, fresh()}
	}
	s.books = append(s.books, book)
	return book.view
}

// serveWorkerHistory answers GET /api/workers/{id}/history.
func (s *Server) serveWorkerHistory(w http.ResponseWriter, r *http.Request) {
	d, _, ok := s.findWorker(w, r)
	if !ok {
		return
	}
	ranges := historyRanges()
	i := slices.IndexFunc(ranges, func(hr historyRange) bool { return hr.name == r.URL.Query().Get("range") })
	if i < 0 || ranges[i].step < time.Minute {
		http.Error(w, "range must be 24h or 30d", http.StatusBadRequest)
		return
	}
	s.serveView(w, r, s.shelf.take(d.Name, ranges[i].name, func() *view {
		return newView(ranges[i].every, func(now time.Time) (any, error) { return s.buildWorkerHistory(now, d.Name, ranges[i]) })
	}))
}

// buildWorkerHistory reads a worker's chart when not too many others are being
// read.
func (s *Server) buildWorkerHistory(now time.Time, worker string, hr historyRange) (*historyPage, error) {
	waited := time.NewTimer(historyTimeout)
	defer waited.Stop()
	select {
	case s.shelf.readings <- struct{}{}:
		defer func() { <-s.shelf.readings }()
	case <-waited.C:
		return nil, fmt.Errorf("%w: too many charts are read at once", errBusy)
	}
	return s.buildHistory(now, worker, hr)
}
