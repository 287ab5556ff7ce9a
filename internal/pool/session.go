package pool

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/stratum"
)

// maxBadLines is how many lines of a connection may be no JSON.
const maxBadLines = 3

// forgiveAfter is the number of good lines that make up for a bad one.
const forgiveAfter = 100

// session is one miner's connection.
type session struct {
	pool        *Pool
	port        *port // that it came in through
	conn        *stratum.Conn
	member      *stratum.Member // conn, where an event loop serves it
	stream      *stratum.Stream // conn, where a goroutine does
	extranonce1 [extranonce1Size]byte
	id          string // of the connection; extranonce1 in hex unless it was resumed
	slot        byte   // spreads the sessions over the ticks that take round-trip times
	remote      netip.AddrPort
	visit       abuse.Visit
	batch       *batch // of the loop that serves it, or of a stream while shares wait in it
	socket      socket // nil when it has none, or is a proxy's
	tls         bool
	connectedAt time.Time

	// Of the reader's goroutine alone.
	request          *stratum.Request // the line at hand; shared by the sessions of a loop
	badLines         int
	goodLines        int       // since the last bad one
	lastWords        int       // lines since the connection is to be closed
	oldWork          *work     // of a retired job, made again
	toldTransactions time.Time // when mining.get_transactions was last answered
	shares           shareSet
	tipOf            uint32 // number of the tip that shares belongs to

	authorized atomic.Bool

	mu         sync.Mutex
	wiretap    *wiretap    // nil while nobody watches
	recording  *captureRun // nil while it is not recorded
	agent      string
	device     *profile
	subscribed bool
	address    string // whom this connection's work pays; "" until authorized
	payee      payee  // resolved from address once the network is known
	workers    []*worker
	byName     map[string]*worker // of a connection with many workers, else nil
	refusals   int
	mask       uint32       // version bits that the miner may roll, as far as the job lets it
	told       uint32       // version bits that the miner was told to roll; 0 when it did not ask
	trial      *provisional // nil unless the miner was slow to authorize
	started    bool         // subscribed and authorized: it gets work of its own

	conduct    conduct
	wish       wishes
	vardiff    vardiff
	difficulty float64 // for the next work
	announced  float64 // last set_difficulty, 0 before the first
	timeline   timeline
	recalled   float64 // difficulty of an earlier connection, 0 when none is known
	lastJob    *job
	lastWork   uint32 // id of the last work, if there was any
	worked     bool   // there was
	lastWorkAt time.Time
	awaited    int64     // when work that makes all other worthless was sent, in Unix nanoseconds; 0 once a share was accepted
	suggested  time.Time // when a suggestion last changed anything
	lingering  *time.Timer
}

// wishes is what the miner asked for, kept apart by how it asked (R-A3).
type wishes struct {
	ordered    float64 // by an owner of the worker; 0 without
	hints      hints
	configured float64 // minimum-difficulty of mining.configure
	suggested  float64
}

// logger is made when it is needed: most sessions have nothing to say.
func (s *session) logger() *slog.Logger {
	return s.pool.log.With("session", s.id, "remote", s.remote.String())
}

// run serves the connection of a stream until it ends.
func (s *session) run() {
	defer s.stream.Release()
	defer s.settle()
	if !s.tls {
		first, err := s.stream.FirstByte()
		if err != nil {
			s.conn.Close(s.readError(err))
			return
		}
		s.sniff(first)
	}
	for !s.conn.Closed() {
		line, err := s.stream.ReadLine()
		if err != nil {
			s.conn.Close(s.readError(err))
			return
		}
		s.receive(line)
		if !s.stream.LineWaiting() {
			s.settle()
			s.conn.Flush()
		}
	}
}

// receive takes a line from the miner.
func (s *session) receive(line []byte) {
	s.pool.counters.messages.Add(1)
	s.handleLine(line)
}

// sniff looks at the first byte: a TLS hello on the plain port (bfgminer tries
// that first) is best answered by closing at once.
func (s *session) sniff(first byte) {
	const tlsHandshake = 0x16
	if first == tlsHandshake {
		s.conn.Close(stratum.CloseTLSOnPlainPort)
	}
}

func (s *session) readError(err error) stratum.CloseReason {
	switch {
	case errors.Is(err, stratum.ErrLineTooLong):
		return stratum.CloseLineTooLong
	case isTimeout(err):
		return stratum.CloseHandshakeTimeout
	case isReset(err):
		return stratum.CloseReset
	}
	return stratum.CloseByPeer
}

func (s *session) handleLine(line []byte) {
	if reason := s.conn.Reason(); reason != stratum.CloseUnknown && !s.hearOut(reason) {
		return
	}
	if len(line) == 0 {
		s.settle()
		s.strike(messageCost, stratum.NotRejected)
		return
	}
	r := s.request
	err := stratum.ScanRequest(line, r)
	if err == nil && r.Method == stratum.MethodSubmit {
		s.forgive()
		s.handleSubmit(r)
		return
	}
	s.settle()
	switch {
	case errors.Is(err, stratum.ErrBadMethod), errors.Is(err, stratum.ErrBadParams), errors.Is(err, stratum.ErrTooManyParams):
		s.badRequest(r)
		return
	case err != nil:
		s.badLine(line, err)
		return
	}
	s.forgive()
	s.strike(messageCost, stratum.NotRejected)
	switch r.Method {
	case stratum.MethodSubscribe:
		s.handleSubscribe(r)
	case stratum.MethodAuthorize:
		s.handleAuthorize(r)
	case stratum.MethodConfigure:
		s.handleConfigure(r)
	case stratum.MethodSuggestDifficulty:
		s.handleSuggestDifficulty(r)
	case stratum.MethodSuggestTarget:
		s.handleSuggestTarget(r)
	case stratum.MethodExtranonceSubscribe:
		// The pool never changes extranonce1 on a live connection, so it keeps
		// this promise by doing nothing.
		s.reply(r, "true")
	case stratum.MethodGetTransactions:
		s.handleGetTransactions(r)
	case stratum.MethodCapabilities, stratum.MethodMultiVersion, stratum.MethodIgnored:
		s.reply(r, "true")
	case stratum.MethodPing:
		s.reply(r, `"pong"`)
	case stratum.MethodGetVersion:
		s.reply(r, s.pool.config().version())
	case stratum.MethodPong, stratum.MethodNone:
		// An answer to a question of ours, or shaped like one.
	default:
		s.pool.counters.reject(stratum.RejectUnknownMethod)
		s.refuse(r, stratum.RejectUnknownMethod)
		s.strike(costOf(stratum.RejectUnknownMethod), stratum.RejectUnknownMethod)
	}
}

// badRequest answers valid JSON that is no request of Stratum's shape. That is
// harmless, and methods that nobody knows may have any parameters.
func (s *session) badRequest(r *stratum.Request) {
	why := stratum.RejectMalformed
	if r.Method == stratum.MethodUnknown {
		why = stratum.RejectUnknownMethod
	}
	s.pool.counters.reject(why)
	s.refuse(r, why)
	s.strike(costOf(why), why)
}

// forgive forgets a bad line after many good ones.
func (s *session) forgive() {
	if s.badLines == 0 {
		return
	}
	if s.goodLines++; s.goodLines >= forgiveAfter {
		s.badLines, s.goodLines = s.badLines-1, 0
	}
}

// badLine answers a line that is not a Stratum message. A few are forgiven.
func (s *session) badLine(line []byte, err error) {
	s.badLines++
	s.pool.counters.reject(stratum.RejectMalformed)
	if id := stratum.SniffID(line); id != nil {
		s.queue(func(b []byte) []byte { return stratum.AppendError(b, id, -32700, "Parse error") })
	}
	s.logger().Debug("bad line", "err", err, "bytes", len(line))
	if s.badLines >= maxBadLines {
		s.conn.CloseAfterFlush(stratum.CloseBadJSON)
	}
}

func (s *session) reply(r *stratum.Request, result string) {
	if r.WantsReply() {
		s.queue(func(b []byte) []byte { return stratum.AppendResult(b, r.ID, result) })
	}
}

func (s *session) refuse(r *stratum.Request, why stratum.Reject) {
	if r.WantsReply() {
		s.queue(func(b []byte) []byte { return stratum.AppendReject(b, r.ID, why) })
	}
}

// queue encodes a line and puts it into the outbox.
func (s *session) queue(encode func([]byte) []byte) {
	var buf [512]byte
	s.conn.Queue(encode(buf[:0]))
}

// tick does what time alone asks for: a lower difficulty for a miner that is
// silent because its shares are too hard, and a job as a sign of life. With ping,
// a round-trip time is taken.
func (s *session) tick(now time.Time, ping bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vouchLocked()
	if s.lastJob == nil || !s.started && s.payee.script == nil {
		return
	}
	s.vardiff.interval = s.pool.shareInterval() // a reload may have changed it
	s.rememberLocked(now)
	if ping {
		s.pingLocked()
	}
	s.catchUpLocked(now)
	if s.started && s.controlled() {
		s.steerLocked(now, s.vardiff.tick(now, s.difficulty))
	}
	if now.Sub(s.lastWorkAt) >= heartbeat {
		// Without work there is no sign of life to give.
		_ = s.sendWorkLocked(now, false)
	}
}

// close ends what the session held elsewhere, and returns what the next
// connection of the miner may go on with.
func (s *session) close(now time.Time) (left *resumable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopLingeringLocked()
	s.endProvisionalLocked()
	s.rememberLocked(now)
	left = s.leaveLocked(now)
	for _, w := range s.workers {
		w.account.Close(now)
	}
	if n := len(s.workers); n > 1 {
		s.pool.extraWorkers.Add(int64(1 - n))
	}
	s.workers, s.byName = nil, nil
	if s.authorized.Swap(false) {
		s.pool.authorized.Add(-1)
	}
	return left
}
