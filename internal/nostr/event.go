package nostr

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// Reasons why an event is not believed or not made.
var (
	ErrID        = errors.New("nostr: the id is not that of the event")
	ErrSignature = errors.New("nostr: the signature does not fit")
	ErrUTF8      = errors.New("nostr: text is not valid UTF-8")
	ErrKind      = errors.New("nostr: kind is not between 0 and 65535")
	ErrTime      = errors.New("nostr: created_at is negative")
)

// Tag is one tag of an event: a name and values.
type Tag []string

// Event is an event as NIP-01 defines it.
type Event struct {
	ID        string // 64 lower-case hexadecimal digits: SHA-256 of Serialize
	PubKey    string // 64 lower-case hexadecimal digits: x-only key (BIP-340)
	CreatedAt int64  // seconds since 1970
	Kind      int    // 0 to 65535
	Tags      []Tag
	Content   string
	Sig       string // 128 lower-case hexadecimal digits: BIP-340 signature of ID
}

// Serialize is what an event's id is the hash of: the JSON array
// [0,pubkey,created_at,kind,tags,content] without blanks (NIP-01). Only what
// JSON forces is escaped: `<`, `&` and U+2028 stand as they are.
func (e *Event) Serialize() []byte {
	b := make([]byte, 0, 128+len(e.Content)+len(e.Content)/8)
	b = append(b, `[0,`...)
	b = appendString(b, e.PubKey)
	b = appendNumber(append(b, ','), e.CreatedAt)
	b = appendNumber(append(b, ','), int64(e.Kind))
	b = appendTags(append(b, ','), e.Tags)
	b = appendString(append(b, ','), e.Content)
	return append(b, ']')
}

// hash is the id as bytes.
func (e *Event) hash() [32]byte { return sha256.Sum256(e.Serialize()) }

// Sign fills in PubKey, ID and Sig (BIP-340). It fails when the event holds text that
// is not UTF-8 or numbers out of range, for such an event has no JSON.
func (e *Event) Sign(key SecretKey) error {
	if err := e.check(); err != nil {
		return err
	}
	e.PubKey = key.Public().String()
	id := e.hash()
	sig, err := schnorr.Sign(key.key, id[:])
	if err != nil {
		return fmt.Errorf("nostr: sign: %w", err)
	}
	e.ID, e.Sig = hex.EncodeToString(id[:]), hex.EncodeToString(sig.Serialize())
	return nil
}

// Verify checks the id and the signature. The error is ErrID, ErrSignature or
// one of the reasons for which the event could not have been made.
func (e *Event) Verify() error {
	if err := e.check(); err != nil {
		return err
	}
	id := e.hash()
	if hex.EncodeToString(id[:]) != e.ID {
		return ErrID
	}
	if !validSignature(e.PubKey, e.Sig, id) {
		return ErrSignature
	}
	return nil
}

// validSignature verifies a BIP-340 signature; key and signature are
// hexadecimal digits.
func validSignature(author, signature string, id [32]byte) bool {
	key, err := ParsePublicKey(author)
	if err != nil {
		return false
	}
	sig, err := hex.DecodeString(signature)
	if err != nil {
		return false
	}
	parsed, err := schnorr.ParseSignature(sig)
	return err == nil && parsed.Verify(id[:], key.key)
}

// check says whether the event can be written as JSON at all.
func (e *Event) check() error {
	if e.Kind < 0 || e.Kind > 65535 {
		return ErrKind
	}
	if e.CreatedAt < 0 {
		return ErrTime
	}
	if !utf8.ValidString(e.Content) {
		return ErrUTF8
	}
	for _, tag := range e.Tags {
		for _, s := range tag {
			if !utf8.ValidString(s) {
				return ErrUTF8
			}
		}
	}
	return nil
}

// Tag is the first value of the first tag of this name, "" without one.
func (e *Event) Tag(name string) string {
	for _, tag := range e.Tags {
		if len(tag) >= 2 && tag[0] == name {
			return tag[1]
		}
	}
	return ""
}

// Expiration is when the event ends, in seconds since 1970 (NIP-40), and
// whether it does.
func (e *Event) Expiration() (at int64, ends bool) {
	at, err := strconv.ParseInt(e.Tag("expiration"), 10, 64)
	return at, err == nil
}
