package node

import "github.com/poolscope/poolscope/internal/bitcoin"

// Config says which nodes to use and which chain they must be on.
type Config struct {
	// Nodes in order of preference; at least one.
	Nodes []NodeConfig

	// Network is the chain that every node must be on. Empty means that the
	// first node that answers decides, and the others have to agree with it.
	Network bitcoin.Network

	// ExpectedGenesis is the hash of block 0 that every node must have. Nil
	// means the network's own; then a regtest node with another genesis is
	// only warned about, since test setups make their own.
	ExpectedGenesis *bitcoin.Hash
}

// NodeConfig is one node. A cookie file is preferred to user and password
// when both are given and the file exists.
type NodeConfig struct { //nolint:revive // Config is that of all nodes
	Name string // how the node is called in logs and on pages; empty: its host and port

	// URL of the RPC server, http or https, with or without a path. Without a
	// port, the default port of Config.Network (mainnet's when that is unknown
	// too) is used.
	URL string

	User, Password string

	// CookieFile is the file that Bitcoin Core writes at each start, or the
	// directory that holds it under the name ".cookie".
	CookieFile string

	// ZMQHashBlock and ZMQRawBlock are the addresses of the node's publishers,
	// such as tcp://127.0.0.1:28332. Empty means none; they may be equal.
	ZMQHashBlock, ZMQRawBlock string
}
