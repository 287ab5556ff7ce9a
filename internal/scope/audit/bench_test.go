package audit

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/stratum"
)

// feeder gives lines to an auditor without a recorder, each with the session's
// next number.
type feeder struct {
	a  *Auditor
	n  uint64
	at time.Time
}

// engine is made once: it tests itself, which takes some milliseconds.
var engine = sync.OnceValue(sharehash.New)

func newFeeder(cfg Config) *feeder {
	return &feeder{a: newAuditor(cfg, slog.New(slog.DiscardHandler), engine()), at: time.Unix(1_700_000_000, 0)}
}

func (f *feeder) parse(session string, d capture.Direction, line string) *capture.Message {
	m := capture.ParseLine([]byte(line + "\n"))
	m.Session, m.Direction, m.Received, m.Forwarded = session, d, f.at, f.at
	return m
}

func (f *feeder) message(m *capture.Message) *capture.Message {
	f.n++
	m.N = f.n
	f.a.Message(m)
	return m
}

func (f *feeder) say(d capture.Direction, line string) *capture.Message {
	return f.message(f.parse("s", d, line))
}

func (f *feeder) ask(request, response string) {
	q := f.say(capture.MinerToPool, request)
	f.a.Answered(q, f.say(capture.PoolToMiner, response))
}

// begin subscribes and gives a job with the merkle branches of a full block.
func (f *feeder) begin(b testing.TB) (notify func(n int) string) {
	f.ask(`{"id":1,"method":"mining.subscribe","params":["x"]}`, `{"id":1,"result":[[["mining.notify","1"]],"01020304",8],"error":null}`)
	f.ask(`{"id":2,"method":"mining.authorize","params":["`+alice+`.rig","x"]}`, `{"id":2,"result":true,"error":null}`)
	f.say(capture.PoolToMiner, `{"id":null,"method":"mining.set_difficulty","params":[1e-12]}`)
	parts := coinbase(b, bitcoin.TxOut{Value: 50_0000_0000, Script: script(b, alice)})
	return func(n int) string {
		branches := make([]bitcoin.Hash, 11)
		for i := range branches {
			branches[i] = tipOf(byte(i))
		}
		head := stratum.AppendNotifyHead(nil, &stratum.Notify{
			JobID: fmt.Sprintf("%x", n), PrevHash: tipOf(byte(n)), Coinbase: parts, Branches: branches, Version: 0x20000000, Bits: hardBits, Time: uint32(f.at.Unix()),
		})
		return string(head) + stratum.CleanTail
	}
}

// A submit with a valid share and its answer.
func BenchmarkSubmit(b *testing.B) {
	f := newFeeder(Config{})
	f.say(capture.PoolToMiner, f.begin(b)(1))
	lines := make([]*capture.Message, 1<<16) // more than the auditor knows duplicates of
	for i := range lines {
		lines[i] = f.parse("s", capture.MinerToPool, fmt.Sprintf(`{"id":4,"method":"mining.submit","params":["%s.rig","1","%016x","%08x","%08x","083ac000"]}`, alice, i, f.at.Unix(), i))
	}
	yes := f.parse("s", capture.PoolToMiner, `{"id":4,"result":true,"error":null}`)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := *lines[i%len(lines)]
		f.message(&m)
		if m.Share.Difficulty == 0 {
			b.Fatal(m.Share)
		}
		answer := *yes
		f.message(&answer)
		f.a.Answered(&m, &answer)
	}
}

// A job with eleven merkle branches.
func BenchmarkNotify(b *testing.B) {
	f := newFeeder(Config{})
	notify := f.begin(b)
	lines := make([]*capture.Message, 256)
	for i := range lines {
		lines[i] = f.parse("s", capture.PoolToMiner, notify(i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := *lines[i%len(lines)]
		f.message(&m)
	}
}
