package api

import (
	"net/http"
	"runtime/debug"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
)

// contentSecurityPolicy lets the page load from this server alone, and run no
// script or style that is not a file of it.
const contentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// middleware is what every request goes through: who sent it, security headers, a
// body limit, recovery from panics, and counting.
func (s *Server) middleware(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		r.RemoteAddr = access.ClientOf(r, s.cfg.Proxies)
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)

		rec := &recorder{ResponseWriter: w}
		defer func() {
			p := recover()
			late := rec.status != 0
			if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the value itself, as net/http has it
				s.panicked(p, rec, r)
			}
			s.metrics.observe(r.Pattern, rec.code(), time.Since(began))
			if p != nil && late {
				// The client must not take half a response for a whole one.
				panic(http.ErrAbortHandler)
			}
		}()
		mux.ServeHTTP(rec, r)
	})
}

// panicked counts a handler's panic and, if nothing was sent yet, answers in
// its place. The other requests go on.
func (s *Server) panicked(p any, rec *recorder, r *http.Request) {
	s.panics.Add(1)
	s.log.Error("request panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	if rec.status != 0 {
		return
	}
	http.Error(rec, "internal error", http.StatusInternalServerError)
}

// recorder remembers the status of a response.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header went out
}

// WriteHeader sends the header.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap gives the WebSocket library and http.ResponseController what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
