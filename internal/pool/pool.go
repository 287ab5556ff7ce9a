package pool

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"golang.org/x/time/rate"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/stratum"
)

// staleTemplate is the age at which a template without a successor means that
// the node is gone: nodes are asked at least every 30 s.
const staleTemplate = 2 * time.Minute

// drainTime is how long a stopping pool waits for its sessions and blocks.
const drainTime = 400 * time.Millisecond

// lastSave is how much longer it waits for a found block to be on disk: one that
// is not would be lost, one that is will be sent at the next start.
const lastSave = 400 * time.Millisecond

// Pool is the mining pool. Make one with New, give it templates with
// SetTemplate and connections with Serve, and let Run do the rest.
type Pool struct {
	log    *slog.Logger
	ledger *ledger.Ledger
	watch  *abuse.Watch
	blocks *blockKeeper
	hasher *sharehash.Engine
	trials *proposer
	gate   gate
	waits  tipLatency

	settings   atomic.Pointer[settings]
	settingsMu sync.Mutex // held while settings are replaced

	counters  counters
	events    events
	notes     notes
	captures  captures
	taps      taps
	orders    orders
	startedAt time.Time
	ctx       atomic.Pointer[context.Context] // of Run; blocks go on under it

	tips       atomic.Pointer[tips]
	templateAt atomic.Int64           // unix nanoseconds
	fault      atomic.Pointer[string] // why no work can be made, nil while it can
	early      bool                   // the job that is being made is derived from an announcement; SetTip's alone
	jobNumber  uint32                 // of the last job; SetTemplate's alone
	inherited  *node.Template         // of an earlier pool's last job; SetTemplate's alone

	lastFailure atomic.Pointer[string] // newest reason of workFailed
	tipNumber   uint32
	tipTime     struct { // of the newest tip that SetTip told of; SetTemplate's alone
		hash bitcoin.Hash
		at   uint32
	}
	status atomic.Pointer[Status]

	connections, tlsConnections, authorized atomic.Int64

	extraWorkers atomic.Int64 // workers beyond the first of each connection

	mostMiners int // that the process has open files for; 0: nobody knows

	mu         sync.Mutex
	sessions   map[uint32]*session  // by extranonce1
	moved      map[uint32]*session  // by the number of their ids, those that resumed another's extranonce1; nil before the first
	perAddress map[netip.Prefix]int // by block
	nextID     uint32
	resumables resumables
	ports      []*port               // those that listen
	lobby      map[net.Conn]struct{} // connections that are no sessions yet
	farewells  map[net.Conn]struct{} // connections of banned addresses
	stopping   bool                  // no session is made any more
	loops      loops
	wg         sync.WaitGroup
	clerks     clerks

	authorizations authorizations
}

// keptTips is the number of earlier tips whose jobs are remembered: a share for
// one of them does not count any more, but it may still be a block.
const keptTips = 4

// tips is the current tip and those before it, newest first. A chain that goes
// back to an earlier tip makes a new one of it.
type tips struct {
	current *tip
	earlier []*tip
}

// New makes a pool. It opens the block folder and starts nothing. A network
// that is known in advance may be given; "" learns it from the first template.
func New(cfg Config, network bitcoin.Network, n Node, l *ledger.Ledger, log *slog.Logger) (*Pool, error) {
	cfg.setDefaults()
	p := &Pool{
		log:        log,
		ledger:     l,
		hasher:     sharehash.New(),
		watch:      cfg.watch(log),
		startedAt:  time.Now(),
		notes:      notes{limit: rate.NewLimiter(notesPerSecond, notesAtOnce)},
		sessions:   make(map[uint32]*session),
		perAddress: make(map[netip.Prefix]int),
		lobby:      make(map[net.Conn]struct{}),
		farewells:  make(map[net.Conn]struct{}),
		// Random starts keep extranonces and job ids apart from those of an
		// earlier run, whose shares may still be on their way.
		nextID:     rand.Uint32(),
		jobNumber:  rand.Uint32N(1 << 20),
		mostMiners: maxMiners(openFiles()),
	}
	if p.mostMiners > 0 && p.mostMiners < cfg.MaxConnections {
		log.Warn("the limit of open files allows fewer miners than the configuration", "miners", p.mostMiners, "max_connections", cfg.MaxConnections)
	}
	p.settings.Store(&settings{Config: cfg})
	p.taps.init(&cfg, log)
	if cfg.Authorized != nil {
		p.authorizations.queue = make(chan Authorization, maxAuthorizations)
	}
	p.blocks = &blockKeeper{
		files:    blockFiles{cfg.BlockDir},
		node:     n,
		ledger:   l,
		log:      log,
		counters: &p.counters,
		events:   &p.events,
		inFlight: make(map[bitcoin.Hash]struct{}),
		settled:  make(chan struct{}, 1),
		answered: make(map[bitcoin.Hash]struct{}),
	}
	p.trials = newProposer(p, n)
	if err := p.blocks.files.open(); err != nil {
		return nil, err
	}
	if network != "" {
		if err := p.learnNetwork(network); err != nil {
			return nil, err
		}
	}
	p.reportHashing()
	p.publish(p.startedAt)
	return p, nil
}

// Run drives the pool's clock until ctx ends, then closes every connection.
func (p *Pool) Run(ctx context.Context) error {
	p.ctx.Store(&ctx)
	p.blocks.replay(ctx)
	p.blocks.wg.Go(func() { p.blocks.follow(ctx) })
	p.blocks.wg.Go(func() { p.trials.run(ctx) })
	if p.authorizations.queue != nil {
		p.wg.Go(func() { p.authorizations.run(ctx, p) })
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			p.shutdown()
			return nil
		case now := <-second.C:
			p.guardGate(now)
			p.tickSessions(now, n)
			p.publish(now)
			p.tellLeftOut()
		}
	}
}

const (
	tickEvery = 4 // seconds between two looks at a session
	pingEvery = 4 // looks between two samples of its round-trip time, which take a system call
)

// tickSessions looks at a part of the sessions each second. n counts the seconds.
func (p *Pool) tickSessions(now time.Time, n int) {
	for _, s := range p.sessionsDue(n) {
		p.guard(s, func() { s.tick(now, int(s.slot/tickEvery)%pingEvery == n/tickEvery%pingEvery) })
	}
}

// sessionsDue lists the sessions whose turn it is, by their numbers: the others are
// not even looked at.
func (p *Pool) sessionsDue(n int) []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := make([]*session, 0, len(p.sessions)/tickEvery+len(p.sessions)/16)
	for number, s := range p.sessions {
		if number%tickEvery == uint32(n%tickEvery) {
			due = append(due, s)
		}
	}
	return due
}

// shutdown closes every connection. Blocks that are on their way to a node get
// the time to arrive; one that does not is sent again at the next start.
func (p *Pool) shutdown() {
	defer p.stopLoops()
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()
	p.clearLobby()
	p.goodbye()
	p.StopCapture()
	for _, s := range p.snapshotSessions() {
		s.conn.CloseAfterFlush(stratum.CloseShutdown)
	}
	blocks := waitFor(&p.blocks.wg)
	sessions := waitFor(&p.wg)
	drained, release := context.WithTimeout(context.Background(), drainTime)
	defer release()
	select {
	case <-sessions:
	case <-drained.Done():
		for _, s := range p.snapshotSessions() {
			s.conn.Close(stratum.CloseShutdown)
		}
	}
	select {
	case <-blocks:
	case <-drained.Done():
	}
	select {
	case <-waitFor(&p.blocks.saving):
	case <-time.After(lastSave):
		p.log.Error("a found block may not be on disk")
	}
}

// waitFor returns a channel that is closed when a group is done.
func waitFor(wg *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	return done
}

// SetTemplate makes a job of a template and gives it to every miner. It must
// not be called concurrently.
func (p *Pool) SetTemplate(t *node.Template) {
	now := time.Now()
	if err := p.learnNetwork(t.Network); err != nil {
		p.noWork(err)
		return
	}
	old := p.tips.Load()
	sameTip := old != nil && old.current.prevHash == t.PrevHash
	p.jobNumber = (p.jobNumber + 1) % maxJobNumber
	set := p.settings.Load()
	j, err := newJob(t, p.jobNumber, set.rules.payout, &set.Config, !sameTip, now)
	if err != nil {
		p.noWork(err)
		return
	}
	if p.tipTime.hash == t.PrevHash {
		j.tipTime.Store(p.tipTime.at)
	}
	var next tips
	if sameTip {
		next = tips{current: old.current.with(j), earlier: old.earlier}
	} else {
		p.tipNumber++
		fresh := &tip{prevHash: t.PrevHash, number: p.tipNumber, jobs: map[uint32]*job{}}
		next.current = fresh.with(j)
		if old == nil {
			next.earlier = p.inheritedTips((j.number+maxJobNumber-1)%maxJobNumber, set, now)
		} else {
			next.earlier = append([]*tip{old.current}, old.earlier[:min(len(old.earlier), keptTips-1)]...)
			// Shares still come for the last job of the last tip; for older
			// ones there are few.
			if late := old.current.earlier; late != nil {
				late.retire()
			}
			if len(old.earlier) > 0 {
				old.earlier[0].current.retire()
			}
		}
	}
	p.tips.Store(&next)
	if !p.early { // that says nothing about whether the node gives templates
		p.templateAt.Store(now.UnixNano())
	}
	if fault := p.broadcast(now, !sameTip); fault != nil {
		p.noWork(fault)
	} else {
		p.fault.Store(nil)
	}
	p.waits.served(t.PrevHash, p.early)
	p.trials.consider(old, j)
	p.ledger.SetHeight(t.Height - 1)
	if !sameTip {
		p.log.Info("new tip", "height", t.Height-1, "hash", t.PrevHash.String(),
			"transactions", len(t.Transactions), "node", t.Node, "fanout", time.Since(now))
	}
}

// broadcast gives the newest job to every session, on all processors. It
// returns an error when there were miners to work and none of them could.
func (p *Pool) broadcast(now time.Time, clean bool) error {
	all := p.snapshotSessions()
	workers := min(runtime.GOMAXPROCS(0), 1+len(all)/64)
	served := make([]bool, workers)
	failed := make([]error, workers)
	var wg sync.WaitGroup
	for first := range workers {
		wg.Go(func() {
			for i := first; i < len(all); i += workers {
				p.guard(all[i], func() {
					sent, err := all[i].sendWork(now, clean)
					served[first] = served[first] || sent
					if err != nil && !errors.Is(err, errNotPayable) {
						failed[first] = err
					}
				})
			}
		})
	}
	wg.Wait()
	if slices.Contains(served, true) {
		return nil
	}
	return cmp.Or(failed...)
}

// workFailed notes that work could not be made for an address. Its miners get
// none rather than wrong work; the others go on.
func (p *Pool) workFailed(address string, err error) {
	p.counters.skippedWork.Add(1)
	text := err.Error()
	if last := p.lastFailure.Swap(&text); last == nil || *last != text {
		p.log.Error("no work made for an address", "address", address, "err", err)
	}
	p.events.add(time.Now(), "job", "no work for some miners: "+text)
}

// noWork notes that no miner can be given work.
func (p *Pool) noWork(err error) {
	p.counters.skippedWork.Add(1)
	text := err.Error()
	if last := p.fault.Swap(&text); last == nil || *last != text {
		p.log.Error("no work made", "err", err)
	}
	p.events.add(time.Now(), "job", text)
}

// current is the newest job, or nil.
func (p *Pool) current() *job {
	if t := p.tips.Load(); t != nil {
		return t.current.current
	}
	return nil
}

// findJob looks a work's id up, on the current tip and on those before it.
func (p *Pool) findJob(id uint32) (current *tip, j *job, stale bool) {
	t := p.tips.Load()
	if t == nil {
		return nil, nil, false
	}
	number := id >> variantBits
	if j := t.current.jobs[number]; j != nil {
		return t.current, j, false
	}
	for _, earlier := range t.earlier {
		if j := earlier.jobs[number]; j != nil {
			return t.current, j, true
		}
	}
	return t.current, nil, false
}

// blockFound hands a share that is a block to the block keeper. The channel is
// closed when the block is safe; nil: somebody sent it before.
func (p *Pool) blockFound(sh *share, now time.Time) (saved <-chan struct{}) {
	w := sh.work
	t := w.job.template
	raw := w.block(&sh.Header, sh.extranonces[:])
	ctx := context.Background()
	if running := p.ctx.Load(); running != nil {
		ctx = *running
	}
	return p.blocks.found(ctx, ledger.Block{
		Height:            t.Height,
		Hash:              sh.Hash,
		Worker:            sh.session.nameOf(sh.submit.Worker, w.payee.address),
		Address:           w.payee.address,
		FoundAt:           now,
		ShareDifficulty:   sh.difficulty(),
		NetworkDifficulty: w.job.target.Difficulty(),
		Value:             t.CoinbaseValue,
		WorkerPayout:      w.split.miner,
		PoolFee:           w.split.fee,
		Donation:          w.split.donation,
		JobID:             jobID(w.id),
		State:             ledger.BlockPending,
	}, raw)
}

// nameOf is the authorized name that a submit is booked for.
func (s *session) nameOf(submitted []byte, paid string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if paid != s.address {
		return paid // provisional work: the miner's own would have paid the miner
	}
	if w := s.workerLocked(submitted); w != nil {
		return w.name
	}
	if len(s.workers) == 0 {
		return s.address
	}
	return s.workers[0].name
}

// checkAddress says whether an address can be paid. While the network is not
// known any network's address will do; it is checked again then.
func (p *Pool) checkAddress(address string, room int) stratum.Reject {
	if set := p.settings.Load(); set.rules != nil {
		script, err := bitcoin.PayoutScript(address, set.rules.network)
		if err == nil && set.rules.payout.fit(&set.Config, payee{script: script, room: room}) != nil {
			return stratum.RejectUnpayable
		}
		return rejectOf(script, err)
	}
	why := rejectOf(bitcoin.PayoutScript(address, bitcoin.Mainnet))
	if why == stratum.RejectWrongNetwork {
		return stratum.NotRejected
	}
	return why
}

func rejectOf(_ []byte, err error) stratum.Reject {
	switch {
	case err == nil:
		return stratum.NotRejected
	case errors.Is(err, bitcoin.ErrWrongNetwork):
		return stratum.RejectWrongNetwork
	}
	return stratum.RejectInvalidAddress
}

// shareInterval is the wanted time between a connection's shares.
func (p *Pool) shareInterval() time.Duration {
	return time.Duration(float64(time.Minute) / p.config().Difficulty.SharesPerMinute)
}

// Status is the pool's read model, at most a second old.
func (p *Pool) Status() *Status { return p.status.Load() }

// publish makes a new read model.
func (p *Pool) publish(now time.Time) {
	set := p.settings.Load()
	st := &Status{
		At:             now,
		StartedAt:      p.startedAt,
		State:          StateMining,
		Connections:    int(p.connections.Load()),
		TLSConnections: int(p.tlsConnections.Load()),
		Authorized:     int(p.authorized.Load()),
		Tag:            set.Tag,
		FeePercent:     set.Payout.FeePercent,
		FeeAddress:     set.Payout.FeeAddress,
		Abuse:          p.watch.Status(now),
		Closes:         p.counters.closeCounts(),
		Drops: append(p.counters.dropCounts(), Count{"log_line", p.notes.leftOut.Load()},
			Count{"authorization_not_told", p.authorizations.leftOut.Load()}, Count{"difficulty_order", p.orders.forgotten()}),
		Rejects:        p.counters.rejectCounts(),
		Panics:         append(p.counters.panicCounts(), Count{"authorization", p.authorizations.faults.Load()}),
		BlocksAccepted: p.counters.blocksAccepted.Load(),
		BlocksErrored:  p.counters.blocksErrored.Load(),
		ShareErrors:    p.counters.shareErrors.Load(),
		Messages:       p.counters.messages.Load(),
		TipFirst:       p.counters.tipFirst.Load(),
		TipEarly:       time.Duration(p.waits.early.Load()),
		TipFull:        time.Duration(p.waits.full.Load()),
		Hashing:        p.hasher.Names(),
		HashingFailed:  p.hasher.Failed(),
		Errors:         p.events.newestFirst(),
	}
	p.mu.Lock()
	st.Listeners = make([]Listener, len(p.ports))
	for i, from := range p.ports {
		st.Listeners[i] = from.shown
		st.Listeners[i].Connections = from.connections
	}
	p.mu.Unlock()
	slices.SortFunc(st.Listeners, func(a, b Listener) int { return strings.Compare(b.URL, a.URL) }) // plain first
	if fault := p.blocks.fault.Load(); fault != nil {
		st.BlockFault = *fault
	}
	st.Proposals, st.Health = p.trials.status(), p.gate.status()
	if set.rules != nil {
		st.Network = set.rules.network
	}
	templateAt := time.Unix(0, p.templateAt.Load())
	j := p.current()
	if j != nil {
		st.Job = j.status(templateAt)
	}
	switch fault := p.fault.Load(); {
	case fault != nil:
		st.State, st.Reason = StatePaused, *fault
	case j == nil:
		st.State, st.Reason = StateWaiting, "no block template from any node yet"
	case now.Sub(templateAt) > staleTemplate:
		st.State = StateWaiting
		st.Reason = "no new block template for " + now.Sub(templateAt).Round(time.Second).String() + "; miners keep the last one"
	case st.Health.Trouble != "":
		st.Reason = st.Health.Trouble
	default:
		st.Reason = st.Proposals.Fault
	}
	if st.Health.TurningAway {
		st.State = StateTurningAway
	}
	p.status.Store(st)
}
