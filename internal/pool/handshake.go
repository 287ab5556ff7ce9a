package pool

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

// maxWorkers bounds the workers that one connection may authorize; a farm proxy
// brings hundreds.
const maxWorkers = 1024

// maxExtraWorkers bounds the workers of all connections beyond the first of
// each: names cost memory, and whoever connects can make them up.
const maxExtraWorkers = 32768

// worker is one authorized name on a connection.
type worker struct {
	name    string // printable and short, for people and books
	sent    string // as the miner writes it
	account *ledger.Account
}

// manyWorkers is the number of workers from which on they are found by a map.
const manyWorkers = 8

func (s *session) handleSubscribe(r *stratum.Request) {
	p := stratum.ParseSubscribe(r.Params)
	var left *resumable
	if !s.subscribed && !s.authorized.Load() && p.SessionID != "" {
		left = s.pool.claim(s, p.SessionID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if left != nil {
		s.resumeLocked(left)
	}
	if !s.subscribed {
		s.subscribed = true
		s.agent = cleanText(p.UserAgent, maxAgent)
		s.device = profileOf(s.agent)
	}
	if r.WantsReply() {
		s.queue(func(b []byte) []byte {
			return stratum.AppendSubscribed(b, r.ID, s.workspace(), s.workspace(), extranonce2Size)
		})
	}
	s.startLocked()
	s.awaitLocked()
}

func (s *session) handleAuthorize(r *stratum.Request) {
	a, ok := stratum.ParseAuthorize(r.Params)
	if !ok {
		s.pool.counters.reject(stratum.RejectMalformed)
		s.refuse(r, stratum.RejectMalformed)
		return
	}
	user, _ := userHints(a.User)
	name := cleanText(user, maxName)
	s.mu.Lock()
	known := s.workerLocked([]byte(name)) != nil
	first := s.address == "" && s.refusals == 0
	s.mu.Unlock()
	if known {
		s.authorize(r, &a) // its account is open: nothing to wait for
		return
	}
	asked := &stratum.Request{ID: bytes.Clone(r.ID)}
	s.aside(first, func() { s.authorize(asked, &a) })
}

// authorize opens the books for a worker, which may have to wait for them.
func (s *session) authorize(r *stratum.Request, a *stratum.Authorize) {
	user, wish := userHints(a.User)
	name := cleanText(user, maxName)
	address := bitcoin.AddressIn(name)
	if why := s.admit(name, address); why != stratum.NotRejected {
		s.pool.counters.reject(why)
		s.refuse(r, why)
		return
	}
	// The ledger may be busy for a moment. New work must not wait for that
	// moment, so the account is opened before the lock is taken.
	fresh := s.newWorker(name, a.User, address)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopLingeringLocked()
	s.endProvisionalLocked()
	s.address = address
	if fresh != nil {
		s.addWorkerLocked(fresh)
		if s.pool.log.Enabled(context.Background(), slog.LevelDebug) {
			s.logger().Debug("worker signed in", "worker", name, "agent", s.agent)
		}
	}
	s.tapLocked(time.Now())
	s.beginCaptureLocked()
	// The connection has one difficulty: whoever wished first is heard.
	s.wish.hints = s.wish.hints.or(parseHints(a.Password)).or(wish)
	s.recallOrderLocked(time.Now(), name)
	s.tellAuthorized(name, a.Password)
	s.reply(r, "true")
	s.startLocked()
}

// admit says whether the connection may work in a name.
func (s *session) admit(name, address string) stratum.Reject {
	why := s.pool.checkAddress(address, s.device.coinbase)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case why != stratum.NotRejected:
	case s.address != "" && s.address != address:
		// One connection has one coinbase. Paying the first address for the
		// second one's work would be the pool's mistake, not the miner's.
		why = stratum.RejectOtherAddress
	case s.workerLocked([]byte(name)) != nil:
	case len(s.workers) >= maxWorkers, len(s.workers) > 0 && s.pool.extraWorkers.Load() >= maxExtraWorkers:
		why = stratum.RejectTooManyWorkers
	}
	if why == stratum.NotRejected {
		return why
	}
	if s.refusals++; s.refusals == 1 {
		s.note("worker refused", "worker", name, "reason", why)
	}
	if s.address == "" {
		s.endProvisionalLocked() // it does not want to work for the operator
		s.lingerLocked(why)
	}
	return why
}

// lingerLocked closes the connection after a while in which the miner can show
// why it was refused (requirement R-A1). A valid authorize stops it.
func (s *session) lingerLocked(why stratum.Reject) {
	if s.lingering != nil {
		return
	}
	reason := stratum.CloseInvalidAddress
	if why == stratum.RejectWrongNetwork {
		reason = stratum.CloseWrongNetwork
	}
	s.lingering = time.AfterFunc(rejectLinger, func() { s.conn.CloseAfterFlush(reason) })
}

func (s *session) stopLingeringLocked() {
	if s.lingering != nil {
		s.lingering.Stop()
		s.lingering = nil
	}
}

// newWorker opens an account for a name, or returns nil if it has one.
func (s *session) newWorker(name, sent, address string) *worker {
	s.mu.Lock()
	known, agent := s.workerLocked([]byte(name)), s.agent
	s.mu.Unlock()
	if known != nil {
		return nil
	}
	account := s.pool.ledger.Connect(ledger.ConnInfo{
		ConnectionID: s.id,
		Worker:       name,
		Address:      address,
		UserAgent:    agent,
		Remote:       s.remote.String(),
		TLS:          s.tls,
		ConnectedAt:  s.connectedAt,
	})
	if sent == name || len(sent) > 2*maxName {
		sent = name // one copy in memory, and none of what is absurd
	}
	return &worker{name, sent, account}
}

func (s *session) addWorkerLocked(w *worker) {
	if len(s.workers) > 0 {
		s.pool.extraWorkers.Add(1)
	}
	s.workers = append(s.workers, w)
	switch {
	case s.byName != nil:
		s.byName[w.name], s.byName[w.sent] = w, w
	case len(s.workers) >= manyWorkers:
		s.byName = make(map[string]*worker, 2*len(s.workers))
		for _, w := range s.workers {
			s.byName[w.name], s.byName[w.sent] = w, w
		}
	}
	if s.announced > 0 {
		w.account.SetDifficulty(s.announced, s.announced)
	}
	if !s.authorized.Swap(true) {
		s.pool.authorized.Add(1)
		s.pool.watch.SignedIn(&s.visit)
	}
}

// workerLocked finds a worker by name, or returns nil.
func (s *session) workerLocked(name []byte) *worker {
	if s.byName != nil {
		return s.byName[string(name)]
	}
	for _, w := range s.workers {
		if w.name == string(name) || w.sent == string(name) {
			return w
		}
	}
	return nil
}

// startLocked gives the first work once the miner has both subscribed and
// authorized, in whichever order (requirement R-S6). What was queued before
// goes out with it.
func (s *session) startLocked() {
	if !s.subscribed || s.address == "" || s.started {
		return
	}
	s.started = true
	// The handshake is done; from here on silence is allowed.
	if s.conn.SetReadDeadline(time.Time{}) != nil {
		return
	}
	now := time.Now()
	s.vardiff = vardiff{interval: s.pool.shareInterval()}
	s.vardiff.begin(now)
	s.recallLocked()
	s.difficulty = s.startDifficulty()
	if err := s.sendWorkLocked(now, true); errors.Is(err, errNoJob) && s.device.messages {
		s.queue(func(b []byte) []byte {
			return stratum.AppendShowMessage(b, "Waiting for the Bitcoin node; work follows by itself.")
		})
	}
}

func (s *session) handleConfigure(r *stratum.Request) {
	c, ok := stratum.ParseConfigure(r.Params)
	if !ok {
		s.pool.counters.reject(stratum.RejectMalformed)
		s.refuse(r, stratum.RejectMalformed)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var buf [256]byte
	result := append(buf[:0], '{')
	for _, x := range c.Extensions {
		if len(result) > 1 {
			result = append(result, ',')
		}
		result = stratum.AppendString(result, x.Name)
		switch x.Kind {
		case stratum.VersionRolling:
			result = s.configureRollingLocked(result, c.VersionMask)
		case stratum.MinimumDifficulty:
			s.wish.configured = c.MinimumDifficulty
			result = append(result, ":true"...)
		case stratum.SubscribeExtranonce, stratum.SuggestDifficulty, stratum.Info:
			result = append(result, ":true"...)
		default:
			result = append(result, ":false"...)
		}
	}
	result = append(result, '}')
	s.reply(r, string(result))
	if s.lastJob != nil && s.wish.configured > s.difficulty {
		s.retargetLocked(time.Now(), s.wish.configured)
	}
}

// configureRollingLocked agrees on the version bits that the miner may roll,
// and answers with them.
func (s *session) configureRollingLocked(result []byte, wanted uint32) []byte {
	s.mask = s.pool.config().VersionMask & wanted
	s.told = s.mask & s.pool.rollable()
	if s.told == 0 {
		return append(result, ":false"...)
	}
	result = append(result, `:true,"version-rolling.mask":"`...)
	return append(stratum.AppendHex32(result, s.told), '"')
}
