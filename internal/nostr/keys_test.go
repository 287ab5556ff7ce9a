package nostr

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// The pairs are the examples of NIP-19.
func TestKeysOfNIP19(t *testing.T) {
	const secret = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa"
	const nsec = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
	const public = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"
	const npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
	if got := key(t, secret).Nsec(); got != nsec {
		t.Errorf("nsec %s", got)
	}
	if got := key(t, nsec); got.key.Serialize() == nil || hexOf(got.key.Serialize()) != secret {
		t.Error("the nsec gives another secret")
	}
	for _, s := range []string{public, npub, strings.ToUpper(npub)} {
		p, err := ParsePublicKey(s)
		if err != nil {
			t.Fatal(err)
		}
		if p.String() != public || p.Npub() != npub {
			t.Errorf("%s reads as %s, %s", s, p, p.Npub())
		}
	}
}

func TestOddKeysAreRefused(t *testing.T) {
	npub := key(t, one).Public().Npub()
	for _, s := range []string{
		"", "nsec1", one[1:], strings.Repeat("0", 64), strings.Repeat("f", 64), npub,
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", // the order of the group
	} {
		if _, err := ParseSecretKey(s); err == nil {
			t.Errorf("secret %q accepted", s)
		}
	}
	for _, s := range []string{"", key(t, one).Nsec(), strings.Repeat("f", 64), npub[:len(npub)-1] + "x"} {
		if _, err := ParsePublicKey(s); err == nil {
			t.Errorf("public %q accepted", s)
		}
	}
}

func TestSecretKeysAreNotPrinted(t *testing.T) {
	k := key(t, strings.Repeat("ab", 32))
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), k.String()} {
		if strings.Contains(s, "abab") {
			t.Errorf("printed as %s", s)
		}
	}
	_, err := ParseSecretKey("nsec1" + strings.Repeat("q", 50) + "secret")
	if err == nil || strings.Contains(err.Error(), "secret1") || strings.Contains(err.Error(), "qqqq") {
		t.Errorf("the error shows the text: %v", err)
	}
}
