package audit

import (
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Limits of what a peer can make a session remember.
const (
	maxWorkers     = 64
	maxReasons     = 32
	maxExtranonce1 = 64       // bytes
	maxExtranonce2 = 32       // bytes
	sessionBytes   = 16 << 10 // with its histograms and windows
)

// session is what is known of a session. It is guarded by the auditor's lock.
type session struct {
	a      *Auditor
	info   capture.Session
	closed bool
	bytes  int // about

	messages    uint64
	lastN       uint64 // number of the newest message
	lastAt      time.Time
	size        [3]uint64 // bytes by direction
	gaps, lost  uint64
	parseErrors uint64
	missing     bool // the beginning was not captured
	blind       blindness
	quiet       quietness

	userAgent, resume string
	workers           []worker
	subscribes        uint64
	subscribedAt      time.Time
	xnSubscribed      bool // the miner asked for mining.set_extranonce

	extranonce1      []byte // nil while unknown
	extranonce2Size  int    // 0 while unknown
	mask             uint32 // version bits that may be rolled
	maskKnown        bool
	difficulty       float64 // 0 while unknown
	difficultyAt     time.Time
	difficultyN      uint64 // message
	difficultyShares uint64 // accepted while it was in force
	difficultyWork   float64
	difficultyCount  uint64
	suggested        float64
	suggestedAt      time.Time
	timeline         ring[Difficulty]

	jobs         ring[*job]
	firsts       ring[firstJob]
	byID         map[string]*job
	gone         seen // ids of jobs that made room
	jobCount     uint64
	emptyJobs    uint64
	cleanJobs    uint64
	tips         uint64
	tip          bitcoin.Hash // that the newest job builds on
	tipAt        time.Time    // first job on it
	tipN         uint64       // message of that job
	firstJobAt   time.Time
	lastNotifyAt time.Time
	freshAt      time.Time // of the newest job that made the older ones stale, until a share came on it or a later one
	payout       payoutState

	shares      ring[shareRecord]
	seen        seen
	counts      ShareCounts // without what is computed
	reasons     []ReasonCount
	work        work
	best        float64
	bestN       uint64
	lastShareAt time.Time
	waiting     waitingShares

	submitLatency, roundTrip, notifyToSubmit *histogram

	alarms map[string]*Alarm // by kind
}

// blindness says what may have gone by unseen, since the session's beginning or
// lines of the pool were not captured. It ends with what shows that we know.
type blindness struct {
	extranonce, difficulty, jobs bool

	since uint64 // message with which it began
}

// worker is a name that the miner authorized with.
type worker struct {
	name    string
	n       uint64 // message in which it first did
	refused bool
}

// waitingShares are the submits without an answer.
type waitingShares struct {
	count int
	since time.Time // of the first of them, or of the latest answer if that is later
	n     uint64    // message of the first of them, when none was waiting
}

func newSession(a *Auditor, info capture.Session) *session {
	l := &a.cfg.Limits
	s := &session{
		a: a, info: info, lastAt: info.At,
		timeline: newRing[Difficulty](l.Difficulties),
		jobs:     newRing[*job](l.Jobs),
		firsts:   newRing[firstJob](maxFirsts),
		byID:     make(map[string]*job),
		gone:     seen{half: l.Jobs},
		shares:   newRing[shareRecord](l.Shares),
		seen:     seen{half: max(l.Seen/2, 1)},
		alarms:   make(map[string]*Alarm),
		blind:    blindness{true, true, true, 0},
	}
	s.grow(sessionBytes)
	s.know(info.Known)
	return s
}

// grow accounts for memory.
func (s *session) grow(n int) {
	s.bytes += n
	s.a.bytes += n
}

// id is the id of one of the session's messages.
func (s *session) id(n uint64) string { return capture.MessageID(s.info.ID, n) }

// message looks at a line.
func (s *session) message(m *capture.Message) {
	if m.N > s.lastN+1 {
		s.missing = s.missing || s.lastN == 0
		s.goBlind(m.N)
	}
	s.lastN = max(s.lastN, m.N)
	s.lastAt = m.Received
	s.messages++
	s.size[m.Direction%3] += uint64(m.Size)
	if m.Fault != "" {
		s.parseErrors++
	}
	if m.Gap > 0 {
		s.gaps++
		s.lost += m.Gap
	}
	if m.Direction == capture.PoolToMiner {
		// What cannot be read may have been a job.
		if m.Gap > 0 || m.Fault == capture.FaultCut || m.Fault == capture.FaultDeep {
			s.goBlind(m.N)
		}
		s.info.PoolPeer = m.Peer
		s.fromPool(m)
		return
	}
	s.fromMiner(m)
}

// goBlind notes that lines of the pool may have gone by unseen.
func (s *session) goBlind(n uint64) { s.blind = blindness{true, true, true, n} }

// partial says whether the session was not captured from its beginning.
func (s *session) partial() bool { return s.missing || s.subscribes == 0 }

// fromMiner looks at a line to the pool. Lines of the scope itself count as the
// miner's only where they change what the pool expects.
func (s *session) fromMiner(m *capture.Message) {
	switch m.Method {
	case "mining.submit":
		s.submitted(m)
	case "mining.subscribe":
		s.subscribed(m)
	case "mining.extranonce.subscribe", "mining.subscribe_extranonce":
		s.xnSubscribed = true
	case "mining.configure":
		s.configured(m)
	case "mining.authorize":
		s.authorized(m.Worker, m.N)
	case "mining.suggest_difficulty", "mining.suggest_target":
		s.suggestion(m)
	}
}

func (s *session) fromPool(m *capture.Message) {
	switch m.Method {
	case "mining.notify":
		s.notified(m)
	case "mining.set_difficulty", "mining.set_target":
		s.setDifficulty(m)
	case "mining.set_extranonce":
		s.setExtranonce(m)
	case "mining.set_version_mask":
		s.setMask(m)
	case "client.reconnect":
		s.reconnect(m)
	}
}

// answered looks at the response to a request.
func (s *session) answered(request, response *capture.Message) {
	if request.Direction == capture.PoolToMiner {
		return
	}
	latency := response.Received.Sub(request.Received)
	if request.Method == "mining.submit" {
		s.judged(request, response, latency)
		return
	}
	if request.Direction == capture.MinerToPool {
		add(&s.roundTrip, latency)
	}
	switch request.Method {
	case "mining.subscribe":
		s.assigned(request, response)
	case "mining.configure":
		s.agreed(request, response)
	case "mining.authorize":
		s.admitted(request.Worker, response.OK)
	}
}

func (s *session) subscribed(m *capture.Message) {
	if s.subscribes++; s.subscribes > 1 {
		return
	}
	s.subscribedAt = m.Received
	if !s.missing && s.gaps == 0 {
		s.blind = blindness{}
	}
	if d := s.decode(m, nil); d.Subscribe != nil {
		s.userAgent, s.resume = d.Subscribe.UserAgent, d.Subscribe.ResumeID
	}
}

// assigned takes the extranonces of the answer to mining.subscribe.
func (s *session) assigned(request, response *capture.Message) {
	d := s.decode(response, request)
	if d.Assigned == nil {
		return
	}
	s.setExtranonces(d.Assigned.Extra, d.Assigned.Extranonce2Size)
	s.blind.extranonce = false
}

// setExtranonces takes the extranonces of the next job on.
func (s *session) setExtranonces(extranonce1 []byte, size int) {
	if extranonce1 == nil || len(extranonce1) > maxExtranonce1 || size <= 0 || size > maxExtranonce2 {
		extranonce1, size = nil, 0
	}
	s.extranonce1, s.extranonce2Size = extranonce1, size
}

func (s *session) configured(m *capture.Message) {
	d := s.decode(m, nil)
	if d.Configure == nil {
		return
	}
	if slices.Contains(d.Configure.Extensions, "subscribe-extranonce") {
		s.xnSubscribed = true
	}
	if d.Configure.MinimumDifficulty > 0 {
		s.suggested, s.suggestedAt = d.Configure.MinimumDifficulty, m.Received
	}
}

// agreed takes the version mask of the answer to mining.configure.
func (s *session) agreed(request, response *capture.Message) {
	d := s.decode(response, request)
	if d.Agreed != nil && d.Agreed.VersionMask != "" {
		s.mask, s.maskKnown = d.Agreed.Mask, true
	}
}

func (s *session) setMask(m *capture.Message) {
	if d := s.decode(m, nil); d.Mask != nil {
		s.mask, s.maskKnown = d.Mask.Value, true
	}
}

// authorized notes a worker's name, and the message in which it came; 0 when
// that was not captured.
func (s *session) authorized(name string, n uint64) {
	if s.worker(name) >= 0 || len(s.workers) >= maxWorkers {
		return
	}
	s.workers = append(s.workers, worker{name: name, n: n})
	s.grow(len(name) + 32)
}

// admitted takes the pool's answer. Only from here on its jobs have to pay the
// worker: one that was on its way before pays whom it had to pay then.
func (s *session) admitted(name string, ok bool) {
	i := s.worker(name)
	if i < 0 {
		return
	}
	if s.workers[i].refused = !ok; ok {
		s.payout.add(name)
	}
}

// worker is the place of a name among the workers, -1 when it is not there.
func (s *session) worker(name string) int {
	return slices.IndexFunc(s.workers, func(w worker) bool { return w.name == name })
}

func (s *session) suggestion(m *capture.Message) {
	s.suggestedAt = m.Received
	if d := s.decode(m, nil); d.Difficulty != nil {
		s.suggested = d.Difficulty.Value
	}
}

// setDifficulty takes the difficulty of the shares of the next jobs.
func (s *session) setDifficulty(m *capture.Message) {
	d := s.decode(m, nil)
	if d.Difficulty == nil || !(d.Difficulty.Value > 0) {
		return
	}
	value := d.Difficulty.Value
	asked := !s.suggestedAt.IsZero() && m.Received.Sub(s.suggestedAt) <= time.Minute
	change := Difficulty{At: stamp(m.Received), Value: value, Message: m.MessageID(), Before: s.difficulty, Shares: s.difficultyShares, Asked: asked}
	if !s.difficultyAt.IsZero() {
		change.Seconds = m.Received.Sub(s.difficultyAt).Seconds()
	}
	if _, full := s.timeline.add(change); full {
		s.a.dropped++
	} else {
		s.grow(128)
	}
	s.blind.difficulty = false
	if value == s.difficulty {
		return
	}
	s.checkRaise(m, change)
	s.difficultyCount++
	s.difficulty, s.difficultyAt, s.difficultyN, s.difficultyShares, s.difficultyWork = value, m.Received, m.N, 0, 0
}

func (s *session) close(info capture.Session) {
	s.info, s.closed = info, true
	s.seen, s.gone = seen{half: s.seen.half}, seen{half: s.gone.half}
	for i := range s.jobs.len() {
		(*s.jobs.at(i)).release()
	}
}

// shorten keeps the newest n elements of each list.
func (s *session) shorten(n int) {
	before := s.jobs.dropped + s.shares.dropped + s.timeline.dropped
	s.jobs.keep(n, func(j *job) { s.dropJob(j) })
	s.shares.keep(n, func(r shareRecord) { s.grow(-r.cost()) })
	s.timeline.keep(n, func(Difficulty) { s.grow(-128) })
	s.a.dropped += s.jobs.dropped + s.shares.dropped + s.timeline.dropped - before
	if s.seen.len() > n {
		s.grow(-seenBytes * s.seen.len())
		s.seen = seen{half: s.seen.half}
	}
}

// stamp makes a time as the API gives it.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
