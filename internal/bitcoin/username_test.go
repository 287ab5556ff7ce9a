package bitcoin

import (
	"strings"
	"testing"
)

func TestAddressIn(t *testing.T) {
	const alice = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	for user, want := range map[string]string{
		alice: alice, alice + ".rig": alice, alice + "_rig": alice, alice + "/rig.2": alice, alice + "+1024": alice,
		alice + " rig": alice, "": "", ".rig": "", strings.ToUpper(alice) + ".x": alice, strings.ToUpper(alice[:5]) + alice[5:]: strings.ToUpper(alice[:5]) + alice[5:], "bc1é": "bc1",
	} {
		if got := AddressIn(user); got != want {
			t.Errorf("AddressIn(%q) = %q", user, got)
		}
	}
}
