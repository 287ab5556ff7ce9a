package config

import "log/slog"

// redacted stands in for a secret wherever one would be shown.
const redacted = "[redacted]"

// Secret is a password or token. Every ordinary way of showing it (fmt, JSON,
// TOML, slog) prints "[redacted]" instead; only Reveal gives the value. An
// empty secret shows as empty, so that "is it set?" can be seen.
type Secret struct{ value string }

// NewSecret wraps a secret.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the secret itself, for the one place that must send or
// compare it.
func (s Secret) Reveal() string { return s.value }

// IsSet reports whether there is a secret.
func (s Secret) IsSet() bool { return s.value != "" }

// String returns "[redacted]", or "" for an empty secret.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// GoString redacts %#v.
func (s Secret) GoString() string { return `config.NewSecret("` + s.String() + `")` }

// MarshalText redacts JSON, TOML and every other text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a secret from a configuration file.
func (s *Secret) UnmarshalText(text []byte) error {
	s.value = string(text)
	return nil
}

// LogValue redacts slog attributes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Secrets are the values of all keys that are secrets, for those who take them out
// of texts.
func (c *Config) Secrets() []string {
	var all []string
	for _, f := range c.fields() {
		if s, ok := f.value.Interface().(Secret); ok && s.IsSet() {
			all = append(all, s.Reveal())
		}
	}
	return all
}
