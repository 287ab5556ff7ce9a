package inspect

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/scope/export"
)

// short is a small session, for seeds.
const short = `
0 > {"id":1,"method":"mining.subscribe","params":["a"]}
1 < {"id":1,"result":[[],"00",4],"error":null}
2 < {"method":"mining.notify","params":["1"]}
`

// FuzzRead reads any bytes as a file.
func FuzzRead(f *testing.F) {
	f.Add(pcapng(f, short))
	f.Add(jsonl(f, short))
	f.Add(original(f, short))
	f.Add(recording(f, short))
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := Read(bytes.NewReader(file), Options{})
		if (err != nil) != (out.File.Problem != "") {
			t.Errorf("problem %q, error %v", out.File.Problem, err)
		}
		text, err := json.Marshal(out)
		if err != nil || !utf8.Valid(text) {
			t.Fatalf("%v: %q", err, text)
		}
		var b bytes.Buffer
		if err := out.Print(&b, Text{Name: "f"}); err != nil || !utf8.Valid(b.Bytes()) || bytes.ContainsAny(b.Bytes(), "\x1b\x07\x7f") {
			t.Errorf("%v: %q", err, b.Bytes())
		}
	})
}

// FuzzPackets reads any bytes as packets of any link.
func FuzzPackets(f *testing.F) {
	ip := append([]byte{0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0, 1, 0, 0, 0, 0}, "{}\n\n"...)
	f.Add(uint16(101), ip)
	f.Add(uint16(1), append(make([]byte, 12), append([]byte{8, 0}, ip...)...))
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		s, skip := parseSegment(packet{link: uint32(link), data: data, size: len(data)})
		if skip == "" && (s.missing < 0 || len(s.data) > len(data)) {
			t.Errorf("%+v", s)
		}
	})
}

// FuzzStream gives an assembler any segments: nothing is said twice, and what
// waits is bounded.
func FuzzStream(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 16, 0, 1, 3, 17, 0, 4, 0, 20, 0, 9, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		var all []*heard
		a := &assembler{live: make(map[pair]*connection), open: func(*connection) events {
			h := &heard{}
			all = append(all, h)
			return h
		}}
		sent := 0
		for ; len(script) >= 4; script = script[4:] {
			s := segment{
				from: minerAddr, to: poolAddr, flags: script[0] & 0x1f, seq: uint32(binary.BigEndian.Uint16(script[1:])),
				ack: uint32(script[2]), data: bytes.Repeat([]byte("x"), int(script[3]&15)), missing: int(script[3] >> 7),
			}
			if script[3]&64 != 0 {
				s.from, s.to = s.to, s.from
			}
			sent += len(s.data)
			a.take(&s, time.Unix(0, 0))
		}
		a.finish()
		said := 0
		for _, h := range all {
			said += bytes.Count([]byte(h.text[0]+h.text[1]), []byte("x"))
			if h.ended == "" {
				t.Error("a connection without an end")
			}
		}
		if said > sent || a.waiting != 0 || len(a.live) != 0 {
			t.Errorf("%d bytes of %d said, %d wait", said, sent, a.waiting)
		}
	})
}

// FuzzPacketFile reads any bytes as pcap or pcapng.
func FuzzPacketFile(f *testing.F) {
	f.Add(pcapng(f, short))
	f.Add(append([]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 101, 0, 0, 0}, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x45))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) < 4 || !isPackets(file) {
			return
		}
		reader, _, err := newPacketReader(bufio.NewReader(bytes.NewReader(file)))
		for n := 0; err == nil; n++ {
			var p packet
			if p, err = reader.next(); len(p.data) > len(file) || n > len(file) {
				t.Fatalf("packet %d of %d bytes", n, len(p.data))
			}
			parseSegment(p)
		}
	})
}

// FuzzDocument reads any bytes as messages.
func FuzzDocument(f *testing.F) {
	for _, file := range [][]byte{jsonl(f, short), original(f, short), recording(f, short)} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		d := &document{own: make(map[string]bool), sessions: make(map[string]export.Session), format: formatMessages}
		_ = d.read(bytes.NewReader(file), len(file) > 0 && file[0] == '[')
		for _, e := range d.entries {
			if e.session == "" || !utf8.ValidString(e.session) {
				t.Errorf("%+v", e)
			}
		}
	})
}
