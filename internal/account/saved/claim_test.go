package saved_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/bitcoin"

	"bytes"
	"encoding/base64"
)

func TestProofByPassword(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig, alice+".other")
	r.save("b1", rig)
	c := r.claim("a1", rig)
	if again := r.claim("a1", rig); again != c || !c.Expires.Equal(noon.Add(24*time.Hour)) {
		t.Errorf("the claim is %+v, then %+v", c, again)
	}
	other := r.claim("b1", rig)
	if other.Code == c.Code {
		t.Fatal("two people have the same code")
	}

	r.pool.here(rig, 3, saved.Connection{ID: "c1", Remote: home, Since: noon, Accepted: 3})
	r.Authorized("c1", alice+".other", c.Code, home) // of another worker
	r.Authorized("c1", rig, "x", home)
	r.Authorized("c1", rig, "own-0000-0000-0000", home)
	if r.Owns("a1", rig) || r.Owns("b1", rig) || r.OwnsAny("a1") {
		t.Fatal("owned without a proof")
	}
	r.Authorized("c1", rig, "d=1000,"+strings.ToUpper(c.Code)+";x", home)
	if !r.Owns("a1", rig) || r.Owns("a1", alice+".other") || r.Owns("b1", rig) || r.Owns("", rig) || !r.OwnsAny("a1") || r.OwnsAny("b1") {
		t.Fatal("the wrong things are owned")
	}
	if _, ok := r.ClaimOf("a1", saved.HashOf(rig)); ok {
		t.Error("the code can be used again")
	}
	// The miner goes on sending it; for somebody else it is worth nothing.
	r.must(r.GiveUp(t.Context(), "a1", saved.HashOf(rig)))
	r.Authorized("c2", rig, c.Code, home)
	if r.Owns("a1", rig) {
		t.Error("a used code proves again")
	}

	// Both can own it.
	r.Authorized("c3", rig, other.Code, home)
	c = r.claim("a1", rig)
	r.Authorized("c3", rig, c.Code, home)
	r.restart()
	if !r.Owns("a1", rig) || !r.Owns("b1", rig) {
		t.Error("facts are not kept")
	}
	r.must(r.GiveUp(t.Context(), "a1", saved.HashOf(rig)))
	if r.Owns("a1", rig) || !r.Owns("b1", rig) {
		t.Error("who gives up takes it from another")
	}
	r.must(r.Remove(t.Context(), "b1", saved.HashOf(rig)))
	r.save("b1", rig)
	if r.Owns("b1", rig) {
		t.Error("removed and saved again, and still owned")
	}
	proofs := 0
	for _, a := range r.trail.actions {
		if a.Name == "worker.prove" && !a.Failed {
			proofs++
		}
		if strings.Contains(strings.ToLower(fmt.Sprint(a)), "own-") {
			t.Errorf("a code in the audit trail: %+v", a)
		}
	}
	if proofs != 3 {
		t.Errorf("%d proofs in the trail", proofs)
	}
}

func TestClaimExpires(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	c := r.claim("a1", rig)
	r.now = noon.Add(24 * time.Hour)
	r.Authorized("c1", rig, c.Code, home)
	if _, ok := r.ClaimOf("a1", saved.HashOf(rig)); ok || r.Owns("a1", rig) || r.Counts()["code_expired"] != 1 {
		t.Errorf("claimed %v, owned %v, %v", ok, r.Owns("a1", rig), r.Counts())
	}
	if next := r.claim("a1", rig); next.Code == c.Code {
		t.Error("the next claim has the same code")
	}
	if err := r.Sign(t.Context(), "a1", "Alice", saved.HashOf(alice+".none"), "x"); !errors.Is(err, saved.ErrNotSaved) {
		t.Errorf("of a worker that is not saved: %v", err)
	}
	r.now = r.now.Add(25 * time.Hour)
	if err := r.Sign(t.Context(), "a1", "Alice", saved.HashOf(rig), "x"); !errors.Is(err, saved.ErrNoClaim) {
		t.Errorf("signed too late: %v", err)
	}
}

// Guessing is limited by address; who has the right code is not kept out by
// others.
func TestGuessesAreLimited(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	c := r.claim("a1", rig)
	for i := range 200 {
		r.Authorized("x", rig, fmt.Sprintf("own-0000-0000-%04d", i), away)
	}
	if n := r.Counts(); n["code_unknown"] != 60 || n["code_guesses_limited"] != 140 {
		t.Errorf("counts: %v", n)
	}
	r.Authorized("x", rig, c.Code, away)
	if r.Owns("a1", rig) {
		t.Error("a guesser's right code counts, though there were too many")
	}
	r.pool.here(rig, 3, saved.Connection{ID: "c1", Remote: home, Since: noon, Accepted: 3})
	r.Authorized("c1", rig, c.Code, home)
	if !r.Owns("a1", rig) {
		t.Error("another address is kept out")
	}
	for range 200 {
		if _, err := r.Claim(t.Context(), "a1", saved.HashOf(rig)); err != nil {
			if !errors.Is(err, saved.ErrTooMany) {
				t.Fatal(err)
			}
			return
		}
		r.must(r.GiveUp(t.Context(), "a1", saved.HashOf(rig)))
	}
	t.Error("codes without end")
}

// wallet is an address, and signs messages with its key.
func wallet(t *testing.T) (owner string, sign func(message string) string) {
	t.Helper()
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{5}, 32))
	script := append([]byte{0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
	owner, ok := bitcoin.AddressOf(script, bitcoin.Regtest)
	if !ok {
		t.Fatal("no address")
	}
	return owner, func(message string) string {
		text := append([]byte("\x18Bitcoin Signed Message:\n"), byte(len(message)))
		return base64.StdEncoding.EncodeToString(ecdsa.SignCompact(key, chainhash.DoubleHashB(append(text, message...)), true))
	}
}

// Taking workers off the list gives them up: an address goes with the last of its
// workers, not before.
func TestAddressGoesWithItsLastWorker(t *testing.T) {
	owner, sign := wallet(t)
	one, two := owner+".one", owner+".two"
	r := newRig(t)
	r.save("a1", one, two, rig)
	c := r.claim("a1", one)
	r.must(r.Sign(t.Context(), "a1", "Alice", saved.HashOf(one), sign(r.Message(one, "Alice", c.Code))))
	r.must(r.Remove(t.Context(), "a1", saved.HashOf(one)))
	if !r.Owns("a1", two) || !r.OwnsAddress("a1", owner) {
		t.Error("the address went with one of two workers")
	}
	r.must(r.Remove(t.Context(), "a1", saved.HashOf(two)))
	r.save("a1", one, two)
	for range 2 {
		if r.Owns("a1", one) || r.Owns("a1", two) || r.OwnsAddress("a1", owner) {
			t.Error("workers that were taken off the list are owned when they are saved again")
		}
		r.restart()
	}
}

func TestProofBySignature(t *testing.T) {
	owner, sign := wallet(t)
	r := newRig(t)
	r.save("a1", owner+".one", owner+".two", rig, "nobody.rig")
	r.save("b1", owner+".one")
	one := saved.HashOf(owner + ".one")
	c, theirs := r.claim("a1", owner+".one"), r.claim("b1", owner+".one")
	message := r.Message(owner+".one", "Alice", c.Code)
	for _, part := range []string{"pool", owner + ".one", "Alice", c.Code} {
		if !strings.Contains(message, part) || strings.ContainsAny(message, "\r\n") {
			t.Errorf("%q is not in %q", part, message)
		}
	}
	if got := r.Message(rig, "Eve\r\nor\u202eil \U0001F600", "c"); strings.ContainsAny(got, "\r\n\u202e") || !strings.Contains(got, "Eve or il") {
		t.Errorf("a name of several lines gives %q", got)
	}
	for name, text := range map[string]string{
		"nothing": "", "another message": sign(message + "."), "another's message": sign(r.Message(owner+".one", "Bob", theirs.Code)),
		"another worker's": sign(r.Message(owner+".two", "Alice", c.Code)), "another person's name": sign(r.Message(owner+".one", "Bob", c.Code)),
	} {
		if err := r.Sign(t.Context(), "a1", "Alice", one, text); !errors.Is(err, bitcoin.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Sign(t.Context(), "b1", "Bob", one, sign(message)); !errors.Is(err, bitcoin.ErrSignature) {
		t.Errorf("by somebody else: %v", err)
	}
	r.claim("a1", rig)
	if err := r.Sign(t.Context(), "a1", "Alice", saved.HashOf(rig), sign(message)); !errors.Is(err, bitcoin.ErrSignature) {
		t.Errorf("for another address: %v", err)
	}
	r.claim("a1", "nobody.rig")
	if err := r.Sign(t.Context(), "a1", "Alice", saved.HashOf("nobody.rig"), sign(message)); !errors.Is(err, saved.ErrAddress) {
		t.Errorf("without an address: %v", err)
	}
	if r.OwnsAny("a1") || r.OwnsAny("b1") {
		t.Fatal("owned without a proof")
	}

	before := len(all(r))
	r.must(r.Sign(t.Context(), "a1", "Alice", one, sign(message)))
	owned := 0
	for _, s := range all(r) {
		if s.Owned == saved.ByAddress {
			owned++
		}
	}
	if owned != 2 || len(all(r)) != before {
		t.Errorf("%d of %d in the list of all are owned", owned, before)
	}
	for range 2 {
		if !r.Owns("a1", owner+".one") || !r.Owns("a1", owner+".two") || r.Owns("a1", rig) || r.Owns("b1", owner+".one") {
			t.Error("the wrong things are owned")
		}
		r.restart()
	}
	r.save("a1", owner+".three") // saved later
	if !r.Owns("a1", owner+".three") || r.Owns("a1", owner+".four") {
		t.Error("an address' other workers")
	}
	if err := r.Sign(t.Context(), "a1", "Alice", one, sign(message)); !errors.Is(err, saved.ErrNoClaim) {
		t.Errorf("used twice: %v", err)
	}
	_, _, err := r.Order(t.Context(), "a1", one, 64)
	r.must(err)
	r.must(r.GiveUp(t.Context(), "a1", saved.HashOf(owner+".two")))
	if r.Owns("a1", owner+".one") {
		t.Error("one worker given up, the address not")
	}
	if r.OrderOf(owner+".one") != 0 || r.pool.difficulties[owner+".one"] != 0 {
		t.Error("the address is given up, the order for one of its workers stays")
	}
	for _, s := range all(r) {
		if s.Owned != saved.NotProven {
			t.Errorf("in the list of all: %+v", s)
		}
	}
	tries := 0
	for ; tries < 100; tries++ {
		if err := r.Sign(t.Context(), "b1", "Bob", one, "x"); errors.Is(err, saved.ErrTooMany) {
			break
		}
	}
	if tries > 30 {
		t.Errorf("%d signatures tried", tries)
	}
}

// What owners order lasts, and goes with the last owner.
func TestOrders(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	r.save("b1", rig)
	hash := saved.HashOf(rig)
	if _, _, err := r.Order(t.Context(), "a1", hash, 64); !errors.Is(err, saved.ErrNotOwned) {
		t.Errorf("not owned: %v", err)
	}
	if _, _, err := r.Restart("a1", hash); !errors.Is(err, saved.ErrNotOwned) {
		t.Errorf("not owned: %v", err)
	}
	if _, _, err := r.Restart("a1", saved.HashOf("other")); !errors.Is(err, saved.ErrNotSaved) {
		t.Errorf("not saved: %v", err)
	}
	for _, user := range []string{"a1", "b1"} {
		r.prove(user, rig)
	}
	if worker, n, err := r.Order(t.Context(), "a1", hash, 64); worker != rig || n != 1 || err != nil {
		t.Errorf("ordered: %s, %d, %v", worker, n, err)
	}
	delete(r.pool.difficulties, rig)
	r.restart()
	if r.pool.difficulties[rig] != 64 || r.OrderOf(rig) != 64 {
		t.Errorf("after a restart: %v, %v", r.pool.difficulties[rig], r.OrderOf(rig))
	}
	r.must(r.GiveUp(t.Context(), "a1", hash))
	if r.OrderOf(rig) != 64 {
		t.Error("the order is gone while somebody owns the worker")
	}
	r.must(r.Remove(t.Context(), "b1", hash))
	if r.OrderOf(rig) != 0 || r.pool.difficulties[rig] != 0 {
		t.Error("the order stays when nobody owns the worker")
	}
}

func TestRestartsAreLimited(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	r.save("b1", rig)
	hash := saved.HashOf(rig)
	for _, user := range []string{"a1", "b1"} {
		r.prove(user, rig)
	}
	done := 0
	for i := range 60 {
		r.now = noon.Add(time.Duration(i) * 30 * time.Second)
		_, _, err := r.Restart([]string{"a1", "b1"}[i%2], hash)
		switch {
		case err == nil:
			done++
		case !errors.Is(err, saved.ErrTooMany):
			t.Fatal(err)
		}
	}
	if done < 15 || done > 30 || len(r.pool.dropped) != done {
		t.Errorf("%d restarts in half an hour, %d at the pool", done, len(r.pool.dropped))
	}
}

// all lists what everybody saved.
func all(r *rigged) []saved.Saved {
	r.t.Helper()
	list, err := r.All(r.t.Context())
	r.must(err)
	return list
}
