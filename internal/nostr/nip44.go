package nostr

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"golang.org/x/crypto/chacha20"
)

// Numbers of NIP-44 version 2, in bytes.
const (
	nip44Version  = 2
	nonceLength   = 32
	macLength     = 32
	minPlaintext  = 1
	maxPlaintext  = 65535
	minPayload    = 1 + nonceLength + 2 + 32 + macLength
	maxPayload    = 1 + nonceLength + 2 + 65536 + macLength
	minPayload64  = 132   // minPayload in base64
	maxPayload64  = 87472 // maxPayload in base64
	messageKeyLen = 32 + chacha20.NonceSize + 32
)

// Reasons why content is not encrypted or decrypted.
var (
	ErrPlaintext = errors.New("nostr: content to encrypt has 1 to 65535 bytes")
	ErrPayload   = errors.New("nostr: not encrypted content of NIP-44 version 2")
	ErrMAC       = errors.New("nostr: encrypted content was changed, or is for another key")
)

// ConversationKey is the secret that two keys share (NIP-44 version 2): both
// sides compute the same one. It lasts as long as the keys do.
type ConversationKey [32]byte

// String hides the key, so that no log shows it.
func (ConversationKey) String() string { return "(conversation key)" }

// GoString hides the key from %#v.
func (ConversationKey) GoString() string { return "(conversation key)" }

// NewConversationKey is the key between us and another. A group that shares one
// secret key talks to itself: other is then the public key of that secret.
func NewConversationKey(ours SecretKey, other PublicKey) (ConversationKey, error) {
	shared := btcec.GenerateSharedSecret(ours.key, other.key) // the point's x, not hashed
	prk, err := hkdf.Extract(sha256.New, shared, []byte("nip44-v2"))
	if err != nil {
		return ConversationKey{}, fmt.Errorf("nostr: conversation key: %w", err)
	}
	return ConversationKey(prk), nil
}

// Encrypt is the content as base64, with a fresh nonce.
func (k ConversationKey) Encrypt(plaintext string) (string, error) {
	var nonce [nonceLength]byte
	rand.Read(nonce[:])
	return k.encrypt(plaintext, nonce)
}

func (k ConversationKey) encrypt(plaintext string, nonce [nonceLength]byte) (string, error) {
	if len(plaintext) < minPlaintext || len(plaintext) > maxPlaintext {
		return "", ErrPlaintext
	}
	cipher, macKey, err := k.message(nonce[:])
	if err != nil {
		return "", err
	}
	payload := make([]byte, 1+nonceLength+2+paddedLength(len(plaintext)), maxPayload)
	payload[0] = nip44Version
	copy(payload[1:], nonce[:])
	sealed := payload[1+nonceLength:]
	binary.BigEndian.PutUint16(sealed, uint16(len(plaintext)))
	copy(sealed[2:], plaintext)
	cipher.XORKeyStream(sealed, sealed)
	payload = append(payload, authenticate(macKey, payload[1:])...)
	return base64.StdEncoding.EncodeToString(payload), nil
}

// Decrypt is the plaintext of base64 content. The error is ErrPayload or
// ErrMAC.
func (k ConversationKey) Decrypt(content string) (string, error) {
	// The decoder would step over line ends.
	if len(content) < minPayload64 || len(content) > maxPayload64 || strings.ContainsAny(content, "\r\n") {
		return "", ErrPayload
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(content)
	if err != nil || len(payload) < minPayload || len(payload) > maxPayload || payload[0] != nip44Version {
		return "", ErrPayload
	}
	nonce := payload[1 : 1+nonceLength]
	sealed, mac := payload[1+nonceLength:len(payload)-macLength], payload[len(payload)-macLength:]
	cipher, macKey, err := k.message(nonce)
	if err != nil {
		return "", err
	}
	if !hmac.Equal(mac, authenticate(macKey, payload[1:len(payload)-macLength])) {
		return "", ErrMAC
	}
	cipher.XORKeyStream(sealed, sealed)
	n := int(binary.BigEndian.Uint16(sealed))
	if n < minPlaintext || len(sealed) != 2+paddedLength(n) {
		return "", ErrPayload
	}
	return string(sealed[2 : 2+n]), nil
}

// message derives what one message is encrypted and authenticated with.
func (k ConversationKey) message(nonce []byte) (cipher *chacha20.Cipher, macKey []byte, err error) {
	keys, err := hkdf.Expand(sha256.New, k[:], string(nonce), messageKeyLen)
	if err != nil {
		return nil, nil, fmt.Errorf("nostr: message keys: %w", err)
	}
	cipher, err = chacha20.NewUnauthenticatedCipher(keys[:32], keys[32:32+chacha20.NonceSize])
	if err != nil {
		return nil, nil, fmt.Errorf("nostr: cipher: %w", err)
	}
	return cipher, keys[32+chacha20.NonceSize:], nil
}

// authenticate is the HMAC-SHA256 over nonce and ciphertext.
func authenticate(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// paddedLength hides how long a plaintext of n bytes is: 32 at least, then
// steps of an eighth of the next power of two.
func paddedLength(n int) int {
	if n <= 32 {
		return 32
	}
	next := 1 << bits.Len(uint(n-1))
	chunk := max(32, next/8)
	return chunk * ((n-1)/chunk + 1)
}
