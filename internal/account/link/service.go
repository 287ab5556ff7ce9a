package link

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// CodeLife is how long a code works.
const CodeLife = 5 * time.Minute

// Limits of what is tried.
const (
	guessesEach  = 5   // wrong codes of one Discord account …
	guessesAll   = 100 // … and of all of them, in …
	guessWindow  = 10 * time.Minute
	requestsEach = 20 // codes that one person is given …
	requestsAll  = 1000
	askWindow    = 10 * time.Minute
)

// Service makes and takes codes and knows the links.
type Service struct {
	store    Store
	trail    account.Trail // nil: nothing is written down
	tag      string
	now      func() time.Time
	guesses  *attempts
	requests *attempts

	issued, redeemed, wrong, limited atomic.Uint64
}

// Counts are what happened since the program started.
type Counts struct {
	Issued   uint64 // codes made
	Redeemed uint64 // codes that linked an account
	Wrong    uint64 // codes that were not right
	Limited  uint64 // tries that were turned away, since there had been too many
}

// Open returns a service. trail may be nil.
func Open(ctx context.Context, store Store, trail account.Trail) (*Service, error) {
	tag, err := store.LinkTag(ctx, newTag())
	if err != nil {
		return nil, err
	}
	return &Service{
		store: store, trail: trail, tag: tag, now: time.Now,
		guesses:  newAttempts(guessesEach, guessesAll, guessWindow),
		requests: newAttempts(requestsEach, requestsAll, askWindow),
	}, nil
}

// Counts are what happened since the program started.
func (s *Service) Counts() Counts {
	return Counts{Issued: s.issued.Load(), Redeemed: s.redeemed.Load(), Wrong: s.wrong.Load(), Limited: s.limited.Load()}
}

// NewCode makes a code for an account; one that it had before is void. It fails
// with a *TooManyError or with ErrNoAccount.
func (s *Service) NewCode(ctx context.Context, userID string) (code string, expires time.Time, err error) {
	now := s.now()
	if wait := s.requests.try(userID, now); wait > 0 {
		s.limited.Add(1)
		return "", time.Time{}, &TooManyError{wait}
	}
	code, expires = newCode(s.tag), now.Add(CodeLife)
	if err := s.store.SaveLinkCode(ctx, userID, hash(normal(code)), now, expires); err != nil {
		return "", time.Time{}, err
	}
	s.issued.Add(1)
	return code, expires, nil
}

// ClearCode voids an account's code. cleared is false when the account has no
// such code.
func (s *Service) ClearCode(ctx context.Context, userID, code string) (cleared bool, err error) {
	n := normal(code)
	if n == "" {
		return false, nil
	}
	return s.store.ClearLinkCode(ctx, userID, hash(n), s.now())
}

// Redeem links a Discord account to the account that a code was made for. It
// fails with ErrCode, ErrOtherPool or a *TooManyError.
func (s *Service) Redeem(ctx context.Context, discordID, discordName, code string) (Redeemed, error) {
	now := s.now()
	if wait := s.guesses.try(discordID, now); wait > 0 {
		s.limited.Add(1)
		return Redeemed{}, &TooManyError{wait}
	}
	r, err := s.redeem(ctx, discordID, discordName, code, now)
	switch {
	case errors.Is(err, ErrCode), errors.Is(err, ErrOtherPool):
		s.wrong.Add(1)
		return Redeemed{}, err
	case err != nil:
		return Redeemed{}, err
	}
	s.redeemed.Add(1)
	s.guesses.forgive(discordID)
	s.record(ctx, r.UserID, "discord.link", discordID, discordName)
	if r.MovedFrom != "" {
		s.record(ctx, r.MovedFrom, "discord.unlink", discordID, "linked to another account")
	}
	if r.Replaced != "" {
		s.record(ctx, r.UserID, "discord.unlink", r.Replaced, "another Discord account was linked")
	}
	return r, nil
}

func (s *Service) redeem(ctx context.Context, discordID, discordName, code string, now time.Time) (Redeemed, error) {
	n := normal(code)
	if n == "" {
		return Redeemed{}, ErrCode
	}
	if tag, _, _ := strings.Cut(n, "-"); !strings.EqualFold(tag, s.tag) {
		return Redeemed{}, ErrOtherPool
	}
	r, ok, err := s.store.RedeemLinkCode(ctx, hash(n), discordID, discordName, now)
	if err == nil && !ok {
		err = ErrCode
	}
	return r, err
}

// Link is the link of an account; ErrNotLinked without.
func (s *Service) Link(ctx context.Context, userID string) (Link, error) {
	return linked(s.store.DiscordLink(ctx, userID))
}

// LinkOf is the link of a Discord account; ErrNotLinked without.
func (s *Service) LinkOf(ctx context.Context, discordID string) (Link, error) {
	return linked(s.store.DiscordLinkOf(ctx, discordID))
}

func linked(l Link, ok bool, err error) (Link, error) {
	if err == nil && !ok {
		err = ErrNotLinked
	}
	return l, err
}

// SetEnabled switches an account's notifications at Discord; ErrNotLinked when
// there is no link.
func (s *Service) SetEnabled(ctx context.Context, userID string, enabled bool) error {
	ok, err := s.store.EnableDiscord(ctx, userID, enabled, s.now())
	if err == nil && !ok {
		err = ErrNotLinked
	}
	return err
}

// Stop ends the notifications of a Discord account, at its own wish. was is
// false when they had been off before; ErrNotLinked when it is nobody's.
func (s *Service) Stop(ctx context.Context, discordID string) (was bool, err error) {
	l, err := s.LinkOf(ctx, discordID)
	if err != nil {
		return false, err
	}
	return l.Enabled, s.SetEnabled(ctx, l.UserID, false)
}

// Unlink removes an account's link; ErrNotLinked when there is none.
func (s *Service) Unlink(ctx context.Context, userID string) error {
	ok, err := s.store.Unlink(ctx, userID)
	if err == nil && !ok {
		err = ErrNotLinked
	}
	return err
}

// record writes down what the bot did for somebody.
func (s *Service) record(ctx context.Context, userID, name, discordID, detail string) {
	if s.trail == nil {
		return
	}
	s.trail.Record(ctx, account.Action{At: s.now(), UserID: userID, User: "Discord", Name: name, Target: discordID, Detail: detail})
}
