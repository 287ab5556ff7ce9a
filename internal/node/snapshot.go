package node

import (
	"slices"
	"time"
)

// Status returns the current picture. It shares nothing that changes.
func (n *Nodes) Status() *Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	s := &Status{
		At:               now,
		Network:          n.network,
		Nodes:            make([]NodeStatus, 0, len(n.members)),
		RPC:              n.rpcStatsLocked(now),
		ZMQ:              n.zmqStatsLocked(),
		Tip:              n.tip,
		Errors:           slices.Clone(n.events),
		RecentBlockTimes: n.recent,
		Faults:           n.faults,
		Feed:             FeedStatus{LastError: n.feedErr, LastErrorAt: n.feedErrAt, History: n.feedHistory},
	}
	slices.Reverse(s.Errors)
	if n.active != nil {
		s.Active = n.active.name
	}
	if n.current != nil {
		s.LastTemplateAt = n.current.ReceivedAt
	}
	for _, m := range n.members {
		s.Nodes = append(s.Nodes, n.nodeStatusLocked(m))
		if m.state == StateWrongNetwork && s.NetworkErr == "" {
			s.NetworkErr = m.name + ": " + m.reason
		}
	}
	return s
}

func (n *Nodes) rpcStatsLocked(now time.Time) RPCStats {
	speaker := n.active
	if speaker == nil {
		speaker = n.members[0]
	}
	return RPCStats{
		Healthy:     n.active != nil && n.active.answered,
		LastError:   speaker.lastErr,
		Disconnects: n.rpcDisconnects,
		Reconnects:  n.rpcReconnects,
		Errors:      n.rpcErrors,
		GBT:         n.gbt.stats(now),
		Submit:      n.submit.stats(now),
	}
}

func (n *Nodes) zmqStatsLocked() ZMQStats {
	return ZMQStats{
		Healthy:           n.active != nil && n.active.zmqHealthyLocked(),
		Disconnects:       n.zmqDisconnects,
		Reconnects:        n.zmqReconnects,
		Gaps:              n.zmqGaps,
		LastRawBlockAt:    n.rawBlockAt,
		LastRawBlockBytes: n.rawBlockBytes,
		Tip:               n.tip,
	}
}

func (n *Nodes) nodeStatusLocked(m *member) NodeStatus {
	s := NodeStatus{
		Name:            m.name,
		Address:         m.rpc.endpoint.address,
		State:           m.state,
		Reason:          m.reason,
		Version:         m.net.Version,
		Subversion:      m.net.Subversion,
		ProtocolVersion: m.net.ProtocolVersion,
		Chain:           m.chain.Chain,
		Blocks:          m.chain.Blocks,
		Headers:         m.chain.Headers,
		BestBlockHash:   m.chain.BestBlockHash,
		IBD:             m.chain.IBD,
		Connections:     m.net.Connections,
		ConnectionsIn:   m.net.ConnectionsIn,
		ConnectionsOut:  m.net.ConnectionsOut,
		Pruned:          m.chain.Pruned,
		SizeOnDisk:      m.chain.SizeOnDisk,
		Peers:           m.peers,
		Latency:         m.latency,
		Split:           m.splitAt,
		ZMQ:             m.zmqHealthyLocked(),
	}
	if m == n.active && n.current != nil && n.current.Node == m.name {
		s.Blocks = n.current.Height - 1
		s.Headers = max(s.Headers, s.Blocks)
		s.BestBlockHash = n.current.PrevHash.String()
	}
	if n.network != "" {
		want := n.expectedGenesisLocked()
		s.GenesisExpected = want.String()
		if m.genesis != nil {
			s.GenesisHash = m.genesis.String()
			s.GenesisMatch = *m.genesis == want
		}
	}
	return s
}
