package proxyproto

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

const (
	prefix1 = "PROXY "
	// max1 is the longest line of version 1 with its ending: UNKNOWN with two
	// IPv6 addresses (specification, section 2.1).
	max1 = 107
)

// shortest1 is the length of the shortest line of each kind, which can
// therefore be read at once.
var shortest1 = map[string]int{
	"TCP4": len("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"),
	"TCP6": len("PROXY TCP6 :: :: 0 0\r\n"),
}

// read1 reads the rest of a line of version 1. A line ends with CR LF, so two
// bytes more are safe to read until a CR was seen.
func read1(r io.Reader, first [signatureLength]byte) (Header, error) {
	var buf [max1]byte
	n := copy(buf[:], first[:])
	want := shortest1[string(first[len(prefix1):len(prefix1)+4])]
	for {
		if want = max(want, n+1); buf[n-1] != '\r' {
			want = max(want, n+2)
		}
		if want > max1 {
			return Header{}, fmt.Errorf("%w: version 1 has at most %d bytes", ErrTooLong, max1)
		}
		if _, err := io.ReadFull(r, buf[n:want]); err != nil {
			return Header{}, fmt.Errorf("read PROXY header: %w", noEOF(err))
		}
		fresh := n
		n = want
		for i := fresh; i < n; i++ {
			if buf[i] != '\n' {
				continue
			}
			if i != n-1 || buf[i-1] != '\r' {
				return Header{}, fmt.Errorf("%w: a line feed inside of the line", ErrMalformed)
			}
			return parse1(string(buf[:n-2]))
		}
	}
}

// parse1 parses a line without its ending.
func parse1(line string) (Header, error) {
	fields := strings.Split(line, " ")
	if fields[1] == "UNKNOWN" {
		return Header{Version: 1, Local: true}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return Header{}, fmt.Errorf("%w: %q", ErrMalformed, line)
	}
	var ends [2]netip.AddrPort
	for i := range ends {
		address, err := netip.ParseAddr(fields[2+i])
		if err != nil || address.Is4() != (fields[1] == "TCP4") || address.Zone() != "" {
			return Header{}, fmt.Errorf("%w: %q is no address of %s", ErrMalformed, fields[2+i], fields[1])
		}
		port, err := strconv.ParseUint(fields[4+i], 10, 16)
		if err != nil || strconv.FormatUint(port, 10) != fields[4+i] {
			return Header{}, fmt.Errorf("%w: %q is no port", ErrMalformed, fields[4+i])
		}
		ends[i] = netip.AddrPortFrom(address.Unmap(), uint16(port))
	}
	return Header{Version: 1, Source: ends[0], Destination: ends[1]}, nil
}

// noEOF names an end of the stream within the header what it is.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
