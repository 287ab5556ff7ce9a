package app

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// printAddresses tells a person where everything is.
func printAddresses(out io.Writer, title, dataDir string, p *Ports) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(what, format, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %s\t"+format+"\n", what, value)
		}
	}
	fmt.Fprintln(w, title)
	row("web page", "http://%s/", p.HTTP)
	row("miners", "stratum+tcp://%s", p.Stratum)
	row("miners, TLS", "stratum+ssl://%s", p.StratumTLS)
	for _, name := range slices.Sorted(maps.Keys(p.Listeners)) {
		row("miners, "+name, "%s", p.Listeners[name])
	}
	row("miners, scope", "stratum+tcp://%s", p.Scope)
	row("node RPC", "http://%s/", p.NodeRPC)
	row("node cookie", "%s", p.NodeCookie)
	row("node ZMQ", "tcp://%s", p.NodeZMQ)
	if absolute, err := filepath.Abs(dataDir); err == nil {
		dataDir = absolute
	}
	row("data", "%s", dataDir)
	// A terminal that is gone must not end a pool.
	_ = w.Flush()
}
