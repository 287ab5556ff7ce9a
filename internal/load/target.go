package load

import (
	"fmt"
	"net"
)

// What may be put on which address. A load generator is a weapon in the wrong
// hands: on this machine anything goes, on a private network a person has to
// say that a large load is meant, and beyond it the load is small whatever
// anybody says. Shares are valid, the user agent tells the program's name, and
// nothing is sent that a pool would not get from so many miners.
const (
	freeConnections = 1000 // on private networks without Confirmed
	farConnections  = 500  // on public addresses, with Confirmed
	farInFlight     = 8
	farShares       = 50_000 // of all connections together
	farRate         = 500    // shares per second; the closed loop is not for them
)

// checkTarget refuses a load that the address is not fit for.
func (c *Config) checkTarget(ip net.IP) error {
	private := ip.IsPrivate() || ip.IsLinkLocalUnicast()
	switch {
	case ip.IsLoopback():
		return nil
	case !c.Confirmed && private && c.Connections <= freeConnections:
		return nil
	case !c.Confirmed:
		return fmt.Errorf("%w: %s is not this machine; put such a load on pools of your own only, and confirm that it is one", ErrNotConfirmed, ip)
	case private:
		return nil
	case c.Connections > farConnections || c.InFlight > farInFlight || c.Connections*c.Shares > farShares:
		return fmt.Errorf("%w: %s is a public address: at most %d connections, %d handshakes at once and %d shares; larger loads belong on your own network", ErrTooMuch, ip, farConnections, farInFlight, farShares)
	case c.Shares > 0 && (c.Rate == 0 || c.Rate > farRate):
		return fmt.Errorf("%w: %s is a public address: shares need a rate, at most %d a second", ErrTooMuch, ip, farRate)
	}
	return nil
}
