package notify

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// Codes that confirm a mailbox.
const (
	codesPerHour = 5 // of one person
	mailsPerHour = 3 // codes to one address, whoever asks
	codeLife     = 30 * time.Minute
	codeTries    = 5
)

// ErrCode says that a code is wrong or has ended.
var ErrCode = errors.New("wrong or expired code")

// newCode gives a channel a new code of eight digits. Only its hash is kept.
func newCode(ch *alert.Channel, now time.Time) string {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		panic(err) // never
	}
	code := fmt.Sprintf("%08d", n)
	sum := sha256.Sum256([]byte(ch.ID + code))
	ch.Code, ch.CodeUntil, ch.CodeTries = sum[:], now.Add(codeLife), 0
	return code
}

// sendCode sends a code through the channel that it is to confirm.
func (c *Center) sendCode(ctx context.Context, ch alert.Channel, code string) error {
	if !c.limits.perHour("mail "+strings.ToLower(ch.Settings["address"]), mailsPerHour, time.Now()) {
		return ErrTooMany
	}
	ch.Confirmed = true // for this one message
	e := alert.Event{
		Kind: alert.Test, Key: "code:" + newBatch(), At: time.Now(), Severity: alert.Info,
		Text: fmt.Sprintf("Somebody wants to have alerts of a mining pool sent to this address. If that is you, the code is %s. If not, ignore this message.", code),
	}
	m := compose(newBatch(), []alert.Event{e}, false)
	m.Title = "poolscope: confirm your address"
	if err := c.send(ctx, ch, Person{}, m); err != nil {
		return fmt.Errorf("%w: %s", ErrTest, redact(err.Error(), ch.Settings))
	}
	return nil
}

// SendCode sends another code; the one before is void.
func (c *Center) SendCode(ctx context.Context, o Owner, id string) (alert.Channel, error) {
	return c.edit(ctx, func() (ch alert.Channel, code string, err error) {
		if ch, err = c.Channel(ctx, o, id); err != nil {
			return ch, "", err
		}
		if s := c.services()[ch.Kind]; !s.Mailbox || ch.Confirmed {
			return ch, "", badSetting("there is nothing to confirm")
		}
		if !c.limits.perHour("code "+ch.UserID, codesPerHour, time.Now()) {
			return ch, "", ErrTooMany
		}
		code = newCode(&ch, time.Now())
		if err := c.cfg.Store.SaveChannel(ctx, ch); err != nil {
			return ch, "", err
		}
		c.changed()
		return ch, code, nil
	})
}

// Confirm takes the code that was sent. After a few wrong ones it is void.
func (c *Center) Confirm(ctx context.Context, o Owner, id, code string) (alert.Channel, error) {
	c.editing.Lock() // so that nobody tries many at once
	defer c.editing.Unlock()
	ch, err := c.Channel(ctx, o, id)
	if err != nil {
		return ch, err
	}
	if ch.Confirmed {
		return ch, nil
	}
	if len(ch.Code) == 0 || ch.CodeTries >= codeTries || !time.Now().Before(ch.CodeUntil) {
		return ch, ErrCode
	}
	sum := sha256.Sum256([]byte(ch.ID + strings.TrimSpace(code)))
	right := subtle.ConstantTimeCompare(sum[:], ch.Code) == 1
	if right {
		ch.Confirmed, ch.Code, ch.CodeUntil, ch.CodeTries = true, nil, time.Time{}, 0
	} else {
		ch.CodeTries++
	}
	if err := c.cfg.Store.SaveChannel(ctx, ch); err != nil {
		return ch, err
	}
	c.changed()
	if !right {
		return ch, ErrCode
	}
	return ch, nil
}
