package pool

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

func mustPayee(t testing.TB, address string) payee {
	t.Helper()
	script, err := bitcoin.PayoutScript(address, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return payee{address: address, script: script}
}

func TestDivide(t *testing.T) {
	miner, own := mustPayee(t, alice), mustPayee(t, operator)
	both := PayoutConfig{FeePercent: 2, FeeAddress: operator, DonationPercent: 25, DonationAddress: donee}
	for name, c := range map[string]struct {
		config PayoutConfig
		value  int64
		miner  payee
		want   split
	}{
		"no fee":              {PayoutConfig{}, 50e8, miner, split{miner: 50e8}},
		"fee":                 {PayoutConfig{FeePercent: 2, FeeAddress: operator}, 50e8, miner, split{49e8, 1e8, 0}},
		"donation":            {both, 50e8, miner, split{49e8, 75e6, 25e6}},
		"rounding":            {both, 149, miner, split{147, 2, 0}},
		"too little for fees": {both, 49, miner, split{miner: 49}},
		"operator":            {both, 50e8, own, split{miner: 50e8}},
		"donation alone":      {PayoutConfig{DonationPercent: 50, DonationAddress: donee}, 50e8, miner, split{miner: 50e8}},
		"all":                 {PayoutConfig{FeePercent: 100, FeeAddress: operator}, 50e8, miner, split{0, 50e8, 0}},
		"a ten-thousandth":    {PayoutConfig{FeePercent: 0.0001, FeeAddress: operator}, 50e8, miner, split{50e8 - 5000, 5000, 0}},
	} {
		r, err := newPayoutRules(c.config, bitcoin.Regtest)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := r.divide(c.value, c.miner); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Whatever the value and the percentages: the parts add up, what rounding
// leaves is the miner's, and the outputs are the miner's first, then by value.
func TestDivideProperties(t *testing.T) {
	miner := mustPayee(t, alice)
	rapid.Check(t, func(t *rapid.T) {
		millionths := rapid.Int64Range(0, 1_000_000).Draw(t, "fee")
		config := PayoutConfig{
			FeePercent: float64(millionths) / 1e4, FeeAddress: operator,
			DonationPercent: float64(rapid.IntRange(0, 1_000_000).Draw(t, "donation")) / 1e4, DonationAddress: donee,
		}
		value := rapid.Int64Range(0, 21e14).Draw(t, "value")
		r, err := newPayoutRules(config, bitcoin.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		s := r.divide(value, miner)
		if s.miner < 0 || s.fee < 0 || s.donation < 0 || s.miner+s.fee+s.donation != value {
			t.Fatalf("%d is divided into %+v", value, s)
		}
		// The operator's part is never more than its percentage.
		part := new(big.Rat).Mul(big.NewRat(value, 1), big.NewRat(millionths, 1_000_000))
		if got := new(big.Rat).SetInt64(s.fee + s.donation); got.Cmp(part) > 0 {
			t.Fatalf("%d of %d goes to the operator, %v percent", s.fee+s.donation, value, config.FeePercent)
		}
		outs, audit := r.outputs(s, miner)
		if len(outs) != len(audit) || string(outs[0].Script) != string(miner.script) || outs[0].Value != s.miner || audit[0].Address != alice {
			t.Fatalf("the first output is %+v", outs[0])
		}
		var sum int64
		for i, out := range outs {
			sum += out.Value
			if out.Value != audit[i].Value || i > 0 && out.Value == 0 || i > 1 && out.Value > outs[i-1].Value {
				t.Fatalf("outputs %+v", outs)
			}
			if script, err := bitcoin.PayoutScript(audit[i].Address, bitcoin.Regtest); err != nil || string(script) != string(out.Script) {
				t.Fatalf("output %d pays somebody else than %s", i, audit[i].Address)
			}
		}
		if sum != value {
			t.Fatalf("the outputs are worth %d of %d", sum, value)
		}
	})
}

// A fee address that nothing is to be paid to stops no miner, whatever it is.
func TestUnneededFeeAddress(t *testing.T) {
	r, err := newPayoutRules(PayoutConfig{FeeAddress: mainnet}, bitcoin.Regtest)
	if err != nil || r.operator.script != nil {
		t.Errorf("%+v, %v", r.operator, err)
	}
}

func TestPayoutAddressesAreChecked(t *testing.T) {
	for _, c := range []PayoutConfig{
		{FeePercent: 1, FeeAddress: mainnet},
		{FeePercent: 1, FeeAddress: "nonsense"},
		{FeePercent: 1},
		{FeePercent: 1, FeeAddress: operator, DonationPercent: 1, DonationAddress: mainnet},
	} {
		if _, err := newPayoutRules(c, bitcoin.Regtest); err == nil || !strings.Contains(err.Error(), "address") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A miner whose address does not fit into the coinbase is told when it signs
// in, the operator at the start, and nobody else notices.
func TestCoinbaseWithoutRoom(t *testing.T) {
	r := newRig(t, false, func(c *Config) {
		c.Payout = PayoutConfig{FeePercent: 1, FeeAddress: operator, DonationPercent: 1, DonationAddress: donee}
		c.MaxCoinbase = 245 // room for a P2WPKH payout, not for P2TR
	})
	if got := r.pool.events.newestFirst(); len(got) != 1 || !strings.Contains(got[0].Message, "long addresses") {
		t.Errorf("at the start the operator is told %v", got)
	}
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	long := r.connect(t)
	long.call("mining.subscribe", "x")
	wsh, ok := bitcoin.AddressOf(append([]byte{0, 32}, make([]byte, 32)...), bitcoin.Regtest)
	if got := long.call("mining.authorize", wsh, "x"); !ok || len(got.Error) != 3 || got.Error[1] != "Address too long for this pool's coinbase" {
		t.Fatalf("authorize %s: %v", wsh, got.Error)
	}
	r.refresh()
	m.nextJob()
	if len(long.jobs) != 0 {
		t.Errorf("a job of %d bytes", (len(long.job.coinb1)+len(long.job.coinb2))/2+12)
	}
	if m.share() != "" {
		t.Error("the other miner's share is not accepted")
	}
	r.pool.publish(r.pool.startedAt)
	if st := r.pool.Status(); st.State == StatePaused {
		t.Errorf("state %s (%s)", st.State, st.Reason)
	}
}

// When no miner can be given work, the pool says so, and the miners keep what
// they have.
func TestNoWorkForAnybody(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	r.refresh(func(t *node.Template) { t.CoinbaseFlags = make([]byte, 90) })
	r.pool.publish(r.pool.startedAt)
	if st := r.pool.Status(); st.State != StatePaused || !strings.Contains(st.Reason, "coinbase") || count(t, st.Drops, "work_not_made") == 0 {
		t.Errorf("state %s (%s)", st.State, st.Reason)
	}
	if got := m.share(); got != "" || len(m.jobs) != 1 {
		t.Errorf("a share of the last good job is %q; %d jobs", got, len(m.jobs))
	}
	r.refresh()
	m.nextJob()
	r.pool.publish(r.pool.startedAt)
	if st := r.pool.Status(); st.State != StateMining {
		t.Errorf("state %s (%s)", st.State, st.Reason)
	}
}
