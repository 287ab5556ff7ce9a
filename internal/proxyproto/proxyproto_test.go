package proxyproto

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// tail stands for what the client itself sends behind the header.
const tail = "{\"id\":1}\n"

func v2(verCmd, family byte, body ...byte) string {
	head := []byte(signature2)
	head = append(head, verCmd, family)
	head = binary.BigEndian.AppendUint16(head, uint16(len(body)))
	return string(append(head, body...))
}

func tcp4() []byte { return []byte{203, 0, 113, 7, 192, 0, 2, 1, 0xdc, 0x04, 0x0d, 0x05} }

func tcp6() []byte {
	b := netip.MustParseAddr("2001:db8::7").AsSlice()
	b = append(b, netip.MustParseAddr("2001:db8::1").AsSlice()...)
	return append(b, 0xdc, 0x04, 0x0d, 0x05)
}

func tlv(kind byte, value string) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))
	return append(b, value...)
}

// withChecksum makes a TCP4 header with TLVs of which the last is the checksum.
func withChecksum(spoil uint32) string {
	body := append(tcp4(), tlv(0x02, "pool.example")...)
	body = append(body, tlv(typeCRC32C, "\x00\x00\x00\x00")...)
	raw := []byte(v2(0x21, 0x11, body...))
	sum := crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(raw[len(raw)-4:], sum^spoil)
	return string(raw)
}

func TestHeaders(t *testing.T) {
	four := Header{Version: 1, Source: netip.MustParseAddrPort("203.0.113.7:56324"), Destination: netip.MustParseAddrPort("192.0.2.1:3333")}
	six := Header{Version: 1, Source: netip.MustParseAddrPort("[2001:db8::7]:56324"), Destination: netip.MustParseAddrPort("[2001:db8::1]:3333")}
	second := func(h Header) Header { h.Version = 2; return h }
	for name, tc := range map[string]struct {
		raw  string
		want Header
	}{
		"v1 IPv4":              {"PROXY TCP4 203.0.113.7 192.0.2.1 56324 3333\r\n", four},
		"v1 shortest IPv4":     {"PROXY TCP4 1.2.3.4 5.6.7.8 0 1\r\n", Header{Version: 1, Source: netip.MustParseAddrPort("1.2.3.4:0"), Destination: netip.MustParseAddrPort("5.6.7.8:1")}},
		"v1 longest IPv4":      {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Header{Version: 1, Source: netip.MustParseAddrPort("255.255.255.255:65535"), Destination: netip.MustParseAddrPort("255.255.255.255:65535")}},
		"v1 IPv6":              {"PROXY TCP6 2001:db8::7 2001:db8::1 56324 3333\r\n", six},
		"v1 shortest IPv6":     {"PROXY TCP6 :: :: 1 2\r\n", Header{Version: 1, Source: netip.MustParseAddrPort("[::]:1"), Destination: netip.MustParseAddrPort("[::]:2")}},
		"v1 mapped IPv4":       {"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 56324 3333\r\n", four},
		"v1 unknown":           {"PROXY UNKNOWN\r\n", Header{Version: 1, Local: true}},
		"v1 unknown, with all": {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", Header{Version: 1, Local: true}},
		"v2 IPv4":              {v2(0x21, 0x11, tcp4()...), second(four)},
		"v2 IPv6":              {v2(0x21, 0x21, tcp6()...), second(six)},
		"v2 IPv4 with TLVs":    {v2(0x21, 0x11, append(tcp4(), tlv(0x04, "\x00\x00")...)...), second(four)},
		"v2 checksum":          {withChecksum(0), second(four)},
		"v2 local":             {v2(0x20, 0x00), Header{Version: 2, Local: true}},
		"v2 local with rubbish": {
			v2(0x20, 0x11, 1, 2, 3), Header{Version: 2, Local: true}},
		"v2 unspecified": {v2(0x21, 0x00), Header{Version: 2, Local: true}},
		"v2 datagram":    {v2(0x21, 0x12, tcp4()...), Header{Version: 2, Local: true}},
		"v2 unix":        {v2(0x21, 0x31, make([]byte, 216)...), Header{Version: 2, Local: true}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, reader := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader,
			} {
				stream := strings.NewReader(tc.raw + tail)
				got, err := Read(reader(stream))
				if err != nil || got != tc.want {
					t.Fatalf("got %+v, %v, want %+v", got, err, tc.want)
				}
				if rest, _ := io.ReadAll(stream); string(rest) != tail {
					t.Fatalf("left for the client's reader: %q", rest)
				}
			}
		})
	}
}

// A header written out by hand from the table of section 2.2.
func TestHeaderByHand(t *testing.T) {
	raw, err := hex.DecodeString("0d0a0d0a000d0a515549540a2111000c7f0000017f000001a8ce0d05")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(raw))
	want := Header{Version: 2, Source: netip.MustParseAddrPort("127.0.0.1:43214"), Destination: netip.MustParseAddrPort("127.0.0.1:3333")}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":              {"", io.EOF},
		"Stratum":              {`{"id":1,"method":"mining.subscribe"}` + "\n", ErrNoHeader},
		"TLS":                  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00", ErrNoHeader},
		"lower case":           {"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n", ErrNoHeader},
		"cut off signature":    {"PROXY TCP", io.ErrUnexpectedEOF},
		"cut off line":         {"PROXY TCP4 1.2.3.4 5.6", io.ErrUnexpectedEOF},
		"cut off before LF":    {"PROXY TCP4 1.2.3.4 5.6.7.8 10 2000\r", io.ErrUnexpectedEOF},
		"no CR":                {"PROXY TCP4 1.2.3.4 5.6.7.8 10 2000\n" + tail, ErrMalformed},
		"two spaces":           {"PROXY TCP4  1.2.3.4 5.6.7.8 10 2000\r\n", ErrMalformed},
		"a field too many":     {"PROXY TCP4 1.2.3.4 5.6.7.8 10 2000 x\r\n", ErrMalformed},
		"family of the other":  {"PROXY TCP4 ::1 ::1 10 2000 and so on\r\n", ErrMalformed},
		"IPv4 as TCP6":         {"PROXY TCP6 1.2.3.4 5.6.7.8 10 2000\r\n", ErrMalformed},
		"a zone":               {"PROXY TCP6 fe80::1%eth0 ::1 10 2000\r\n", ErrMalformed},
		"leading zero":         {"PROXY TCP4 1.2.3.04 5.6.7.8 10 2000\r\n", ErrMalformed},
		"port too large":       {"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2000\r\n", ErrMalformed},
		"port with zero":       {"PROXY TCP4 1.2.3.4 5.6.7.8 010 2000\r\n", ErrMalformed},
		"other protocol":       {"PROXY UDP4 1.2.3.4 5.6.7.8 10 2000\r\n", ErrMalformed},
		"endless":              {"PROXY UNKNOWN " + strings.Repeat("x", 200), ErrTooLong},
		"v2 cut off":           {v2(0x21, 0x11, tcp4()...)[:20], io.ErrUnexpectedEOF},
		"v2 version 3":         {v2(0x31, 0x11, tcp4()...), ErrMalformed},
		"v2 unknown command":   {v2(0x22, 0x11, tcp4()...), ErrMalformed},
		"v2 unknown family":    {v2(0x21, 0x41, tcp4()...), ErrMalformed},
		"v2 unknown transport": {v2(0x21, 0x13, tcp4()...), ErrMalformed},
		"v2 too short":         {v2(0x21, 0x21, tcp4()...), ErrMalformed},
		"v2 TLV cut off":       {v2(0x21, 0x11, append(tcp4(), 1, 0)...), ErrMalformed},
		"v2 TLV too long":      {v2(0x21, 0x11, append(tcp4(), 1, 0, 9, 1)...), ErrMalformed},
		"v2 odd checksum":      {v2(0x21, 0x11, append(tcp4(), tlv(typeCRC32C, "abc")...)...), ErrMalformed},
		"v2 wrong checksum":    {withChecksum(1), ErrChecksum},
		"v2 too long":          {signature2 + "\x21\x11\xff\xff", ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Read(strings.NewReader(tc.raw)); !errors.Is(err, tc.want) || got != (Header{}) {
				t.Errorf("got %+v, %v, want %v", got, err, tc.want)
			}
		})
	}
}

// Whatever comes, a header that is accepted says what it says, and never a
// byte behind it is taken.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"PROXY TCP4 203.0.113.7 192.0.2.1 56324 3333\r\n", "PROXY TCP6 :: ::1 1 2\r\n", "PROXY UNKNOWN\r\n",
		v2(0x21, 0x11, tcp4()...), v2(0x21, 0x21, tcp6()...), v2(0x20, 0x00), withChecksum(0),
	} {
		f.Add([]byte(seed + tail))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		stream := bytes.NewReader(data)
		h, err := Read(stream)
		taken := data[:len(data)-stream.Len()]
		if len(taken) > signatureLength+4+MaxLength {
			t.Fatalf("read %d bytes", len(taken))
		}
		if err != nil {
			if h != (Header{}) {
				t.Fatalf("%+v with %v", h, err)
			}
			return
		}
		if h.Local == h.Source.IsValid() || h.Local == h.Destination.IsValid() || h.Source.Addr().Is4In6() {
			t.Fatalf("%+v", h)
		}
		switch h.Version {
		case 1:
			if !bytes.HasSuffix(taken, []byte("\r\n")) || bytes.Count(taken, []byte("\n")) != 1 || len(taken) > max1 {
				t.Fatalf("took %q", taken)
			}
		case 2:
			if len(taken) != signatureLength+4+int(binary.BigEndian.Uint16(taken[14:])) {
				t.Fatalf("took %d bytes of %x", len(taken), taken)
			}
		default:
			t.Fatalf("version %d", h.Version)
		}
		// What follows makes no difference.
		again, err := Read(io.MultiReader(bytes.NewReader(taken), iotest.ErrReader(errors.New("read too far"))))
		if err != nil || again != h {
			t.Fatalf("the header alone: %+v, %v", again, err)
		}
	})
}

// What is written is read the same, and version 1 is what the specification
// shows.
func TestAppend(t *testing.T) {
	address := netip.MustParseAddrPort
	for _, tc := range []struct {
		source, destination netip.AddrPort
		line                string
		local               bool
	}{
		{address("203.0.113.7:56324"), address("192.0.2.1:3333"), "PROXY TCP4 203.0.113.7 192.0.2.1 56324 3333\r\n", false},
		{address("[::ffff:203.0.113.7]:1"), address("192.0.2.1:3333"), "PROXY TCP4 203.0.113.7 192.0.2.1 1 3333\r\n", false},
		{address("[2001:db8::7]:56324"), address("[2001:db8::1]:3333"), "PROXY TCP6 2001:db8::7 2001:db8::1 56324 3333\r\n", false},
		{address("[fe80::7%eth0]:1"), address("[fe80::1%eth0]:2"), "PROXY TCP6 fe80::7 fe80::1 1 2\r\n", false},
		{address("203.0.113.7:1"), address("[2001:db8::1]:2"), "PROXY TCP6 ::ffff:203.0.113.7 2001:db8::1 1 2\r\n", false},
		{netip.AddrPort{}, address("192.0.2.1:3333"), "PROXY UNKNOWN\r\n", true},
		{netip.AddrPort{}, netip.AddrPort{}, "PROXY UNKNOWN\r\n", true},
	} {
		for version := 1; version <= 2; version++ {
			raw := Header{Version: version, Source: tc.source, Destination: tc.destination}.Append([]byte("before "))
			rest, ok := strings.CutPrefix(string(raw), "before ")
			if !ok || version == 1 && rest != tc.line {
				t.Errorf("version %d: %q, want %q", version, raw, tc.line)
			}
			r := strings.NewReader(rest + tail)
			got, err := Read(r)
			if err != nil || got.Version != version || got.Local != tc.local || r.Len() != len(tail) {
				t.Errorf("%q: %+v, %v", rest, got, err)
			}
			unzoned := func(a netip.AddrPort) netip.AddrPort {
				return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
			}
			if !tc.local && (got.Source != unzoned(tc.source) || got.Destination != unzoned(tc.destination)) {
				t.Errorf("%q: %+v", rest, got)
			}
		}
	}
}
