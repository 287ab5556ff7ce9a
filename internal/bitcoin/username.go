package bitcoin

import (
	"strings"
	"unicode"
)

// AddressIn is the payout address in a user name of Stratum: what stands before the first
// character that no address contains, as in ADDRESS.worker.
func AddressIn(user string) string {
	address := user
	end := strings.IndexFunc(user, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end >= 0 {
		address = user[:end]
	}
	// Bech32 may be written in capitals (QR codes do); it is the same address.
	if lower := strings.ToLower(address); strings.ToUpper(address) == address &&
		(strings.HasPrefix(lower, "bc1") || strings.HasPrefix(lower, "tb1") || strings.HasPrefix(lower, "bcrt1")) {
		return lower
	}
	return address
}
