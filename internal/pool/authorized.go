package pool

import (
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Authorization is that a miner signed a worker in, and with which password.
// Passwords are nobody's business but the receiver's: they go into no log and no
// capture.
type Authorization struct {
	Connection string     // id, as in the log
	Worker     string     // full name
	Password   string     // at most MaxPassword bytes of it
	Remote     netip.Addr // the miner's; not valid when it has none
}

// MaxPassword bounds the password of an Authorization, in bytes.
const MaxPassword = 256

// maxAuthorizations bounds the authorizations that wait to be told. Of a crowd
// that comes back at once some are left out, and counted.
const maxAuthorizations = 4096

// authorizations tell Config.Authorized who signed in. No miner waits for that.
type authorizations struct {
	queue   chan Authorization
	leftOut atomic.Uint64
	faults  atomic.Uint64 // panics of the receiver
}

// tellAuthorized has an authorize with a password told to who wants to know.
func (s *session) tellAuthorized(worker, password string) {
	if s.pool.config().Authorized == nil || password == "" {
		return
	}
	q := &s.pool.authorizations
	a := Authorization{Connection: s.id, Worker: worker, Password: strings.Clone(password[:min(len(password), MaxPassword)]), Remote: s.remote.Addr().Unmap()}
	select {
	case q.queue <- a:
	default:
		q.leftOut.Add(1)
	}
}

// run tells of one authorization after the other until ctx ends.
func (q *authorizations) run(ctx context.Context, p *Pool) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-q.queue:
			q.tell(p, a)
		}
	}
}

// tell survives a receiver that does not.
func (q *authorizations) tell(p *Pool, a Authorization) {
	defer func() {
		if fault := recover(); fault != nil {
			q.faults.Add(1)
			p.log.Error("receiver of authorizations failed", "panic", fault, "stack", string(debug.Stack()))
			p.events.add(time.Now(), "session", fmt.Sprintf("internal error after an authorize: %v", fault))
		}
	}()
	p.config().Authorized(a)
}
