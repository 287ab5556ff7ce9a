package app

import (
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/pool"
)

// listenerRole is the role of the socket of a [[listener]].
func listenerRole(l *config.Listener) role {
	if l.TLS {
		return roleStratumTLS
	}
	return roleStratum
}

// listenerOptions are the rules of a [[listener]].
func (p *poolParts) listenerOptions(l *config.Listener) pool.ListenerOptions {
	options := pool.ListenerOptions{
		Name:           l.Title(),
		ProxyProtocol:  l.ProxyProtocol,
		TrustedProxies: l.Proxies(),
		Start:          l.DifficultyStart,
		Min:            l.DifficultyMin,
		Max:            l.DifficultyMax,
		MaxConnections: l.MaxConnections,
	}
	if l.TLS {
		options.TLS = p.tls
	}
	return options
}
