package account

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Why somebody was not signed in, as the metrics name it.
const (
	reasonCredentials = "credentials"   // wrong name or password
	reasonDisabled    = "disabled"      // right, but the account is disabled
	reasonBusy        = "busy"          // too many passwords are being checked
	reasonPair        = "pair"          // too many failures from this address for this account
	reasonAddress     = "address"       // too many failures from this address
	reasonAccount     = "account"       // too many failures for this account from everywhere
	reasonRegister    = "registrations" // too many accounts made from this address
	reasonProvider    = "provider"      // what a provider answered, or a token of its, was not taken
	reasonStore       = "store"         // the books did not answer
)

var signInReasons = []string{reasonCredentials, reasonDisabled, reasonBusy, reasonPair, reasonAddress, reasonAccount, reasonRegister, reasonProvider, reasonStore}

// Identity is what a provider says of a person.
type Identity struct {
	Provider      string // ProviderClerk or the name of an OpenID Connect provider
	Subject       string // the provider's name of the person, which never changes
	Name          string // to be shown; may be ""
	Email         string // may be ""
	EmailVerified bool
	// Proven is when the person last proved to the provider to be there, such as
	// by a password; zero when it does not say.
	Proven time.Time
}

// SignIn checks name and password and opens a session, whose cookie it sets. It
// fails with ErrCredentials, whether name or password is wrong or the account is
// disabled; with a *BusyError when there were too many failures; or with an
// error of the store.
func (s *Service) SignIn(ctx context.Context, w http.ResponseWriter, r *http.Request, name, password string) (*Session, error) {
	u, err := s.check(ctx, AddressOf(r), name, password)
	// The name as it was typed is not kept: it may be a password in the wrong field.
	action := Action{Address: AddressOf(r), Name: "session.sign_in", Target: u.Name}
	if err != nil {
		action.Failed, action.Detail = true, s.refused(err)
		s.trail.add(action)
		if errors.Is(err, ErrDisabled) {
			err = ErrCredentials
		}
		return nil, err
	}
	session, err := s.open(ctx, w, r, u, s.now())
	if err != nil {
		return nil, s.notOpened(err)
	}
	s.counts.signIn("ok")
	action.UserID, action.User, action.Operator = u.ID, u.Name, u.isOperator()
	s.trail.add(action)
	return session, nil
}

// refused counts a failed attempt and says why in words for the audit trail.
func (s *Service) refused(err error) string {
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		s.counts.signIn(busy.Reason)
		return "not tried: too many attempts"
	case errors.Is(err, ErrCredentials):
		s.counts.signIn(reasonCredentials)
		return "wrong name or password"
	case errors.Is(err, ErrDisabled):
		s.counts.signIn(reasonDisabled)
		return "the account is disabled"
	default:
		s.counts.signIn(reasonStore)
		return "not tried: the books did not answer"
	}
}

func (s *Service) notOpened(err error) error {
	if !errors.Is(err, ErrDisabled) {
		s.counts.signIn(reasonStore)
		s.failed("session not opened", err)
	}
	return err
}

// check finds the local account that name and password belong to. The time that
// it takes does not depend on whether there is such a name. The account is told
// after a failure, too.
func (s *Service) check(ctx context.Context, address, name, password string) (User, error) {
	subject := fold(name)
	if len(subject) > maxName {
		subject = ""
	}
	attempt, err := s.limits.begin(subject, address)
	if err != nil {
		return User{}, err
	}
	u, text, err := s.store.UserBySubject(ctx, ProviderLocal, subject)
	known := err == nil
	if err != nil && !errors.Is(err, ErrUnknown) {
		attempt.undo()
		s.failed("account not read", err)
		return User{}, err
	}
	hash := nobody
	if known {
		if hash, err = parseHash(text); err != nil {
			s.failed("account "+u.ID+" has no usable password", err)
			hash, known = nobody, false
		}
	}
	right := false
	if err := s.hasher.do(ctx, func() { right = len(password) <= maxPassword && hash.matches(password) }); err != nil {
		attempt.undo()
		return u, err
	}
	switch {
	case !known || !right:
		return u, ErrCredentials
	case u.Disabled:
		return u, ErrDisabled
	}
	attempt.succeeded()
	if !hash.current() {
		s.rehash(ctx, u.ID, password)
	}
	return u, nil
}

// rehash keeps a password with today's parameters. That it fails is no reason to
// turn anybody away.
func (s *Service) rehash(ctx context.Context, id, password string) {
	var hash string
	if s.hasher.do(ctx, func() { hash = newHash(password) }) != nil {
		return
	}
	if err := s.store.RehashPassword(ctx, id, hash); err != nil {
		s.failed("password not rehashed", err)
	}
}

// Confirm checks the password of a session's user once more, which allows for a
// while what is dangerous. Errors as those of SignIn, or ErrNoPassword.
func (s *Service) Confirm(ctx context.Context, r *http.Request, session *Session, password string) (until time.Time, err error) {
	if session.User.Provider != ProviderLocal {
		return until, ErrNoPassword
	}
	token, ok := s.tokenOf(r)
	if !ok {
		return until, ErrNoSession
	}
	_, err = s.check(ctx, AddressOf(r), session.User.Name, password)
	action := Action{UserID: session.User.ID, User: session.User.Name, Address: AddressOf(r), Name: "session.confirm", Failed: err != nil, Operator: session.User.isOperator()}
	if err != nil {
		action.Detail = s.refused(err)
	}
	s.trail.add(action)
	if err != nil {
		return until, err
	}
	now := s.now()
	defer s.cache.clear()
	if err := s.store.ConfirmSession(ctx, token, now); err != nil {
		return until, s.notOpened(err)
	}
	return now.Add(ConfirmedFor), nil
}

// SignInExternal opens a session for a person whom a provider vouches for, and
// sets its cookie. An account is made when there is none. What is dangerous can be
// done for a while after who.Proven. It fails with ErrDisabled, ErrFull or an
// error of the store.
func (s *Service) SignInExternal(ctx context.Context, w http.ResponseWriter, r *http.Request, who Identity) (*Session, error) {
	u, err := s.Identify(ctx, who)
	action := Action{UserID: u.ID, User: u.Name, Address: AddressOf(r), Name: "session.sign_in", Detail: "through " + who.Provider, Operator: u.isOperator()}
	if err == nil && u.Disabled {
		err = ErrDisabled
	}
	if err != nil {
		action.Failed = true
		s.trail.add(action)
		s.refused(err)
		return nil, err
	}
	session, err := s.open(ctx, w, r, u, who.Proven)
	if err != nil {
		return nil, s.notOpened(err)
	}
	s.counts.signIn("ok")
	s.trail.add(action)
	return session, nil
}

// NoteExternal counts and records a sign-in through a provider that SignInExternal
// had no part in: one whose session is the provider's own, or one that failed, with
// the zero User, since the provider did not vouch for anybody.
func (s *Service) NoteExternal(r *http.Request, u User, provider string, err error) {
	action := Action{UserID: u.ID, User: u.Name, Address: AddressOf(r), Name: "session.sign_in", Detail: "through " + provider, Operator: u.isOperator()}
	switch {
	case err == nil:
		s.counts.signIn("ok")
	case errors.Is(err, ErrDisabled):
		s.counts.signIn(reasonDisabled)
	default:
		s.counts.signIn(reasonProvider)
	}
	if err != nil {
		action.Failed, action.Detail = true, action.Detail+": "+err.Error()
	}
	s.trail.add(action)
}

// Identify finds the account of a person whom a provider vouches for, and makes
// one when there is none. Name and e-mail address follow the provider's. Who is
// named in Config.Operators becomes an operator; nobody ceases to be one here.
// Disabled accounts are returned as well. It opens no session.
func (s *Service) Identify(ctx context.Context, who Identity) (User, error) {
	if who.Provider == ProviderLocal || who.Provider == "" || who.Subject == "" {
		return User{}, ErrUnknown
	}
	operator := s.isNamedOperator(who)
	name, email := clean(who.Name, 128), ""
	if who.EmailVerified {
		email = clean(who.Email, 254)
	}
	u, _, err := s.store.UserBySubject(ctx, who.Provider, who.Subject)
	if errors.Is(err, ErrUnknown) {
		u = User{ID: newID(16), Name: name, Email: email, Provider: who.Provider, Subject: who.Subject, Role: RoleViewer, Created: s.now()}
		if operator {
			u.Role = RoleOperator
		}
		if u.Name == "" {
			u.Name = clean(who.Subject, 128)
		}
		err = s.store.AddUser(ctx, u, who.Subject, "", maxUsers)
		if errors.Is(err, ErrTaken) { // by the same person's other request
			u, _, err = s.store.UserBySubject(ctx, who.Provider, who.Subject)
		}
		return u, err
	}
	if err != nil || (name == "" || u.Name == name) && (email == "" || u.Email == email) && (!operator || u.Role == RoleOperator) {
		return u, err
	}
	defer s.cache.clear()
	return s.store.EditUser(ctx, u.ID, func(u *User) error {
		if name != "" {
			u.Name = name
		}
		if email != "" {
			u.Email = email
		}
		if operator {
			u.Role = RoleOperator
		}
		return nil
	}, roleChanged, s.providers())
}

// isNamedOperator reports whether the configuration names a person.
func (s *Service) isNamedOperator(who Identity) bool {
	return slices.ContainsFunc(s.cfg.Load().Operators, func(name string) bool {
		return name == who.Provider+":"+who.Subject || who.EmailVerified && strings.Contains(who.Email, "@") && strings.EqualFold(name, who.Email)
	})
}
