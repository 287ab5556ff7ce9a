package config

import (
	"net/mail"
	"slices"
	"time"
)

// Alerts is section [alerts].
type Alerts struct {
	// Let the channels of operators lead to private networks and this machine.
	// Those of other people never do.
	AllowPrivate bool `toml:"allow_private" reload:"live"`

	// How long after the start, and after trouble with the node, nobody is reported
	// offline.
	QuietStart time.Duration `toml:"quiet_start" reload:"live"`

	// Most messages of one person per hour; what is more waits and goes together.
	// 0: no limit.
	UserMessagesPerHour int `toml:"user_messages_per_hour" reload:"live"`

	// Most messages of all people per hour; operators' are not counted. 0: no limit.
	MessagesPerHour int `toml:"messages_per_hour" reload:"live"`

	// Mail server for alerts by e-mail. Empty: no e-mail.
	SMTPHost string `toml:"smtp_host" reload:"live"`

	// Its port.
	SMTPPort int `toml:"smtp_port" reload:"live"`

	// User at the mail server. Empty: it asks for none.
	SMTPUser string `toml:"smtp_user" reload:"live"`

	// Password at the mail server.
	SMTPPassword Secret `toml:"smtp_password" reload:"live"`

	// File with the password, instead of writing it here.
	SMTPPasswordFile string `toml:"smtp_password_file" reload:"live"`

	// Address that the mail comes from.
	SMTPFrom string `toml:"smtp_from" reload:"live"`

	// starttls, tls (from the first byte, port 465) or none.
	SMTPTLS string `toml:"smtp_tls" reload:"live"`
}

// defaultAlerts are the values of nobody's choice.
func defaultAlerts() Alerts {
	return Alerts{QuietStart: 5 * time.Minute, UserMessagesPerHour: 60, MessagesPerHour: 1000, SMTPPort: 587, SMTPTLS: "starttls"}
}

// alerts checks section [alerts].
func (v *validator) alerts() {
	a := v.config.Alerts
	if a.QuietStart < time.Second || a.QuietStart > time.Hour {
		v.complain("alerts.quiet_start", "must be from 1s to 1h")
	}
	if a.UserMessagesPerHour < 0 {
		v.complain("alerts.user_messages_per_hour", "must be 0 (no limit) or more")
	}
	if a.MessagesPerHour < 0 {
		v.complain("alerts.messages_per_hour", "must be 0 (no limit) or more")
	}
	if a.SMTPHost == "" {
		return
	}
	if a.SMTPPort < 1 || a.SMTPPort > 65535 {
		v.complain("alerts.smtp_port", "must be from 1 to 65535")
	}
	if _, err := mail.ParseAddress(a.SMTPFrom); err != nil {
		v.complainSince("alerts.smtp_from", "alerts.smtp_host", `must be an address such as "pool@example.org"`)
	}
	if !slices.Contains([]string{"starttls", "tls", "none"}, a.SMTPTLS) {
		v.complain("alerts.smtp_tls", "%q must be starttls, tls or none", a.SMTPTLS)
	}
	if a.SMTPPassword.IsSet() && a.SMTPUser == "" {
		v.complainSince("alerts.smtp_user", "alerts.smtp_password", "must not be empty when there is a password")
	}
}
