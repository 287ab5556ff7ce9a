package proxyproto

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
)

// Errors of Read. What the connection itself returned is passed on.
var (
	// ErrNoHeader means that the stream begins with something else.
	ErrNoHeader = errors.New("proxyproto: no PROXY protocol header")
	// ErrMalformed means that a header began but breaks the rules.
	ErrMalformed = errors.New("proxyproto: malformed header")
	// ErrTooLong means a header beyond what the specification (version 1) or
	// this package (MaxLength, version 2) allows.
	ErrTooLong = errors.New("proxyproto: header too long")
	// ErrChecksum means that the header was changed on its way.
	ErrChecksum = errors.New("proxyproto: wrong checksum")
)

// Header is what a proxy says about a connection.
type Header struct {
	Version int // 1 or 2
	// Local says that the header names nobody: the proxy speaks for itself
	// (version 2's LOCAL, for health checks) or does not know (version 1's
	// UNKNOWN, version 2's families other than TCP over IP). The peer of the
	// connection then counts.
	Local       bool
	Source      netip.AddrPort // who connected to the proxy; IPv4 is never mapped into IPv6
	Destination netip.AddrPort // where it connected to
}

// signatureLength is how much of the stream tells the versions apart: all of
// version 2's signature, and less than the shortest header of version 1.
const signatureLength = 12

const signature2 = "\r\n\r\n\x00\r\nQUIT\n"

// Read reads a header and not a byte more, so that what follows it, a TLS
// handshake for instance, is left to its reader. Errors wrap one of those of
// this package or are the reader's own; io.ErrUnexpectedEOF means that the
// stream ended within the header.
func Read(r io.Reader) (Header, error) {
	var first [signatureLength]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		return Header{}, fmt.Errorf("read PROXY header: %w", err)
	}
	switch {
	case string(first[:]) == signature2:
		return read2(r)
	case string(first[:len(prefix1)]) == prefix1:
		return read1(r, first)
	}
	return Header{}, ErrNoHeader
}
