package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/config"
)

type accountCommand struct {
	List     accountListCommand     `cmd:"" help:"List accounts."`
	Add      accountAddCommand      `cmd:"" help:"Make an account; its password is printed."`
	Password accountPasswordCommand `cmd:"" help:"Give an account a new password, which is printed, and end its sessions."`
	Role     accountRoleCommand     `cmd:"" help:"Change what somebody may do, and end their sessions."`
	Disable  accountDisableCommand  `cmd:"" help:"Keep somebody from signing in, and end their sessions."`
	Enable   accountEnableCommand   `cmd:"" help:"Let somebody sign in again."`
	Remove   accountRemoveCommand   `cmd:"" help:"Delete an account and all that belongs to it."`
	Sessions accountSessionsCommand `cmd:"" help:"List where somebody is signed in, or end all of it."`
}

// accountFlags say whose accounts are meant.
type accountFlags struct {
	Config  string `help:"Configuration file of the pool or scope." type:"path" placeholder:"FILE"`
	DataDir string `help:"Data folder of the pool (data), of the demo (data/demo) or of the scope (data/scope)." placeholder:"DIR"`
	Scope   bool   `help:"The accounts of poolscope scope, which has no books."`
}

// with opens the accounts for the time of f.
func (c *accountFlags) with(env *environment, f func(ctx context.Context, accounts *account.Service) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := env.logger("warn", "text")
	if err != nil {
		return err
	}
	accounts, closeAll, err := app.Accounts(env.ctx, cfg, c.Scope, log)
	if err != nil {
		return err
	}
	return errors.Join(f(env.ctx, accounts), closeAll())
}

// load reads the configuration in the way that the program does. A scope needs
// none.
func (c *accountFlags) load() (*config.Config, error) {
	var flags []config.Flag
	if c.DataDir != "" {
		flags = append(flags, config.Flag{Name: "--data-dir", Key: "data_dir", Value: c.DataDir})
	}
	switch {
	case c.Scope && c.Config != "":
		return config.LoadScope(c.Config, scopeDataDir, flags...)
	case c.Scope:
		cfg := config.Default()
		cfg.DataDir = cmp.Or(c.DataDir, os.Getenv("POOLSCOPE_DATA_DIR"), scopeDataDir)
		return cfg, nil
	}
	return config.Load(c.Config, flags...)
}

// find is the account of a name or an ID.
func find(ctx context.Context, accounts *account.Service, name string) (account.User, error) {
	all, err := accounts.Users(ctx)
	if err != nil {
		return account.User{}, err
	}
	var found []account.User
	for _, u := range all {
		if u.ID == name {
			return u.User, nil
		}
		if strings.EqualFold(u.Name, name) {
			found = append(found, u.User)
		}
	}
	switch len(found) {
	case 0:
		return account.User{}, fmt.Errorf("there is no account %q; poolscope account list shows those that are", name)
	case 1:
		return found[0], nil
	}
	return account.User{}, fmt.Errorf("several accounts are called %q; use the id that poolscope account list shows", name)
}

// to does something to an account, and notes it in the audit trail.
func (c *accountFlags) to(env *environment, name, action, detail string, f func(ctx context.Context, accounts *account.Service, u account.User) error) error {
	return c.with(env, func(ctx context.Context, accounts *account.Service) error {
		u, err := find(ctx, accounts, name)
		if err != nil {
			return err
		}
		if err := f(ctx, accounts, u); err != nil {
			return err
		}
		recordHere(ctx, accounts, action, u.Name, detail)
		return nil
	})
}

// recordHere notes in the audit trail what was done on the command line.
func recordHere(ctx context.Context, accounts *account.Service, action, target, detail string) {
	detail = strings.TrimPrefix(detail+", on the command line", ", ")
	accounts.Record(ctx, account.Action{User: "this machine", Name: action, Target: target, Detail: detail})
}

type accountListCommand struct {
	accountFlags `embed:""`
}

// Run lists accounts.
func (c *accountListCommand) Run(env *environment) error {
	return c.with(env, func(ctx context.Context, accounts *account.Service) error {
		all, err := accounts.Users(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tROLE\tPROVIDER\tSESSIONS\tLAST SEEN\tID\t")
		for _, u := range all {
			note := ""
			if u.Disabled {
				note = "disabled"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", u.Name, u.Role, u.Provider, u.Sessions, at(u.LastSeen), u.ID, note)
		}
		return w.Flush()
	})
}

// at is a time in a table.
func at(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

type accountAddCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name to sign in with."`
	Role         string `help:"viewer or operator (${default})." enum:"viewer,operator" default:"viewer"`
	Email        string `help:"E-mail address." placeholder:"ADDRESS"`
	Stdin        bool   `help:"Take the password from the first line of standard input instead of making one."`
}

// Run makes an account.
func (c *accountAddCommand) Run(env *environment) error {
	given, err := givenPassword(c.Stdin, os.Stdin)
	if err != nil {
		return err
	}
	return c.with(env, func(ctx context.Context, accounts *account.Service) error {
		u, made, err := accounts.Add(ctx, c.Name, c.Email, given, account.Role(c.Role))
		if err != nil {
			return err
		}
		recordHere(ctx, accounts, "account.add", u.Name, "role "+c.Role)
		return printPassword(env.stdout, u.Name, made)
	})
}

// givenPassword reads a password from standard input when that was asked for.
func givenPassword(wanted bool, in io.Reader) (string, error) {
	if !wanted {
		return "", nil
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usage("standard input has no password in its first line")
	}
	return line, nil
}

// printPassword tells a password that was made, this once.
func printPassword(out io.Writer, name, made string) error {
	if made == "" {
		return nil
	}
	_, err := fmt.Fprintf(out, "%s signs in with the password %s, shown this once\n", name, made)
	return err
}

type accountPasswordCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name or id."`
	Stdin        bool   `help:"Take the password from the first line of standard input instead of making one."`
}

// Run replaces a password.
func (c *accountPasswordCommand) Run(env *environment) error {
	given, err := givenPassword(c.Stdin, os.Stdin)
	if err != nil {
		return err
	}
	return c.to(env, c.Name, "account.password", "a new one", func(ctx context.Context, accounts *account.Service, u account.User) error {
		made, err := accounts.ResetPassword(ctx, u.ID, given)
		if err != nil {
			return err
		}
		return printPassword(env.stdout, u.Name, made)
	})
}

type accountRoleCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name or id."`
	Role         string `arg:"" help:"viewer or operator." enum:"viewer,operator"`
}

// Run changes a role.
func (c *accountRoleCommand) Run(env *environment) error {
	role := account.Role(c.Role)
	return c.change(env, c.Name, "role "+c.Role, account.Edit{Role: &role})
}

type accountDisableCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name or id."`
}

// Run disables an account.
func (c *accountDisableCommand) Run(env *environment) error {
	disabled := true
	return c.change(env, c.Name, "disabled", account.Edit{Disabled: &disabled})
}

type accountEnableCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name or id."`
}

// Run enables an account.
func (c *accountEnableCommand) Run(env *environment) error {
	disabled := false
	return c.change(env, c.Name, "enabled", account.Edit{Disabled: &disabled})
}

func (c *accountFlags) change(env *environment, name, what string, e account.Edit) error {
	return c.to(env, name, "account.change", what, func(ctx context.Context, accounts *account.Service, u account.User) error {
		if _, err := accounts.Change(ctx, u.ID, e); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.stdout, "%s: %s\n", u.Name, what)
		return err
	})
}

type accountRemoveCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name or id."`
}

// Run deletes an account.
func (c *accountRemoveCommand) Run(env *environment) error {
	return c.to(env, c.Name, "account.remove", "", func(ctx context.Context, accounts *account.Service, u account.User) error {
		if err := accounts.Remove(ctx, u.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.stdout, "%s: removed\n", u.Name)
		return err
	})
}

type accountSessionsCommand struct {
	accountFlags `embed:""`
	Name         string `arg:"" help:"Name or id."`
	Revoke       bool   `help:"End all of them."`
}

// Run lists or ends sessions.
func (c *accountSessionsCommand) Run(env *environment) error {
	if c.Revoke {
		return c.to(env, c.Name, "session.end", "all", func(ctx context.Context, accounts *account.Service, u account.User) error {
			if err := accounts.EndAllSessions(ctx, u.ID); err != nil {
				return err
			}
			_, err := fmt.Fprintf(env.stdout, "%s: signed out everywhere\n", u.Name)
			return err
		})
	}
	return c.with(env, func(ctx context.Context, accounts *account.Service) error {
		u, err := find(ctx, accounts, c.Name)
		if err != nil {
			return err
		}
		all, err := accounts.Sessions(ctx, u.ID)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "SINCE\tLAST SEEN\tENDS\tADDRESS\tBROWSER")
		for _, s := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", at(s.Created), at(s.LastSeen), at(s.Expires), s.Address, s.UserAgent)
		}
		return w.Flush()
	})
}
