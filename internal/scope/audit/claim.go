package audit

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/decode"
	"github.com/poolscope/poolscope/internal/stratum"
)

// claim is what a mining.submit says, as values. It is decode.Submit without
// the texts, since there are many.
type claim struct {
	job         []byte // id
	extranonce2 [maxExtranonce2]byte
	size        int // of extranonce2, bytes
	time, nonce uint32
	bits        uint32 // of the version
	rolled      bool   // bits were sent
}

// read reads the params of a mining.submit, and says whether they make a header.
// The job is set whenever the params have the shape that they ought to have.
func (c *claim) read(params json.RawMessage) (ok bool) {
	*c = claim{}
	var s stratum.Submit
	if !stratum.ScanSubmit(params, &s) {
		return false
	}
	if c.job = s.JobID; bytes.IndexByte(c.job, '\\') >= 0 {
		var text string
		if json.Unmarshal(slices.Concat([]byte{'"'}, c.job, []byte{'"'}), &text) != nil {
			return false
		}
		c.job = []byte(text)
	}
	c.size = len(s.Extranonce2) / 2
	if c.size > len(c.extranonce2) || !stratum.DecodeHex(c.extranonce2[:c.size], s.Extranonce2) {
		return false
	}
	var ok1, ok2 bool
	c.time, ok1 = stratum.ParseHex32(s.NTime)
	c.nonce, ok2 = stratum.ParseHex32(s.Nonce)
	if !ok1 || !ok2 {
		return false
	}
	if s.Version != nil {
		c.rolled = true
		if c.bits, ok = stratum.ParseHex32(s.Version); !ok {
			return false
		}
	}
	return true
}

// header is the part of the header that the miner chose, by BIP310's rule. odd
// says that the version has bits which it must not have.
func (c *claim) header(jobVersion, mask uint32) (h bitcoin.Header, odd bool) {
	h = bitcoin.Header{Version: jobVersion, Time: c.time, Nonce: c.nonce}
	if !c.rolled {
		return h, false
	}
	h.Version = jobVersion&^mask | c.bits&mask
	outside := c.bits &^ mask
	return h, outside != 0 && outside != jobVersion&^mask
}

// otherVersions are what miners and pools that do not follow the rule may mean
// by the same bits: they replace, OR or XOR them, within a mask of their own.
func (c *claim) otherVersions(jobVersion uint32) [4]uint32 {
	return [4]uint32{
		c.bits, jobVersion | c.bits, jobVersion ^ c.bits,
		jobVersion&^decode.DefaultVersionMask | c.bits&decode.DefaultVersionMask,
	}
}
