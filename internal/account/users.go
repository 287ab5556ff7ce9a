package account

import (
	"cmp"
	"context"
	"net/mail"
	"strings"
)

// maxName bounds names of local accounts, in bytes.
const maxName = 64

// FirstOperator is the name of the account that is made on the first run.
const FirstOperator = "operator"

// fold is a local account's name as it is compared: whatever the case.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// checkName fails with ErrName for what is no name of a local account. Letters
// are ASCII's: names that look alike must not be different.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return ErrName
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+"
	if strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(allowed, r) }) {
		return ErrName
	}
	return nil
}

// checkEmail fails with ErrEmail; an empty one is good.
func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > 254 || clean(email, 254) != email {
		return ErrEmail
	}
	return nil
}

// roleChanged reports whether a change of a user ends their sessions: what they
// may do is another thing then.
func roleChanged(before, after User) bool { return before.Role != after.Role || after.Disabled }

// Users lists everybody, oldest first.
func (s *Service) Users(ctx context.Context) ([]Listed, error) {
	s.see(ctx)
	all, err := s.store.Users(ctx)
	if err != nil || s.external == nil {
		return all, err
	}
	// What is not in the store: sessions of a provider's own tokens.
	at := make(map[string]*Listed, len(all))
	for i := range all {
		at[all[i].ID] = &all[i]
	}
	for _, session := range s.external.Everybody() {
		if u := at[session.User.ID]; u != nil {
			u.Sessions++
			if session.LastSeen.After(u.LastSeen) {
				u.LastSeen = session.LastSeen
			}
		}
	}
	return all, nil
}

// User finds a user, or fails with ErrUnknown.
func (s *Service) User(ctx context.Context, id string) (User, error) { return s.store.User(ctx, id) }

// UserByName finds a local account, whatever the case of the name, or fails with
// ErrUnknown.
func (s *Service) UserByName(ctx context.Context, name string) (User, error) {
	u, _, err := s.store.UserBySubject(ctx, ProviderLocal, fold(name))
	return u, err
}

// Add makes a local account. With an empty password one is made, and returned.
// It fails with ErrName, ErrEmail, ErrRole, ErrTaken, ErrFull or a
// *WeakPasswordError.
func (s *Service) Add(ctx context.Context, name, email, password string, role Role) (u User, made string, err error) {
	return s.add(ctx, User{Name: name, Email: email, Role: role}, password, maxUsers)
}

// add is Add, as long as there are less than most users.
func (s *Service) add(ctx context.Context, n User, password string, most int) (u User, made string, err error) {
	name, email, role := strings.TrimSpace(n.Name), strings.TrimSpace(n.Email), n.Role
	if err := checkName(name); err != nil {
		return u, "", err
	}
	if err := checkEmail(email); err != nil {
		return u, "", err
	}
	if !role.Valid() {
		return u, "", ErrRole
	}
	if password == "" {
		made = NewPassword()
		password = made
	}
	hash, err := s.hash(ctx, name, password)
	if err != nil {
		return u, "", err
	}
	u = User{ID: newID(16), Name: name, Email: email, Provider: ProviderLocal, Role: role, Registered: n.Registered, Created: s.now()}
	return u, made, s.store.AddUser(ctx, u, fold(name), hash, most)
}

// hash hashes a password that is good enough for an account of that name.
func (s *Service) hash(ctx context.Context, name, password string) (hash string, err error) {
	if err := CheckPassword(name, password); err != nil {
		return "", err
	}
	err = s.hasher.do(ctx, func() { hash = newHash(password) })
	return hash, err
}

// AddFirst makes the account of the first operator when there is no account at
// all, and returns its password; "" when there is one.
func (s *Service) AddFirst(ctx context.Context) (password string, err error) {
	all, err := s.store.Users(ctx)
	if err != nil || len(all) > 0 {
		return "", err
	}
	u, password, err := s.Add(ctx, FirstOperator, "", "", RoleOperator)
	if err == nil {
		s.trail.add(Action{User: "this machine", Name: "account.add", Target: u.Name, Detail: "first run"})
	}
	return password, err
}

// Register makes a local account of a stranger, a viewer's, if that is allowed. It
// is forgotten when it is never used, see forgetUnused. Errors as those of Add,
// ErrClosed, or a *BusyError.
func (s *Service) Register(ctx context.Context, address, name, email, password string) (User, error) {
	if !s.Open() {
		return User{}, ErrClosed
	}
	// What will not do in any case does not count against the limit.
	if err := cmp.Or(checkName(strings.TrimSpace(name)), checkEmail(strings.TrimSpace(email)), CheckPassword(name, password)); err != nil {
		return User{}, err
	}
	if err := s.limits.register(address); err != nil {
		s.counts.signIn(reasonRegister)
		return User{}, err
	}
	u, _, err := s.add(ctx, User{Name: name, Email: email, Role: RoleViewer, Registered: true}, password, maxRegistered)
	if err != nil {
		s.trail.add(Action{Address: address, Name: "account.register", Detail: err.Error(), Failed: true})
		return User{}, err
	}
	s.trail.add(Action{UserID: u.ID, User: u.Name, Address: address, Name: "account.register", Target: u.Name})
	return u, nil
}

// Edit is a change of an account; nil leaves a member as it is.
type Edit struct {
	Role     *Role
	Disabled *bool
	Email    *string
}

// Change changes an account. Its sessions end when its role changes or it is
// disabled. It fails with ErrUnknown, ErrRole, ErrEmail or ErrLastOperator.
func (s *Service) Change(ctx context.Context, id string, e Edit) (User, error) {
	if e.Role != nil && !e.Role.Valid() {
		return User{}, ErrRole
	}
	if e.Email != nil {
		if err := checkEmail(*e.Email); err != nil {
			return User{}, err
		}
	}
	defer s.cache.clear()
	return s.store.EditUser(ctx, id, func(u *User) error {
		if e.Role != nil {
			u.Role = *e.Role
		}
		if e.Disabled != nil {
			u.Disabled = *e.Disabled
		}
		if e.Email != nil {
			u.Email = *e.Email
		}
		return nil
	}, roleChanged, s.providers())
}

// providers are those whose people can sign in.
func (s *Service) providers() []string {
	return append([]string{ProviderLocal}, s.cfg.Load().Providers...)
}

// Remove deletes an account and all that is its own. It fails with ErrUnknown or
// ErrLastOperator.
func (s *Service) Remove(ctx context.Context, id string) error {
	defer s.cache.clear()
	return s.store.RemoveUser(ctx, id, s.providers())
}

// ResetPassword replaces the password of a local account and ends its sessions.
// With an empty password one is made, and returned. It fails with ErrUnknown,
// ErrNoPassword or a *WeakPasswordError.
func (s *Service) ResetPassword(ctx context.Context, id, password string) (made string, err error) {
	u, err := s.store.User(ctx, id)
	switch {
	case err != nil:
		return "", err
	case u.Provider != ProviderLocal:
		return "", ErrNoPassword
	case password == "":
		made = NewPassword()
		password = made
	}
	hash, err := s.hash(ctx, u.Name, password)
	if err != nil {
		return "", err
	}
	defer s.cache.clear()
	return made, s.store.SetPassword(ctx, id, hash, "")
}

// ChangePassword replaces the password of a session's user, who gives the
// current one, and ends all other sessions of theirs. Errors as those of Confirm,
// or a *WeakPasswordError.
func (s *Service) ChangePassword(ctx context.Context, address string, session *Session, current, next string) error {
	if session.User.Provider != ProviderLocal {
		return ErrNoPassword
	}
	if err := CheckPassword(session.User.Name, next); err != nil {
		return err
	}
	_, err := s.check(ctx, address, session.User.Name, current)
	action := Action{UserID: session.User.ID, User: session.User.Name, Address: address, Name: "account.password", Target: session.User.Name, Operator: session.User.isOperator()}
	if err != nil {
		action.Failed, action.Detail = true, s.refused(err)
		s.trail.add(action)
		return err
	}
	hash, err := s.hash(ctx, session.User.Name, next)
	if err != nil {
		return err
	}
	defer s.cache.clear()
	if err := s.store.SetPassword(ctx, session.User.ID, hash, session.ID); err != nil {
		return err
	}
	s.trail.add(action)
	return nil
}
