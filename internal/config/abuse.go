package config

import (
	"net/netip"
	"slices"
	"strings"
)

// abuse checks section [abuse].
func (v *validator) abuse() {
	a := v.config.Abuse
	notNegative := func(key string, negative bool) {
		if negative {
			v.complain(key, "must be 0 (off) or more")
		}
	}
	notNegative("abuse.strike_limit", a.StrikeLimit < 0)
	notNegative("abuse.ban_after", a.BanAfter < 0)
	notNegative("abuse.ban_time", a.BanTime < 0)
	notNegative("abuse.connect_burst", a.ConnectBurst < 0)
	notNegative("abuse.connects_per_second", a.ConnectsPerSecond < 0)
	notNegative("abuse.max_unauthorized_per_address", a.MaxUnauthorizedPerAddress < 0)
	notNegative("abuse.max_ban_time", a.MaxBanTime < 0)
	if a.MaxBanTime > 0 && a.MaxBanTime < a.BanTime {
		v.complain("abuse.max_ban_time", "%s is below abuse.ban_time, %s", a.MaxBanTime, a.BanTime)
	}
	if a.ConnectBurst > 0 && a.ConnectsPerSecond == 0 {
		v.complain("abuse.connects_per_second", "0 would shut an address out for ever after abuse.connect_burst connections; set that to 0, too, for no limit")
	}
	for _, text := range a.Trusted {
		if _, err := parseNetwork(text); err != nil {
			v.complain("abuse.trusted", `%q must be an address or a network, such as "203.0.113.7" or "203.0.113.0/24"`, text)
		}
	}
}

// TrustedNetworks are the networks of the key trusted.
func (a *Abuse) TrustedNetworks() []netip.Prefix { return parseNetworks(a.Trusted) }

// parseNetworks reads networks that were validated.
func parseNetworks(list []string) []netip.Prefix {
	networks := make([]netip.Prefix, 0, len(list))
	for _, text := range list {
		if p, err := parseNetwork(text); err == nil {
			networks = append(networks, p)
		}
	}
	return slices.Clip(networks)
}

// parseNetwork reads an address, or a network in CIDR notation.
func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	a = a.Unmap()
	return a.Prefix(a.BitLen())
}
