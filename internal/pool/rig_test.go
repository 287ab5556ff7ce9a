package pool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
	"github.com/poolscope/poolscope/internal/node"
)

// Addresses of regtest: two miners of different kinds, the operator, a donee.
const (
	alice    = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	bob      = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
	operator = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6"
	donee    = "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"
	mainnet  = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
)

// Difficulties of the tests: a share takes some four hundred hashes, a block a
// hundred times as many.
const (
	easy    = 1e-7
	network = 1e-5
)

var networkBits = bitcoin.TargetFromDifficulty(network).Bits()

// fakeNode takes blocks and says what it is told to say.
type fakeNode struct {
	mu        sync.Mutex
	blocks    [][]byte
	answer    func(attempt int) []node.SubmitResult
	status    map[bitcoin.Hash]node.BlockStatus
	refreshed int
	arrived   chan struct{} // gets a value per attempt, when it has room
}

func newFakeNode() *fakeNode {
	return &fakeNode{
		answer:  func(int) []node.SubmitResult { return []node.SubmitResult{{Node: "a", Verdict: node.Accepted}} },
		status:  map[bitcoin.Hash]node.BlockStatus{},
		arrived: make(chan struct{}, 1024),
	}
}

func (n *fakeNode) SubmitBlock(ctx context.Context, block []byte, _ bitcoin.Hash) []node.SubmitResult {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocks = append(n.blocks, bytes.Clone(block))
	select {
	case n.arrived <- struct{}{}:
	default:
	}
	if ctx.Err() != nil {
		return []node.SubmitResult{{Node: "a", Verdict: node.Unreachable, Err: ctx.Err()}}
	}
	return n.answer(len(n.blocks))
}

func (n *fakeNode) BlockStatus(_ context.Context, h bitcoin.Hash) (node.BlockStatus, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.status == nil {
		return node.BlockStatus{}, errors.New("node is gone")
	}
	return n.status[h], nil
}

func (n *fakeNode) Refresh() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refreshed++
}

func (n *fakeNode) submitted() [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([][]byte(nil), n.blocks...)
}

func (n *fakeNode) setStatus(h bitcoin.Hash, s node.BlockStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status[h] = s
}

func (n *fakeNode) setAnswer(answer func(int) []node.SubmitResult) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = answer
}

// rig is a pool with a fake node, real books in memory, and real sockets.
type rig struct {
	t      testing.TB
	pool   *Pool
	node   *fakeNode
	nodes  Node // what the pool gets: node, or something around it
	ledger *ledger.Ledger
	books  *ledgertest.Memory
	dir    string

	listen string // address of the plain listener, "" in a synctest bubble
	height int64
	stop   func() // ends the pool and waits
}

func testConfig(dir string) Config {
	return Config{
		Difficulty:  DifficultyConfig{Start: easy, Min: 1e-9, SharesPerMinute: 15},
		Tag:         "/poolscope/",
		MaxCoinbase: 300,
		VersionMask: 0x1fffe000,
		BlockDir:    dir,
	}
}

// newRig starts a pool without work. In a synctest bubble it has no listener.
func newRig(t testing.TB, inBubble bool, change ...func(*Config)) *rig {
	t.Helper()
	n := newFakeNode()
	r := makeRig(t, n, n)
	r.start(inBubble, change...)
	return r
}

// newRigOn is newRig in a bubble, on a node around the fake one.
func newRigOn(t testing.TB, nodes Node, inner *fakeNode, change ...func(*Config)) *rig {
	t.Helper()
	r := makeRig(t, nodes, inner)
	r.start(true, change...)
	return r
}

func makeRig(t testing.TB, nodes Node, inner *fakeNode) *rig {
	t.Helper()
	r := &rig{t: t, node: inner, nodes: nodes, books: ledgertest.NewMemory(), dir: t.TempDir(), height: 100}
	r.ledger = ledger.New(r.books, ledger.Options{}, slog.New(slog.DiscardHandler))
	return r
}

// testConfigWith is testConfig with a change.
func testConfigWith(dir string, change func(*Config)) Config {
	cfg := testConfig(dir)
	change(&cfg)
	return cfg
}

// start runs a pool on what the rig has, as after a restart.
func (r *rig) start(inBubble bool, change ...func(*Config)) {
	r.t.Helper()
	cfg := testConfig(r.dir)
	for _, f := range change {
		f(&cfg)
	}
	p, err := New(cfg, bitcoin.Regtest, r.nodes, r.ledger, slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	r.pool = p
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			r.t.Error(err)
		}
	})
	if !inBubble {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			r.t.Fatal(err)
		}
		r.listen = l.Addr().String()
		wg.Go(func() {
			if err := p.Serve(ctx, l, ListenerOptions{}); err != nil {
				r.t.Error(err)
			}
		})
	}
	r.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	r.t.Cleanup(r.stop)
}

// template makes the template of a new block on the rig's tip.
func (r *rig) template(change ...func(*node.Template)) *node.Template {
	now := uint32(time.Now().Unix())
	t := &node.Template{
		Network: bitcoin.Regtest, Node: "a", Height: r.height, PrevHash: prevHash(r.height),
		Version: 0x20000000, Bits: networkBits, CurTime: now, MinTime: now - 600,
		CoinbaseValue: bitcoin.Subsidy(r.height, bitcoin.Regtest), WitnessCommitment: bitcoin.WitnessCommitment(nil),
	}
	for _, f := range change {
		f(t)
	}
	return t
}

// prevHash is a made-up hash of the block below a height.
func prevHash(height int64) (h bitcoin.Hash) {
	binary.LittleEndian.PutUint64(h[4:], uint64(height))
	return h
}

// newTip gives the pool a template on a new tip.
func (r *rig) newTip(change ...func(*node.Template)) *node.Template {
	r.height++
	return r.refresh(change...)
}

// refresh gives the pool another template on the same tip.
func (r *rig) refresh(change ...func(*node.Template)) *node.Template {
	t := r.template(change...)
	r.pool.SetTemplate(t)
	return t
}

// withTransactions fills a template with n transactions, some with a witness.
func withTransactions(n int) func(*node.Template) {
	return func(t *node.Template) {
		rng := rand.New(rand.NewPCG(uint64(n), uint64(t.Height)))
		var wtxids []bitcoin.Hash
		for i := range n {
			tx := wire.NewMsgTx(2)
			var prev wire.OutPoint
			binary.LittleEndian.PutUint64(prev.Hash[:], rng.Uint64())
			in := wire.NewTxIn(&prev, nil, nil)
			if i%3 != 0 {
				in.Witness = wire.TxWitness{[]byte{1, 2, byte(i)}}
			} else {
				in.SignatureScript = []byte{0x51}
			}
			tx.AddTxIn(in)
			tx.AddTxOut(wire.NewTxOut(int64(1000+i), []byte{0x51}))
			var b bytes.Buffer
			if err := tx.Serialize(&b); err != nil {
				panic(err)
			}
			t.Transactions = append(t.Transactions, node.Tx{Data: b.Bytes(), TxID: bitcoin.Hash(tx.TxHash()),
				WTxID: bitcoin.Hash(tx.WitnessHash()), Fee: int64(100 + i), Weight: int64(4 * b.Len())})
			wtxids = append(wtxids, bitcoin.Hash(tx.WitnessHash()))
		}
		t.CoinbaseValue += t.Fees()
		t.WitnessCommitment = bitcoin.WitnessCommitment(wtxids)
	}
}

// count reads a counter of the pool's status by name.
func count(t testing.TB, list []Count, name string) uint64 {
	t.Helper()
	for _, c := range list {
		if c.Name == name {
			return c.Count
		}
	}
	t.Fatalf("there is no counter %q", name)
	return 0
}

func (r *rig) rejects(name string) uint64 {
	r.t.Helper()
	return count(r.t, r.pool.counters.rejectCounts(), name)
}

func (r *rig) closes(name string) uint64 {
	r.t.Helper()
	return count(r.t, r.pool.counters.closeCounts(), name)
}

// eventually waits for something that another goroutine is to do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// runLedger runs the books, which then publish a snapshot every second.
func runLedger(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}
