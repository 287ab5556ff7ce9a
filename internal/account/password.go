package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id (RFC 9106) for new passwords: 32 MiB and three passes,
// 50 to 80 ms on one core of a small machine.
const (
	argonMemory  = 32 << 10 // KiB
	argonTime    = 3
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// Bounds of the parameters of a hash in the store, so that a damaged one costs
// neither the memory nor the time of mining.
const (
	maxArgonMemory = 256 << 10 // KiB
	maxArgonTime   = 16
)

// Bounds of passwords.
const (
	minPassword = 10  // characters
	maxPassword = 512 // bytes
)

// checkers is how many passwords are checked at a time, and waiting how many
// more may wait for that. More are turned away: signing in must not take the
// memory or the processor from mining.
const (
	checkers = 1
	waiting  = 8
	// busyWait is when those who were turned away may come again.
	busyWait = 2 * time.Second
	// rest is how long after the last hash its memory is given back.
	rest = 3 * time.Second
)

// passwordHash is a parsed hash.
type passwordHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// errHash says that a hash in the store is none of ours.
var errHash = errors.New("not an argon2id hash")

// parseHash reads a hash in PHC form: $argon2id$v=19$m=…,t=…,p=…$salt$key.
func parseHash(text string) (h passwordHash, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.time, h.threads) {
		return h, errHash
	}
	if h.memory < 8 || h.memory > maxArgonMemory || h.time < 1 || h.time > maxArgonTime || h.threads < 1 || h.threads > 16 {
		return h, errHash
	}
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return h, errHash
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.key) < 16 || len(h.key) > 64 {
		return h, errHash
	}
	return h, nil
}

// newHash hashes a password with a salt of its own.
func newHash(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// matches reports whether a password has this hash.
func (h passwordHash) matches(password string) bool {
	key := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

// current reports whether the hash was made with today's parameters.
func (h passwordHash) current() bool {
	return h.memory == argonMemory && h.time == argonTime && h.threads == argonThreads
}

// nobody is checked in place of an account that is not there, so that a wrong
// name takes as long as a wrong password.
var nobody = passwordHash{
	memory: argonMemory, time: argonTime, threads: argonThreads,
	salt: make([]byte, argonSalt), key: make([]byte, argonKey),
}

// hasher bounds how many passwords are hashed at a time.
type hasher struct {
	queue chan struct{} // a value for each that is hashed or waits
	turn  chan struct{} // a value for each that is hashed
	rest  *time.Timer   // gives memory back
}

func newHasher() *hasher {
	// Left alone, the collector takes the heap of a hash as the measure of when
	// to run again, and a small pool would stand at twice its memory for hours.
	give := time.AfterFunc(rest, debug.FreeOSMemory)
	give.Stop()
	return &hasher{queue: make(chan struct{}, checkers+waiting), turn: make(chan struct{}, checkers), rest: give}
}

// do runs f when it is its turn. It fails with a *BusyError when too many wait,
// or with the context's error.
func (h *hasher) do(ctx context.Context, f func()) error {
	select {
	case h.queue <- struct{}{}:
	default:
		return &BusyError{Reason: reasonBusy, Wait: busyWait}
	}
	defer func() { <-h.queue }()
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.turn }()
	defer h.rest.Reset(rest)
	f()
	return nil
}

// worst are passwords of at least minPassword characters that everybody tries
// first.
var worst = []string{
	"1234567890", "12345678910", "0123456789", "0987654321", "9876543210", "1111111111", "0000000000", "1q2w3e4r5t", "q1w2e3r4t5", "qwertyuiop",
	"qwerty1234", "qwerty12345", "qwerty123456", "password12", "password123", "password1234", "password12345", "passw0rd123", "p@ssw0rd123", "administrator",
	"admin12345", "admin123456", "changemenow", "changeme123", "letmein123", "iloveyou123", "welcome123", "welcome1234", "abcdefghij", "abcdefghijkl",
	"abc1234567", "1234567890a", "a1234567890", "asdfghjkl1", "1qaz2wsx3edc", "poolscope1", "poolscope123", "poolscopepool", "operator12", "operator123",
	"operator1234", "satoshinakamoto", "bitcoin123", "bitcoin1234", "bitcoinbitcoin", "passwordpassword", "correcthorsebatterystaple", "trustno1trustno1",
}

// CheckPassword fails with a *WeakPasswordError when a password must not be
// used for an account of that name.
func CheckPassword(name, password string) error {
	folded := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password):
		return &WeakPasswordError{"a password must be text"}
	case utf8.RuneCountInString(password) < minPassword:
		return &WeakPasswordError{fmt.Sprintf("a password has at least %d characters", minPassword)}
	case len(password) > maxPassword:
		return &WeakPasswordError{fmt.Sprintf("a password has at most %d bytes", maxPassword)}
	case folded == strings.ToLower(name):
		return &WeakPasswordError{"the password must not be the name"}
	case slices.Contains(worst, folded), strings.Trim(folded, folded[:1]) == "":
		return &WeakPasswordError{"this password is among the first that others would try"}
	}
	return nil
}

// readable are letters and digits that nobody takes for each other.
const readable = "abcdefghjkmnpqrstuvwxyz23456789"

// NewPassword makes a password of 99 random bits that can be read out and typed:
// five groups of four.
func NewPassword() string {
	out := make([]byte, 0, 24)
	for one := []byte{0}; len(out) < cap(out); {
		if len(out)%5 == 4 {
			out = append(out, '-')
		}
		_, _ = rand.Read(one) // never fails
		// What is left over of 256 would make some letters likelier.
		if n := len(readable); int(one[0]) < 256/n*n {
			out = append(out, readable[int(one[0])%n])
		}
	}
	return string(out)
}
