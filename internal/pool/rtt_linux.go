package pool

import (
	"time"

	"golang.org/x/sys/unix"
)

// roundTrip asks the kernel for a connection's smoothed round-trip time, which
// it measures by itself: the miner is asked nothing. It is 0 when not known.
func roundTrip(socket socket) time.Duration {
	var rtt time.Duration
	err := socket.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			rtt = time.Duration(info.Rtt) * time.Microsecond
		}
	})
	if err != nil {
		return 0 // closed meanwhile
	}
	return rtt
}
