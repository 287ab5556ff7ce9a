package abuse

import (
	"errors"
	"net/netip"
	"testing"
)

func TestBlocks(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7":         "203.0.113.7/32",
		"::ffff:203.0.113.7":  "203.0.113.7/32",
		"2001:db8:1:2:3::4":   "2001:db8:1:2::/64",
		"fe80::1%eth0":        "fe80::/64",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
	} {
		if got := BlockOf(netip.MustParseAddr(address)); got != netip.MustParsePrefix(want) {
			t.Errorf("block of %s is %s, want %s", address, got, want)
		}
	}
	if got := BlockOf(netip.Addr{}); got.IsValid() {
		t.Errorf("no address has the block %s", got)
	}
}

func TestBlocksThatPeopleWrite(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7/32", "203.0.113.7/24": "203.0.113.0/24", "2001:db8::1": "2001:db8::/64",
		"2001:db8:1::/48": "2001:db8:1::/48", "2001:db8::1/128": "2001:db8::/64", "10.0.0.0/16": "10.0.0.0/16",
	} {
		if got, err := ParseBlock(text); err != nil || got != netip.MustParsePrefix(want) {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "203.0.113", "203.0.113.7/33", "0.0.0.0/0", "203.0.0.0/15", "::/0", "2001::/31", "fe80::1%eth0", "::ffff:203.0.113.0/120", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"} {
		if got, err := ParseBlock(text); !errors.Is(err, ErrBlock) {
			t.Errorf("%q gives %v, %v", text, got, err)
		}
	}
}

func TestLocalAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "10.1.2.3": true, "192.168.0.9": true, "172.31.255.255": true,
		"fd00::1": true, "fe80::1%eth0": true, "169.254.1.1": true, "100.64.0.1": true, "::ffff:192.168.0.1": true,
		"203.0.113.7": false, "8.8.8.8": false, "2001:db8::1": false, "172.32.0.1": false, "100.128.0.1": false, "::ffff:8.8.8.8": false,
	} {
		if got := IsLocal(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is local: %v", address, got)
		}
	}
}
