package api

import "github.com/poolscope/poolscope/internal/api/scopeapi"

// documented are the pool's endpoints as the API's description lists them.
func documented() []scopeapi.Endpoint {
	return []scopeapi.Endpoint{
		{Path: "/api/overview", Summary: "Headline figures, recent workers, bans, best shares, miner types", Response: overviewPage{}, Query: map[string]string{"names": namesQuery}},
		{Path: "/api/pool-page", Summary: "Counters of blocks, node calls and errors", Response: poolPage{}},
		{Path: "/api/node", Summary: "The Bitcoin node", Response: nodePage{}},
		{Path: "/api/server", Summary: "Process, machine, job feed", Response: serverPage{}},
		{Path: "/api/pool-hashrate", Summary: "Hashrate and block timer", Response: hashratePage{}, Query: map[string]string{"include_history": "1 adds six minutes"}},
		{Path: "/api/blocks", Summary: "Found blocks, the newest first", Response: []foundBlock{}, Query: map[string]string{"limit": "1 to 100, 10 when left out", "names": namesQuery}},
		{Path: "/api/status", Summary: "State, template, nodes, rejects", Response: statusPage{}},
		{Path: "/api/history", Summary: "Charts", Response: historyPage{}, Query: map[string]string{"range": "6m, 24h or 30d"}},
		{Path: "/api/workers", Summary: "Workers that are connected or were in the last half hour", Response: workersPage{}},
		{Path: "/api/workers/{id}", Summary: "One worker", Response: workerPage{}, Segments: workerSegment},
		{Path: "/api/workers/{id}/history", Summary: "One worker's charts", Response: historyPage{}, Segments: workerSegment, Query: map[string]string{"range": "24h or 30d"}},
	}
}

// namesQuery explains how the operator asks for names.
const namesQuery = "full: names and hashes are not shortened; for the operator only"

// workerSegment explains how paths name a worker.
var workerSegment = map[string]string{"id": "The worker's id, or the SHA-256 of its full name in hex"}
