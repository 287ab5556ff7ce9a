package config

import (
	"strings"
	"time"
)

// Auth is section [auth].
type Auth struct {
	// Who may make an account with a name and password: "closed": operators make
	// accounts for others; "open": everybody makes their own, as a viewer.
	Registration string `toml:"registration" reload:"live"`

	// How long a session lasts without a request.
	SessionIdle time.Duration `toml:"session_idle" reload:"live"`

	// How long a session lasts at most.
	SessionMax time.Duration `toml:"session_max" reload:"live"`

	// People who become operators when they sign in through a provider: e-mail
	// addresses that it has verified, or "PROVIDER:SUBJECT" with its own name of
	// the person. Local accounts have their role in the books.
	Operators []string `toml:"operators" reload:"live"`
}

// Values of auth.registration.
const (
	RegistrationClosed = "closed"
	RegistrationOpen   = "open"
)

// auth checks section [auth].
func (v *validator) auth() {
	a := v.config.Auth
	if a.Registration != RegistrationClosed && a.Registration != RegistrationOpen {
		v.complain("auth.registration", "%q must be closed or open", a.Registration)
	}
	if a.SessionIdle < 10*time.Minute {
		v.complain("auth.session_idle", "must be at least 10m")
	}
	if a.SessionMax < a.SessionIdle {
		v.complainSince("auth.session_max", "auth.session_idle", "must be at least auth.session_idle, %v", a.SessionIdle)
	}
	if a.SessionMax > 400*24*time.Hour {
		v.complain("auth.session_max", "must be at most 9600h: browsers keep no cookie longer")
	}
	for _, who := range a.Operators {
		provider, subject, named := strings.Cut(who, ":")
		mailbox, host, mail := strings.Cut(who, "@")
		switch {
		case named && provider != "" && subject != "":
		case mail && mailbox != "" && host != "":
		default:
			v.complain("auth.operators", `%q must be an e-mail address, or PROVIDER:SUBJECT such as "clerk:user_2abc"`, who)
		}
	}
}
