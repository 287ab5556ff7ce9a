// Command poolscope is a Bitcoin mining pool that you can see through, with a
// Bitcoin network, a miner and a load generator to try it on.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Set by the linker: -X main.version=….
var version, commit, date string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
