package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// monitorInterval is how often a node that is well is looked at.
const monitorInterval = 10 * time.Second

// maxPeers bounds the peers that are shown.
const maxPeers = 64

// monitor looks after one node: whether it may be used, and what pages show.
func (n *Nodes) monitor(ctx context.Context, m *member) {
	var pause backoff
	for ctx.Err() == nil {
		wait := monitorInterval
		if err := n.examine(ctx, m); err != nil {
			wait = pause.next()
		} else {
			pause.reset()
			n.describe(ctx, m)
			n.compareBranches(ctx, m)
		}

		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-m.wake:
			// Something failed. Not at once: the same may fail again and
			// again, while all else is well.
			sleep(ctx, min(wait, pause.next()))
		}
		timer.Stop()
	}
}

// examine finds out whether templates may come from the node. A node that was
// not usable before has to prove it with one.
func (n *Nodes) examine(ctx context.Context, m *member) error {
	var chain chainInfo
	start := time.Now()
	err := n.call(ctx, m, infoTimeout, &chain, "getblockchaininfo")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	took := time.Since(start)

	var network bitcoin.Network
	if err == nil {
		network, err = n.learnNetwork(m, &chain, took)
	}
	if err == nil {
		err = n.checkGenesis(ctx, m, network)
	}
	if err == nil && chain.IBD && mustSync(network, &chain) {
		err = ErrSyncing
	}

	var t *Template
	n.mu.Lock()
	proven := m.proven
	n.mu.Unlock()
	if err == nil && !proven {
		err = n.checkFork(ctx, m)
	}
	if err == nil && !proven {
		t, err = n.fetchTemplate(ctx, m, "")
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}

	n.conclude(m, &chain, t, err)
	if err == nil && t != nil {
		n.accept(m, t, false)
	}
	return err
}

// conclude makes a state of what a look at the node has brought: an error, or
// perhaps a template.
func (n *Nodes) conclude(m *member, chain *chainInfo, t *Template, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		n.failLocked(m, err)
		if errors.Is(err, ErrSyncing) {
			m.reason = syncReason(chain)
		}
		drain(m.wake)
		return
	}
	if t != nil {
		m.proven = true
	}
	// While this call was under way the feed may have found the node to be
	// useless; then it has to prove itself again.
	if m.proven {
		n.judgeLocked(m, chain.Blocks, t != nil)
	}
}

// judgeLocked makes a proven node ready, unless others are ahead of it.
func (n *Nodes) judgeLocked(m *member, height int64, haveTemplate bool) {
	if behind := n.updateHeightLocked(m, height, time.Now()); behind > 0 {
		n.setStateLocked(m, StateSyncing, fmt.Sprintf("The node is %d blocks behind another node of this pool.", behind), haveTemplate)
		return
	}
	warning := n.genesisWarningLocked(m)
	if m.splitTold {
		warning = "The node is on another branch of the chain than the one that templates come from."
	}
	n.setStateLocked(m, StateReady, warning, haveTemplate)
}

// drain takes a token out of a channel of capacity 1.
func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// mustSync reports whether a node in initial block download is of no use. On
// test networks a node also says so when the last block is a day old, and only
// a miner can help it: Core gives templates there.
func mustSync(network bitcoin.Network, chain *chainInfo) bool {
	switch network {
	case bitcoin.Regtest:
		return false
	case bitcoin.Mainnet:
		return true
	default:
		return chain.Blocks < chain.Headers
	}
}

func syncReason(chain *chainInfo) string {
	text := fmt.Sprintf("The node is still downloading the block chain: block %d of %d", chain.Blocks, max(chain.Headers, chain.Blocks))
	if chain.Progress > 0 && chain.Progress <= 1 {
		text += fmt.Sprintf(", %.1f %%", 100*chain.Progress)
	}
	return text + "."
}

// learnNetwork takes the network from the node, or compares it.
func (n *Nodes) learnNetwork(m *member, chain *chainInfo, took time.Duration) (bitcoin.Network, error) {
	network, err := parseChain(chain.Chain)

	n.mu.Lock()
	defer n.mu.Unlock()
	m.chain, m.latency = *chain, took
	m.segwit = chain.segwitActive()
	switch {
	case err != nil:
		err = fmt.Errorf("%w: the node is on a chain called %q, which this program does not know", ErrWrongNetwork, bound(chain.Chain))
	case n.network != "" && n.network != network:
		err = fmt.Errorf("%w: the node is on %q, the pool on %q", ErrWrongNetwork, network, n.network)
	default:
		n.network = network
		return network, nil
	}
	return "", err
}

// parseChain reads the names that Core and btcd give to the same networks.
func parseChain(chain string) (bitcoin.Network, error) {
	switch chain {
	case "mainnet":
		chain = string(bitcoin.Mainnet)
	case "testnet3":
		chain = string(bitcoin.Testnet3)
	}
	return bitcoin.ParseNetwork(chain)
}

// bound cuts text from a node to a length that fits a page.
func bound(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}

// checkGenesis compares block 0 with the network's. It is asked for again
// after each failure: another node may stand there now.
func (n *Nodes) checkGenesis(ctx context.Context, m *member, network bitcoin.Network) error {
	n.mu.Lock()
	known, fresh := m.genesis, m.genesisKnown
	n.mu.Unlock()
	if !fresh {
		var text string
		if err := n.call(ctx, m, quickTimeout, &text, "getblockhash", []byte("0")); err != nil {
			return err
		}
		hash, err := bitcoin.ParseHash(text)
		if err != nil {
			return fmt.Errorf("%w: getblockhash", ErrMalformed)
		}
		known = &hash
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	m.genesis, m.genesisKnown = known, true
	want := n.expectedGenesisLocked()
	if *known == want || n.toleratesGenesisLocked() {
		return nil
	}
	return fmt.Errorf("%w: the node's first block is %v, that of %s is %v", ErrWrongNetwork, known, network, want)
}

func (n *Nodes) expectedGenesisLocked() bitcoin.Hash {
	if n.expected != nil {
		return *n.expected
	}
	return n.network.Genesis()
}

// toleratesGenesisLocked: test setups make their own regtest chains.
func (n *Nodes) toleratesGenesisLocked() bool {
	return n.network == bitcoin.Regtest && n.expected == nil
}

func (n *Nodes) genesisWarningLocked(m *member) string {
	if m.genesis == nil || *m.genesis == n.expectedGenesisLocked() {
		return ""
	}
	return "The node's first block is not that of the usual regtest chain. All is well if that is meant to be."
}

// describe fetches what only pages show. A node that lacks a method, as btcd
// does, is shown with less.
func (n *Nodes) describe(ctx context.Context, m *member) {
	var network networkInfo
	networkErr := n.ask(ctx, m, &network, "getnetworkinfo")
	if networkErr != nil {
		network = networkInfo{}
	}
	var list []struct {
		Addr     string  `json:"addr"`
		Inbound  bool    `json:"inbound"`
		PingTime float64 `json:"pingtime"` // seconds
		ConnTime int64   `json:"conntime"` // Unix seconds
	}
	peersErr := n.ask(ctx, m, &list, "getpeerinfo")

	peers := make([]Peer, 0, len(list))
	inbound := 0
	for _, p := range list {
		peers = append(peers, Peer{Display: bound(p.Addr), PingMS: 1000 * p.PingTime, ConnectedAt: p.ConnTime})
		if p.Inbound {
			inbound++
		}
	}
	if network.Connections == 0 || network.ConnectionsIn+network.ConnectionsOut == 0 {
		network.Connections, network.ConnectionsIn, network.ConnectionsOut = len(list), inbound, len(list)-inbound
	}
	slices.SortStableFunc(peers, func(a, b Peer) int { return cmp.Compare(a.ConnectedAt, b.ConnectedAt) })
	if len(peers) > maxPeers {
		peers = slices.Clone(peers[:maxPeers])
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	m.net, m.peersKnown = network, networkErr == nil || peersErr == nil
	if peersErr == nil {
		m.peers = peers
	}
}

// ask makes a call whose failure matters to nobody but a page.
func (n *Nodes) ask(ctx context.Context, m *member, result any, method string) error {
	err := m.rpc.call(ctx, infoTimeout, result, method)
	if err != nil && ctx.Err() == nil {
		n.log.Debug("node lacks information", "node", m.name, "method", method, "error", err)
	}
	return err
}

// checkFork refuses nodes of coins that share Bitcoin's first blocks and chain
// name, by what they call themselves. The check for segwit in their templates
// would refuse them too, with less precise words.
func (n *Nodes) checkFork(ctx context.Context, m *member) error {
	var network networkInfo
	if n.ask(ctx, m, &network, "getnetworkinfo") != nil {
		return nil
	}
	if fork := foreignFork(network.Subversion); fork != "" {
		return fmt.Errorf("%w: the node is %s, which is not on the Bitcoin chain", ErrWrongNetwork, fork)
	}
	return nil
}

// foreignFork names the coin whose nodes call themselves like this, "" for
// none.
func foreignFork(subversion string) string {
	for _, fork := range []struct{ agent, coin string }{
		{"/Bitcoin Cash Node", "Bitcoin Cash Node"},
		{"/BCH Unlimited", "BCH Unlimited"},
		{"/BitcoinUnlimited", "Bitcoin Unlimited"},
		{"/Bitcoin ABC", "Bitcoin ABC (eCash)"},
		{"/bchd", "bchd (Bitcoin Cash)"},
		{"/Bitcoin SV", "Bitcoin SV"},
	} {
		if len(subversion) >= len(fork.agent) && strings.EqualFold(subversion[:len(fork.agent)], fork.agent) {
			return fork.coin
		}
	}
	return ""
}
