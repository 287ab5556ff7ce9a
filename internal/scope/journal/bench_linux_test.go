package journal

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// traffic makes messages like those of many miners: submits, each answered a
// few messages later, and sometimes a notify.
type traffic struct {
	seq     uint64
	n       []uint64
	waiting []*capture.Message
	at      time.Time
	lag     int
}

func newTraffic(sessions, lag int) *traffic {
	return &traffic{n: make([]uint64, sessions), at: time.Now().UTC(), lag: lag}
}

const notifyLine = `{"id":null,"method":"mining.notify","params":["6a2f","00000000000000000001f3a2b8f0c9c9b1f0a5c1c0a8f0e1d2c3b4a596877869","01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff3503a1b2c304","2f706f6f6c73636f70652f00000000020000000000000000266a24aa21a9ed","00000000",["aa","bb","cc","dd","ee","ff","00","11","22","33","44"],"20000000","17034219","68a00000",false]}` + "\n"

// next makes a message, and the new version of the one that it answers.
func (t *traffic) next() (m, updated *capture.Message) {
	t.seq++
	t.at = t.at.Add(20 * time.Microsecond)
	if len(t.waiting) > t.lag {
		asked := t.waiting[0]
		t.waiting = t.waiting[1:]
		i := asked.Seq % uint64(len(t.n))
		t.n[i]++
		ok := asked.N%50 != 1
		m = &capture.Message{Seq: t.seq, Session: asked.Session, N: t.n[i], Direction: capture.PoolToMiner, Peer: "198.51.100.1:3333",
			Received: t.at, Forwarded: t.at.Add(time.Microsecond), ID: "4", IsResponse: true, OK: ok, Pair: asked.N,
			Raw: []byte(`{"id":4,"result":true,"error":null}` + "\n")}
		if !ok {
			m.Raw = []byte(`{"id":4,"result":null,"error":[23,"low difficulty",null]}` + "\n")
		}
		m.Size = len(m.Raw)
		update := *asked
		update.Pair, update.Response = m.N, m
		share := *asked.Share
		share.Pool = update.PoolVerdict()
		update.Share = &share
		return m, &update
	}
	i := t.seq % uint64(len(t.n))
	t.n[i]++
	m = &capture.Message{Seq: t.seq, Session: fmt.Sprintf("8e88c6ec-48aa-4a0a-9d6c-%012d", i), N: t.n[i], Received: t.at, Forwarded: t.at.Add(time.Microsecond), IsRequest: true}
	if t.seq%97 == 0 {
		m.Direction, m.Peer, m.Method, m.Raw = capture.PoolToMiner, "198.51.100.1:3333", "mining.notify", []byte(notifyLine)
	} else {
		m.Peer, m.Method, m.ID, m.Worker = "192.0.2.1:50000", "mining.submit", "4", fmt.Sprintf("bc1qexampleexampleexampleexampleexampleexa.rig%d", i)
		m.Raw = fmt.Appendf(nil, `{"id": 4, "method": "mining.submit", "params": [%q, "3f1", "%016x", "68a00000", "%08x", "083ac000"]}`+"\n", m.Worker, t.seq*7919, t.seq*104729&0xffffffff)
		m.Share = &capture.Share{Job: "3f1", Audit: capture.AuditValid, Difficulty: float64(t.seq) * 1.5, Target: 1024, Hash: "00000000000000000001f3a2b8f0c9c9b1f0a5c1c0a8f0e1d2c3b4a596877869"}
		t.waiting = append(t.waiting, m)
	}
	m.Size = len(m.Raw)
	return m, nil
}

// fill journals messages as fast as that goes, without dropping any, until all
// are written.
func fill(tb testing.TB, j *Journal, t *traffic, messages int) {
	tb.Helper()
	for range messages {
		for {
			j.queue.mu.Lock()
			n, bytes := j.queue.usageLocked()
			j.queue.mu.Unlock()
			if n < j.queue.maxMessages-2 && bytes < j.queue.maxBytes-4096 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		m, updated := t.next()
		j.Captured(m)
		if updated != nil {
			j.Updated(updated)
		}
	}
	for j.Stats().QueuedMessages > 0 {
		time.Sleep(time.Millisecond)
	}
}

// processorTime is what this process has used.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

func BenchmarkWrite(b *testing.B) {
	for _, lag := range []int{10, 5000} {
		b.Run(fmt.Sprint("answers-after-", lag), func(b *testing.B) {
			j, err := Open(Config{Dir: b.TempDir()}, testLog(b))
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- j.Run(ctx) }()
			b.ResetTimer()
			before := processorTime(b)
			fill(b, j, newTraffic(100, lag), b.N)
			cancel()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/message")
			s := j.Stats()
			b.ReportMetric(float64(s.Bytes)/float64(b.N), "B/message")
			if s.Written != uint64(b.N) || s.Dropped+s.DroppedUpdates > 0 {
				b.Fatalf("%+v", s)
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	j, err := Open(Config{Dir: b.TempDir()}, testLog(b))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	t := newTraffic(500, 100)
	fill(b, j, t, 1_000_000)
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	faulty, notify := true, capture.PoolToMiner
	for name, f := range map[string]capture.Filter{
		"none":             {},
		"session":          {Session: "8e88c6ec-48aa-4a0a-9d6c-000000000077"},
		"direction":        {Direction: &notify},
		"method":           {Method: "mining.notify"},
		"method-absent":    {Method: "mining.configure"},
		"worker":           {Worker: "bc1qexampleexampleexampleexampleexampleexa.rig77"},
		"worker-absent":    {Worker: "nobody"},
		"rejected":         {Verdict: capture.PoolRejected},
		"conflict-absent":  {Verdict: capture.VerdictConflict},
		"worker-rejected":  {Worker: "bc1qexampleexampleexampleexampleexampleexa.rig50", Verdict: capture.PoolRejected},
		"faulty-absent":    {Faulty: &faulty},
		"time":             {After: t.at.Add(-15 * time.Second), Before: t.at.Add(-14 * time.Second)},
		"time-absent":      {Before: t.at.Add(-time.Hour)},
		"text-newest":      {Text: "083AC000"},
		"text-absent":      {Text: "nowhere to be found"},
		"text-hex-absent":  {Text: "deadbeefcafe"},
		"oldest-page":      {Cursor: 150},
		"rejected-oldest":  {Verdict: capture.PoolRejected, Cursor: 20_000},
		"thousand-of-them": {Limit: 1000},
	} {
		b.Run(name, func(b *testing.B) {
			var slowest time.Duration
			before, loops := processorTime(b), 0
			found, pages := 0, 0
			for b.Loop() {
				f := f
				found, pages = 0, 0
				loops++
				for {
					begin := time.Now()
					page, next, complete, err := j.Find(b.Context(), f)
					if err != nil {
						b.Fatal(err)
					}
					slowest = max(slowest, time.Since(begin))
					found += len(page)
					pages++
					if complete {
						break
					}
					f.Cursor = next
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(loops), "cpu-ms/op")
			b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
			b.ReportMetric(float64(found), "found")
			b.ReportMetric(float64(pages), "pages")
		})
	}
	const session = "8e88c6ec-48aa-4a0a-9d6c-000000000077"
	b.Run("one-message", func(b *testing.B) {
		for n := uint64(1); b.Loop(); n = n%1000 + 1 {
			if _, err := j.Message(b.Context(), session, n); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("thousand-of-a-session", func(b *testing.B) {
		for b.Loop() {
			if list, err := j.SessionMessages(b.Context(), session, 500, 1000); err != nil || len(list) != 1000 {
				b.Fatal(len(list), err)
			}
		}
	})
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}
