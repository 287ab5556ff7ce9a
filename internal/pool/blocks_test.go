package pool

import (
	"bytes"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
)

// payment is an output of a coinbase, for people.
type payment struct {
	Address string
	Value   int64
}

// checkBlock has btcd look at a block: it parses, its proof of work, merkle
// root and witness commitment hold, and its coinbase pays what is wanted.
func checkBlock(t testing.TB, raw []byte, template *node.Template, want ...payment) *wire.MsgBlock {
	t.Helper()
	var block wire.MsgBlock
	r := bytes.NewReader(raw)
	if err := block.Deserialize(r); err != nil || r.Len() != 0 {
		t.Fatalf("block does not parse: %v, %d bytes left", err, r.Len())
	}
	parsed := btcutil.NewBlock(&block)
	parsed.SetHeight(int32(template.Height))
	if err := blockchain.CheckBlockSanity(parsed, chaincfg.RegressionNetParams.PowLimit, blockchain.NewMedianTime()); err != nil {
		t.Fatalf("block is not sane: %v", err)
	}
	if err := blockchain.ValidateWitnessCommitment(parsed); err != nil {
		t.Fatalf("witness commitment: %v", err)
	}
	if height, err := blockchain.ExtractCoinbaseHeight(parsed.Transactions()[0]); err != nil || int64(height) != template.Height {
		t.Fatalf("coinbase height %d, %v; want %d", height, err, template.Height)
	}
	if block.Header.PrevBlock != [32]byte(template.PrevHash) || block.Header.Bits != template.Bits {
		t.Fatalf("header %+v does not build on the template", block.Header)
	}
	if len(block.Transactions) != 1+len(template.Transactions) {
		t.Fatalf("%d transactions, want %d and a coinbase", len(block.Transactions), len(template.Transactions))
	}
	coinbase := block.Transactions[0]
	var got []payment
	var sum int64
	for i, out := range coinbase.TxOut {
		sum += out.Value
		_, addresses, _, err := txscript.ExtractPkScriptAddrs(out.PkScript, &chaincfg.RegressionNetParams)
		switch {
		case err == nil && len(addresses) == 1:
			got = append(got, payment{addresses[0].EncodeAddress(), out.Value})
		case i != len(coinbase.TxOut)-1 || out.Value != 0:
			t.Errorf("output %d of %d pays %d to nobody", i, len(coinbase.TxOut), out.Value)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("payments: %s", diff)
	}
	if sum != template.CoinbaseValue {
		t.Errorf("the coinbase claims %d of %d", sum, template.CoinbaseValue)
	}
	return &block
}

// blockAt waits for the n-th submission and returns it.
func (r *rig) blockAt(n int) []byte {
	r.t.Helper()
	eventually(r.t, "block at the node", func() bool { return len(r.node.submitted()) >= n })
	return r.node.submitted()[n-1]
}

// booked waits for a block of the books in a state.
func (r *rig) booked(hash wire.BlockHeader, state ledger.BlockState) ledger.Block {
	r.t.Helper()
	var found ledger.Block
	eventually(r.t, "block "+string(state), func() bool {
		for _, b := range r.ledger.Snapshot().Blocks {
			if b.Hash == bitcoin.Hash(hash.BlockHash()) && b.State == state {
				found = b
				return true
			}
		}
		return false
	})
	return found
}

func (r *rig) files(dir string) (names []string) {
	r.t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.dir, dir))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestBlockPaysTheMiner(t *testing.T) {
	for name, c := range map[string]struct {
		user, rolled string
		transactions int
	}{
		"empty":                 {alice, "", 0},
		"one transaction":       {alice + ".rig", "", 1},
		"many transactions":     {bob + ".rig", "", 37},
		"rolled version":        {alice, "083ac000", 12},
		"rolled to all ones":    {operator, "1fffe000", 3},
		"whole version instead": {donee, "283ac000", 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			runLedger(t, r.ledger)
			template := r.newTip(withTransactions(c.transactions))
			m := r.connect(t)
			m.start(c.user, "x")
			s := m.solve(m.job, m.job.ofBlock(), c.rolled, 0x1fffe000)
			m.wantVerdict(s, "")

			address, _, _ := strings.Cut(c.user, ".")
			block := checkBlock(t, r.blockAt(1), template, payment{address, template.CoinbaseValue})
			if block.Header.BlockHash() != s.header.BlockHash() {
				t.Errorf("the node got the block %v, the miner found %v", block.Header, s.header)
			}
			b := r.booked(s.header, ledger.BlockAccepted)
			want := ledger.Block{Height: template.Height, Hash: bitcoin.Hash(s.header.BlockHash()), Worker: c.user, Address: address,
				Value: template.CoinbaseValue, WorkerPayout: template.CoinbaseValue, JobID: m.job.id, State: ledger.BlockAccepted,
				NetworkDifficulty: b.NetworkDifficulty, ShareDifficulty: b.ShareDifficulty, FoundAt: b.FoundAt}
			if diff := cmp.Diff(want, b); diff != "" {
				t.Error(diff)
			}
			if b.NetworkDifficulty < network*0.99 || b.NetworkDifficulty > network*1.01 || b.ShareDifficulty < b.NetworkDifficulty*0.9999 {
				t.Errorf("difficulties %v and %v", b.ShareDifficulty, b.NetworkDifficulty)
			}
			// The winning share is a share like any other.
			eventually(t, "winning share", func() bool { return r.worker(c.user).Accepted == 1 })
			eventually(t, "block file", func() bool { return len(r.files(acceptedDir)) == 1 && len(r.files(".")) == 0 })
			text, err := os.ReadFile(filepath.Join(r.dir, acceptedDir, r.files(acceptedDir)[0]))
			if err != nil || strings.TrimSpace(string(text)) != hex.EncodeToString(r.blockAt(1)) {
				t.Errorf("the file does not hold the block: %v", err)
			}
			eventually(t, "refresh", func() bool { r.node.mu.Lock(); defer r.node.mu.Unlock(); return r.node.refreshed == 1 })
		})
	}
}

func TestBlockWithoutSegwit(t *testing.T) {
	r := newRig(t, false)
	template := r.newTip(func(t *node.Template) { t.WitnessCommitment = nil })
	m := r.connect(t)
	m.start(alice, "x")
	if _, verdict := m.block(); verdict != "" {
		t.Fatal(verdict)
	}
	block := checkBlock(t, r.blockAt(1), template, payment{alice, template.CoinbaseValue})
	if block.Transactions[0].HasWitness() {
		t.Error("the coinbase has a witness")
	}
}

func TestBlockWithFeeAndDonation(t *testing.T) {
	with := func(c *Config) {
		c.Payout = PayoutConfig{FeePercent: 1.5, FeeAddress: operator, DonationPercent: 10, DonationAddress: donee}
	}
	r := newRig(t, false, with)
	template := r.newTip(withTransactions(4))
	m := r.connect(t)
	m.start(alice, "x")
	if _, verdict := m.block(); verdict != "" {
		t.Fatal(verdict)
	}
	value := template.CoinbaseValue
	fee := value * 15 / 1000
	checkBlock(t, r.blockAt(1), template, payment{alice, value - fee}, payment{operator, fee - fee/10}, payment{donee, fee / 10})

	// The operator's own miner is paid by a single output.
	own := r.connect(t)
	own.start(operator+".own", "x")
	if _, verdict := own.block(); verdict != "" {
		t.Fatal(verdict)
	}
	checkBlock(t, r.blockAt(2), template, payment{operator, value})
}

// A block is a block whatever else is wrong with its share.
func TestBlocksAreNeverLost(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	old := m.job
	r.newTip()
	m.nextJob()

	stale := m.solve(old, old.ofBlock(), "", 0)
	m.wantVerdict(stale, "Stale")
	if got := checkHash(t, r.blockAt(1)); got != stale.header.BlockHash().String() {
		t.Errorf("stale block %s", got)
	}

	s, verdict := m.block()
	if verdict != "" {
		t.Fatal(verdict)
	}
	if got := checkHash(t, r.blockAt(2)); got != s.header.BlockHash().String() {
		t.Errorf("block %s", got)
	}

	// The same again is no new block, and no new share.
	m.wantVerdict(s, "Duplicate")
	m.wantVerdict(stale, "Stale")
	m.settle()
	eventually(t, "both accepted", func() bool { return r.pool.counters.blocksAccepted.Load() == 2 })
	if n := len(r.node.submitted()); n != 2 {
		t.Errorf("%d submissions, want 2", n)
	}
	if n := r.rejects("duplicate"); n != 1 {
		t.Errorf("%d duplicates", n)
	}
}

func checkHash(t testing.TB, raw []byte) string {
	t.Helper()
	var h wire.BlockHeader
	if err := h.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return h.BlockHash().String()
}

// A disk that cannot be written to does not keep a block from its node.
func TestUnwritableBlockFolder(t *testing.T) {
	r := newRig(t, false)
	template := r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	// Away in one step: the pool tries the folder now and then.
	if err := os.Rename(r.dir, filepath.Join(t.TempDir(), "aside")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.dir, []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, verdict := m.block()
	if verdict != "" {
		t.Fatal(verdict)
	}
	checkBlock(t, r.blockAt(1), template, payment{alice, template.CoinbaseValue})
	eventually(t, "counted", func() bool { return r.pool.counters.blocksAccepted.Load() == 1 })
	eventually(t, "event", func() bool {
		return slices.ContainsFunc(r.pool.Status().Errors, func(e Event) bool { return strings.Contains(e.Message, "not saved to disk") })
	})
	if got := r.ledger.OpenBlocks(); len(got) != 1 || got[0].Hash != bitcoin.Hash(s.header.BlockHash()) {
		t.Errorf("books have %v", got)
	}
	if _, err := New(testConfig(r.dir), bitcoin.Regtest, r.node, r.ledger, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a pool starts on a block folder that is a file")
	}
}

// A block is sent until a node answers, and kept when it is refused.
func TestRetryUntilDefinite(t *testing.T) {
	answers := map[string]struct {
		results  []node.SubmitResult
		definite bool
		state    ledger.BlockState
	}{
		"unreachable":             {[]node.SubmitResult{{Verdict: node.Unreachable, Err: errors.New("connection refused")}}, false, ""},
		"no node":                 {nil, false, ""},
		"refused but one unheard": {[]node.SubmitResult{{Verdict: node.Rejected, Reason: "bad"}, {Verdict: node.Unreachable}}, false, ""},
		"refused":                 {[]node.SubmitResult{{Verdict: node.Rejected, Reason: "bad-txns"}}, true, ledger.BlockRejected},
		"refused by both":         {[]node.SubmitResult{{Verdict: node.Rejected, Reason: "bad-txns"}, {Verdict: node.Rejected, Reason: "bad-txns"}}, true, ledger.BlockRejected},
		"accepted":                {[]node.SubmitResult{{Verdict: node.Accepted}}, true, ledger.BlockAccepted},
		"duplicate":               {[]node.SubmitResult{{Verdict: node.Duplicate}}, true, ledger.BlockAccepted},
		"second":                  {[]node.SubmitResult{{Verdict: node.Inconclusive}}, true, ledger.BlockStale},
		"second, refused":         {[]node.SubmitResult{{Verdict: node.Inconclusive}, {Verdict: node.Rejected, Reason: "bad"}}, true, ledger.BlockStale},
		"second but one unheard":  {[]node.SubmitResult{{Verdict: node.Inconclusive}, {Verdict: node.Unreachable}}, false, ""},
		"accepted by one":         {[]node.SubmitResult{{Verdict: node.Rejected, Reason: "bad"}, {Verdict: node.Unreachable}, {Verdict: node.Accepted}}, true, ledger.BlockAccepted},
	}
	for name, c := range answers {
		v := verdictOf(c.results)
		if v.definite != c.definite || v.definite && v.state != c.state {
			t.Errorf("%s: %+v", name, v)
		}
	}

	for final, verdict := range map[ledger.BlockState]node.SubmitVerdict{ledger.BlockAccepted: node.Accepted, ledger.BlockRejected: node.Rejected} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, true)
			r.node.setAnswer(func(attempt int) []node.SubmitResult {
				if attempt < 5 {
					return []node.SubmitResult{{Node: "a", Verdict: node.Unreachable, Err: errors.New("connection refused")}}
				}
				return []node.SubmitResult{{Node: "a", Verdict: verdict, Reason: "bad-txns"}}
			})
			r.newTip()
			m := r.connect(t)
			m.start(alice, "x")
			s, _ := m.block()
			m.wait(10 * time.Second)
			if n := len(r.node.submitted()); n != 5 {
				t.Errorf("%d attempts", n)
			}
			dir := acceptedDir
			if final == ledger.BlockRejected {
				dir = rejectedDir
			}
			if names := r.files(dir); len(names) != 1 || len(r.files(".")) != 0 {
				t.Errorf("files in %s: %v, unanswered: %v", dir, names, r.files("."))
			}
			all := slices.Clone(r.ledger.Snapshot().Blocks)
			all = append(all, r.ledger.OpenBlocks()...)
			for _, b := range all {
				if b.Hash == bitcoin.Hash(s.header.BlockHash()) && b.State != final {
					t.Errorf("books say %+v", b)
				}
			}
			if final == ledger.BlockRejected && (r.pool.counters.blocksErrored.Load() != 1 || len(r.ledger.OpenBlocks()) != 0) {
				t.Errorf("%d errored, open %v", r.pool.counters.blocksErrored.Load(), r.ledger.OpenBlocks())
			}
			r.stop()
		})
	}
}

// A block that one node refuses while another one is silent is given up when
// the chain has gone on without it.
func TestBuriedBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		runLedger(t, r.ledger)
		r.node.setAnswer(func(int) []node.SubmitResult {
			return []node.SubmitResult{{Node: "a", Verdict: node.Rejected, Reason: "bad-txns"}, {Node: "b", Verdict: node.Unreachable, Err: errors.New("gone")}}
		})
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		if _, verdict := m.block(); verdict != "" {
			t.Fatal(verdict)
		}
		m.wait(10 * time.Minute)
		if n := len(r.node.submitted()); n < 15 || len(r.files(rejectedDir)) != 0 {
			t.Errorf("%d attempts, files of refused blocks: %v", n, r.files(rejectedDir))
		}
		for range ledger.ConfirmedDepth + 1 {
			r.newTip()
			m.nextJob()
		}
		m.wait(2 * longestRetry)
		if b := r.ledger.Snapshot().Blocks[0]; b.State != ledger.BlockRejected || b.Reason != "bad-txns" || len(r.files(rejectedDir)) != 1 {
			t.Errorf("books say %+v", b)
		}
		before := len(r.node.submitted())
		m.wait(2 * longestRetry)
		if n := len(r.node.submitted()); n != before {
			t.Errorf("%d attempts more", n-before)
		}
		r.stop()
	})
}

// A block without an answer is sent again after a restart, and is in the books
// whether they knew of it or not.
func TestReplay(t *testing.T) {
	for name, c := range map[string]struct {
		loseBooks, loseOwner bool
	}{
		"books kept":     {},
		"books lost":     {loseBooks: true},
		"owner lost too": {loseBooks: true, loseOwner: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			r.node.setAnswer(func(int) []node.SubmitResult {
				return []node.SubmitResult{{Node: "a", Verdict: node.Unreachable, Err: errors.New("connection refused")}}
			})
			template := r.newTip(withTransactions(3))
			m := r.connect(t)
			m.start(alice+".rig", "x")
			s, _ := m.block()
			first := r.blockAt(1)
			eventually(t, "block in the books", func() bool { return len(r.ledger.OpenBlocks()) == 1 })
			r.stop()
			if names := r.files("."); len(names) != 2 {
				t.Fatalf("after the stop there are %v", names)
			}
			for _, name := range r.files(".") {
				if c.loseOwner && strings.HasSuffix(name, ownerSuffix) {
					if err := os.Remove(filepath.Join(r.dir, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
			// What is no block is left alone.
			for name, text := range map[string]string{"notes.txt": "hello", "5-00.hex": "zz", "7-" + strings.Repeat("0", 64) + ".hex": hex.EncodeToString(first)} {
				if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.loseBooks {
				r.ledger = ledger.New(r.books, ledger.Options{}, slog.New(slog.DiscardHandler))
			}
			runLedger(t, r.ledger)
			r.node.setAnswer(func(int) []node.SubmitResult { return []node.SubmitResult{{Node: "a", Verdict: node.Accepted}} })
			before := len(r.node.submitted())
			r.start(false)
			again := r.blockAt(before + 1)
			if !bytes.Equal(first, again) {
				t.Error("another block than before was sent")
			}
			b := r.booked(s.header, ledger.BlockAccepted)
			if b.Height != template.Height || b.FoundAt.IsZero() || b.NetworkDifficulty == 0 || !c.loseOwner && (b.Worker != alice+".rig" || b.Value != template.CoinbaseValue) {
				t.Errorf("books say %+v", b)
			}
			eventually(t, "files", func() bool { return len(r.files(acceptedDir)) == 1 && len(r.files(".")) == 3 })
			if got := r.pool.events.newestFirst(); len(got) != 1 || !strings.Contains(got[0].Message, "5-00.hex is not a block") ||
				!strings.Contains(got[0].Message, "does not hold the block that its name says") {
				t.Errorf("events %v", got)
			}
		})
	}
}

// A block that is on its way when the pool stops arrives all the same.
func TestBlockDuringShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.node.setAnswer(func(int) []node.SubmitResult {
			time.Sleep(drainTime / 2)
			return []node.SubmitResult{{Node: "a", Verdict: node.Accepted}}
		})
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		if _, verdict := m.block(); verdict != "" {
			t.Fatal(verdict)
		}
		start := time.Now()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.wantEnd()
		}()
		r.stop()
		<-ended
		if r.pool.counters.blocksAccepted.Load() != 1 || len(r.files(acceptedDir)) != 1 {
			t.Error("the block was given up")
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

// Confirmations are followed until six deep; a stale block is shown as stale,
// and as alive again when the chain turns to it.
func TestConfirmationsAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		runLedger(t, r.ledger)
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		s, _ := m.block()
		hash := bitcoin.Hash(s.header.BlockHash())
		check := func(state ledger.BlockState, confirmations int64) {
			t.Helper()
			m.wait(followInterval + 2*time.Second)
			b := r.ledger.Snapshot().Blocks[0]
			if b.Hash != hash || b.State != state || b.Confirmations != confirmations {
				t.Errorf("books say %s with %d confirmations, want %s with %d", b.State, b.Confirmations, state, confirmations)
			}
		}
		check(ledger.BlockAccepted, 0) // the node does not know it yet
		r.node.setStatus(hash, node.BlockStatus{Known: true, Confirmations: 1})
		check(ledger.BlockAccepted, 1)
		r.node.setStatus(hash, node.BlockStatus{Known: true, Confirmations: -1})
		check(ledger.BlockStale, -1)
		r.node.setStatus(hash, node.BlockStatus{Known: true, Confirmations: 3})
		check(ledger.BlockAccepted, 3)
		if len(r.files(acceptedDir)) != 1 {
			t.Error("the block's file is gone too early")
		}
		r.node.setStatus(hash, node.BlockStatus{Known: true, Confirmations: 6})
		check(ledger.BlockConfirmed, 6)
		if len(r.files(acceptedDir)) != 0 {
			t.Error("the file of a confirmed block is kept")
		}
		// A node that is gone changes nothing.
		r.node.mu.Lock()
		r.node.status = nil
		r.node.mu.Unlock()
		check(ledger.BlockConfirmed, 6)
		r.stop()
	})
}

// A block that the books call pending, though nobody is sending it any more,
// is looked for in the chain.
func TestForgottenPendingBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		runLedger(t, r.ledger)
		hash := bitcoin.Hash{1, 2, 3}
		r.ledger.BlockFound(ledger.Block{Height: 5, Hash: hash, Worker: alice, FoundAt: time.Now()})
		r.node.setStatus(hash, node.BlockStatus{Known: true, Confirmations: 2})
		time.Sleep(followInterval + 2*time.Second)
		synctest.Wait()
		if b := r.ledger.Snapshot().Blocks[0]; b.State != ledger.BlockAccepted || b.Confirmations != 2 {
			t.Errorf("books say %+v", b)
		}
		r.stop()
	})
}

// Where every hash is a block, the keeper does not take more than it can hold.
func TestBlocksInFlightAreBounded(t *testing.T) {
	k := &blockKeeper{counters: new(counters), inFlight: map[bitcoin.Hash]struct{}{}, answered: map[bitcoin.Hash]struct{}{}}
	for i := range 2 * maxInFlight {
		if got := k.claim(bitcoin.Hash{byte(i), byte(i >> 8)}); got != (i < maxInFlight) {
			t.Fatalf("claim %d is %v", i, got)
		}
	}
	if got := k.counters.surplusBlocks.Load(); got != maxInFlight {
		t.Errorf("%d counted", got)
	}
	for i := range 3 * maxAnswered {
		k.answer(bitcoin.Hash{byte(i), byte(i >> 8)})
	}
	if len(k.answered) > maxAnswered {
		t.Errorf("%d answers are kept", len(k.answered))
	}
}

// A block folder that cannot be written to shows before a block is found, and
// its name is nobody's business.
func TestBlockFolderIsProbed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blocks")
	k := &blockKeeper{files: blockFiles{dir}, log: slog.New(slog.DiscardHandler), events: &events{}}
	for range 2 {
		k.probe()
		if fault := k.fault.Load(); fault == nil || *fault != "no such file or directory" {
			t.Fatalf("fault %v of a folder that is not there", fault)
		}
		if got := k.events.newestFirst(); len(got) != 1 || strings.Contains(got[0].Message, dir) {
			t.Errorf("events %v", got)
		}
	}
	if err := k.files.open(); err != nil {
		t.Fatal(err)
	}
	k.probe()
	if fault := k.fault.Load(); fault != nil {
		t.Errorf("fault %q of a good folder", *fault)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("the probe left %v, %v", left, err)
	}
}

// A block that cannot be moved aside stays together with its owner's file.
func TestOwnerStaysWithItsBlock(t *testing.T) {
	f := blockFiles{t.TempDir()}
	b := ledger.Block{Height: 5, Hash: bitcoin.Hash{9}, Address: alice}
	if err := f.save(b, []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	owner := filepath.Join(f.dir, ownerFileName(blockFileName(b.Height, b.Hash)))
	if err := f.settle(b.Height, b.Hash, true); err == nil {
		t.Error("moved into a folder that is not there")
	}
	if _, err := os.Stat(owner); err != nil {
		t.Errorf("the owner's file: %v", err)
	}
	if err := f.open(); err != nil {
		t.Fatal(err)
	}
	if err := f.settle(b.Height, b.Hash, true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(owner); !os.IsNotExist(err) {
		t.Errorf("the owner's file after its block was moved: %v", err)
	}
}
