// Package node talks to Bitcoin full nodes: Bitcoin Core, Bitcoin Knots, btcd
// and poolscope's own devnet.
//
//	          ┌── monitor (per node): chain, genesis, sync state, peers ──┐
//	node A ───┤   zmq     (per node): "there is a new block"              ├─→ selection: which node is active
//	node B ───┘                                                           ┘
//	                                                                          │
//	 zmq, long poll, 1 s best-hash poll, 30 s heartbeat, Refresh() ─→ feed ───┴─→ Templates()
//	                                                                   │
//	                               off the path: header look-ups ──────┴─→ Status(), Tips()
//
// A Nodes value holds the nodes in their order of preference. Templates come
// from the first usable one; a found block goes to all of them at once. The
// constructor starts nothing, Run blocks until its context ends.
//
// Between a new tip and the delivery of its template stands one RPC call,
// getblocktemplate (BIP22, BIP23, BIP145). Everything that only a page wants
// is fetched afterwards by other goroutines.
//
// No node can hold up the others: each call has its own end, a call for a
// template ends when its node is active no more, and a panic in one part of the
// client is caught, counted, and the part begun anew.
//
// Whatever the active node calls its best chain is followed, to a lower
// height as well as to a higher one: a pool that knows better than its node
// mines blocks that nobody accepts.
package node
