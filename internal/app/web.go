package app

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/poolscope/poolscope/internal/api"
)

// webParts serve the HTTP interface: plain, or over TLS, and then who asks
// plainly is sent there.
func webParts(server *api.Server, plain, secure net.Listener, config *tls.Config) stage {
	if secure == nil {
		return stage{{"HTTP server", func(ctx context.Context) error { return server.Serve(ctx, plain) }}}
	}
	return stage{
		{"HTTPS server", func(ctx context.Context) error { return server.Serve(ctx, tls.NewListener(secure, config)) }},
		{"HTTP redirect", func(ctx context.Context) error { return server.ServeRedirect(ctx, plain, secure.Addr()) }},
	}
}
