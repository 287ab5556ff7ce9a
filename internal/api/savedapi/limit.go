package savedapi

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
)

// What a person may ask for of that which takes the disk a while: once the burst
// is used up, so many a second.
const (
	importsPerSecond = 1.0 / 30
	importsAtOnce    = 10
	wiresPerSecond   = 5 // a page that follows a session asks every two seconds
	wiresAtOnce      = 40

	// maxLimits bounds the people who are remembered. When there are more, those
	// who have used up nothing are forgotten.
	maxLimits = 4096
)

// limits are one limiter for each person.
type limits struct {
	every rate.Limit
	burst int

	mu sync.Mutex
	by map[string]*rate.Limiter // by user
}

func newLimits(perSecond float64, atOnce int) *limits {
	return &limits{every: rate.Limit(perSecond), burst: atOnce, by: make(map[string]*rate.Limiter)}
}

// allow reports whether a person may ask now.
func (l *limits) allow(user string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.by[user]
	if limiter == nil {
		if len(l.by) >= maxLimits {
			for other, its := range l.by {
				if its.TokensAt(now) >= float64(l.burst) {
					delete(l.by, other)
				}
			}
		}
		limiter = rate.NewLimiter(l.every, l.burst)
		l.by[user] = limiter
	}
	return limiter.AllowN(now, 1)
}

// limited answers 429 to those who ask too often.
func (a *API) limited(l *limits, serve handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v access.Viewer) {
		if !l.allow(v.UserID(), a.now()) {
			a.refuse(w, saved.ErrTooMany)
			return
		}
		serve(w, r, v)
	}
}
