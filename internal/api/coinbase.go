package api

import (
	"encoding/hex"
	"fmt"

	"github.com/poolscope/poolscope/internal/ledger"
)

// coinbaseTries is how many connections, from the newest on, are asked for a
// coinbase: one that has just come has none yet.
const coinbaseTries = 8

// coinbaseView is the coinbase transaction that a worker hashes with its newest
// job, and what else makes the header: with it a page can compute the merkle
// root itself and see whom a block would pay.
type coinbaseView struct {
	ConnectionID    string `json:"connection_id"`
	JobID           string `json:"job_id"`
	Height          int64  `json:"height"` // of the block
	Network         string `json:"network"`
	Tx              string `json:"tx"`               // hex, without witness; extranonce2 is zeros
	Extranonce1     string `json:"extranonce1"`      // hex
	Extranonce2Size int    `json:"extranonce2_size"` // bytes
	ScriptOffset    int    `json:"script_offset"`    // where extranonce1 begins in tx, in bytes; extranonce2 follows it

	PayoutScript   string `json:"payout_script"` // output scripts in hex
	PayoutSats     int64  `json:"payout_sats"`
	FeeScript      string `json:"fee_script,omitempty"`
	FeeSats        int64  `json:"fee_sats"` // all that is not the worker's
	DonationScript string `json:"donation_script,omitempty"`
	DonationSats   int64  `json:"donation_sats"` // the part of the fee that is given away, to its own script
	ValueSats      int64  `json:"value_sats"`    // all outputs together

	Branches   []string `json:"branches"`  // hex, in the order and byte order of mining.notify
	PrevHash   string   `json:"prev_hash"` // as people write it: zeros first
	Version    string   `json:"version"`   // this and the next two: 8 hex digits
	Bits       string   `json:"bits"`
	NTime      string   `json:"ntime"`
	FeePercent float64  `json:"fee_percent"`
}

// coinbaseOf is the coinbase of the newest connection that has one, nil without.
func (s *Server) coinbaseOf(open []ledger.ConnectionView) *coinbaseView {
	if s.src.Miners == nil {
		return nil
	}
	for _, connection := range open[:min(len(open), coinbaseTries)] {
		c, ok := s.src.Miners.Coinbase(connection.ID)
		if !ok {
			continue
		}
		view := &coinbaseView{
			ConnectionID: connection.ID, JobID: c.JobID, Height: c.Height, Network: string(c.Network),
			Tx: hex.EncodeToString(c.Tx), Extranonce1: hex.EncodeToString(c.Extranonce1), Extranonce2Size: c.Extranonce2Size, ScriptOffset: c.ExtranonceAt,
			PayoutScript: hex.EncodeToString(c.PayoutScript), PayoutSats: c.Payout,
			FeeScript: hex.EncodeToString(c.FeeScript), FeeSats: c.Fee + c.Donation,
			DonationScript: hex.EncodeToString(c.DonationScript), DonationSats: c.Donation, ValueSats: c.Value,
			Branches: make([]string, 0, len(c.Branches)), PrevHash: c.PrevHash.String(),
			Version: fmt.Sprintf("%08x", c.Version), Bits: fmt.Sprintf("%08x", c.Bits), NTime: fmt.Sprintf("%08x", c.NTime),
			FeePercent: finite(c.FeePercent),
		}
		for _, branch := range c.Branches {
			view.Branches = append(view.Branches, hex.EncodeToString(branch[:]))
		}
		return view
	}
	return nil
}
