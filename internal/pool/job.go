package pool

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Reasons for not sending work.
var (
	errNoJob         = errors.New("no job yet")
	errNotPayable    = errors.New("address belongs to another network")
	errNoVariantLeft = errors.New("no unused variant of the job left")
)

// A job id on the wire is the job's number and a variant, in hex: the number in
// the upper bits. Every variant of a job has another coinbase, so a miner that
// is notified again starts on work that it never did before.
const (
	variantBits  = 8
	maxVariant   = 1<<variantBits - 1
	maxJobNumber = 1 << (32 - variantBits) // where job numbers start again
	maxJobs      = 512                     // of one tip that are remembered
	maxWorks     = 1 << 17                 // of one job that are remembered
)

// job is a block template prepared for mining. It never changes, apart from the
// work that is made of it on demand, and the tip's time when it is learned.
type job struct {
	number    uint32
	template  *node.Template
	network   bitcoin.Network
	rules     payoutRules
	target    bitcoin.Target // a hash that meets it is a block
	mask      uint32         // version bits that may be rolled in this job
	version   uint32         // with those bits cleared
	tipTime   atomic.Uint32  // time of the tip, 0 while it is not known
	branches  []bitcoin.Hash
	hashing   *sharehash.Job
	clean     bool // first job of its tip
	createdAt time.Time

	tag         string
	maxCoinbase int
	// rest ends the notify of every miner, with and without clean_jobs.
	rest struct{ clean, dirty string }

	mu    sync.RWMutex          // guards works; nothing else is locked while it is held
	works map[workKey]*lazyWork // nil once the job is retired
}

// workKey tells the works of a job apart.
type workKey struct {
	script  string
	room    int // bytes of coinbase, the operator's limit or less
	variant uint8
}

// lazyWork is made by whoever asks first.
type lazyWork struct {
	once sync.Once
	work *work
	err  error
}

// work is what all miners of one payout script do for one variant of a job.
type work struct {
	id       uint32
	job      *job
	split    split
	payee    payee
	coinbase bitcoin.CoinbaseParts
	hashing  *sharehash.Coinbase
	// notify is the encoded line up to the coinbase; the job's rest follows.
	notify []byte
}

// jobID is the id as text, as on the wire.
func jobID(id uint32) string { return strconv.FormatUint(uint64(id), 16) }

// newJob prepares a template. The rolling bits of the version are cleared so
// that miners that OR, XOR or replace them agree (requirement R-V3). Bits that
// the node requires are not for rolling.
func newJob(t *node.Template, number uint32, rules payoutRules, cfg *Config, clean bool, now time.Time) (*job, error) {
	target, err := bitcoin.TargetFromBits(t.Bits)
	if err != nil {
		return nil, fmt.Errorf("template bits: %w", err)
	}
	txids := make([]bitcoin.Hash, len(t.Transactions))
	for i := range t.Transactions {
		txids[i] = t.Transactions[i].TxID
	}
	mask := cfg.VersionMask &^ t.VBRequired
	j := &job{
		number:      number,
		mask:        mask,
		template:    t,
		network:     t.Network,
		rules:       rules,
		target:      target,
		version:     t.Version &^ mask,
		branches:    bitcoin.MerkleBranches(txids),
		clean:       clean,
		createdAt:   now,
		tag:         cfg.Tag,
		maxCoinbase: cfg.MaxCoinbase,
		works:       make(map[workKey]*lazyWork),
	}
	j.hashing = sharehash.NewJob(t.PrevHash, t.Bits, j.branches)
	rest := string(stratum.AppendNotifyTemplate(nil, &stratum.Notify{
		Branches: j.branches,
		Version:  j.version,
		Bits:     t.Bits,
		Time:     t.CurTime,
	}))
	j.rest.clean, j.rest.dirty = rest+stratum.CleanTail, rest+stratum.DirtyTail
	return j, nil
}

// work returns a variant of the job for a payee, making it if need be. It fails
// closed: work whose coinbase does not pass the audit does not exist.
func (j *job) work(p payee, variant uint8) (*work, error) {
	lazy, _ := j.lookup(&p, variant)
	if lazy == nil {
		lazy = j.enter(&p, variant)
	}
	return lazy.get(j, &p, variant)
}

// enter makes a place for work that was not asked for before.
func (j *job) enter(p *payee, variant uint8) *lazyWork {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := workKey{string(p.script), j.roomOf(p), variant}
	lazy := j.works[key]
	if lazy == nil {
		lazy = new(lazyWork)
		if j.works != nil && len(j.works) < maxWorks {
			j.works[key] = lazy
		}
	}
	return lazy
}

// forgets says whether the job does not keep all of its works.
func (j *job) forgets() bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.works == nil || len(j.works) >= maxWorks
}

// retire forgets the job's works: newer jobs have come, and who mines for ten
// thousand payees would otherwise keep ten thousand works for each job of the
// tip. Shares that still come for it have their work made again.
func (j *job) retire() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.works = nil
}

// get makes the work unless that was done. Everybody asks in the same way, so
// that whoever comes first makes what all the others want.
func (l *lazyWork) get(j *job, p *payee, variant uint8) (*work, error) {
	l.once.Do(func() {
		if l.work, l.err = j.makeWork(*p, variant); l.err == nil {
			l.err = l.work.audit()
		}
		if l.err != nil {
			l.work = nil
		}
	})
	return l.work, l.err
}

// roomOf is the coinbase size that a payee's work is made for. Devices that take
// all that the operator allows share their work.
func (j *job) roomOf(p *payee) int {
	if p.room == 0 {
		return j.maxCoinbase
	}
	return min(p.room, j.maxCoinbase)
}

// lookup finds work that was asked for before. It allocates nothing. Work that
// is not found may have been made, and forgotten, where forgot is true: the job
// is retired, or has as many works as it may keep.
func (j *job) lookup(p *payee, variant uint8) (lazy *lazyWork, forgot bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.works[workKey{string(p.script), j.roomOf(p), variant}], j.works == nil || len(j.works) >= maxWorks
}

func (j *job) makeWork(p payee, variant uint8) (*work, error) {
	t := j.template
	w := &work{id: j.number<<variantBits | uint32(variant), job: j, payee: p}
	w.split = j.rules.divide(t.CoinbaseValue, p)
	outputs, _ := j.rules.outputs(w.split, p)
	room := j.roomOf(&p)
	template := bitcoin.CoinbaseTemplate{
		Height:            t.Height,
		Flags:             t.CoinbaseFlags,
		Salt:              w.id,
		Extranonce1Size:   extranonce1Size,
		Extranonce2Size:   extranonce2Size,
		Tag:               j.tag,
		Outputs:           outputs,
		WitnessCommitment: t.WitnessCommitment,
		MaxSize:           j.maxCoinbase,
	}
	var err error
	if w.coinbase, err = buildCoinbase(template, room); err != nil {
		return nil, fmt.Errorf("coinbase: %w", err)
	}
	w.hashing = sharehash.NewCoinbase(w.coinbase, extranonce1Size+extranonce2Size)
	notify := stratum.Notify{JobID: jobID(w.id), PrevHash: t.PrevHash, Coinbase: w.coinbase}
	size := 160 + 2*(len(w.coinbase.Prefix)+len(w.coinbase.Suffix))
	w.notify = stratum.AppendNotifyCoinbase(make([]byte, 0, size), &notify)
	return w, nil
}

// audit has independent code check that the coinbase pays whom it should.
func (w *work) audit() error {
	j := w.job
	_, payouts := j.rules.outputs(w.split, w.payee)
	coinbase := w.appendCoinbase(nil, make([]byte, extranonce1Size+extranonce2Size))
	return bitcoin.AuditCoinbase(coinbase, bitcoin.CoinbaseAudit{
		Network:           j.network,
		Height:            j.template.Height,
		Value:             j.template.CoinbaseValue,
		Payouts:           payouts,
		WitnessCommitment: j.template.WitnessCommitment,
		MaxSize:           j.roomOf(&w.payee),
	})
}

// appendCoinbase writes the stripped coinbase with its extranonces.
func (w *work) appendCoinbase(dst, extranonces []byte) []byte {
	dst = append(dst, w.coinbase.Prefix...)
	dst = append(dst, extranonces...)
	return append(dst, w.coinbase.Suffix...)
}

// block writes the whole block of a solved header, coinbase witness included:
// nodes are not relied on to add it.
func (w *work) block(header *bitcoin.Header, extranonces []byte) []byte {
	t := w.job.template
	coinbase := w.appendCoinbase(nil, extranonces)
	if t.WitnessCommitment != nil {
		coinbase = bitcoin.AppendWitness(nil, coinbase)
	}
	transactions := make([][]byte, len(t.Transactions))
	for i := range t.Transactions {
		transactions[i] = t.Transactions[i].Data
	}
	return bitcoin.AppendBlock(nil, header.Bytes(), coinbase, transactions)
}

// found returns work that miners of the payee may have been given, or nil. Work
// that was forgotten is made again, without the audit that it passed when it was
// new; the caller keeps it, since miners send several shares for the same.
func (j *job) found(p *payee, variant uint8) *work {
	lazy, forgot := j.lookup(p, variant)
	if lazy == nil && !forgot {
		return nil
	}
	if lazy == nil {
		w, err := j.makeWork(*p, variant)
		if err != nil {
			return nil
		}
		return w
	}
	w, err := lazy.get(j, p, variant)
	if err != nil {
		return nil
	}
	return w
}

// tip is the block that jobs build on, with the jobs that were made for it. It
// never changes; a new job makes a new tip value.
type tip struct {
	prevHash bitcoin.Hash
	number   uint32 // counts tips, so that caches notice a change
	jobs     map[uint32]*job
	current  *job
	earlier  *job // the one before it, which miners may still be working on
}

// with returns the tip after another job of it.
func (t *tip) with(j *job) *tip {
	next := *t
	next.jobs = maps.Clone(t.jobs)
	next.jobs[j.number] = j
	if len(next.jobs) > maxJobs {
		delete(next.jobs, (j.number-maxJobs)%maxJobNumber)
	}
	if t.earlier != nil {
		t.earlier.retire()
	}
	next.current, next.earlier = j, t.current
	return &next
}

// status is the job's part of the read model.
func (j *job) status(templateAt time.Time) *JobStatus {
	t := j.template
	return &JobStatus{
		ID:                jobID(j.number << variantBits),
		Height:            t.Height,
		PrevHash:          t.PrevHash.String(),
		Bits:              t.Bits,
		NetworkDifficulty: j.target.Difficulty(),
		Transactions:      len(t.Transactions),
		Fees:              t.Fees(),
		Value:             t.CoinbaseValue,
		Weight:            t.Weight(),
		TemplateAt:        templateAt,
		CreatedAt:         j.createdAt,
		Node:              t.Node,
	}
}
