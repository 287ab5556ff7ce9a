package api

import (
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// serverPage is the response of GET /api/server.
type serverPage struct {
	APIVersion          string  `json:"api_version"`
	Uptime              int64   `json:"uptime"` // nanoseconds
	RPCError            string  `json:"rpc_error,omitempty"`
	RPCHealthy          bool    `json:"rpc_healthy"`
	RPCDisconnects      uint64  `json:"rpc_disconnects"`
	RPCReconnects       uint64  `json:"rpc_reconnects"`
	AccountingError     string  `json:"accounting_error,omitempty"` // why the books cannot be written now
	JobFeed             jobFeed `json:"job_feed"`
	ProcessGoroutines   int     `json:"process_goroutines"`
	ProcessCPUPercent   float64 `json:"process_cpu_percent"` // 100 = all cores of the machine
	GoMemAllocBytes     uint64  `json:"go_mem_alloc_bytes"`
	GoMemSysBytes       uint64  `json:"go_mem_sys_bytes"`
	ProcessRSSBytes     uint64  `json:"process_rss_bytes"`
	SystemMemTotalBytes uint64  `json:"system_mem_total_bytes"`
	SystemMemFreeBytes  uint64  `json:"system_mem_free_bytes"`
	SystemMemUsedBytes  uint64  `json:"system_mem_used_bytes"`
	SystemLoad1         float64 `json:"system_load1"`
	SystemLoad5         float64 `json:"system_load5"`
	SystemLoad15        float64 `json:"system_load15"`
}

// jobFeed is a ServerPageJobFeed: where work comes from. Its block fields
// describe the tip of the chain.
type jobFeed struct {
	LastError         string    `json:"last_error,omitempty"`
	LastErrorAt       time.Time `json:"last_error_at,omitzero"`
	ErrorHistory      []string  `json:"error_history,omitempty"`
	ZMQHealthy        bool      `json:"zmq_healthy"`
	ZMQDisconnects    uint64    `json:"zmq_disconnects"`
	ZMQReconnects     uint64    `json:"zmq_reconnects"`
	LastRawBlockAt    time.Time `json:"last_raw_block_at,omitzero"`
	LastRawBlockBytes int       `json:"last_raw_block_bytes,omitempty"`
	BlockHash         string    `json:"block_hash,omitempty"`
	BlockHeight       *int64    `json:"block_height,omitempty"` // nil while no tip is known; the genesis block's 0 is a height
	BlockTime         time.Time `json:"block_time,omitzero"`
	BlockBits         string    `json:"block_bits,omitempty"` // 8 hex digits
	BlockDifficulty   float64   `json:"block_difficulty,omitempty"`
}

func buildServerPage(m moment, sys telemetry.System) *serverPage {
	return &serverPage{
		APIVersion:          apiVersion,
		Uptime:              max(0, m.now.Sub(m.started).Nanoseconds()),
		RPCError:            publicText(m.node.RPC.LastError),
		RPCHealthy:          m.node.RPC.Healthy,
		RPCDisconnects:      m.node.RPC.Disconnects,
		RPCReconnects:       m.node.RPC.Reconnects,
		AccountingError:     publicText(m.ledger.Books.LastError),
		JobFeed:             buildJobFeed(m),
		ProcessGoroutines:   sys.Goroutines,
		ProcessCPUPercent:   finite(sys.CPUPercent),
		GoMemAllocBytes:     sys.GoMemAlloc,
		GoMemSysBytes:       sys.GoMemSys,
		ProcessRSSBytes:     sys.RSS,
		SystemMemTotalBytes: sys.MemTotal,
		SystemMemFreeBytes:  sys.MemFree,
		SystemMemUsedBytes:  sys.MemUsed,
		SystemLoad1:         finite(sys.Load1),
		SystemLoad5:         finite(sys.Load5),
		SystemLoad15:        finite(sys.Load15),
	}
}

func buildJobFeed(m moment) jobFeed {
	feed, zmq := m.node.Feed, m.node.ZMQ
	f := jobFeed{
		LastError:         publicText(feed.LastError),
		LastErrorAt:       access.Stamp(feed.LastErrorAt),
		ErrorHistory:      make([]string, 0, len(feed.History)),
		ZMQHealthy:        zmq.Healthy,
		ZMQDisconnects:    zmq.Disconnects,
		ZMQReconnects:     zmq.Reconnects,
		LastRawBlockAt:    access.Stamp(zmq.LastRawBlockAt),
		LastRawBlockBytes: zmq.LastRawBlockBytes,
	}
	for _, text := range feed.History {
		f.ErrorHistory = append(f.ErrorHistory, publicText(text))
	}
	if tip := m.tip(); tip != nil {
		height := tip.Height
		f.BlockHash = tip.Hash.String()
		f.BlockHeight = &height
		f.BlockTime = access.Stamp(tip.Time)
		f.BlockBits = fmt.Sprintf("%08x", tip.Bits)
		f.BlockDifficulty = finite(bitcoin.DifficultyFromBits(tip.Bits))
	}
	return f
}
