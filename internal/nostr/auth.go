package nostr

import (
	"errors"
	"time"
)

// AuthWindow is how far the time of an answer to a challenge may be from the
// relay's (NIP-42: about ten minutes).
const AuthWindow = 10 * time.Minute

// ErrAuth is the reason for not believing the answer to a challenge.
var ErrAuth = errors.New("nostr: not an answer to this relay's challenge")

// NewAuth is the signed answer to a relay's challenge (NIP-42). The address is
// the one that the client connected to.
func NewAuth(key SecretKey, relay, challenge string, now time.Time) (*Event, error) {
	e := &Event{
		CreatedAt: now.Unix(),
		Kind:      KindAuth,
		Tags:      []Tag{{"relay", relay}, {"challenge", challenge}},
	}
	if err := e.Sign(key); err != nil {
		return nil, err
	}
	return e, nil
}

// CheckAuth verifies an answer to a challenge of a relay that answers to the
// address, and returns who gave it. sameRelay compares the address that the
// client named with the relay's own; addresses may be written in several ways,
// so this is the relay's to decide.
func CheckAuth(e *Event, challenge string, sameRelay func(address string) bool, now time.Time) (author string, err error) {
	off := now.Sub(time.Unix(e.CreatedAt, 0)).Abs()
	if e.Kind != KindAuth || challenge == "" || e.Tag("challenge") != challenge || !sameRelay(e.Tag("relay")) || off > AuthWindow {
		return "", ErrAuth
	}
	if err := e.Verify(); err != nil {
		return "", err
	}
	return e.PubKey, nil
}
