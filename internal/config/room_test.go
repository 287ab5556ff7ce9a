package config

import (
	"errors"
	"strings"
	"testing"
)

const (
	shortAddress = "bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk"
	longAddress  = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
)

// A coinbase without room for the miner is told when the configuration is
// read, not when a miner waits for work that never comes.
func TestCoinbaseRoom(t *testing.T) {
	parse := func(tag, feeAddress, donationAddress string) (*Config, error) {
		text := "[coinbase]\ntag = \"" + tag + "\"\n"
		if feeAddress != "" {
			text += "[payout]\nfee_percent = 2\nfee_address = \"" + feeAddress + "\"\n"
		}
		if donationAddress != "" {
			text += "donation_percent = 10\ndonation_address = \"" + donationAddress + "\"\n"
		}
		return Parse("test.toml", []byte(text), nil)
	}

	for _, c := range []struct{ tag, fee, donation, warning, problem string }{
		{"/poolscope/", "", "", "", ""},
		{"/poolscope/", shortAddress, "", "", ""},
		{"/poolscope/", longAddress, longAddress, "long addresses", ""},
		{strings.Repeat("x", maxTagLength), "", "", "", ""},
		{strings.Repeat("x", maxTagLength), shortAddress, longAddress, "", "coinbase too large"},
	} {
		cfg, err := parse(c.tag, c.fee, c.donation)
		if c.problem != "" {
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.problem) || !strings.Contains(err.Error(), "coinbase.max_size") {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if got := strings.Join(cfg.Warnings(), "\n"); !strings.Contains(got, c.warning) || c.warning == "" && got != "" {
			t.Errorf("%+v: warnings %q", c, got)
		}
	}
}
