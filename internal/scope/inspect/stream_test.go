package inspect

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"pgregory.net/rapid"
)

// heard is what a connection's sides said, with "…" for a hole.
type heard struct {
	text  [2]string
	ended string
}

func (h *heard) data(side int, b []byte, _ time.Time) { h.text[side] += string(b) }
func (h *heard) hole(side int, n uint64)              { h.text[side] += strings.Repeat("…", int(n)) } //nolint:gosec // of a test
func (h *heard) closed(reason string, _ time.Time)    { h.ended = reason }

var (
	minerAddr = netip.MustParseAddrPort("10.0.0.5:50123")
	poolAddr  = netip.MustParseAddrPort("203.0.113.7:3333")
)

// assemble gives segments to an assembler and returns what it made of them.
func assemble(segments []segment) (all []*heard) {
	a := &assembler{live: make(map[pair]*connection), open: func(*connection) events {
		h := &heard{}
		all = append(all, h)
		return h
	}}
	for i := range segments {
		a.take(&segments[i], time.Unix(int64(i), 0))
	}
	a.finish()
	if len(a.live) != 0 || a.waiting != 0 {
		panic("something is left")
	}
	return all
}

// cut makes segments of a text, of random sizes, some twice and some with parts
// of those beside them.
func cut(t *rapid.T, text string, seq uint32) (segments []segment) {
	for at := 0; at < len(text); {
		n := rapid.IntRange(1, min(40, len(text)-at)).Draw(t, "size")
		from := max(0, at-rapid.SampledFrom([]int{0, 0, 0, 1, 15}).Draw(t, "back"))
		to := min(len(text), at+n+rapid.SampledFrom([]int{0, 0, 0, 1, 15}).Draw(t, "forth"))
		s := segment{from: minerAddr, to: poolAddr, seq: seq + uint32(from), flags: flagACK, data: []byte(text[from:to])} //nolint:gosec // small
		segments = append(segments, s)
		if rapid.IntRange(0, 5).Draw(t, "twice") == 0 {
			segments = append(segments, s)
		}
		at += n
	}
	return segments
}

// However the bytes of a stream are cut, repeated and mixed up, they come out as
// they were said.
func TestSegmentsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z\n]{1,300}`).Draw(t, "text")
		isn := rapid.SampledFrom([]uint32{0, 77, 1<<31 - 20, 1<<32 - 100, 1<<32 - 1}).Draw(t, "isn")
		segments := cut(t, text, isn+1)
		// Each may come up to eight places too early or too late.
		place := make(map[int]int)
		order := make([]int, len(segments))
		for i := range segments {
			order[i] = i
			place[i] = i + rapid.IntRange(0, 8).Draw(t, "late")
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(place[a], place[b]) })
		all := []segment{{from: minerAddr, to: poolAddr, seq: isn, flags: flagSYN}, {from: poolAddr, to: minerAddr, seq: 5, ack: isn + 1, flags: flagSYN | flagACK}}
		for _, i := range order {
			all = append(all, segments[i])
		}
		end := isn + 1 + uint32(len(text)) //nolint:gosec // small
		all = append(all,
			segment{from: minerAddr, to: poolAddr, seq: end, ack: 6, flags: flagFIN | flagACK},
			segment{from: poolAddr, to: minerAddr, seq: 6, ack: end + 1, flags: flagFIN | flagACK},
			segment{from: minerAddr, to: poolAddr, seq: end + 1, ack: 7, flags: flagACK})
		got := assemble(all)
		if len(got) != 1 || got[0].text != [2]string{text, ""} || got[0].ended != endOpener {
			t.Fatalf("%d connections, %+v, want %q", len(got), got[0], text)
		}
	})
}

func TestStreams(t *testing.T) {
	m := func(flags byte, seq, ack uint32, text string) segment {
		return segment{from: minerAddr, to: poolAddr, seq: seq, ack: ack, flags: flags, data: []byte(text)}
	}
	p := func(flags byte, seq, ack uint32, text string) segment {
		return segment{from: poolAddr, to: minerAddr, seq: seq, ack: ack, flags: flags, data: []byte(text)}
	}
	cutShort := m(flagACK, 101, 501, "abc")
	cutShort.missing = 2
	for name, test := range map[string]struct {
		segments []segment
		want     []heard
	}{
		"lost and acknowledged": {
			[]segment{m(flagSYN, 100, 0, ""), p(flagSYN|flagACK, 500, 101, ""), m(flagACK, 101, 501, "abc"), m(flagACK, 106, 501, "def"), p(flagACK, 501, 109, "x"), m(flagACK, 109, 502, "g")},
			[]heard{{[2]string{"abc……defg", "x"}, endCapture}},
		},
		"lost at the end": {
			[]segment{m(flagSYN, 100, 0, ""), m(flagACK, 101, 501, "abc"), m(flagACK, 106, 501, "def")},
			[]heard{{[2]string{"abc……def", ""}, endCapture}},
		},
		"cut by the capture": {
			[]segment{m(flagSYN, 100, 0, ""), cutShort, m(flagACK, 106, 501, "def")},
			[]heard{{[2]string{"abc……def", ""}, endCapture}},
		},
		"late to the party": {
			[]segment{p(flagACK, 900, 101, "hello"), m(flagACK, 101, 905, "abc"), p(flagFIN|flagACK, 905, 104, ""), m(flagFIN|flagACK, 104, 906, "")},
			[]heard{{[2]string{"hello", "abc"}, endOpener}},
		},
		"keepalive": {
			[]segment{m(flagSYN, 100, 0, ""), m(flagACK, 101, 501, "abc"), m(flagACK, 103, 501, "c"), m(flagACK, 103, 501, "\x00"), m(flagACK, 104, 501, "d")},
			[]heard{{[2]string{"abcd", ""}, endCapture}},
		},
		"reset": {
			[]segment{m(flagSYN, 100, 0, ""), m(flagACK, 101, 501, "abc"), p(flagRST|flagACK, 501, 104, ""), p(flagRST, 501, 104, "")},
			[]heard{{[2]string{"abc", ""}, endReset2}},
		},
		"the same ports again": {
			[]segment{m(flagSYN, 100, 0, ""), m(flagACK, 101, 501, "abc"), m(flagSYN, 7000, 0, ""), m(flagSYN, 7000, 0, ""), m(flagACK, 7001, 501, "def")},
			[]heard{{[2]string{"abc", ""}, endReused}, {[2]string{"def", ""}, endCapture}},
		},
		"pool closes first": {
			[]segment{m(flagSYN, 100, 0, ""), p(flagSYN|flagACK, 500, 101, ""), p(flagFIN|flagACK, 501, 101, "bye"), m(flagFIN|flagACK, 101, 505, "")},
			[]heard{{[2]string{"", "bye"}, endOther}},
		},
		"end before the rest": {
			[]segment{m(flagSYN, 100, 0, ""), p(flagSYN|flagACK, 500, 101, ""), m(flagFIN|flagACK, 104, 501, "def"), p(flagFIN|flagACK, 501, 101, ""), m(flagACK, 101, 502, "abc")},
			[]heard{{[2]string{"abcdef", ""}, endOpener}},
		},
	} {
		got := assemble(test.segments)
		if len(got) != len(test.want) {
			t.Errorf("%s: %d connections", name, len(got))
			continue
		}
		for i, want := range test.want {
			if *got[i] != want {
				t.Errorf("%s: %+v, want %+v", name, *got[i], want)
			}
		}
	}
}

// A peer that leaves a hole and sends on for ever takes no more memory than it
// may.
func TestHolesAreBounded(t *testing.T) {
	h := &heard{}
	a := &assembler{live: make(map[pair]*connection), open: func(*connection) events { return h }}
	a.take(&segment{from: minerAddr, to: poolAddr, seq: 0, flags: flagSYN}, start)
	for i := range uint32(5000) {
		a.take(&segment{from: minerAddr, to: poolAddr, seq: 2 + 1000*i, flags: flagACK, data: bytes.Repeat([]byte("x"), 1000)}, start)
		if a.waiting > maxAhead+1000 {
			t.Fatalf("%d bytes wait", a.waiting)
		}
	}
	a.finish()
	if len(h.text[0]) != len("…")+5_000_000 {
		t.Errorf("%d bytes came out", len(h.text[0]))
	}
	// Nor do more connections than are followed.
	for i := range uint32(maxConnections + 10) {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i))), 1)
		a.take(&segment{from: from, to: poolAddr, flags: flagSYN}, start)
	}
	if len(a.live) != maxConnections || a.dropped != 10 {
		t.Errorf("%d connections, %d left out", len(a.live), a.dropped)
	}
}

// relink writes the packets of a file with another link type.
func relink(t *testing.T, file []byte, link layers.LinkType, header func(ip gopacket.LayerType) []byte) []byte {
	t.Helper()
	in, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := pcapgo.NewWriter(&b)
	if err := out.WriteFileHeader(65536, link); err != nil {
		t.Fatal(err)
	}
	for {
		data, ci, err := in.ReadPacketData()
		if err != nil {
			return b.Bytes()
		}
		kind := gopacket.LayerType(layers.LayerTypeIPv4)
		if binary.BigEndian.Uint16(data[12:]) == 0x86dd {
			kind = layers.LayerTypeIPv6
		}
		frame := append(header(kind), data[14:]...)
		ci.CaptureLength, ci.Length = len(frame), len(frame)
		if err := out.WritePacket(ci, frame); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinks(t *testing.T) {
	file := pcapng(t, story)
	whole, err := Read(bytes.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := saidIn(whole)
	fixed := func(b string) func(gopacket.LayerType) []byte {
		return func(gopacket.LayerType) []byte { return []byte(b) }
	}
	for name, test := range map[string]struct {
		link   layers.LinkType
		header func(gopacket.LayerType) []byte
	}{
		"Ethernet":            {1, fixed("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00")},
		"VLAN":                {1, fixed("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x81\x00\x00\x07\x08\x00")},
		"QinQ":                {1, fixed("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x88\xa8\x00\x07\x81\x00\x00\x09\x08\x00")},
		"raw IP":              {101, fixed("")},
		"raw IP of BSD":       {12, fixed("")},
		"IPv4":                {228, fixed("")},
		"loopback of BSD":     {0, fixed("\x02\x00\x00\x00")},
		"loopback of OpenBSD": {108, fixed("\x00\x00\x00\x02")},
		"Linux cooked":        {113, fixed("\x00\x04\x03\x04\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00")},
		"Linux cooked 2":      {276, fixed("\x08\x00\x00\x00\x00\x00\x00\x01\x03\x04\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00")},
	} {
		out, err := Read(bytes.NewReader(relink(t, file, test.link, test.header)), Options{})
		if err != nil || out.File.Format != "pcap" || !slices.Equal(saidIn(out), want) {
			t.Errorf("%s: %v, %q, left out %v", name, err, saidIn(out), out.File.Skipped)
		}
		if len(out.Sessions) > 0 && !out.Sessions[0].Facts.BeganAt.Equal(whole.Sessions[0].Facts.BeganAt) {
			t.Errorf("%s: began %s", name, out.Sessions[0].Facts.BeganAt)
		}
	}
	out, err := Read(bytes.NewReader(relink(t, file, 147, fixed(""))), Options{})
	if err != nil || out.File.Skipped[skipLink] != out.File.Packets || len(out.Sessions) != 0 {
		t.Errorf("unknown link: %v %+v", err, out.File)
	}
}

// Files as Wireshark's own tools write them, in both formats, and with packets
// that were cut.
func TestFilesOfWireshark(t *testing.T) {
	editcap, err := exec.LookPath("editcap")
	if err != nil {
		t.Skip("SKIPPED LOUDLY: there is no editcap; as root, apt-get install tshark")
	}
	file := pcapng(t, story)
	whole, err := Read(bytes.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pcapng")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"pcap", "nsecpcap", "pcapng"} {
		path := filepath.Join(dir, "out."+format)
		if out, err := exec.CommandContext(t.Context(), editcap, "-F", format, in, path).CombinedOutput(); err != nil {
			t.Fatalf("editcap: %v\n%s", err, out)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Read(bytes.NewReader(text), Options{})
		if err != nil || !slices.Equal(saidIn(out), saidIn(whole)) || !out.File.LastAt.Equal(whole.File.LastAt) {
			t.Errorf("%s: %v, %q", format, err, saidIn(out))
		}
	}
	// 200 bytes of each packet: what is missing is known.
	path := filepath.Join(dir, "short.pcap")
	if out, err := exec.CommandContext(t.Context(), editcap, "-F", "pcap", "-s", "200", in, path).CombinedOutput(); err != nil {
		t.Fatalf("editcap: %v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Read(bytes.NewReader(text), Options{})
	if err != nil || out.File.Missing == 0 || len(out.Sessions) != 1 || out.Sessions[0].Facts.LostBytes == 0 || out.Sessions[0].Facts.Complete {
		t.Errorf("short packets: %v %+v", err, out.File)
	}
}
