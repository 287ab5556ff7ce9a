//go:build linux

package stratum

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkLoopLine is a line and its reply, there and back over loopback, the
// client's two system calls included. Lines of one segment share those.
func BenchmarkLoopLine(b *testing.B) {
	for _, together := range []int{1, 32} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			server, client := tcpPair(b)
			q := &quick{reply: []byte(`{"id":6,"result":true,"error":null}` + "\n")}
			m, err := startLoop(b, nil).Take(server, "rig", q)
			if err != nil {
				b.Fatal(err)
			}
			q.m = m
			b.Cleanup(func() { m.Close(CloseShutdown) })
			m.Start(nil)
			var segment, replies []byte
			for range together {
				segment = fmt.Appendf(segment, `{"id":6,"method":"mining.submit","params":["%042d.rig","1","0000000000000000","00000000","00000000"]}`+"\n", 0)
				replies = append(replies, q.reply...)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Write(segment); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(client, replies); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*together), "ns/line")
		})
	}
}
