package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How long the contract's views stand before they are built again.
const (
	periodOverview = 10 * time.Second
	periodPoolPage = 10 * time.Second
	periodNode     = 10 * time.Second
	periodServer   = 10 * time.Second
	periodHashrate = 5 * time.Second
	periodBlocks   = 3 * time.Second
	periodStatus   = time.Second
)

// view is one response, encoded at most once per period, on demand, and
// served as bytes to everybody who asks in between. The set of views is fixed
// when the server is made: nothing that a client sends adds to it.
type view struct {
	every time.Duration
	build func(now time.Time) (any, error)
	built atomic.Uint64 // encodings so far
	// edition, where there is one, tells what the view shows: a response stands
	// no longer than its edition. Values are compared with ==.
	edition func() any
	level   int // of compression

	latest atomic.Pointer[payload]
	mu     sync.Mutex // held while building, so that simultaneous misses build once
}

// payload is one encoded response. It is immutable; gz is made on first use.
type payload struct {
	body          []byte
	updated, next time.Time
	edition       any
	level         int // of compression

	gzOnce sync.Once
	gz     []byte // nil when compression gains nothing
}

func newView(every time.Duration, build func(now time.Time) (any, error)) *view {
	return &view{every: every, build: build, level: gzip.DefaultCompression}
}

// get returns the payload that stands at now.
func (v *view) get(now time.Time) (*payload, error) {
	edition := v.currentEdition()
	if p := v.latest.Load(); p.standsAt(now) && p.edition == edition {
		return p, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	// Read before the value is built, so that it is never newer than that.
	edition = v.currentEdition()
	if p := v.latest.Load(); p.standsAt(now) && p.edition == edition {
		return p, nil
	}

	value, err := v.build(now)
	if err != nil {
		return nil, err
	}
	body, err := encode(value)
	if err != nil {
		return nil, fmt.Errorf("encode view: %w", err)
	}
	v.built.Add(1)
	p := &payload{body: append(body, '\n'), level: v.level, updated: now, next: now.Add(v.every), edition: edition}
	v.latest.Store(p)
	return p, nil
}

func (v *view) currentEdition() any {
	if v.edition == nil {
		return nil
	}
	return v.edition()
}

// standsAt reports whether p is still good at now. One from the future, after
// the clock was set back, is not.
func (p *payload) standsAt(now time.Time) bool {
	return p != nil && now.Before(p.next) && !now.Before(p.updated)
}

// gzipped returns the compressed body, nil when that is not worth it.
func (p *payload) gzipped() []byte {
	p.gzOnce.Do(func() { p.gz = compress(p.body, p.level) })
	return p.gz
}

// minCompress is the size in bytes below which a body goes out as it is: it
// fits into one packet anyway.
const minCompress = 1200

// compress returns body gzipped, or nil when that saves less than a tenth.
func compress(body []byte, level int) []byte {
	if len(body) < minCompress {
		return nil
	}
	var buf bytes.Buffer
	// Neither a constant level nor a bytes.Buffer gives an error.
	zw, err := gzip.NewWriterLevel(&buf, level)
	if err != nil {
		return nil
	}
	if _, err := zw.Write(body); err != nil {
		return nil
	}
	if err := zw.Close(); err != nil {
		return nil
	}
	if buf.Len() > len(body)-len(body)/10 {
		return nil
	}
	return bytes.Clone(buf.Bytes())
}

// acceptsGzip reports whether the client takes a gzipped response (RFC 9110
// section 12.5.3): "gzip" or "*" with a weight above zero.
func acceptsGzip(r *http.Request) bool {
	star := false
	for _, header := range r.Header.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(header, ",") {
			coding, params, _ := strings.Cut(item, ";")
			name := strings.ToLower(strings.TrimSpace(coding))
			if name != "gzip" && name != "x-gzip" && name != "*" {
				continue
			}
			wanted := true
			if q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q="); ok {
				weight, err := strconv.ParseFloat(q, 64)
				wanted = err == nil && weight > 0
			}
			if name != "*" {
				return wanted
			}
			star = wanted
		}
	}
	return star
}

// serveView answers with a view, or with a plain-text error.
func (s *Server) serveView(w http.ResponseWriter, r *http.Request, v *view) {
	p, err := v.get(s.now())
	if errors.Is(err, errBusy) {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "busy, ask again in a moment", http.StatusServiceUnavailable)
		return
	}
	if err != nil {
		s.log.Warn("view not built", "path", r.URL.Path, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}

	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", noStore)
	h.Set("X-JSON-Updated-At", p.updated.UTC().Format(time.RFC3339))
	h.Set("X-JSON-Next-Update-At", p.next.UTC().Format(time.RFC3339))
	h.Set("Vary", "Accept-Encoding")
	body := p.body
	if acceptsGzip(r) {
		if gz := p.gzipped(); gz != nil {
			h.Set("Content-Encoding", "gzip")
			body = gz
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// A client that went away is no news.
	_, _ = w.Write(body)
}

// noStore is the Cache-Control of everything that changes.
const noStore = "no-cache, no-store, must-revalidate"
