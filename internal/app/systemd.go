package app

import (
	"log/slog"
	"net"
	"os"
)

// tellSystemd sends a state such as "READY=1" to the service manager, if one
// waits for it (sd_notify(3)).
func tellSystemd(log *slog.Logger, state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		log.Warn("service manager not reached", "err", err)
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(state)); err != nil {
		log.Warn("service manager not told", "state", state, "err", err)
	}
}
