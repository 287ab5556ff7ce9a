package abuse

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Sizes of blocks in bits.
const (
	blockBits4 = 32
	blockBits6 = 64
	// The largest blocks that an operator may ban, so that a slip of the pen
	// does not shut everybody out.
	widest4 = 16
	widest6 = 32
)

// ErrBlock is returned for what is no block of addresses, or too large a one.
var ErrBlock = errors.New("abuse: no block of addresses")

// BlockOf is the block that an address belongs to: the IPv4 address itself, or
// the IPv6 network of 64 bits.
func BlockOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := blockBits6
	if a.Is4() {
		bits = blockBits4
	}
	block, _ := a.Prefix(bits) // fails for the zero Addr only, which has no block
	return block
}

// ParseBlock reads what a person writes for a block: an address, which stands
// for its block, or a network in CIDR notation of at most 16 (IPv4) or 64
// (IPv6) free bits and 32 fixed ones.
func ParseBlock(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%w: %q", ErrBlock, text)
		}
		return BlockOf(a), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%w: %q", ErrBlock, text)
	}
	widest, narrowest := widest6, blockBits6
	if p.Addr().Is4() {
		widest, narrowest = widest4, blockBits4
	}
	if p.Bits() < widest {
		return netip.Prefix{}, fmt.Errorf("%w: %s is larger than a /%d", ErrBlock, p, widest)
	}
	if p.Bits() > narrowest {
		return BlockOf(p.Addr()), nil
	}
	return p.Masked(), nil
}

// sharedSpace is what providers use behind their own NAT, and private networks
// of all kinds beside (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// IsLocal reports whether an address cannot be a stranger's: this machine, a
// private network (RFC 1918, RFC 4193), the same wire.
func IsLocal(a netip.Addr) bool {
	a = a.Unmap()
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a)
}

// IsLocalBlock reports whether a block holds such addresses. Blocks that
// [ParseBlock] makes are never larger than the networks meant, but for ::1.
func IsLocalBlock(block netip.Prefix) bool {
	return IsLocal(block.Addr()) || block.Contains(netip.IPv6Loopback())
}

// within reports whether an address is in one of the networks.
func within(networks []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}
