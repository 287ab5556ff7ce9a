package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// relayReport is the time between two lines of a relay's progress.
const relayReport = time.Minute

// RelayOptions are a relay that runs alone.
type RelayOptions struct {
	Listen   string // host:port
	Database string // SQLite file; "" keeps events in memory
	// Relay are its limits and rules. An Address that is missing and needed is
	// taken from Listen.
	Relay relay.Config
}

// RunRelay runs a Nostr relay until ctx ends.
func RunRelay(ctx context.Context, o RelayOptions, build telemetry.Build, log *slog.Logger, out io.Writer) (err error) {
	if o.Database != "" {
		disk, err := relay.OpenDisk(ctx, o.Database, o.Relay.MaxEvents, o.Relay.MaxBytes)
		if err != nil {
			return err
		}
		defer func() {
			if closing := closeInTime(disk.Close); closing != nil {
				log.Error("database not closed", "err", closing)
			}
		}()
		o.Relay.Store = disk
	}
	listener, err := listen("relay", "--listen", o.Listen)
	if err != nil {
		return err
	}
	if o.Relay.Address == "" && o.Relay.RequireAuth {
		o.Relay.Address = "ws://" + listener.Addr().String()
	}
	o.Relay.Version = build.Version
	r := relay.New(o.Relay)
	fmt.Fprintf(out, "poolscope relay %s\n  relay  ws://%s\n", build.Version, listener.Addr())
	return runStages(ctx, log, stage{
		{"relay", func(ctx context.Context) error { return serveRelay(ctx, r, listener, log) }},
		{"report", func(ctx context.Context) error { return reportRelay(ctx, r, log) }},
	})
}

// serveRelay serves the relay, and its counts to programs on this machine,
// until ctx ends.
func serveRelay(ctx context.Context, r *relay.Relay, listener net.Listener, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.Handle("/", r)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, request *http.Request) {
		if !access.IsLocal(request) {
			http.NotFound(w, request)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r.Stats()) // who went away does not read it
	})
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what strangers do wrong
	}
	stop := context.AfterFunc(ctx, func() {
		r.Close()
		_ = server.Close() // what it would say is what Serve says
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	r.Close() // waits for connections that have just ended
	return nil
}

// reportRelay logs the counts when they have changed, and in the end.
func reportRelay(ctx context.Context, r *relay.Relay, log *slog.Logger) error {
	tick := time.NewTicker(relayReport)
	defer tick.Stop()
	last := ""
	for {
		done := false
		select {
		case <-ctx.Done():
			done = true
		case <-tick.C:
		}
		s := r.Stats()
		attributes := []any{
			"connections", s.Connections, "subscriptions", s.Subscriptions, "events", s.Events, "bytes", s.Bytes,
			"accepted", s.Accepted, "delivered", s.Delivered, "evicted", s.Evicted, "expired", s.Expired,
			"refused", nonZero(s.Refused), "closed", nonZero(s.Closed),
		}
		if line := fmt.Sprint(attributes...); line != last {
			last = line
			log.Info("relay", attributes...)
		}
		if done {
			return nil
		}
	}
}

// nonZero are the counts that there are.
func nonZero(counts map[string]uint64) map[string]uint64 {
	some := map[string]uint64{}
	for name, n := range counts {
		if n > 0 {
			some[name] = n
		}
	}
	return some
}
