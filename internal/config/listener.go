package config

import (
	"cmp"
	"net/netip"
)

// listener checks the rules of one section [[listener]].
func (v *validator) listener(key string, l *Listener) {
	d := v.config.Difficulty
	notNegative := func(name string, value float64) {
		if value < 0 {
			v.complain(key+name, "must be 0 (as in [difficulty]) or more")
		}
	}
	notNegative(".difficulty_start", l.DifficultyStart)
	notNegative(".difficulty_min", l.DifficultyMin)
	notNegative(".difficulty_max", l.DifficultyMax)
	lowest, highest := cmp.Or(l.DifficultyMin, d.Min), cmp.Or(l.DifficultyMax, d.Max)
	switch {
	case min(l.DifficultyStart, l.DifficultyMin, l.DifficultyMax) < 0:
	case highest > 0 && highest < lowest:
		which := ".difficulty_max"
		if l.DifficultyMax == 0 {
			which = ".difficulty_min"
		}
		v.complain(key+which, "the hardest difficulty here, %v, is below the easiest, %v", highest, lowest)
	case l.DifficultyStart > 0 && l.DifficultyStart < lowest:
		v.complain(key+".difficulty_start", "%v is below the easiest difficulty here, %v", l.DifficultyStart, lowest)
	case highest > 0 && l.DifficultyStart > highest:
		v.complain(key+".difficulty_start", "%v is above the hardest difficulty here, %v", l.DifficultyStart, highest)
	}
	for i := range v.config.Listeners {
		if other := &v.config.Listeners[i]; other == l {
			break
		} else if other.Title() == l.Title() {
			v.complainSince(key+".name", key+".listen", "%q is also the name of listener.%d; listeners need different names", l.Title(), i+1)
		}
	}
	if l.MaxConnections < 0 {
		v.complain(key+".max_connections", "must be 0 (no limit) or more")
	}
	v.trustedProxies(key, "proxy_protocol", l.ProxyProtocol, l.TrustedProxies)
}

// trustedProxies checks the keys for connections that begin with a PROXY
// protocol header: the switch and the list of who may send one.
func (v *validator) trustedProxies(section, name string, on bool, proxies []string) {
	v.proxies(section+".trusted_proxies", proxies)
	switch {
	case on && len(proxies) == 0:
		v.complain(section+"."+name, "needs trusted_proxies: anybody else could pretend to be any miner")
	case !on && len(proxies) > 0:
		v.complain(section+".trusted_proxies", "means nothing unless %s is true", name)
	}
}

// proxies checks a list of addresses and networks.
func (v *validator) proxies(key string, list []string) {
	for _, text := range list {
		if _, err := parseNetwork(text); err != nil {
			v.complain(key, `%q must be an address or a network, such as "10.0.0.2" or "10.0.0.0/24"`, text)
		}
	}
}

// Proxies are the networks of the key trusted_proxies.
func (l *Listener) Proxies() []netip.Prefix { return parseNetworks(l.TrustedProxies) }

// Title is the listener's name for people.
func (l *Listener) Title() string { return cmp.Or(l.Name, l.Listen) }
