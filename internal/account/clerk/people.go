package clerk

import (
	"context"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// People gives accounts.
type People interface {
	// Identify returns the account of a person whom a provider knows, and
	// makes it when there is none.
	Identify(ctx context.Context, who account.Identity) (account.User, error)
	// Generation changes whenever an account may have.
	Generation(ctx context.Context) uint64
}

// How long an account is remembered unless accounts change, so that what the
// provider says anew of a person is noticed.
const (
	rememberPerson = 10 * time.Second
	maxRemembered  = 4096
	lookUpTime     = 5 * time.Second
)

// people remembers the accounts of those who were seen lately, so that a
// request with a cookie does not ask the store.
type people struct {
	source People

	mu   sync.Mutex
	seen map[string]person // by subject
}

type person struct {
	user account.User
	err  error
	at   time.Time
	age  uint64 // generation of the accounts
}

// get returns the account of a token's person.
func (p *people) get(ctx context.Context, t Token, now time.Time) (account.User, error) {
	age := p.source.Generation(ctx)
	p.mu.Lock()
	known, ok := p.seen[t.Subject]
	p.mu.Unlock()
	if ok && known.age == age && now.Sub(known.at) < rememberPerson {
		return known.user, known.err
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	user, err := p.source.Identify(ctx, account.Identity{
		Provider: account.ProviderClerk, Subject: t.Subject, Name: t.Name, Email: t.Email, EmailVerified: t.EmailVerified,
	})
	if err != nil {
		return account.User{}, err // says nothing about the person: the next request asks again
	}
	if user.Disabled {
		err = account.ErrDisabled
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) >= maxRemembered {
		p.seen = make(map[string]person)
	}
	p.seen[t.Subject] = person{user, err, now, age}
	return user, err
}
