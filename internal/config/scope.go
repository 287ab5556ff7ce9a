package config

import (
	"net/netip"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/endpoint"
)

// scope checks section [scope].
func (v *validator) scope() {
	s := v.config.Scope
	atLeast := func(key string, value, least int) {
		if value < least {
			v.complain(key, "must be at least %d", least)
		}
	}
	if v.config.scopeOnly && len(s.Listen)+len(s.TLSListen) == 0 {
		v.complain("scope.listen", "miners need at least one address to connect to, here or in scope.tls_listen")
	}
	if v.config.scopeOnly && len(s.Pools) == 0 {
		v.complain("scope.pools", `must name the pool that miners are passed on to, such as "stratum+tcp://pool.example:3333" (--pool)`)
	}
	v.pools("scope.pools", s.Pools)
	v.pools("scope.own_pools", s.OwnPools)
	atLeast("scope.max_connections", s.MaxConnections, 1)
	atLeast("scope.capture_max_messages", s.CaptureMaxMessages, 1)
	atLeast("scope.capture_max_per_session", s.CaptureMaxPerSession, 1)
	atLeast("scope.capture_max_megabytes", s.CaptureMaxMegabytes, 1)
	atLeast("scope.capture_max_line", s.CaptureMaxLine, 1024)
	atLeast("scope.journal_max_megabytes", s.JournalMaxMegabytes, 1)
	atLeast("scope.journal_min_free_megabytes", s.JournalMinFreeMegabytes, 0)
	if s.ConnectTimeout <= 0 || s.ConnectTimeout > time.Minute {
		v.complain("scope.connect_timeout", "must be above 0 and at most a minute")
	}
	if s.JournalKeepFor < 0 {
		v.complain("scope.journal_keep_for", `must be "" (for ever) or more, such as "336h"`)
	}
	if s.SilenceAfter < 0 {
		v.complain("scope.silence_after", `must be "" (never) or more, such as "5m"`)
	}
	if s.SendProxy < 0 || s.SendProxy > 2 {
		v.complain("scope.send_proxy", "must be 0 (none), 1 or 2")
	}
	if s.Reconnect != "hold" && s.Reconnect != "pass" {
		v.complain("scope.reconnect", "%q must be hold or pass", s.Reconnect)
	}
	if name, worker := strings.CutPrefix(s.Tap, "worker:"); s.Tap != "off" && s.Tap != "all" && (!worker || name == "") {
		v.complain("scope.tap", "%q must be off, all or worker:NAME", s.Tap)
	}
	v.trustedProxies("scope", "accept_proxy", s.AcceptProxy, s.TrustedProxies)
	for _, address := range s.PayoutAddresses {
		if err := checkAddress(address, v.config.Network.Chain); err != nil {
			v.complain("scope.payout_addresses", "%v", err)
		}
	}
}

// pools checks the addresses of pools.
func (v *validator) pools(key string, pools []string) {
	for _, pool := range pools {
		if _, err := endpoint.Parse(pool); err != nil {
			v.complain(key, "%v", err)
		}
	}
}

// Proxies are the networks of the key trusted_proxies.
func (s *Scope) Proxies() []netip.Prefix { return parseNetworks(s.TrustedProxies) }

// NodeConfigured says whether anybody named a Bitcoin node, so that the default
// one is not all there is.
func (c *Config) NodeConfigured() bool {
	return len(c.Nodes) > 1 || len(c.Nodes) == 1 && (c.origins == nil || c.OriginOf("node.1.url").Kind != "default")
}
