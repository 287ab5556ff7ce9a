package account

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reference is of the reference implementation's own tests (argon2 of the
// Password Hashing Competition, src/test.c): "password" with "somesalt".
const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestHashOfTheReference(t *testing.T) {
	h, err := parseHash(reference)
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches("password") || h.matches("Password") || h.matches("") {
		t.Error("the reference's hash is judged wrongly")
	}
	if h.current() {
		t.Error("other parameters than ours pass for ours")
	}
}

func TestHashRoundTrip(t *testing.T) {
	text := newHash("correct horse")
	if strings.Contains(text, "correct") || newHash("correct horse") == text {
		t.Errorf("no salt: %s", text)
	}
	h, err := parseHash(text)
	if err != nil || !h.current() || !h.matches("correct horse") || h.matches("correct horsf") {
		t.Errorf("%s: %+v, %v", text, h, err)
	}
}

// TestHashesThatAreNone: a damaged row costs neither memory nor time.
func TestHashesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "$", "plain text", "$2b$12$abcdefghijklmnopqrstuv", strings.Replace(reference, "argon2id", "argon2i", 1),
		strings.Replace(reference, "v=19", "v=16", 1), strings.Replace(reference, "m=65536", "m=4294967295", 1),
		strings.Replace(reference, "m=65536", "m=0", 1), strings.Replace(reference, "t=2", "t=0", 1), strings.Replace(reference, "t=2", "t=99999", 1),
		strings.Replace(reference, "p=1", "p=0", 1), strings.Replace(reference, "p=1", "p=255", 1), strings.Replace(reference, "p=1", "p=1x", 1),
		strings.Replace(reference, "$c29tZXNhbHQ", "$", 1), strings.TrimSuffix(reference, "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
		strings.Replace(reference, "CTFh", "!!!!", 1), reference + "$x",
	} {
		if _, err := parseHash(text); err == nil {
			t.Errorf("taken: %q", text)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(reference)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHash(text)
		if err == nil && (h.memory > maxArgonMemory || h.time > maxArgonTime || h.threads == 0 || len(h.key) < 16) {
			t.Errorf("%q: %+v", text, h)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	for password, good := range map[string]bool{
		"": false, "short": false, "123456789": false, "1234567890": false, "Password123": false, "jane.roe@pool": false, "JANE.ROE@POOL": false,
		"aaaaaaaaaaaa": false, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5": false, strings.Repeat("ab", 300): false,
		"correct battery": true, "ünïcödé wörd": true, "        spaces": true, "kkkkkkkkkkkl": true,
		"日本語のパスワード":  false, // nine characters
		"日本語のパスワードだ": true,
	} {
		var weak *WeakPasswordError
		if err := CheckPassword("jane.roe@pool", password); (err == nil) != good || err != nil && !errors.As(err, &weak) {
			t.Errorf("%q: %v", password, err)
		}
	}
	for _, password := range worst {
		if len(password) < minPassword {
			t.Errorf("%q is too short to be of use in the list", password)
		}
	}
}

// TestNewPassword: it can be typed, is good enough, and uses all its letters alike.
func TestNewPassword(t *testing.T) {
	counts, seen, rounds := map[rune]float64{}, map[string]bool{}, 5000
	for range rounds {
		password := NewPassword()
		if CheckPassword("operator", password) != nil || len(password) != 24 || seen[password] {
			t.Fatal(password)
		}
		seen[password] = true
		groups := strings.Split(password, "-")
		if len(groups) != 5 {
			t.Fatal(password)
		}
		for _, c := range strings.Join(groups, "") {
			if !strings.ContainsRune(readable, c) {
				t.Fatal(password)
			}
			counts[c]++
		}
	}
	want := float64(20*rounds) / float64(len(readable))
	for c, n := range counts {
		if math.Abs(n-want) > 7*math.Sqrt(want) { // seven standard deviations: once in 10^11
			t.Errorf("%c: %v times, want about %v", c, n, want)
		}
	}
	if len(counts) != len(readable) {
		t.Errorf("%d letters of %d", len(counts), len(readable))
	}
}

// TestFloodOfPasswords: one is hashed at a time, a few wait, the rest is turned
// away at once.
func TestFloodOfPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		free, results := make(chan struct{}), make(chan error, 100)
		running, most := 0, 0
		for range 100 {
			go func() {
				results <- h.do(t.Context(), func() {
					running++ // the hasher is the lock
					most = max(most, running)
					<-free
					running--
				})
			}()
		}
		synctest.Wait()
		if n := len(results); n != 100-checkers-waiting {
			t.Errorf("%d of 100 were turned away", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.do(ctx, func() { t.Error("done all the same") }); !errors.As(err, new(*BusyError)) {
			t.Errorf("one more: %v", err)
		}
		close(free)
		synctest.Wait()
		turned := 0
		for range 100 {
			if <-results != nil {
				turned++
			}
		}
		if turned != 100-checkers-waiting || most != checkers {
			t.Errorf("%d turned away, %d at once", turned, most)
		}
		// Who gives up in the queue leaves it.
		hold := make(chan struct{})
		go func() { _ = h.do(t.Context(), func() { <-hold }) }()
		synctest.Wait()
		if err := h.do(ctx, func() { t.Error("done without its turn") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while another one is hashed: %v", err)
		}
		close(hold)
		synctest.Wait()
		if len(h.queue) != 0 {
			t.Errorf("%d left in the queue", len(h.queue))
		}
	})
}

// TestMemoryOfHashes: what a hash took is given back, and is no measure for the
// collector of when to run again.
func TestMemoryOfHashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		if err := h.do(t.Context(), func() { newHash("correct horse") }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rest + time.Second)
		synctest.Wait()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if kept := m.HeapIdle - m.HeapReleased; kept > argonMemory<<10/2 || m.NextGC > argonMemory<<10 {
			t.Errorf("%d MiB kept, the next collection at %d MiB", kept>>20, m.NextGC>>20)
		}
	})
}
