package relay

import (
	"bufio"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

const (
	submitLine = `{"id":1234,"method":"mining.submit","params":["bc1qexample.rig01","6b5c","0000000000000001","65a1b2c3","deadbeef","1fffe000"]}` + "\n"
	acceptLine = `{"id":1234,"result":true,"error":null}` + "\n"
)

// answering is a pool that answers each line.
func answering(pool net.Conn) {
	r := bufio.NewReaderSize(pool, 64<<10)
	w := bufio.NewWriterSize(pool, 64<<10)
	for {
		if _, err := r.ReadSlice('\n'); err != nil {
			return
		}
		_, _ = w.WriteString(acceptLine)
		if r.Buffered() == 0 {
			if w.Flush() != nil {
				return
			}
		}
	}
}

// wired is a miner's connection to an answering pool: through a relay whose
// ring is full, or straight.
func wired(b *testing.B, relayed bool) (miner net.Conn, lost func() uint64) {
	b.Helper()
	if !relayed {
		l := listen(b, "127.0.0.1:0")
		miner, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = miner.Close() })
		pool := accept(b, l)
		_ = pool.SetDeadline(time.Time{})
		go answering(pool)
		return miner, func() uint64 { return 0 }
	}
	bench := newBench(b, Config{}, ListenerOptions{})
	miner, pool := bench.connect()
	_ = miner.SetDeadline(time.Time{})
	_ = pool.SetDeadline(time.Time{})
	go answering(pool)
	exchange(b, miner, 30000)
	bench.wait("the ring to be full", func() bool {
		return bench.recorder.Store().Usage().Messages >= 10000 // of a session
	})
	_, before := bench.recorder.Losses()
	return miner, func() uint64 {
		_, now := bench.recorder.Losses()
		return now - before
	}
}

// exchange has lines answered, up to a thousand at the same time.
func exchange(b *testing.B, miner net.Conn, lines int) {
	b.Helper()
	room := make(chan struct{}, 1000)
	go func() {
		for range lines {
			room <- struct{}{}
			if _, err := io.WriteString(miner, submitLine); err != nil {
				return
			}
		}
	}()
	r := bufio.NewReaderSize(miner, 64<<10)
	for range lines {
		if _, err := r.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
		<-room
	}
}

// BenchmarkLines relays submits and their answers, each written on its own.
func BenchmarkLines(b *testing.B) {
	for _, how := range []string{"direct", "relayed"} {
		b.Run(how, func(b *testing.B) {
			miner, lost := wired(b, how == "relayed")
			b.ReportAllocs()
			b.ResetTimer()
			exchange(b, miner, b.N)
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(lost()), "lost-bytes")
		})
	}
}

// BenchmarkRoundTrip has one line answered at a time.
func BenchmarkRoundTrip(b *testing.B) {
	for _, how := range []string{"direct", "relayed"} {
		b.Run(how, func(b *testing.B) {
			miner, _ := wired(b, how == "relayed")
			took := make([]time.Duration, 0, b.N)
			buf := make([]byte, len(acceptLine))
			b.ResetTimer()
			for b.Loop() {
				began := time.Now()
				if _, err := io.WriteString(miner, submitLine); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(miner, buf); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
		})
	}
}
