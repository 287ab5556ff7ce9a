package proxyproto

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Append writes the header as it goes over the wire, in the header's version,
// to the end of dst. A header that is Local, or without addresses, says that
// nobody is named. Addresses of two families are written as IPv6. It has no
// TLVs.
func (h Header) Append(dst []byte) []byte {
	source, destination := h.Source.Addr().Unmap(), h.Destination.Addr().Unmap()
	known := !h.Local && source.IsValid() && destination.IsValid()
	four := known && source.Is4() && destination.Is4()
	if known && !four {
		source, destination = netip.AddrFrom16(source.As16()), netip.AddrFrom16(destination.As16())
	}
	if h.Version == 1 {
		if !known {
			return append(dst, "PROXY UNKNOWN\r\n"...)
		}
		family := "TCP6 "
		if four {
			family = "TCP4 "
		}
		dst = append(append(dst, prefix1...), family...)
		dst = append(source.AppendTo(dst), ' ')
		dst = append(destination.AppendTo(dst), ' ')
		dst = append(strconv.AppendUint(dst, uint64(h.Source.Port()), 10), ' ')
		return append(strconv.AppendUint(dst, uint64(h.Destination.Port()), 10), "\r\n"...)
	}

	command, family := byte(commandProxy), byte(familyTCP6)
	switch {
	case !known:
		command, family = commandLocal, familyNone
	case four:
		family = familyTCP4
	}
	dst = append(append(dst, signature2...), command, family)
	dst = binary.BigEndian.AppendUint16(dst, uint16(addressLength[family]))
	if !known {
		return dst
	}
	dst = append(append(dst, source.AsSlice()...), destination.AsSlice()...)
	dst = binary.BigEndian.AppendUint16(dst, h.Source.Port())
	return binary.BigEndian.AppendUint16(dst, h.Destination.Port())
}
