package nostr

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectorsOfBIP340 takes BIP-340's own file (bip-0340/test-vectors.csv of
// bitcoin/bips; its rows of messages that are not 32 bytes have no meaning for
// Nostr, where the message is an id). Signing is deterministic here: the
// vectors' auxiliary randomness is given to the same function that Sign calls.
func TestVectorsOfBIP340(t *testing.T) {
	file, err := os.Open("testdata/bip340.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 16 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows[1:] {
		secret, public, aux, message := row[1], strings.ToLower(row[2]), row[3], unhex(t, row[4])
		signature, valid := strings.ToLower(row[5]), row[6] == "TRUE"
		if got := validSignature(public, signature, [32]byte(message)); got != valid {
			t.Errorf("vector %s (%s): valid %t", row[0], row[7], got)
		}
		if secret == "" {
			continue
		}
		k := key(t, secret)
		if got := k.Public().String(); got != public {
			t.Errorf("vector %s: public key %s", row[0], got)
		}
		sig, err := schnorr.Sign(k.key, message, schnorr.CustomNonce([32]byte(unhex(t, aux))))
		if err != nil || hexOf(sig.Serialize()) != signature {
			t.Errorf("vector %s: signature %x, %v", row[0], sig.Serialize(), err)
		}
	}
}

// vectors44 is testdata/nip44.json: most of the official vectors of NIP-44
// version 2 (nip44.vectors.json, which NIP-44 names), under shorter names.
type vectors44 struct {
	ConversationKeys []struct {
		Sec1, Pub2      string
		ConversationKey string `json:"conversation_key"`
	} `json:"conversation_keys"`
	PaddedLengths [][2]int `json:"padded_lengths"`
	Messages      []struct {
		Sec1, Sec2, Nonce, Plaintext, Payload string
		ConversationKey                       string `json:"conversation_key"`
	}
	LongMessages []struct {
		ConversationKey string `json:"conversation_key"`
		Nonce, Pattern  string
		Repeat          int
		PayloadSHA256   string `json:"payload_sha256"`
	} `json:"long_messages"`
	InvalidKeys     []struct{ Sec1, Pub2, Note string } `json:"invalid_keys"`
	InvalidPayloads []struct {
		ConversationKey string `json:"conversation_key"`
		Payload, Note   string
	} `json:"invalid_payloads"`
}

func readVectors44(t *testing.T) (v vectors44) {
	t.Helper()
	data, err := os.ReadFile("testdata/nip44.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.ConversationKeys) == 0 || len(v.PaddedLengths) == 0 || len(v.Messages) == 0 || len(v.LongMessages) == 0 || len(v.InvalidKeys) == 0 || len(v.InvalidPayloads) == 0 {
		t.Fatal("a list is empty")
	}
	return v
}

func TestVectorsOfNIP44(t *testing.T) {
	v := readVectors44(t)
	for _, c := range v.ConversationKeys {
		public, err := ParsePublicKey(c.Pub2)
		if err != nil {
			t.Fatal(err)
		}
		k, err := NewConversationKey(key(t, c.Sec1), public)
		if err != nil || hexOf(k[:]) != c.ConversationKey {
			t.Errorf("%s with %s: %x, %v", c.Sec1, c.Pub2, k[:], err)
		}
	}
	for _, c := range v.PaddedLengths {
		if got := paddedLength(c[0]); got != c[1] {
			t.Errorf("%d bytes become %d, want %d", c[0], got, c[1])
		}
	}
	for _, c := range v.Messages {
		k := conversation(t, c.Sec1, c.Sec2)
		if hexOf(k[:]) != c.ConversationKey || conversation(t, c.Sec2, c.Sec1) != k {
			t.Errorf("%q: conversation key %x", c.Plaintext, k[:])
		}
		sealed, err := k.encrypt(c.Plaintext, [nonceLength]byte(unhex(t, c.Nonce)))
		if err != nil || sealed != c.Payload {
			t.Errorf("%q: %s, %v", c.Plaintext, sealed, err)
		}
		if text, err := k.Decrypt(c.Payload); err != nil || text != c.Plaintext {
			t.Errorf("%q: read as %q, %v", c.Plaintext, text, err)
		}
	}
	for _, c := range v.LongMessages {
		k, text := ConversationKey(unhex(t, c.ConversationKey)), strings.Repeat(c.Pattern, c.Repeat)
		sealed, err := k.encrypt(text, [nonceLength]byte(unhex(t, c.Nonce)))
		if sum := sha256.Sum256([]byte(sealed)); err != nil || hexOf(sum[:]) != c.PayloadSHA256 {
			t.Errorf("%d times %q: %x, %v", c.Repeat, c.Pattern, sum, err)
		}
		if back, err := k.Decrypt(sealed); err != nil || back != text {
			t.Errorf("%d times %q: not read back: %v", c.Repeat, c.Pattern, err)
		}
	}
}

func TestInvalidVectorsOfNIP44(t *testing.T) {
	v := readVectors44(t)
	for _, c := range v.InvalidKeys {
		_, err := ParseSecretKey(c.Sec1)
		if err == nil {
			_, err = ParsePublicKey(c.Pub2)
		}
		if !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", c.Note, err)
		}
	}
	for _, c := range v.InvalidPayloads {
		if _, err := ConversationKey(unhex(t, c.ConversationKey)).Decrypt(c.Payload); !errors.Is(err, ErrPayload) && !errors.Is(err, ErrMAC) {
			t.Errorf("%s: %v", c.Note, err)
		}
	}
}
