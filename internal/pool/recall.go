package pool

import (
	"crypto/tls"
	"net"
	"time"
)

// hashesPerDifficulty is the mean number of hashes for one unit of difficulty.
const hashesPerDifficulty = 1 << 32

// recallLocked looks up what the miner's earlier connections proved, unless it
// is known already. The books may answer a moment after the miner came.
func (s *session) recallLocked() {
	if s.recalled == 0 && len(s.workers) > 0 && s.pool.config().Difficulty.Vardiff {
		pace := s.workers[0].account.Pace()
		if pace > 0 {
			s.recalled = max(pace/hashesPerDifficulty*s.vardiff.interval.Seconds(), s.device.least)
		}
	}
}

// catchUpLocked goes to the difficulty of earlier connections when the books
// told of them only after the start, and the miner has shown nothing since that
// would be better evidence.
func (s *session) catchUpLocked(now time.Time) {
	if s.recalled > 0 || s.vardiff.touched() {
		return
	}
	if s.recallLocked(); s.recalled > 0 {
		s.retargetLocked(now, s.startDifficulty())
	}
}

// rememberLocked puts what this connection proved into the books.
func (s *session) rememberLocked(now time.Time) {
	if len(s.workers) == 0 {
		return
	}
	// Of a proxy's workers the first stands for all: a connection that comes
	// back starts with the first one, too.
	if rate, proven := s.vardiff.rate(now); proven {
		s.workers[0].account.SetPace(rate*hashesPerDifficulty, now)
	}
}

// pingLocked puts the kernel's round-trip time into the books.
func (s *session) pingLocked() {
	if s.socket == nil || len(s.workers) == 0 {
		return
	}
	rtt := roundTrip(s.socket)
	for _, w := range s.workers[:min(len(s.workers), manyWorkers)] {
		w.account.Ping(rtt)
	}
}

// rate is the work per second that the shares of the window prove, once they
// are enough.
func (v *vardiff) rate(now time.Time) (perSecond float64, proven bool) {
	elapsed := now.Sub(v.start)
	if v.shares < minEvidence || elapsed < minWindow {
		return 0, false
	}
	return v.work / elapsed.Seconds(), true
}

// touched says whether the control has anything to go by.
func (v *vardiff) touched() bool { return v.shares >= minEvidence || v.proven || v.falls > 0 }

// socket is the kernel's side of a connection.
type socket interface {
	Control(f func(fd uintptr)) error
}

// socketOf is the kernel's side of a connection, nil when there is none.
func socketOf(nc net.Conn) socket {
	if secure, ok := nc.(*tls.Conn); ok {
		nc = secure.NetConn()
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
