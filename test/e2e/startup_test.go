package e2e

import (
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// BenchmarkDemoStart is the time from the start of the demo, with an empty data
// folder, to the first job at a miner.
func BenchmarkDemoStart(b *testing.B) {
	for b.Loop() {
		p := start(b, b.TempDir(), demoFlags("--miners", "0")...)
		awaitJob(b, p)
		b.StopTimer()
		p.stop(b)
		b.StartTimer()
	}
}

// BenchmarkPoolStart is the time from the start of the pool, its node already
// up, to the first job at a miner.
func BenchmarkPoolStart(b *testing.B) {
	node := nodes.StartBtcd(b)
	config := poolFile(b, nodeSection(node.RPC))
	for b.Loop() {
		p := start(b, b.TempDir(), "pool", "--config", config)
		awaitJob(b, p)
		b.StopTimer()
		p.stop(b)
		b.StartTimer()
	}
}

// awaitJob signs in and waits for the first job.
func awaitJob(b *testing.B, p *running) {
	b.Helper()
	c := dialStratum(b, p.Stratum)
	c.call(1, "mining.subscribe", "e2e/1.0")
	c.call(2, "mining.authorize", minerAddress+".e2e", "x")
	c.await("the first job", func(m message) bool { return m.Method == "mining.notify" })
	c.conn.Close()
}
