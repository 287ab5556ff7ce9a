package audit

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// networks are those whose addresses are told apart by their beginning.
var networks = []bitcoin.Network{bitcoin.Mainnet, bitcoin.Testnet3, bitcoin.Regtest}

// payoutState is what is known of whom a session's coinbases pay.
type payoutState struct {
	address string // of the first worker whose name begins with one; "" without
	network bitcoin.Network
	scripts [][]byte // of all such workers

	known    bool     // a worker was authorized
	latest   *float64 // share of the value that scripts get in the newest coinbase
	baseline *float64 // the same, as it was last told
	main     []byte   // script of the largest output; nil before the first job
	mainN    uint64   // message of the job that it is of
}

// payee reads the payout address that a worker's name begins with.
func payee(worker string) (address string, script []byte, network bitcoin.Network, ok bool) {
	address, _, _ = strings.Cut(worker, ".")
	if len(address) < 26 { // no address is shorter
		return "", nil, "", false
	}
	for _, n := range networks {
		if script, err := bitcoin.PayoutScript(address, n); err == nil {
			return address, script, n, true
		}
	}
	return "", nil, "", false
}

// scriptsOf are the scripts of addresses. What is no address pays nobody.
func scriptsOf(addresses []string) (scripts [][]byte) {
	for _, text := range addresses {
		if _, script, _, ok := payee(text); ok {
			scripts = append(scripts, script)
		}
	}
	return scripts
}

// add takes the address of another worker.
func (p *payoutState) add(worker string) {
	p.known = true
	address, script, network, ok := payee(worker)
	if !ok {
		return
	}
	if p.address == "" {
		p.address, p.network = address, network
	}
	if !slices.ContainsFunc(p.scripts, func(known []byte) bool { return bytes.Equal(known, script) }) {
		p.scripts = append(p.scripts, script)
	}
}

// network is the chain that a session mines on, as far as it is known.
func (s *session) network() bitcoin.Network {
	if n := s.a.network(); n != "" {
		return n
	}
	return s.payout.network
}

// checkPayout looks at whom a job pays.
func (s *session) checkPayout(m *capture.Message, j *job, c *decode.Coinbase) {
	p := &s.payout
	if c == nil || c.Total <= 0 || !p.known {
		return
	}
	var paid, largest int64
	var main *decode.Output
	for i := range c.Outputs {
		out := &c.Outputs[i]
		if out.Value > largest {
			largest, main = out.Value, out
		}
		same := func(script []byte) bool { return bytes.Equal(script, out.RawScript) }
		if slices.ContainsFunc(p.scripts, same) || slices.ContainsFunc(s.a.payouts, same) {
			paid += out.Value
		}
	}
	if main == nil {
		return
	}
	if len(p.scripts)+len(s.a.payouts) > 0 {
		s.checkFraction(m, float64(paid)/float64(c.Total), main)
		return
	}
	if p.main != nil && !bytes.Equal(p.main, main.RawScript) {
		s.raise(AlarmPayoutChanged, SeverityWarning, m.Received, fmt.Sprintf(
			"The main output of the pool's coinbase changed: job %s pays %s BTC to %s.", quote(j.work.ID), main.ValueBTC, nameOf(main)), p.mainN, m.N)
	}
	p.main, p.mainN = bytes.Clone(main.RawScript), m.N
}

// checkFraction compares what the wanted addresses get with what they got.
func (s *session) checkFraction(m *capture.Message, fraction float64, main *decode.Output) {
	p := &s.payout
	before := p.mainN
	p.latest, p.mainN = &fraction, m.N
	who := "any of the configured addresses"
	if p.address != "" {
		who = p.address
	}
	switch {
	case fraction == 0: // what it was before stays what the next job is compared with
		s.raise(AlarmPayoutMissing, SeverityCritical, m.Received, fmt.Sprintf(
			"The coinbase does not pay %s: the largest output, %s BTC, goes to %s.", who, main.ValueBTC, nameOf(main)), m.N)
	case p.baseline == nil:
		p.baseline = &fraction
	case math.Abs(fraction-*p.baseline) > s.a.cfg.Rules.PayoutFraction:
		s.raise(AlarmPayoutChanged, SeverityCritical, m.Received, fmt.Sprintf(
			"The share of the coinbase that pays %s changed from %.2f %% to %.2f %%.", who, 100**p.baseline, 100*fraction), before, m.N)
		p.baseline = &fraction
	}
}

// nameOf says whom an output pays.
func nameOf(out *decode.Output) string {
	if out.Address != "" {
		return out.Address
	}
	return "a script " + cut(out.Script, 80)
}
