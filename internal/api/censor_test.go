package api

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCensorWorker(t *testing.T) {
	for name, want := range map[string]string{
		satoshi + ".rigA":          "1A1zP1eP...v7DivfNa.rigA", // observed vector
		satoshi:                    "1A1zP1eP...v7DivfNa",
		satoshi + ".":              "1A1zP1eP...v7DivfNa",
		satoshi + ".a.b":           "1A1zP1eP...v7DivfNa.a.b",                 // the first dot splits
		satoshi + "." + satoshi:    "1A1zP1eP...v7DivfNa.1A1zP1eP...v7DivfNa", // it repeats itself
		satoshi + ".x <" + satoshi: "1A1zP1eP...v7DivfNa.x1A1zP1eP...v7DivfNa",
		"a.BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080":     "a.BCRT1QW5...7KYGT080",
		"a.bcrt1qw508d6qejxtdg4-y5r3zarvary0c5xw7kygt080":    "a.bcrt1qw5...7kygt080", // in two pieces
		"a.Bcrt1qw508_d6qejxtdg4.y5r3zarvary0c5_xw7kygt08":   "a.Bcrt1qw5...w7kygt08", // in many
		satoshi + ".s19-1A1zP1eP5QGefi2-DMPTfTL5SLmv7DivfNa": "1A1zP1eP...v7DivfNa.s191A1zP...v7DivfNa",
		satoshi + ".1a1ZP1Ep5qgEFI2dmptFtl5slMV7dIVFnA":      "1A1zP1eP...v7DivfNa.1a1ZP1Ep...V7dIVFnA",
		satoshi + ".s19-" + satoshi + "-b":                   "1A1zP1eP...v7DivfNa.s19-1A1zP1eP...v7DivfNa-b",
		"a.garage-upstairs_rack-12-unit-03":                  "a.garage-upstairs_rack-12-unit-03", // long, and no address
		".rig":                                               ".rig",
		"":                                                   "",
		"short.rig":                                          "short.rig",
		"1234567890123456789":                                "1234567890123456789", // 19 = 8 + 3 + 8: nothing to gain
		"12345678901234567890":                               "12345678...34567890",
		"<script>alert(1)</script>.x":                        "scriptalert1script.x",
		"abc\n\x00def.r ig\"'":                               "abcdef.rig",
		"äöü" + satoshi:                                      "1A1zP1eP...v7DivfNa",
	} {
		if got := censorWorker(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestPublicAgent(t *testing.T) {
	for agent, want := range map[string]string{
		"cpuminer/2.5": "cpuminer/2.5",
		"ESP-Miner-NerdOCTAXE-Gamma/v1.0.31-beta2":            "ESP-Miner-NerdOCTAXE-Gamma/v1.0.31-beta2",
		"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080":        "bcrt1qw5...7kygt080",
		"x/1 bcrt1qw508d6qejxtdg4-y5r3zarvary0c5xw7kygt080":   "x/1 bcrt1qw5...7kygt080",
		"x/1 BCRT1QW508D6-QEJXTDG4-Y5R3ZARVARY0-C5XW7KYGT080": "x/1 BCRT1QW5...7KYGT080",
		"cgminer 1A1zP1eP5QGefi2_DMPTfTL5SLmv7DivfNa":         "cgminer 1A1zP1eP...v7DivfNa",
		strings.Repeat("é", maxUserAgent):                     strings.Repeat("é", maxUserAgent/2),
	} {
		if got := publicAgent(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

func TestCensorHash(t *testing.T) {
	for hash, want := range map[string]string{
		blockHash: "...9f98263f25a3577e",
		"0000000000000000000000000000000000000000000000000032370d52d08a392e": "...32370d52d08a392e", // observed vector
		"1234567890abcdef":     "1234567890abcdef",
		"1234567890abcdef123":  "1234567890abcdef123",
		"1234567890abcdef1234": "...567890abcdef1234",
		"":                     "",
	} {
		if got := censorHash(hash); got != want {
			t.Errorf("%q: %q, want %q", hash, got, want)
		}
	}
}

// TestCensorAnything checks for any name that only harmless characters come
// out, and that no address of usual length survives.
func TestCensorAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := rapid.StringMatching(`[a-zA-Z0-9]{20,90}`).Draw(t, "head")
		tail := rapid.String().Draw(t, "tail")
		got := censorWorker(head + "." + tail)
		if strings.Contains(got, head) {
			t.Fatalf("%q still holds the address", got)
		}
		for i := range len(got) {
			if !plain(got[i]) {
				t.Fatalf("%q holds the byte %#x", got, got[i])
			}
		}
	})
}

func TestPublicText(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		`Post "http://user:pass@10.1.2.3:8332/wallet": dial tcp 10.1.2.3:8332: connect: connection refused`: `Post "[address]": dial tcp [address]: connect: connection refused`,
		"dial tcp [::1]:8332: i/o timeout":                           "dial tcp [address]: i/o timeout",
		"dial tcp: lookup bitcoind.lan on 10.0.0.1:53: no such host": "dial tcp: lookup [address] on [address]: no such host",
		"node.example.com:8332 said no":                              "[address] said no",
		"tcp://127.0.0.1:28332 is silent":                            "[address] is silent",
		"bad-cb-amount":                                              "bad-cb-amount",
		"error -28: Loading block index":                             "error -28: Loading block index",
		"one\ntwo\x1b[31m":                                           "one two [31m",
	} {
		if got := publicText(text); got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
	if got := publicText(strings.Repeat("ä", 500)); len(got) > maxPublicText+3 || !strings.HasSuffix(got, "ä...") {
		t.Errorf("long text becomes %d bytes: %q", len(got), got)
	}
}
