package backup

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// ErrKey means that a key cannot be used, or that it does not open an archive.
var ErrKey = errors.New("backup key")

// minPassphrase is the least length of a passphrase in bytes.
const minPassphrase = 12

// workFactor is scrypt's: about a second and 256 MB for each guess.
const workFactor = 18

// Key encrypts archives. Its zero value encrypts nothing.
type Key struct {
	recipient age.Recipient
	identity  age.Identity // nil when the key can only encrypt
}

// ParseKey takes a key of one of three kinds: a passphrase; the secret key of
// an age key pair, AGE-SECRET-KEY-1…; or its public half, age1…, with which a
// server makes backups that it cannot read itself. "" is no key.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Key{}, nil
	case strings.HasPrefix(text, "age1"):
		recipient, err := age.ParseX25519Recipient(text)
		if err != nil {
			return Key{}, fmt.Errorf("%w: it begins with age1, but is no public key of age", ErrKey)
		}
		return Key{recipient: recipient}, nil
	case strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-"):
		identity, err := age.ParseX25519Identity(text)
		if err != nil {
			// Its error may show the key.
			return Key{}, fmt.Errorf("%w: it begins with AGE-SECRET-KEY, but is no secret key of age", ErrKey)
		}
		return Key{recipient: identity.Recipient(), identity: identity}, nil
	case len(text) < minPassphrase:
		return Key{}, fmt.Errorf("%w: a passphrase must have at least %d characters", ErrKey, minPassphrase)
	}
	recipient, err := age.NewScryptRecipient(text)
	if err != nil {
		return Key{}, fmt.Errorf("%w: not usable as a passphrase", ErrKey)
	}
	recipient.SetWorkFactor(workFactor)
	identity, err := age.NewScryptIdentity(text)
	if err != nil {
		return Key{}, fmt.Errorf("%w: not usable as a passphrase", ErrKey)
	}
	identity.SetMaxWorkFactor(workFactor + 2) // an archive can ask for any amount of memory
	return Key{recipient: recipient, identity: identity}, nil
}

// IsSet reports whether there is a key.
func (k Key) IsSet() bool { return k.recipient != nil }

// encrypt returns a writer of what is encrypted to w. Closing it ends the
// encrypted file; w stays open.
func (k Key) encrypt(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, k.recipient) }

// decrypt returns a reader of what r holds encrypted.
func (k Key) decrypt(r io.Reader) (io.Reader, error) {
	if k.identity == nil {
		return nil, fmt.Errorf("%w: the archive is encrypted; a passphrase or secret key is needed", ErrKey)
	}
	plain, err := age.Decrypt(r, k.identity)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not open the archive: %w", ErrKey, err)
	}
	return plain, nil
}
