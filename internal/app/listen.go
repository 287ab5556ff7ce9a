package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// listen binds a TCP address. Its errors name the port and say what to do: what
// is what the address is for, and flag the command line flag or the key that changes it.
func listen(what, flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, notBound(what, flag, address, err)
	}
	return l, nil
}

// notBound says in words why an address was not bound.
func notBound(what, flag, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: address %s is in use by another program; stop that one or choose another address with %s (port 0 takes a free one)",
			what, address, flag)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s: no permission to listen on %s; ports below 1024 are for root, choose another with %s", what, address, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %s is no address of this machine; choose another with %s", what, address, flag)
	}
	return fmt.Errorf("%s: listen on %q: %w", what, address, err)
}
