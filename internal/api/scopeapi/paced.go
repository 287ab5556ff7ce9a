package scopeapi

import (
	"net/http"
	"time"
)

// writePace is how long a client may take for what fits into a socket.
const writePace = 30 * time.Second

// paced writes a long response: the client has time for each part of it, and not
// one time for all.
type paced struct {
	w     http.ResponseWriter
	below *http.ResponseController
	until time.Time
}

func newPaced(w http.ResponseWriter) *paced {
	return &paced{w: w, below: http.NewResponseController(w)}
}

// Write sends a part.
func (p *paced) Write(b []byte) (int, error) {
	if now := time.Now(); p.until.Sub(now) < writePace/2 {
		p.until = now.Add(writePace)
		_ = p.below.SetWriteDeadline(p.until) // a test's recorder has none
	}
	return p.w.Write(b)
}
