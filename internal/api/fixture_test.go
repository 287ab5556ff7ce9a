package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/price"
	"github.com/poolscope/poolscope/internal/stratum"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// satoshi is the payout address of the redaction vectors.
const satoshi = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"

// testNow is the moment of the fixtures.
var testNow = time.Date(2026, 1, 31, 19, 55, 2, 500_000_000, time.UTC)

// clock is a settable time.
type clock struct{ nanos atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.nanos.Store(at.UnixNano())
	return c
}

// now tells the time in another zone than UTC, so that a missing conversion shows.
func (c *clock) now() time.Time {
	return time.Unix(0, c.nanos.Load()).In(time.FixedZone("test", 2*3600))
}

func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// models are sources that a test can change while a server reads them.
type models struct {
	snapshot atomic.Pointer[ledger.Snapshot]
	pool     atomic.Pointer[pool.Status]
	node     atomic.Pointer[node.Status]
	system   telemetry.System
	miners   Miners
	price    price.Price
	detail   ledger.WorkerDetail // what Worker adds to the snapshot's view

	history    []ledger.HistoryPoint
	historyErr error
	asked      atomic.Int64 // calls of History
	resolution ledger.Resolution
	worker     string
	from, to   time.Time
}

// fakeMiners are connections by their ids.
type fakeMiners map[string]struct {
	info     pool.ConnectionInfo
	coinbase *pool.Coinbase
}

func (f fakeMiners) Connection(id string) (pool.ConnectionInfo, bool) {
	miner, ok := f[id]
	return miner.info, ok
}

func (f fakeMiners) Coinbase(id string) (*pool.Coinbase, bool) {
	c := f[id].coinbase
	return c, c != nil
}

func (m *models) Snapshot() *ledger.Snapshot { return m.snapshot.Load() }

func (m *models) History(_ context.Context, worker string, res ledger.Resolution, from, to time.Time) ([]ledger.HistoryPoint, error) {
	m.asked.Add(1)
	m.resolution, m.from, m.to, m.worker = res, from, to, worker
	return m.history, m.historyErr
}

func (m *models) Worker(name string) (ledger.WorkerDetail, bool) {
	snap := m.snapshot.Load()
	if snap == nil {
		return ledger.WorkerDetail{}, false
	}
	for _, w := range snap.Workers {
		if w.Name == name {
			d := m.detail
			d.WorkerView = w
			return d, true
		}
	}
	return ledger.WorkerDetail{}, false
}

func (m *models) sources() Sources {
	return Sources{
		Ledger: m,
		Pool:   m.pool.Load,
		Node:   m.node.Load,
		System: func() telemetry.System { return m.system },
		Miners: m.miners,
		Price:  func(time.Time) (price.Price, bool) { return m.price, m.price.Value > 0 },
		Panics: func() []pool.Count { return []pool.Count{{Name: "templates", Count: 6}} },
		Build:  telemetry.Build{Version: "v0.1.0", Commit: "abc", GoVersion: "go1.26.0"},
	}
}

func mustHash(display string) bitcoin.Hash {
	h, err := bitcoin.ParseHash(display)
	if err != nil {
		panic(err)
	}
	return h
}

// The block hash of the redaction vectors: its last 16 digits are known.
const blockHash = "00000000000000000001bd61ee4f46e8ba3c40b0a0f0d8ab9f98263f25a3577e"

// empty returns models of parts that run but have seen nothing.
func empty() *models {
	m := &models{}
	m.snapshot.Store(&ledger.Snapshot{At: testNow, StartedAt: testNow})
	m.pool.Store(&pool.Status{At: testNow, StartedAt: testNow})
	m.node.Store(&node.Status{At: testNow})
	return m
}

// full returns models in which every field of every response has a value.
func full() *models {
	m := &models{}
	start := testNow.Add(-90 * time.Minute)
	hash := mustHash(blockHash)

	workers := []ledger.WorkerView{
		{
			Name: satoshi + ".rigA", Address: satoshi, FirstSeen: testNow.Add(-40 * time.Hour), LastSeen: testNow,
			BestEver: ledger.Best{Difficulty: 987654.25, At: testNow.Add(-time.Hour), Hash: hash}, BestNow: ledger.Best{Difficulty: 12.5},
			AcceptedWork: 4.3e6, RejectedWork: 7000, RejectedByReason: []ledger.RejectCount{{Reason: stratum.RejectStale, Count: 7, Work: 7000}},
			UserAgents:    []string{"bitaxe/BM1370/v2.4"},
			ConnectionIDs: []string{"c1", "c2"}, Connections: 2, Online: true, TLS: true,
			Hashrate: 1.2e12, Accuracy: "≈", ShareRate: 14.5, PingP50: 12.5, PingP95: 40, Difficulty: 1024, Vardiff: 1100.5,
			Accepted: 4242, Rejected: 7, LastShare: testNow.Add(-3 * time.Second),
		},
		{
			Name: "tb1qexampleexampleexampleexample", ConnectionIDs: []string{"c3"}, Connections: 1, Online: true,
			Hashrate: 4e5, Accuracy: "~", ShareRate: 2, Difficulty: 0.0001, Vardiff: 0.0002,
			Accepted: 3, LastShare: testNow.Add(-time.Second),
		},
		{Name: satoshi + ".gone", Accepted: 9, LastShare: testNow.Add(-31 * time.Minute)},
		{Name: satoshi + ".idle", ConnectionIDs: []string{"c4"}, Connections: 1, Online: true},
	}
	m.snapshot.Store(&ledger.Snapshot{
		At: testNow, StartedAt: start, Workers: workers, Online: 3, Connections: 4, TLSConnections: 1,
		Hashrate: 1.25e12, SharesPerMinute: 16.5,
		Accepted: 4254, Rejected: 7, AcceptedWork: 4.3e6,
		SessionAccepted: 254, SessionRejected: 5,
		RejectedByReason: []ledger.RejectCount{{Reason: stratum.RejectStale, Count: 2}, {Reason: stratum.RejectLowDifficulty, Count: 5}},
		BlocksAccepted:   3, BlocksRejected: 1,
		BestShares: []ledger.BestShare{
			{Worker: satoshi + ".rigA", Difficulty: 987654.25, At: testNow.Add(-time.Hour), Hash: hash},
			{Worker: "tb1qexampleexampleexampleexample", Difficulty: 12.5, At: testNow.Add(-2 * time.Minute), Hash: hash},
		},
		MinerTypes: []ledger.MinerType{
			{Name: "cpuminer", Total: 1, Versions: []ledger.MinerVersion{{Total: 1}}},
			{Name: "bitaxe", Total: 2, Versions: []ledger.MinerVersion{{Version: "BM1370/v2.4", Total: 2}}},
		},
		Blocks: []ledger.Block{
			{
				Height: 840_003, Hash: hash, Worker: satoshi + ".rigA", Address: satoshi, FoundAt: testNow.Add(-time.Minute),
				ShareDifficulty: 5.5e13, Value: 312_512_345, WorkerPayout: 306_262_098, PoolFee: 6_000_000, Donation: 250_247,
				State: ledger.BlockAccepted, Confirmations: 1,
			},
			{Height: 840_002, Hash: hash, Worker: satoshi, FoundAt: testNow.Add(-2 * time.Minute), State: ledger.BlockPending},
			{Height: 840_001, Hash: hash, Worker: satoshi, FoundAt: testNow.Add(-3 * time.Minute), State: ledger.BlockRejected, Reason: "bad-cb-amount"},
			{Height: 840_000, Hash: hash, Worker: satoshi, FoundAt: testNow.Add(-4 * time.Minute), State: ledger.BlockStale, Confirmations: -1},
			{Height: 839_000, Hash: hash, Worker: satoshi + ".x", FoundAt: testNow.Add(-5 * time.Minute), WorkerPayout: 312_500_000, State: ledger.BlockConfirmed, Confirmations: 6},
		},
		History6m: []ledger.HistoryPoint{
			{At: testNow.Add(-10 * time.Second), Hashrate: 1.1e12, BlockHeight: 840_003},
			{At: testNow.Add(-5 * time.Second), Hashrate: 1.2e12, BlockHeight: 840_003},
		},
		Height: 840_003,
		Books:  ledger.BooksStatus{LastError: "disk full", LastErrorAt: testNow, Errors: 2, Batches: 90},
	})

	rejects := make([]pool.Count, 0, len(stratum.Rejects()))
	for _, r := range stratum.Rejects() {
		rejects = append(rejects, pool.Count{Name: r.Name()})
	}
	rejects[0].Count = 2
	rejects[3].Count = 5
	m.pool.Store(&pool.Status{
		At: testNow, StartedAt: start, State: pool.StateMining, Network: bitcoin.Mainnet,
		Listeners:   []pool.Listener{{Name: "home", Connections: 3, URL: "stratum+tcp://0.0.0.0:3333", Addr: "0.0.0.0:3333"}, {URL: "stratum+ssl://0.0.0.0:4333", Addr: "0.0.0.0:4333", TLS: true}},
		Connections: 5, TLSConnections: 1, Authorized: 4,
		Tag: "/poolscope/", FeePercent: 2,
		Job: &pool.JobStatus{
			ID: "1f", Height: 840_004, PrevHash: blockHash, Bits: 0x1703255b, NetworkDifficulty: 8.9e13,
			Transactions: 1560, Fees: 12_345, Value: 312_512_345, Weight: 3_990_000,
			TemplateAt: testNow.Add(-7 * time.Second), CreatedAt: testNow.Add(-8 * time.Second), Node: "core",
		},
		Abuse: abuse.Status{
			Bans: []abuse.Ban{
				{Block: netip.MustParsePrefix("192.0.2.7/32"), Since: testNow.Add(-5 * time.Minute), Until: testNow.Add(10 * time.Minute), Level: 2, Reason: "connections dropped, the last for: Invalid nonce; peer 192.0.2.7:5123"},
				{Block: netip.MustParsePrefix("192.0.2.8/32"), Until: testNow.Add(5 * time.Minute), Manual: true},
				{Block: netip.MustParsePrefix("192.0.2.9/32"), Until: testNow.Add(-time.Second)},
			},
			Made: 12, Spared: 3, Unsaved: 1, Failures: 2, Blocks: 7,
		},
		Closes:  []pool.Count{{Name: "eof", Count: 3}, {Name: "idle", Count: 0}, {Name: "slow_reader", Count: 9}},
		Drops:   []pool.Count{{Name: "stale_notify", Count: 4}},
		Rejects: rejects,

		BlocksAccepted: 3, BlocksErrored: 1, TipFirst: 8, ShareErrors: 7, Messages: 9999,
		Errors: []pool.Event{{At: testNow.Add(-30 * time.Second), Type: "submitblock", Message: "node refused the block"}},
	})
	m.node.Store(&node.Status{
		At: testNow, Network: bitcoin.Mainnet, Active: "core",
		Nodes: []node.NodeStatus{
			{Name: "spare", Address: "10.0.0.9:8332", State: node.StateUnreachable, Reason: "dial tcp 10.0.0.9:8332: connection refused"},
			{
				Name: "core", Address: "127.0.0.1:8332", State: node.StateReady, Version: 290100, Subversion: "/Satoshi:29.1.0/",
				Blocks: 840_003, Headers: 840_003, BestBlockHash: blockHash, Connections: 12, ConnectionsIn: 2, ConnectionsOut: 10,
				Pruned: true, SizeOnDisk: 600_000_000_000,
				Peers:       []node.Peer{{Display: "203.0.113.5:8333", PingMS: 12.5, ConnectedAt: 1_769_880_000}},
				GenesisHash: bitcoin.Mainnet.Genesis().String(), GenesisExpected: bitcoin.Mainnet.Genesis().String(), GenesisMatch: true,
				Latency: 1500 * time.Microsecond, ZMQ: true,
			},
		},
		RPC: node.RPCStats{
			Healthy: true, LastError: "Post \"http://user:secret@10.0.0.9:8332/\": dial tcp 10.0.0.9:8332: connection refused",
			Disconnects: 2, Reconnects: 1, Errors: 4,
			GBT:    node.LatencyStats{Count: 77, Last: 12 * time.Millisecond, Max: 250 * time.Millisecond, Min1h: 8 * time.Millisecond, Avg1h: 15 * time.Millisecond, Max1h: 90 * time.Millisecond},
			Submit: node.LatencyStats{Count: 3, Last: 40 * time.Millisecond, Max: 60 * time.Millisecond},
		},
		ZMQ: node.ZMQStats{Healthy: true, Disconnects: 3, Reconnects: 2, LastRawBlockAt: testNow.Add(-50 * time.Second), LastRawBlockBytes: 1_500_000},
		Tip: &node.Tip{Hash: hash, Height: 840_003, Time: testNow.Add(-100 * time.Second), Bits: 0x1703255b},
		Errors: []node.Event{
			{At: testNow.Add(-10 * time.Second), Type: "rpc", Message: "call to http://10.0.0.9:8332 failed"},
			{At: testNow.Add(-61 * time.Minute), Type: "rpc", Message: "long ago"},
		},
		RecentBlockTimes: []time.Time{testNow.Add(-40 * time.Minute), testNow.Add(-30 * time.Minute), testNow.Add(-9 * time.Minute), testNow.Add(-100 * time.Second)},
		LastTemplateAt:   testNow.Add(-2 * time.Second),
		Feed:             node.FeedStatus{LastError: "template was for another network", LastErrorAt: testNow.Add(-time.Minute), History: []string{"node core at 127.0.0.1:8332 is back"}},
	})
	m.detail = ledger.WorkerDetail{
		Open: []ledger.ConnectionView{
			{ID: "c2", UserAgent: "cpuminer/2.5 " + satoshi, TLS: true, Remote: "192.0.2.7:40001", ConnectedAt: testNow.Add(-time.Hour), Difficulty: 1024, PingP50: 12.5, PingP95: 40},
			{ID: "c1", UserAgent: "bitaxe/BM1370/v2.4", Remote: "192.0.2.7:40000", ConnectedAt: testNow.Add(-2 * time.Hour), Difficulty: 512},
		},
		Best: []ledger.Best{{Difficulty: 12.5, At: testNow, Hash: bitcoin.Hash{5}}, {Difficulty: 987654.25, At: testNow.Add(-time.Hour), Hash: hash}, {Difficulty: 987654.25, At: testNow.Add(-time.Hour), Hash: hash}, {}},
		Difficulties: []ledger.DifficultyChange{
			{At: testNow.Add(-2 * time.Hour), Difficulty: 512, ConnectionID: "c1"},
			{At: testNow.Add(-time.Hour), Difficulty: 1024, ConnectionID: "c2"},
		},
		Shares: []ledger.RecentShare{
			{At: testNow.Add(-9 * time.Second), Assigned: 0.00123, Difficulty: 987654.25},
			{At: testNow.Add(-8 * time.Second), Assigned: 1024, Difficulty: 700, Reject: stratum.RejectLowDifficulty},
			{At: testNow.Add(-7 * time.Second), Assigned: 1024, Reject: stratum.RejectMalformed},
		},
	}
	m.miners = fakeMiners{
		"c1": {
			info: pool.ConnectionInfo{Extranonce1: "0a0b0c0d", TapSession: "d3b07384-d113-4ec6-a5d9-7a8b3c1b2e4f"},
			coinbase: &pool.Coinbase{
				JobID: "1f02", Height: 840_004, Network: bitcoin.Mainnet,
				Tx: []byte{2, 0, 0, 0, 0x0a, 0x0b, 0x0c, 0x0d, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Extranonce1: []byte{0x0a, 0x0b, 0x0c, 0x0d}, ExtranonceAt: 4, Extranonce2Size: 8,
				PayoutScript: []byte{0x76, 0xa9}, FeeScript: []byte{0, 0x14}, DonationScript: []byte{0x51}, Payout: 306_262_098, Fee: 6_000_000, Donation: 250_247, Value: 312_512_345,
				FeePercent: 2, Branches: []bitcoin.Hash{{1}, {2}}, PrevHash: hash, Version: 0x20000000, Bits: 0x1703255b, NTime: 0x697e5f1e,
			},
		},
		"c2": {info: pool.ConnectionInfo{Extranonce1: "0a0b0c0e"}}, // it has just come
	}
	m.price = price.Price{Value: 67187.34, Currency: "eur", At: testNow.Add(-12 * time.Minute)}
	m.system = telemetry.System{
		At: testNow, Goroutines: 42, CPUPercent: 12.5, GoMemAlloc: 20 << 20, GoMemSys: 40 << 20, RSS: 50 << 20,
		MemTotal: 8 << 30, MemFree: 6 << 30, MemUsed: 2 << 30, Load1: 0.5, Load5: 0.4, Load15: 0.3,
	}
	for i := range 3 {
		m.history = append(m.history, ledger.HistoryPoint{
			At: testNow.Truncate(time.Minute).Add(time.Duration(i-3) * time.Minute), Hashrate: 1e12 + float64(i), Accepted: uint64(10 * i), Rejected: uint64(i), BestShare: 5000, BlockHeight: 840_000 + int64(i),
		})
	}
	return m
}

// manyWorkers returns n workers, the i-th of which has its last share i
// milliseconds ago.
func manyWorkers(n int) []ledger.WorkerView {
	workers := make([]ledger.WorkerView, n)
	for i := range workers {
		// A stride that is coprime to any n below 7919 scatters the order.
		j := i * 7919 % n
		workers[i] = ledger.WorkerView{
			Name: fmt.Sprintf("%s.rig%d", satoshi, j), ConnectionIDs: []string{fmt.Sprint("c", j)}, Connections: 1, Online: true,
			Hashrate: 1e12, Difficulty: 1024, Vardiff: 1000, ShareRate: 15, Accepted: uint64(j),
			LastShare: testNow.Add(-time.Duration(j) * time.Millisecond),
		}
	}
	return workers
}

// newTestServer returns a server for m with a clock that stands at testNow.
func newTestServer(t testing.TB, m *models, cfg Config) (*Server, *clock) {
	t.Helper()
	c := newClock(testNow)
	cfg.Now = c.now
	src := Sources{}
	if m != nil {
		src = m.sources()
	}
	return New(cfg, src, nil), c
}

// get sends a GET request and returns the response.
func get(t testing.TB, s *Server, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return do(t, s, http.MethodGet, target, header...)
}

// do sends a request with the given header fields, name after value.
func do(t testing.TB, s *Server, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}
