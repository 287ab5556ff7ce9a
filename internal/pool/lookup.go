package pool

import (
	"encoding/binary"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// ConnectionInfo is what only the pool knows of an open connection.
type ConnectionInfo struct {
	Extranonce1 string // hex; "" before mining.subscribe
	TapSession  string // id of the session that shows it, "" when it is not shown
}

// Connection looks a connection up by its id, which is in the log and the ledger;
// false when it is not open.
func (p *Pool) Connection(id string) (ConnectionInfo, bool) {
	s := p.sessionByID(id)
	if s == nil {
		return ConnectionInfo{}, false
	}
	s.mu.Lock()
	w := s.wiretap
	var info ConnectionInfo
	if s.subscribed {
		info.Extranonce1 = s.workspace()
	}
	s.mu.Unlock()
	if w != nil {
		info.TapSession = w.sessionID()
	}
	return info, true
}

// sessionByID finds an open session.
func (p *Pool) sessionByID(id string) *session {
	number, ok := stratum.ParseHex32([]byte(id))
	if !ok {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sessions[number]; s != nil && s.id == id {
		return s
	}
	if s := p.moved[number]; s != nil && s.id == id {
		return s
	}
	return nil
}

// number is the one that the session's id was made of.
func (s *session) number() uint32 {
	number, _ := stratum.ParseHex32([]byte(s.id)) // it is hex
	return number
}

// Coinbase is a coinbase transaction as a miner hashes it, and the rest of what
// its job is made of.
type Coinbase struct {
	JobID   string
	Height  int64 // of the block
	Network bitcoin.Network

	// Tx is the transaction without its witness, with the connection's
	// extranonce1, and with zeros for extranonce2, which follows it.
	Tx              []byte
	Extranonce1     []byte
	ExtranonceAt    int // where extranonce1 begins in Tx, in bytes
	Extranonce2Size int // bytes

	// Whom it pays, in satoshis. Scripts of parts that are 0 are nil.
	PayoutScript, FeeScript, DonationScript []byte
	Payout, Fee, Donation, Value            int64
	FeePercent                              float64

	// The rest of the header, as in mining.notify.
	Branches             []bitcoin.Hash
	PrevHash             bitcoin.Hash
	Version, Bits, NTime uint32
}

// Coinbase is the coinbase of the newest work that a connection was given; false
// when it has none or is not open. The miner's session is held up for as long as
// it takes to copy a few words; work that was forgotten is made again.
func (p *Pool) Coinbase(id string) (*Coinbase, bool) {
	s := p.sessionByID(id)
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	j, number, pay := s.lastJob, s.lastWork, s.payee
	if operator, is := s.provisionalPayeeLocked(number); is {
		pay = operator
	}
	s.mu.Unlock()
	if j == nil || pay.script == nil {
		return nil, false
	}
	w := j.found(&pay, uint8(number&maxVariant))
	if w == nil {
		return nil, false
	}
	t := j.template
	// Only the reader changes extranonce1, and only before there is work.
	extranonces := make([]byte, extranonce1Size+extranonce2Size)
	copy(extranonces, s.extranonce1[:])
	c := &Coinbase{
		JobID: jobID(w.id), Height: t.Height, Network: j.network,
		Tx:          w.appendCoinbase(nil, extranonces),
		Extranonce1: extranonces[:extranonce1Size:extranonce1Size], ExtranonceAt: len(w.coinbase.Prefix), Extranonce2Size: extranonce2Size,
		PayoutScript: pay.script, Payout: w.split.miner, Fee: w.split.fee, Donation: w.split.donation, Value: t.CoinbaseValue,
		FeePercent: float64(j.rules.feePPM) / 1e4,
		Branches:   j.branches, PrevHash: t.PrevHash, Version: j.version, Bits: t.Bits, NTime: t.CurTime,
	}
	if c.Fee > 0 {
		c.FeeScript = j.rules.fee.script
	}
	if c.Donation > 0 {
		c.DonationScript = j.rules.donation.script
	}
	return c, true
}

// moveLocked gives a session another extranonce1 than its id says. Pool.mu is
// held.
func (p *Pool) moveLocked(s *session, extranonce1 uint32) {
	if p.moved == nil {
		p.moved = make(map[uint32]*session)
	}
	delete(p.sessions, s.number())
	p.moved[s.number()] = s
	binary.BigEndian.PutUint32(s.extranonce1[:], extranonce1)
	p.sessions[extranonce1] = s
}
