package devnet

import "testing"

// A template of a full mempool, which also holds the chain's lock meanwhile.
func BenchmarkTemplate(b *testing.B) {
	n := open(b, easy(b))
	for range 1000 {
		if err := n.traffic.send(); err != nil {
			b.Fatal(err)
		}
	}
	txs := n.engine.pool.Count()
	for b.Loop() {
		if _, err := n.engine.newTemplate(n.cfg.Now()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(txs), "txs")
}

// A wallet transaction: choosing, signing twice, and the mempool's checks.
func BenchmarkTrafficSend(b *testing.B) {
	n := open(b, easy(b))
	for b.Loop() {
		if n.engine.pool.Count() >= maxPendingTxs-1 {
			b.StopTimer()
			if err := n.engine.mineEmpty(b.Context(), n.cfg.Now(), anyone); err != nil {
				b.Fatal(err)
			}
			for _, d := range n.engine.pool.TxDescs() {
				n.engine.pool.RemoveTransaction(d.Tx, true)
			}
			b.StartTimer()
		}
		if err := n.traffic.send(); err != nil {
			b.Fatal(err)
		}
	}
}

// Start-up: opening a chain that exists.
func BenchmarkOpen(b *testing.B) {
	cfg := easy(b)
	if err := open(b, cfg).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n, err := New(cfg, quiet())
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
