package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// feedAll gives lines to an auditor: the first byte of each says from whom and
// when it is. Responses answer the oldest request that has none.
func feedAll(f *feeder, data []byte) {
	f.a.Opened(capture.Session{Opening: capture.Opening{ID: "s", At: f.at}})
	var asked [3][]*capture.Message
	for _, line := range bytes.Split(data, []byte{'\n'}) {
		if len(line) == 0 {
			continue
		}
		kind := line[0]
		d := capture.Direction(kind % 3)
		f.at = f.at.Add(time.Duration(kind/3) * 200 * time.Millisecond)
		f.a.tick(f.at)
		m := f.parse("s", d, string(line[1:]))
		if kind > 250 {
			m.Gap = uint64(kind)
		}
		f.message(m)
		if m.IsRequest {
			asked[d] = append(asked[d], m)
			continue
		}
		from := capture.MinerToPool
		if d == capture.MinerToPool {
			from = capture.PoolToMiner
		}
		if len(asked[from]) > 0 {
			request := *asked[from][0]
			asked[from] = asked[from][1:]
			request.Response = m
			f.a.Answered(&request, m)
		}
	}
}

// check reads everything that readers can get, and checks the books.
func check(t *testing.T, a *Auditor) {
	t.Helper()
	for _, id := range append(a.Sessions(), "nobody") {
		facts, _ := a.Facts(id)
		jobs, _ := a.Jobs(id, 0, maxPage)
		found, _ := a.Shares(id, 0, maxPage)
		timeline, _ := a.Difficulty(id)
		compared, _ := a.Compare(id, id)
		for _, v := range []any{facts, jobs, found, timeline, compared, a.Alarms(AlarmFilter{Session: id}), a.Status()} {
			if _, err := json.Marshal(v); err != nil {
				t.Fatalf("%T: %v", v, err)
			}
		}
		c := facts.Shares
		if v := c.Audit; c.Submitted != v.Valid+v.LowDifficulty+v.Duplicate+v.Stale+v.UnknownJob+v.Malformed+v.Block+v.Unknown {
			t.Fatalf("counts %+v", c)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	total := 0
	for _, s := range a.order {
		total += s.bytes
		if s.bytes < sessionBytes {
			t.Fatalf("a session of %d bytes", s.bytes)
		}
		l := a.cfg.Limits
		if s.jobs.len() > l.Jobs || s.shares.len() > l.Shares || s.timeline.len() > l.Difficulties || s.seen.len() > l.Seen || len(s.byID) > l.Jobs ||
			s.gone.len() > 2*l.Jobs || len(s.workers) > maxWorkers || len(s.reasons) > maxReasons {
			t.Fatalf("a session keeps too much: %d jobs, %d shares, %d seen", s.jobs.len(), s.shares.len(), s.seen.len())
		}
	}
	if total != a.bytes {
		t.Fatalf("%d bytes in sessions, %d counted", total, a.bytes)
	}
}

func FuzzAuditor(f *testing.F) {
	const p, m, own = "\x01", "\x00", "\x02"
	f.Add([]byte(m + `{"id":1,"method":"mining.subscribe","params":[]}` + "\n" + p + `{"id":1,"result":[[],"01020304",8],"error":null}` + "\n" +
		p + `{"method":"mining.set_difficulty","params":[1e308]}` + "\n" + m + `{"id":2,"method":"mining.authorize","params":["` + alice + `"]}` + "\n" +
		p + `{"method":"mining.notify","params":["1","` + fmt.Sprintf("%064d", 1) + `","0100","",[],"20000000","207fffff","65000000",true]}` + "\n" +
		m + `{"id":3,"method":"mining.submit","params":["` + alice + `","1","0000000000000000","65000000","00000001"]}` + "\n" +
		own + `{"id":3,"method":"mining.submit","params":["` + alice + `","1","0000000000000000","65000000","00000001"]}` + "\n" +
		p + `{"id":2,"result":true}` + "\n" + p + `{"id":3,"error":[21,"\ud83d",{}]}`))
	f.Add([]byte(p + `{"method":"mining.set_extranonce","params":["",-1]}` + "\n\xfe" + `{"method":"client.reconnect","params":[null,1e9]}` + "\n" + m + `{"id":1,"method":"mining.submit","params":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		feeder := newFeeder(Config{Limits: Limits{Jobs: 4, Shares: 4, Difficulties: 3, Seen: 6, Bytes: 1 << 20}})
		feedAll(feeder, data)
		check(t, feeder.a)
		feeder.a.Closed(capture.Session{Opening: capture.Opening{ID: "s"}, EndedAt: feeder.at, Reason: "miner_closed"})
		check(t, feeder.a)
	})
}

// TestMemoryBound has many sessions say as much as they can, and measures.
func TestMemoryBound(t *testing.T) {
	const limit = 8 << 20
	f := newFeeder(Config{Limits: Limits{Bytes: limit, Ended: 20}})
	notify := f.begin(t)
	random := rand.New(rand.NewPCG(1, 2))
	before := heap()
	for i := range 60_000 {
		session := fmt.Sprint("s", random.IntN(100))
		line := fmt.Sprintf(`{"id":4,"method":"mining.submit","params":["%d","%x","%016x","%08x","%08x"]}`, i, random.IntN(10), i, i, i)
		d := capture.MinerToPool
		if i%10 == 0 {
			line, d = notify(i), capture.PoolToMiner
		}
		f.message(f.parse(session, d, line))
		if i%600 == 0 {
			f.a.Closed(capture.Session{Opening: capture.Opening{ID: session}, EndedAt: f.at, Reason: "miner_closed"})
		}
		if f.a.bytes > limit+limit/16 {
			t.Fatalf("%d bytes", f.a.bytes)
		}
	}
	check(t, f.a)
	s := f.a.Status()
	grown := heap() - before
	t.Logf("%d bytes counted, heap grew by %d", s.Bytes, grown)
	if s.Dropped == 0 || s.Forgotten == 0 || s.Sessions-s.Live > 20 {
		t.Errorf("status %+v", s)
	}
	if grown > 2*limit {
		t.Errorf("heap grew by %d", grown)
	}
	runtime.KeepAlive(f)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Readers may come at any time (run with -race).
func TestReadersAndWriters(t *testing.T) {
	f := newFeeder(Config{Limits: Limits{Bytes: 2 << 20, Ended: 4}})
	notify := f.begin(t)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, id := range f.a.Sessions() {
					_, _ = f.a.Facts(id)
					_, _ = f.a.Jobs(id, 0, 10)
					_, _ = f.a.Shares(id, 0, 10)
					_, _ = f.a.Difficulty(id)
					_, _ = f.a.Compare(id, "s")
				}
				_ = f.a.Alarms(AlarmFilter{})
				_ = f.a.Status()
				f.a.tick(f.at)
				runtime.Gosched()
			}
		})
	}
	for i := range 3000 {
		session := fmt.Sprint("s", i%10)
		if i%7 == 0 {
			f.message(f.parse(session, capture.PoolToMiner, notify(i)))
		}
		m := f.message(f.parse(session, capture.MinerToPool, fmt.Sprintf(`{"id":4,"method":"mining.submit","params":["w","%x","%016x","%08x","%08x"]}`, i/7*7, i, i, i)))
		answered := *m
		f.a.Answered(&answered, f.parse(session, capture.PoolToMiner, `{"id":4,"error":[23,"low",null]}`))
		if i%100 == 99 {
			f.a.Closed(capture.Session{Opening: capture.Opening{ID: session}, EndedAt: f.at})
		}
	}
	close(done)
	readers.Wait()
	check(t, f.a)
}
