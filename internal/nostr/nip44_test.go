package nostr

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

func conversation(t testing.TB, ours, other string) ConversationKey {
	t.Helper()
	k, err := NewConversationKey(key(t, ours), key(t, other).Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var two = strings.Repeat("0", 63) + "2"

func TestBothSidesReadIt(t *testing.T) {
	ours, theirs := conversation(t, one, two), conversation(t, two, one)
	for _, n := range []int{1, 31, 32, 33, 64, 65, 255, 256, 257, 1000, 65534, 65535} {
		text := strings.Repeat("é", n/2) + strings.Repeat("x", n%2)
		sealed, err := ours.Encrypt(text)
		if err != nil {
			t.Fatal(err)
		}
		back, err := theirs.Decrypt(sealed)
		if err != nil || back != text {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for _, text := range []string{"", strings.Repeat("x", 65536)} {
		if _, err := ours.Encrypt(text); !errors.Is(err, ErrPlaintext) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

func TestChangedContentIsRefused(t *testing.T) {
	k := conversation(t, one, two)
	sealed, err := k.Encrypt("hello")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if _, err := k.Decrypt(base64.StdEncoding.EncodeToString(raw)); err == nil {
			t.Errorf("byte %d changed: accepted", i)
		}
		raw[i] ^= 1
	}
	if _, err := conversation(t, one, one).Decrypt(sealed); !errors.Is(err, ErrMAC) {
		t.Errorf("another's key: %v", err)
	}
	for _, s := range []string{"", "#" + sealed, sealed + "\n", sealed[:len(sealed)-4], strings.Repeat("A", 90_000)} {
		if _, err := k.Decrypt(s); err == nil {
			t.Errorf("%.20q accepted", s)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	k := conversation(f, one, two)
	sealed, err := k.encrypt("hello", [nonceLength]byte{1}) // the same in every process of the fuzzer
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, s string) {
		if text, err := k.Decrypt(s); err == nil && (s != sealed || text != "hello") {
			t.Fatalf("%q was accepted as %q", s, text)
		}
	})
}

func TestAuth(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	here := func(address string) bool { return address == "ws://relay" }
	e, err := NewAuth(key(t, one), "ws://relay", "challenge", now)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := CheckAuth(e, "challenge", here, now.Add(AuthWindow)); err != nil || who != key(t, one).Public().String() {
		t.Errorf("%q, %v", who, err)
	}
	forged := *e
	forged.Sig = strings.Repeat("0", 128)
	for name, c := range map[string]struct {
		e         *Event
		challenge string
		now       time.Time
	}{
		"another challenge": {e, "other", now},
		"no challenge":      {e, "", now},
		"late":              {e, "challenge", now.Add(AuthWindow + time.Second)},
		"early":             {e, "challenge", now.Add(-AuthWindow - time.Second)},
		"forged":            {&forged, "challenge", now},
	} {
		if _, err := CheckAuth(c.e, c.challenge, here, c.now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := CheckAuth(e, "challenge", func(string) bool { return false }, now); !errors.Is(err, ErrAuth) {
		t.Errorf("another relay: %v", err)
	}
}
