package capture

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"
)

// BenchmarkRecorder is a share and its answer, from the tape to the full ring,
// for lines that are relayed, each a chunk of its own, and for those of a tap.
func BenchmarkRecorder(b *testing.B) {
	for _, tapped := range []bool{false, true} {
		b.Run(map[bool]string{false: "relay", true: "tap"}[tapped], func(b *testing.B) {
			r := New(Config{QueueChunks: 1 << 10}, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			tapes := make([]*Tape, 100)
			for i := range tapes {
				tapes[i] = r.Open(Opening{ID: fmt.Sprint(i), Miner: "192.0.2.1:5", At: time.Now()})
			}
			submit := fmt.Appendf(nil, `{"id":6,"method":"mining.submit","params":["%042d.rig","65a1b2c3","0000000000000001","665f1a2b","deadbeef","00a00000"]}`+"\n", 0)
			reply := []byte(`{"id":6,"result":true,"error":null}` + "\n")
			say := func(t *Tape, d Direction, line []byte) {
				now := time.Now()
				for len(r.queue) > cap(r.queue)-8 {
					time.Sleep(20 * time.Microsecond)
				}
				if tapped {
					t.Line(d, line, now)
					return
				}
				t.Chunk(d, line, now).Forwarded(now)
			}
			turn := func(n int) {
				t := tapes[n%len(tapes)]
				say(t, MinerToPool, submit)
				say(t, PoolToMiner, reply)
			}
			for n := range 30_000 { // until the ring is full
				turn(n)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				turn(n)
			}
			cancel()
			if err := <-done; err != nil {
				b.Error(err)
			}
			if chunks, _ := r.Losses(); chunks > 0 {
				b.Errorf("%d chunks lost", chunks)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N), "ns/line")
		})
	}
}
