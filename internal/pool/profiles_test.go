package pool

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Every user agent of section 1.5 of the dossier, with what the device needs.
func TestProfiles(t *testing.T) {
	for agent, want := range map[string]struct {
		start    float64
		coinbase int
	}{
		"bitaxe/BM1370/v2.15.0":        {1024, 6500},
		"bitaxe/BM1366/v2.4.1":         {1024, 6500},
		"NerdQAxe++/1.0.30":            {1024, 750},
		"NerdMinerV2/1.8.3":            {0.001, 255},
		"NMMiner":                      {0.001, 255},
		"SparkMiner/1.0":               {0.001, 255},
		"cgminer/4.11.1":               {0, 750},
		"cgminer/4.12.0":               {0, 750},
		"bmminer/2.0.0":                {8192, 750},
		"Antminer S9/":                 {8192, 750},
		"Antminer S19 Pro/":            {65536, 750},
		"Antminer S21/Tue":             {65536, 2250},
		"Antminer S21 Pro/Tue":         {65536, 750},
		"whatsminer/v1":                {65536, 6500},
		"whatsminer/v1.1":              {65536, 6500},
		"bosminer-plus-tuner 0.2.0":    {65536, 2250},
		"Antminer bosminer-plus-tuner": {65536, 2250},
		"BOSer bosminer-plus-tuner":    {65536, 2250},
		"Braiins OS 2019-06-05":        {65536, 750},
		"bOS":                          {65536, 750},
		"xminer-1.2.6":                 {65536, 16384},
		"LUXminer/2024.1":              {65536, 750},
		"PowerPlay-BM/1.0":             {65536, 16384},
		"NiceHash/1.0.0":               {524288, 500},
		"cpuminer/2.5.1":               {0.01, 750},
		"cpuminer-opt/3.23":            {0.01, 750},
		"cpuminer-opt":                 {0.01, 750},
		"bfgminer/5.5.0":               {0, 750},
		"ckproxy":                      {0, 750},
		"ckpool":                       {0, 750},
		"sv1-translator":               {0, 750},
		"Stratum Proxy":                {0, 750},
		"":                             {0, 750},
		"somebody else/1.0":            {0, 750},
		"not a bitaxe":                 {0, 750},
	} {
		p := profileOf(agent)
		if p.start != want.start || p.coinbase != want.coinbase {
			t.Errorf("%q starts at %v with a coinbase of %d bytes, want %v and %d", agent, p.start, p.coinbase, want.start, want.coinbase)
		}
	}
}

// Rows that nobody can reach, or that contradict themselves.
func TestProfileTable(t *testing.T) {
	for i, p := range profiles {
		if p.match != strings.ToLower(p.match) || p.match == "" || p.match == "*" {
			t.Errorf("row %q cannot match as meant", p.match)
		}
		earlier := func(q profile) bool { return strings.HasPrefix(p.match, q.match) }
		if slices.ContainsFunc(profiles[:i], earlier) {
			t.Errorf("row %q is hidden by one above it", p.match)
		}
		small := p.start > 0 && p.start < 1
		if small && p.least > 0 || !small && p.least < 1 {
			t.Errorf("%q starts at %v and goes down to %v", p.match, p.start, p.least)
		}
		if small := p.coinbase < 160; small {
			t.Errorf("%q has room for %d bytes, too few for any coinbase", p.match, p.coinbase)
		}
	}
}

// A device with little room gets a coinbase that fits, for which the pool's tag
// gives way; the others keep it. Both are paid.
func TestCoinbaseFitsTheDevice(t *testing.T) {
	tag := "/a pool with a really long tag, longer than it should be/"
	r := newRig(t, false, func(c *Config) {
		c.Tag, c.MaxCoinbase = tag, 400
		c.Payout = PayoutConfig{FeePercent: 1, FeeAddress: operator, DonationPercent: 10, DonationAddress: donee}
	})
	r.newTip()
	sizes := map[string]int{}
	for _, agent := range []string{"NerdMinerV2/1.8.3", "bitaxe/BM1370"} {
		m := r.connect(t)
		m.call("mining.subscribe", agent)
		m.call("mining.authorize", alice, "d=1e-7")
		j := m.nextJob()
		sizes[agent] = len(j.coinb1)/2 + 12 + len(j.coinb2)/2
		if whole := strings.Contains(j.coinb2, hex.EncodeToString([]byte(tag))); whole != (agent != "NerdMinerV2/1.8.3") {
			t.Errorf("%s: whole tag %v", agent, whole)
		}
		m.wantVerdict(m.solve(j, j.ofShare(), "", 0), "")
	}
	if n := sizes["NerdMinerV2/1.8.3"]; n > 255 {
		t.Errorf("the small device gets a coinbase of %d bytes", n)
	}
	if n := sizes["bitaxe/BM1370"]; n <= 255 {
		t.Errorf("the other one's has %d bytes: this proves nothing", n)
	}
}

// Where even a coinbase without a tag is too large, the device is refused with
// a reason instead of being given work that it cannot do.
func TestCoinbaseTooLargeForTheDevice(t *testing.T) {
	rules, err := newPayoutRules(PayoutConfig{FeePercent: 1, FeeAddress: operator, DonationPercent: 10, DonationAddress: operator}, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &Config{Tag: "/poolscope/", MaxCoinbase: 400}
	miner := payee{script: longestScript}
	if err := rules.fit(cfg, miner); err != nil {
		t.Errorf("without a limit: %v", err)
	}
	miner.room = 200
	if err := rules.fit(cfg, miner); err == nil {
		t.Error("a coinbase with three outputs fits 200 bytes")
	}
}
