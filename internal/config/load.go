package config

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Origin is the source of a value, for Print: the zero Origin means default.
type Origin struct {
	// Kind is "default", "file", "env" or "flag".
	Kind string
	// Source is the file's path, the environment variable or the flag.
	Source string
	// Line and Column are the place of the key in the file; 0 otherwise.
	Line, Column int
}

// String is what Print writes behind a value.
func (o Origin) String() string {
	switch {
	case o.Kind == "" || o.Kind == "default":
		return "default"
	case o.Line > 0:
		return fmt.Sprintf("%s %s:%d", o.Kind, o.Source, o.Line)
	default:
		return o.Kind + " " + o.Source
	}
}

// Flag is a value given on the command line. It wins over file and environment.
type Flag struct {
	Name  string // as the person typed it: "--http"
	Key   string // the key that it sets: "http.listen"
	Value string // lists are separated by commas
}

// Load reads the file at path (none when path is empty), lays the environment
// and the flags over it, and validates the outcome. Every problem is reported
// at once, as an *InvalidError; a file that cannot be read is an fs error.
func Load(path string, flags ...Flag) (*Config, error) { return load(Default(), path, flags) }

// LoadScope is Load for a scope that runs without a pool: dataDir is its data
// folder unless something else is configured, and only what a scope needs is
// validated.
func LoadScope(path, dataDir string, flags ...Flag) (*Config, error) {
	return load(defaultScope(dataDir), path, flags)
}

func load(base *Config, path string, flags []Flag) (*Config, error) {
	var data []byte
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("read configuration: %w (poolscope config example > %s makes one)", err, path)
			}
			return nil, fmt.Errorf("read configuration: %w", err)
		}
	}
	return overlay(base, path, data, os.Environ(), flags)
}

// Parse is Load on a file's contents and a given environment ("NAME=value",
// as from os.Environ). name is what messages call the file.
func Parse(name string, data []byte, environ []string, flags ...Flag) (*Config, error) {
	return overlay(Default(), name, data, environ, flags)
}

// overlay lays everything over the defaults in c.
func overlay(c *Config, name string, data []byte, environ []string, flags []Flag) (*Config, error) {
	for i := range c.Nodes {
		c.Nodes[i].Name = "" // follows from the final url, see complete
	}
	c.origins = make(map[string]Origin)
	c.file = name

	problems := c.applyFile(name, data)
	problems = append(problems, c.applyEnvironment(environ)...)
	problems = append(problems, c.applyFlags(flags)...)
	problems = append(problems, c.readSecretFiles()...)
	problems = append(problems, c.checkCertificate()...)
	c.complete()

	// A value that could not be understood is still at its default: what
	// validation says about that key would only confuse.
	complained := make(map[string]bool)
	for _, p := range problems {
		complained[p.Key] = true
	}
	for _, p := range c.problems() {
		if !complained[p.Key] {
			problems = append(problems, p)
		}
	}

	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
		return nil, &InvalidError{Problems: problems}
	}
	return c, nil
}

// Warnings are remarks that do not stop the program, such as environment
// variables that look like ours and are not.
func (c *Config) Warnings() []string {
	warnings := slices.Concat(c.warnings, c.backupWarnings(), c.proxyWarnings())
	warnings = append(warnings, c.clerkWarnings()...)
	if room, err := c.coinbaseRoom(); err == nil && room != "" {
		warnings = append(warnings, room)
	}
	return warnings
}

// OriginOf says where the value of a key came from.
func (c *Config) OriginOf(key string) Origin {
	if o, ok := c.origins[key]; ok {
		return o
	}
	return Origin{Kind: "default"}
}

// applyEnvironment lays POOLSCOPE_SECTION_KEY variables over the configuration.
// POOLSCOPE_NODE_URL is the first node's, POOLSCOPE_NODE_2_URL the second's. A
// name that is no key is a warning only: container platforms make up variables
// of their own from the name of a service.
func (c *Config) applyEnvironment(environ []string) []Problem {
	var problems []Problem
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		key, ok := c.keyOfVariable(name)
		if !ok {
			c.warnings = append(c.warnings, "environment variable "+name+" is not one of poolscope's and is ignored")
			continue
		}
		problems = append(problems, c.set(key, value, Origin{Kind: "env", Source: name})...)
	}
	return problems
}

func (c *Config) applyFlags(flags []Flag) []Problem {
	var problems []Problem
	for _, f := range flags {
		problems = append(problems, c.set(f.Key, f.Value, Origin{Kind: "flag", Source: f.Name})...)
	}
	return problems
}

// set parses value into key and remembers where it came from.
func (c *Config) set(key, value string, from Origin) []Problem {
	f, err := c.lookup(key)
	if err != nil {
		return []Problem{{Source: from.Source, Key: key, Message: err.Error()}}
	}
	if err := setString(f.value, value); err != nil {
		return []Problem{{Source: from.Source, Key: key, Message: err.Error()}}
	}
	c.origins[key] = from
	return nil
}

const envPrefix = "POOLSCOPE_"

// Variable is the environment variable that overrides a key.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// keyOfVariable is the key that an environment variable sets. Section and key
// names hold underscores themselves, so the keys are asked, not the name split.
func (c *Config) keyOfVariable(name string) (string, bool) {
	if rest, ok := strings.CutPrefix(name, envPrefix+"NODE_"); ok {
		number, keyName, ok := strings.Cut(rest, "_")
		if !ok || !isDigits(number) {
			number, keyName = "1", rest
		}
		key := "node." + number + "." + strings.ToLower(keyName)
		_, err := c.lookup(key)
		return key, err == nil
	}
	for _, f := range c.fields() {
		if Variable(f.key) == name {
			return f.key, true
		}
	}
	return "", false
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// maxSecretFile is more than any secret has, in bytes.
const maxSecretFile = 64 << 10

// readSecretFile reads a file with a secret. Any regular file will do; a device or a
// pipe could have no end, or keep a running program waiting when it reads its
// configuration anew.
func readSecretFile(path string) ([]byte, error) {
	switch about, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case !about.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case about.Size() > maxSecretFile:
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxSecretFile)
	}
	return os.ReadFile(path)
}

// readSecretFiles fills the secrets that live in files of their own.
func (c *Config) readSecretFiles() []Problem {
	var problems []Problem
	read := func(key, path string, into *Secret) {
		if path == "" {
			return
		}
		complain := func(message string) {
			o := c.OriginOf(key)
			problems = append(problems, Problem{Source: o.Source, Line: o.Line, Column: o.Column, Key: key, Message: message})
		}
		if into.IsSet() {
			complain("the secret is given twice, here and directly; keep one of them")
			return
		}
		data, err := readSecretFile(path)
		if err != nil {
			complain("cannot read the secret: " + err.Error())
			return
		}
		*into = NewSecret(strings.TrimRight(string(data), "\r\n"))
	}
	read("http.token_file", c.HTTP.TokenFile, &c.HTTP.Token)
	read("discord.discord_token_file", c.Discord.TokenFile, &c.Discord.Token)
	read("fleet.group_key_file", c.Fleet.GroupKeyFile, &c.Fleet.GroupKey)
	read("alerts.smtp_password_file", c.Alerts.SMTPPasswordFile, &c.Alerts.SMTPPassword)
	read("backup.key_file", c.Backup.KeyFile, &c.Backup.Key)
	read("backup.s3_secret_key_file", c.Backup.S3SecretKeyFile, &c.Backup.S3SecretKey)
	for i := range c.OIDC {
		read(fmt.Sprintf("oidc.%d.client_secret_file", i+1), c.OIDC[i].ClientSecretFile, &c.OIDC[i].ClientSecret)
	}
	for i := range c.Nodes {
		read(fmt.Sprintf("node.%d.password_file", i+1), c.Nodes[i].PasswordFile, &c.Nodes[i].Password)
	}
	return problems
}

// checkCertificate looks whether the certificate and its key are there and
// belong together. With only one of them configured, Validate complains.
func (c *Config) checkCertificate() []Problem {
	cert, key := c.Stratum.CertFile, c.Stratum.KeyFile
	if cert == "" || key == "" {
		return nil
	}
	var problems []Problem
	complain := func(key, format string, args ...any) {
		o := c.OriginOf(key)
		problems = append(problems, Problem{Source: o.Source, Line: o.Line, Column: o.Column, Key: key, Message: fmt.Sprintf(format, args...)})
	}
	certPEM, err := os.ReadFile(cert)
	if err != nil {
		complain("stratum.cert_file", "cannot read the certificate: %v; put it there or correct the path", err)
	}
	keyPEM, err := os.ReadFile(key)
	if err != nil {
		complain("stratum.key_file", "cannot read the private key: %v; put it there or correct the path", err)
	}
	if len(problems) > 0 {
		return problems
	}
	if _, err := tls.X509KeyPair(certPEM, keyPEM); err != nil {
		complain("stratum.cert_file", "cannot be used with stratum.key_file: %v", err)
	}
	return problems
}
