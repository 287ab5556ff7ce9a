package config

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of Validate.
const (
	// maxTagLength leaves room in the 100 bytes of a coinbase's script for the
	// height (4), our salt (5), the extranonces (13) and the tag's own two-byte
	// push.
	maxTagLength = 76
	// minCoinbaseSize is what the smallest coinbase with a payout and a witness
	// commitment needs.
	minCoinbaseSize = 160
	// maxCoinbaseSize keeps mining.notify below the buffers of small miners.
	maxCoinbaseSize = 4000
	// maxSharesPerMinute is more than any miner needs to show a steady hashrate.
	maxSharesPerMinute = 600
)

// Validate checks all values against each other and returns every problem at
// once as an *InvalidError, or nil. Load and Parse have done it already; call
// it after changing a configuration by hand.
func (c *Config) Validate() error {
	if problems := c.problems(); len(problems) > 0 {
		return &InvalidError{Problems: problems}
	}
	return nil
}

// validator collects problems, each with the origin of its key.
type validator struct {
	config *Config
	found  []Problem
}

func (v *validator) complain(key, format string, args ...any) {
	v.complainSince(key, "", format, args...)
}

// complainSince complains about a key because of the value of another one. A key
// that is not in the file has no place there: then it is the other's, or that
// of the section.
func (v *validator) complainSince(key, since, format string, args ...any) {
	o, ok := v.config.origins[key]
	if !ok {
		o, ok = v.config.origins[since]
	}
	for section := key; !ok && section != ""; {
		section = section[:max(0, strings.LastIndexByte(section, '.'))]
		o, ok = v.config.sections[section]
	}
	v.found = append(v.found, Problem{
		Source: o.Source, Line: o.Line, Column: o.Column, Key: key, Message: fmt.Sprintf(format, args...),
	})
}

func (c *Config) problems() []Problem {
	v := &validator{config: c}
	if c.DataDir == "" {
		v.complain("data_dir", "must not be empty")
	}
	v.listeners()
	v.publicURL()
	v.auth()
	v.clerk()
	v.oidc()
	v.network()
	v.scope()
	v.fleet()
	v.backup()
	if !c.scopeOnly || c.NodeConfigured() {
		v.nodes()
	}
	if !c.scopeOnly {
		v.difficulty()
		v.abuse()
		v.payout()
		v.coinbase()
		v.alerts()
		v.discord()
		v.price()
	}
	v.log()
	return v.found
}

func (v *validator) listeners() {
	c := v.config
	v.listenAddress("http.listen", c.HTTP.Listen)

	taken := map[string]string{c.HTTP.Listen: "http.listen"}
	if c.HTTP.TLSListen != "" {
		v.listenAddress("http.tls_listen", c.HTTP.TLSListen)
		if c.HTTP.TLSListen == c.HTTP.Listen && !strings.HasSuffix(c.HTTP.Listen, ":0") {
			v.complain("http.tls_listen", "%s is already used by http.listen", c.HTTP.TLSListen)
		}
		taken[c.HTTP.TLSListen] = "http.tls_listen"
	}
	list := func(key string, addresses []string) {
		for _, address := range addresses {
			if !v.listenAddress(key, address) {
				continue
			}
			if other, ok := taken[address]; ok && !strings.HasSuffix(address, ":0") {
				v.complain(key, "%s is already used by %s", address, other)
			}
			taken[address] = key
		}
	}
	list("scope.listen", c.Scope.Listen)
	list("scope.tls_listen", c.Scope.TLSListen)
	if c.Stratum.CertFile != "" && c.Stratum.KeyFile == "" {
		v.complain("stratum.cert_file", "needs stratum.key_file, its private key")
	}
	if c.Stratum.KeyFile != "" && c.Stratum.CertFile == "" {
		v.complain("stratum.key_file", "needs stratum.cert_file, its certificate")
	}
	if c.scopeOnly {
		return
	}
	list("stratum.listen", c.Stratum.Listen)
	list("stratum.tls_listen", c.Stratum.TLSListen)
	for i := range c.Listeners {
		key := "listener." + strconv.Itoa(i+1)
		list(key+".listen", []string{c.Listeners[i].Listen})
		v.listener(key, &c.Listeners[i])
	}
	if len(c.Stratum.Listen)+len(c.Stratum.TLSListen)+len(c.Listeners) == 0 {
		v.complain("stratum.listen", "miners need at least one address to connect to, here or in stratum.tls_listen")
	}

	if c.Stratum.MaxConnections < 1 {
		v.complain("stratum.max_connections", "must be at least 1")
	}
	if c.Stratum.FailoverAfter < 0 {
		v.complain("stratum.failover_after", "must be 0 (never) or more seconds")
	}
	if c.Stratum.MaxConnectionsPerAddress < 0 {
		v.complain("stratum.max_connections_per_address", "must be 0 (no limit) or more")
	}
}

// listenAddress checks host:port, where the host may be empty and the port 0.
func (v *validator) listenAddress(key, address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		v.complain(key, `%q must be host:port, such as "127.0.0.1:8000" or ":3333"`, address)
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		v.complain(key, "%q has no port between 0 and 65535", address)
		return false
	}
	return true
}

func (v *validator) difficulty() {
	d := v.config.Difficulty
	if d.Min <= 0 {
		v.complain("difficulty.min", "must be above 0")
	}
	if d.Max < 0 {
		v.complain("difficulty.max", "must be 0 (no limit) or more")
	}
	if d.Max > 0 && d.Max < d.Min {
		v.complain("difficulty.max", "%v is below difficulty.min, %v", d.Max, d.Min)
	}
	switch {
	case d.Start <= 0:
		v.complain("difficulty.start", "must be above 0")
	case d.Start < d.Min:
		v.complain("difficulty.start", "%v is below difficulty.min, %v", d.Start, d.Min)
	case d.Max > 0 && d.Start > d.Max:
		v.complain("difficulty.start", "%v is above difficulty.max, %v", d.Start, d.Max)
	}
	if d.SharesPerMinute <= 0 || d.SharesPerMinute > maxSharesPerMinute {
		v.complain("difficulty.shares_per_minute", "must be above 0 and at most %d", maxSharesPerMinute)
	}
}

func (v *validator) nodes() {
	c := v.config
	if len(c.Nodes) == 0 {
		v.complain("node", "the pool needs at least one [[node]]")
	}
	names := make(map[string]string)
	for i := range c.Nodes {
		n, prefix := &c.Nodes[i], "node."+strconv.Itoa(i+1)

		v.nodeURL(prefix+".url", n.URL)
		if other, ok := names[n.Name]; ok && n.Name != "" {
			v.complainSince(prefix+".name", prefix+".url", "%q is also the name of %s; nodes need different names", n.Name, other)
		}
		names[n.Name] = prefix

		if n.CookieFile != "" && (n.User != "" || n.Password.IsSet() || n.PasswordFile != "") {
			v.complain(prefix+".cookie_file", "use either the cookie file or user and password, not both")
		}
		if n.User == "" && n.Password.IsSet() {
			v.complainSince(prefix+".user", prefix+".password", "must not be empty when there is a password")
		}
		v.zmqAddress(prefix+".zmq_hashblock", n.ZMQHashBlock)
		v.zmqAddress(prefix+".zmq_rawblock", n.ZMQRawBlock)
	}
}

// nodeURL never repeats the value in its complaint: there may be a password in
// it, which is one of the mistakes that it looks for.
func (v *validator) nodeURL(key, value string) {
	u, err := url.Parse(value)
	switch {
	case value == "":
		v.complain(key, `must not be empty; a node on this machine is "http://127.0.0.1:8332"`)
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		v.complain(key, `must be like "http://host:port"`)
	case u.User != nil:
		v.complain(key, "must not hold user and password; they have their own keys, user and password")
	case u.RawQuery != "" || u.Fragment != "":
		v.complain(key, "must not have a ?query or a #fragment")
	}
}

func (v *validator) zmqAddress(key, value string) {
	if value == "" {
		return
	}
	if path, ok := strings.CutPrefix(value, "ipc://"); ok && path != "" {
		return
	}
	if address, ok := strings.CutPrefix(value, "tcp://"); ok {
		if host, port, err := net.SplitHostPort(address); err == nil && host != "" && port != "" {
			return
		}
	}
	v.complain(key, `%q must be like "tcp://127.0.0.1:28332", as in the node's own configuration`, value)
}

func (v *validator) network() {
	n := v.config.Network
	if n.Chain != "" && !knownChain(n.Chain) {
		v.complain("network.chain", "%q must be main, test, testnet4, signet or regtest, or empty", n.Chain)
	}
	if n.Genesis != "" && !isHex(n.Genesis, 64) {
		v.complain("network.genesis", "must be a block hash of 64 hex digits, or empty")
	}
}

func (v *validator) payout() {
	p := v.config.Payout
	party := func(percentKey string, percent float64, addressKey, address string) {
		if percent < 0 || percent >= 100 {
			v.complain(percentKey, "%v must be at least 0 and below 100", percent)
		}
		switch {
		case address != "":
			if err := checkAddress(address, v.config.Network.Chain); err != nil {
				v.complain(addressKey, "%v", err)
			}
		case percent > 0:
			v.complainSince(addressKey, percentKey, "must be a Bitcoin address, since %s is above 0", percentKey)
		}
	}
	party("payout.fee_percent", p.FeePercent, "payout.fee_address", p.FeeAddress)
	party("payout.donation_percent", p.DonationPercent, "payout.donation_address", p.DonationAddress)
	if p.DonationPercent > 0 && p.FeePercent == 0 {
		v.complain("payout.donation_percent", "is a part of the fee, and payout.fee_percent is 0")
	}
}

func (v *validator) coinbase() {
	c := v.config.Coinbase
	if len(c.Tag) > maxTagLength {
		v.complain("coinbase.tag", "has %d characters; the most that fit are %d", len(c.Tag), maxTagLength)
	}
	for _, b := range []byte(c.Tag) {
		if b < ' ' || b > '~' {
			v.complain("coinbase.tag", "must be plain ASCII text, so that it reads the same everywhere")
			break
		}
	}
	if c.MaxSize < minCoinbaseSize || c.MaxSize > maxCoinbaseSize {
		v.complain("coinbase.max_size", "%d must be between %d and %d bytes", c.MaxSize, minCoinbaseSize, maxCoinbaseSize)
	}
	if len(v.found) == 0 {
		if _, err := v.config.coinbaseRoom(); err != nil {
			v.complain("coinbase.max_size", "leaves no room for the tag and all who are paid: %v", err)
		}
	}
	if mask := v.config.Version.Mask; mask != "" && !isHex(mask, 8) {
		v.complain("version.mask", `%q must be 8 hex digits, such as "1fffe000", or "" (no version rolling)`, v.config.Version.Mask)
	}
}

func (v *validator) log() {
	l := v.config.Log
	switch l.Level {
	case "debug", "info", "warn", "error":
	default:
		v.complain("log.level", "%q must be debug, info, warn or error", l.Level)
	}
	switch l.Format {
	case "text", "json":
	default:
		v.complain("log.format", "%q must be text or json", l.Format)
	}
	if l.RotateMegabytes < 0 {
		v.complain("log.rotate_megabytes", "must be 0 (whatever its size) or more")
	}
	if l.RotateEvery < 0 || l.RotateEvery > 0 && l.RotateEvery < time.Minute {
		v.complain("log.rotate_every", `must be "" (never) or at least a minute, such as "24h"`)
	}
	if l.KeepFiles < 0 {
		v.complain("log.keep_files", "must be 0 (all) or more")
	}
	if l.KeepFor < 0 {
		v.complain("log.keep_for", `must be "" (never) or more, such as "720h"`)
	}
}

// isHex reports whether s is exactly digits hexadecimal digits.
func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
