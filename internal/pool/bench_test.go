package pool

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/stratum"
)

// branches11 makes a template with as many branches as those of a full block.
func branches11(t *node.Template) {
	t.Bits = bitcoin.TargetFromDifficulty(1e12).Bits()
	for i := range 1560 {
		id := bitcoin.Hash{byte(i), byte(i >> 8), 1}
		t.Transactions = append(t.Transactions, node.Tx{TxID: id, WTxID: id})
	}
}

// sharePath is a session whose submits can be judged without a miner: every
// nonce is a share, since the difficulty is next to nothing.
type sharePath struct {
	session *session
	line    []byte
	nonce   []byte // within line
	next    uint32
	request stratum.Request
}

func newSharePath(t testing.TB, change ...func(*Config)) *sharePath {
	r := newRig(t, false, append(change, func(c *Config) { c.Difficulty.Min, c.Difficulty.Start = 1e-12, 1e-12 })...)
	r.newTip(branches11)
	m := r.connect(t)
	m.start(alice+".rig", "x")
	if len(m.job.branches) != 11 {
		t.Fatalf("%d branches", len(m.job.branches))
	}
	go func() { _, _ = io.Copy(io.Discard, m.conn) }()
	p := &sharePath{session: r.accountOf(m)}
	p.session.batch = new(batch) // not the loop's, which has its own goroutine
	p.line = fmt.Appendf(nil, `{"id":6,"method":"mining.submit","params":["%s.rig","%s","0000000000000000","%08x","########","083ac000"]}`, alice, m.job.id, m.job.time)
	at := strings.Index(string(p.line), "########")
	p.nonce = p.line[at : at : at+8]
	return p
}

func (p *sharePath) share(t testing.TB) {
	p.next++
	stratum.AppendHex32(p.nonce, p.next)
	if err := stratum.ScanRequest(p.line, &p.request); err != nil {
		t.Fatal(err)
	}
	p.session.handleSubmit(&p.request)
	p.session.settle()
	p.session.conn.Flush()
}

// A share costs no allocation, from its line to its reply.
func TestShareAllocatesNothing(t *testing.T) {
	p := newSharePath(t)
	for range 20_000 { // the table of shares grows
		p.share(t)
	}
	if n := testing.AllocsPerRun(1000, func() { p.share(t) }); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations per share", n)
	}
	if got := p.session.pool.counters.shareErrors.Load(); got != 0 {
		t.Fatalf("%d shares were refused", got)
	}
}

// New work costs a miner no allocation when others with its address have it
// already.
func TestNotifyAllocatesNothing(t *testing.T) {
	s := newSharePath(t).session
	notify := func() {
		s.mu.Lock()
		s.lastJob, s.worked = nil, false // as before a new tip
		s.mu.Unlock()
		if sent, err := s.sendWork(time.Now(), true); !sent || err != nil {
			t.Fatalf("sent %t, %v", sent, err)
		}
	}
	notify()
	// What waits behind a full socket is copied, so there are few at a time; and
	// what others allocate meanwhile is counted, too, so there are several tries.
	eventually(t, "a notify without an allocation", func() bool {
		return testing.AllocsPerRun(20, notify) < 1 || raceEnabled
	})
}

// BenchmarkShare is a share from its scanned line to the reply on the socket,
// with 11 branches.
func BenchmarkShare(b *testing.B) {
	p := newSharePath(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%(maxShares/2) == 0 {
			p.session.shares.reset()
		}
		p.share(b)
	}
	if got := p.session.pool.counters.shareErrors.Load(); got != 0 {
		b.Fatalf("%d shares were refused", got)
	}
}

// BenchmarkJudge is the same without the reply and the books, for shares that
// come alone and for many that come together. A batch is what is timed.
func BenchmarkJudge(b *testing.B) {
	for _, together := range []int{1, 2, 4, 8, 16, 64} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			p := newSharePath(b)
			lines := make([][]byte, together)
			shares := new(batch)
			pool, now := p.session.pool, time.Now()
			b.ReportAllocs()
			for n := 0; b.Loop(); n += together {
				if n >= maxShares/2 {
					n = 0
					p.session.shares.reset()
				}
				for i := range lines {
					p.next++
					stratum.AppendHex32(p.nonce, p.next)
					lines[i] = append(lines[i][:0], p.line...)
					if err := stratum.ScanRequest(lines[i], &p.request); err != nil {
						b.Fatal(err)
					}
					shares.add(p.session, &p.request)
				}
				shares.hash(pool)
				for i := range shares.shares[:shares.n] {
					sh := &shares.shares[i]
					shares.lookForBlock(pool, sh, now)
					if why := p.session.verdict(sh, now); why != stratum.NotRejected {
						b.Fatal(why)
					}
				}
				shares.n = 0
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*together), "ns/share")
		})
	}
}

// crowd connects miners, each with an address of its own, to a pool.
func crowd(t testing.TB, r *rig, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for part := range 8 {
		wg.Go(func() {
			for i := part; i < n; i += 8 {
				script := append([]byte{0, 20}, fmt.Appendf(nil, "%020d", i)...)
				address, _ := bitcoin.AddressOf(script, bitcoin.Regtest)
				conn, err := net.Dial("tcp", r.listen)
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { conn.Close() })
				if _, err := fmt.Fprintf(conn, `{"id":1,"method":"mining.subscribe","params":["bench/1.0"]}
{"id":2,"method":"mining.authorize","params":["%s.rig","x"]}
`, address); err != nil {
					t.Error(err)
					return
				}
				if err := readLines(conn, 4); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// readLines reads a number of lines, and keeps no buffer.
func readLines(conn net.Conn, n int) error {
	buf := make([]byte, 8192)
	for n > 0 {
		got, err := conn.Read(buf)
		if err != nil {
			return err
		}
		n -= strings.Count(string(buf[:got]), "\n")
	}
	return nil
}

// BenchmarkBroadcast is a new job for a thousand miners with an address each,
// their works included.
func BenchmarkBroadcast(b *testing.B) {
	r := newRig(b, false)
	r.newTip(branches11)
	const miners = 1000
	crowd(b, r, miners)
	template := r.template(branches11)
	b.ReportAllocs()
	for b.Loop() {
		r.pool.SetTemplate(template)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*miners), "ns/miner")
}

// BenchmarkIdleMiner is the memory of a miner that waits for shares, with an
// address of its own, after a dozen jobs. The figures hold for the heap and the
// stacks of the pool and of the test's own end of the connection; what is
// there without miners is taken off.
func BenchmarkIdleMiner(b *testing.B) {
	const miners = 2000
	for b.Loop() {
		r := newRig(b, false)
		r.newTip(branches11)
		crowd(b, r, 10) // pools of buffers, and what btcd keeps
		heap, stacks := memory()
		crowd(b, r, miners)
		for range 12 {
			r.refresh(branches11)
		}
		heapThen, stacksThen := memory()
		b.ReportMetric(float64(heapThen-heap)/miners, "heap-B/miner")
		b.ReportMetric(float64(stacksThen-stacks)/miners, "stack-B/miner")
		r.stop()
	}
}

func memory() (heap, stacks uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}
