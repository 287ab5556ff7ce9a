package api

import "strings"

// nodePage is the response of GET /api/node: the node that templates come
// from. Numbers are 0 until it answered.
type nodePage struct {
	APIVersion           string     `json:"api_version"`
	Network              string     `json:"node_network,omitempty"` // Core's name of the chain: main, test, testnet4, signet, regtest
	Subversion           string     `json:"node_subversion,omitempty"`
	Blocks               int64      `json:"node_blocks"`
	Headers              int64      `json:"node_headers"`
	InitialBlockDownload bool       `json:"node_initial_block_download"`
	Connections          int        `json:"node_connections"`
	ConnectionsIn        int        `json:"node_connections_in"`
	ConnectionsOut       int        `json:"node_connections_out"`
	Peers                []nodePeer `json:"node_peers,omitempty"`
	Pruned               bool       `json:"node_pruned"`
	SizeOnDiskBytes      int64      `json:"node_size_on_disk_bytes"`

	// This pool never disconnects its node's peers.
	PeerCleanupEnabled   bool    `json:"node_peer_cleanup_enabled"`
	PeerCleanupMaxPingMS float64 `json:"node_peer_cleanup_max_ping_ms"`
	PeerCleanupMinPeers  int     `json:"node_peer_cleanup_min_peers"`

	GenesisHash     string `json:"genesis_hash,omitempty"`
	GenesisExpected string `json:"genesis_expected,omitempty"`
	GenesisMatch    bool   `json:"genesis_match"`
	BestBlockHash   string `json:"best_block_hash,omitempty"`
}

// nodePeer is a NodePeerInfo.
type nodePeer struct {
	Display     string  `json:"display"`
	PingMS      float64 `json:"ping_ms"`
	ConnectedAt int64   `json:"connected_at"` // Unix seconds
}

// maxPeers bounds the list of peers, as the original does.
const maxPeers = 64

func buildNodePage(m moment) *nodePage {
	n := m.activeNode()
	page := &nodePage{
		APIVersion:           apiVersion,
		Network:              string(m.node.Network),
		Subversion:           brief(n.Subversion, 256),
		Blocks:               n.Blocks,
		Headers:              n.Headers,
		InitialBlockDownload: n.IBD,
		Connections:          n.Connections,
		ConnectionsIn:        n.ConnectionsIn,
		ConnectionsOut:       n.ConnectionsOut,
		Peers:                make([]nodePeer, 0, min(len(n.Peers), maxPeers)),
		Pruned:               n.Pruned,
		SizeOnDiskBytes:      n.SizeOnDisk,
		GenesisHash:          strings.ToLower(n.GenesisHash),
		GenesisExpected:      strings.ToLower(n.GenesisExpected),
		GenesisMatch:         n.GenesisMatch,
		BestBlockHash:        strings.ToLower(n.BestBlockHash),
	}
	for _, p := range n.Peers[:min(len(n.Peers), maxPeers)] {
		page.Peers = append(page.Peers, nodePeer{Display: brief(p.Display, 128), PingMS: finite(p.PingMS), ConnectedAt: p.ConnectedAt})
	}
	return page
}
