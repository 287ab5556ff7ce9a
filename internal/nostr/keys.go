package nostr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// ErrKey is the reason for refusing a text as a key.
var ErrKey = errors.New("nostr: not a key")

// Prefixes of keys in bech32 (NIP-19).
const (
	secretPrefix = "nsec"
	publicPrefix = "npub"
)

// SecretKey signs events. Its String and its formatting do not show it.
type SecretKey struct{ key *btcec.PrivateKey }

// PublicKey is an author's x-only key (BIP-340).
type PublicKey struct{ key *btcec.PublicKey }

// NewSecretKey makes a key from the system's randomness.
func NewSecretKey() (SecretKey, error) {
	key, err := btcec.NewPrivateKey()
	if err != nil {
		return SecretKey{}, fmt.Errorf("nostr: make a key: %w", err)
	}
	return SecretKey{key}, nil
}

// ParseSecretKey reads 64 hexadecimal digits or an nsec. The error never holds
// the text.
func ParseSecretKey(s string) (SecretKey, error) {
	b, err := keyBytes(s, secretPrefix)
	if err != nil {
		return SecretKey{}, err
	}
	var n btcec.ModNScalar
	if n.SetByteSlice(b) || n.IsZero() {
		return SecretKey{}, fmt.Errorf("%w: the secret is not in the range of the curve", ErrKey)
	}
	key, _ := btcec.PrivKeyFromBytes(b)
	return SecretKey{key}, nil
}

// ParsePublicKey reads 64 hexadecimal digits or an npub.
func ParsePublicKey(s string) (PublicKey, error) {
	b, err := keyBytes(s, publicPrefix)
	if err != nil {
		return PublicKey{}, err
	}
	key, err := schnorr.ParsePubKey(b)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: not a point of the curve", ErrKey)
	}
	return PublicKey{key}, nil
}

// IsZero says that there is no key.
func (k SecretKey) IsZero() bool { return k.key == nil }

// Public is the key that others know.
func (k SecretKey) Public() PublicKey { return PublicKey{k.key.PubKey()} }

// String hides the key, so that no log shows it.
func (SecretKey) String() string { return "(secret key)" }

// GoString hides the key from %#v.
func (SecretKey) GoString() string { return "(secret key)" }

// Nsec is the key as NIP-19 writes it, for the file of its owner.
func (k SecretKey) Nsec() string { return encodeKey(secretPrefix, k.key.Serialize()) }

// String is the key as 64 lower-case hexadecimal digits.
func (k PublicKey) String() string { return hex.EncodeToString(schnorr.SerializePubKey(k.key)) }

// Npub is the key as NIP-19 writes it.
func (k PublicKey) Npub() string { return encodeKey(publicPrefix, schnorr.SerializePubKey(k.key)) }

func encodeKey(prefix string, b []byte) string {
	s, err := bech32.EncodeFromBase256(prefix, b)
	if err != nil {
		panic("nostr: 32 bytes always have a bech32 form: " + err.Error())
	}
	return s
}

// keyBytes are the 32 bytes of a key in either form.
func keyBytes(s, prefix string) ([]byte, error) {
	if len(s) == 64 {
		if b, err := hex.DecodeString(s); err == nil {
			return b, nil
		}
	}
	got, words, version, err := bech32.DecodeGeneric(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: neither 64 hexadecimal digits nor %s1…", ErrKey, prefix)
	case version != bech32.Version0:
		return nil, fmt.Errorf("%w: the checksum is bech32m's, NIP-19 uses bech32", ErrKey)
	case strings.ToLower(got) != prefix:
		return nil, fmt.Errorf("%w: an %s is needed here", ErrKey, prefix)
	}
	b, err := bech32.ConvertBits(words, 5, 8, false)
	if err != nil || len(b) != 32 {
		return nil, fmt.Errorf("%w: not 32 bytes", ErrKey)
	}
	return b, nil
}
