package bitcoin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
)

// maxAddressLength is the longest a Bech32 text may be (BIP173), and more
// than any Base58 address has.
const maxAddressLength = 90

// PayoutScript returns the output script that pays an address on a network:
// P2PKH, P2SH, P2WPKH, P2WSH or P2TR. Bech32 addresses may be in lower or
// upper case, not in both.
//
// It fails with ErrInvalidAddress for everything that nobody could spend or
// anybody could (a typing error, a witness version without rules, the anchor
// program), with ErrWrongNetwork for a good address of another network, and
// with ErrUnknownNetwork. The text is fit to be shown to who typed the
// address.
func PayoutScript(address string, n Network) ([]byte, error) {
	params := n.params()
	if params == nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknownNetwork, string(n))
	}
	if len(address) > maxAddressLength {
		return nil, fmt.Errorf("%w: %d characters are too long", ErrInvalidAddress, len(address))
	}

	// No Base58 address of a Bitcoin network starts with b or t, so a known
	// human-readable part decides how to read the rest.
	if sep := strings.LastIndexByte(address, '1'); sep > 0 {
		hrp := strings.ToLower(address[:sep])
		if owner := bech32Owner(hrp); owner != "" {
			script, err := witnessScript(address)
			if err != nil {
				return nil, err
			}
			if hrp != params.Bech32HRPSegwit {
				return nil, wrongNetwork(address, owner, n)
			}
			return script, nil
		}
	}

	payload, version, err := base58.CheckDecode(address)
	switch {
	case errors.Is(err, base58.ErrChecksum):
		return nil, fmt.Errorf("%w: the checksum is wrong, compare it with the original", ErrInvalidAddress)
	case err != nil || len(payload) != 20:
		return nil, fmt.Errorf("%w: neither Base58 nor Bech32 of a Bitcoin network", ErrInvalidAddress)
	}
	owner := base58Owner(version)
	switch version {
	case params.PubKeyHashAddrID:
		return p2pkhScript(payload), nil
	case params.ScriptHashAddrID:
		return p2shScript(payload), nil
	}
	if owner == "" {
		return nil, fmt.Errorf("%w: version byte %d belongs to no Bitcoin network", ErrInvalidAddress, version)
	}
	return nil, wrongNetwork(address, owner, n)
}

// AddressOf returns the address that a script pays on a network, the inverse
// of PayoutScript, with Bech32 in lower case. It reports false for a script
// that has no address, and for an unknown network.
func AddressOf(script []byte, n Network) (string, bool) {
	params := n.params()
	if params == nil {
		return "", false
	}
	switch {
	case len(script) == 25 && script[0] == opDup && script[1] == opHash160 && script[2] == 20 &&
		script[23] == opEqualVerify && script[24] == opCheckSig:
		return base58.CheckEncode(script[3:23], params.PubKeyHashAddrID), true
	case len(script) == 23 && script[0] == opHash160 && script[1] == 20 && script[22] == opEqual:
		return base58.CheckEncode(script[2:22], params.ScriptHashAddrID), true
	case len(script) == 22 && script[0] == opFalse && script[1] == 20,
		len(script) == 34 && script[0] == opFalse && script[1] == 32:
		return encodeWitness(params.Bech32HRPSegwit, 0, script[2:], bech32.Encode)
	case len(script) == 34 && script[0] == op1 && script[1] == 32:
		return encodeWitness(params.Bech32HRPSegwit, 1, script[2:], bech32.EncodeM)
	default:
		return "", false
	}
}

// witnessScript decodes a Bech32 address, whatever its network, into the
// script of a witness program that has rules (BIP141, BIP341, BIP350).
func witnessScript(address string) ([]byte, error) {
	_, data, variant, err := bech32.DecodeGeneric(address)
	if err != nil {
		var mixed bech32.ErrMixedCase
		if errors.As(err, &mixed) {
			return nil, fmt.Errorf("%w: mixes lower and upper case", ErrInvalidAddress)
		}
		return nil, fmt.Errorf("%w: the checksum or a character is wrong, compare it with the original: %w", ErrInvalidAddress, err)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrInvalidAddress)
	}
	version := data[0]
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidAddress, err)
	}

	switch {
	case version == 0 && variant != bech32.Version0:
		return nil, fmt.Errorf("%w: witness version 0 needs a Bech32 checksum, not Bech32m", ErrInvalidAddress)
	case version != 0 && variant != bech32.VersionM:
		return nil, fmt.Errorf("%w: witness version %d needs a Bech32m checksum, not Bech32", ErrInvalidAddress, version)
	case version == 0 && (len(program) == 20 || len(program) == 32):
		return append([]byte{opFalse, byte(len(program))}, program...), nil
	case version == 1 && len(program) == 32:
		return append([]byte{op1, 32}, program...), nil
	default:
		return nil, fmt.Errorf("%w: a program of %d bytes of witness version %d has no rules that would protect the coins",
			ErrInvalidAddress, len(program), version)
	}
}

// encodeWitness writes a witness program as an address.
func encodeWitness(hrp string, version byte, program []byte, encode func(string, []byte) (string, error)) (string, bool) {
	data, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return "", false
	}
	text, err := encode(hrp, append([]byte{version}, data...))
	return text, err == nil
}

// p2pkhScript pays to the hash of a public key.
func p2pkhScript(hash []byte) []byte {
	script := append([]byte{opDup, opHash160, 20}, hash...)
	return append(script, opEqualVerify, opCheckSig)
}

// p2shScript pays to the hash of a script (BIP16).
func p2shScript(hash []byte) []byte {
	script := append([]byte{opHash160, 20}, hash...)
	return append(script, opEqual)
}

// bech32Owner names the networks that use a human-readable part, in words;
// "" if none does.
func bech32Owner(hrp string) string {
	switch hrp {
	case "bc":
		return "mainnet"
	case "tb":
		return "testnet or signet"
	case "bcrt":
		return "regtest"
	default:
		return ""
	}
}

// base58Owner names the networks that use a version byte, in words; "" if
// none does.
func base58Owner(version byte) string {
	switch version {
	case 0x00, 0x05:
		return "mainnet"
	case 0x6f, 0xc4:
		return "testnet, signet or regtest"
	default:
		return ""
	}
}

// wrongNetwork says which network an address is for, and which was wanted.
func wrongNetwork(address, owner string, want Network) error {
	return fmt.Errorf("%w: %s is for %s, the chain here is %q", ErrWrongNetwork, address, owner, string(want))
}
