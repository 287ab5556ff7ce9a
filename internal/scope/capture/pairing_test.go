package capture

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"
)

// FuzzPairing compares the pairing of any conversation with a plain search: a
// response is for the oldest request with its id that was asked in the other
// direction and has no answer yet.
func FuzzPairing(f *testing.F) {
	f.Add([]byte{0x00, 0x11, 0x00, 0x10, 0x31, 0x02, 0x13, 0x22})
	f.Add([]byte{0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11})
	ids := []string{"1", "2", `"1"`, `"2"`, "null", "1.0"}
	f.Fuzz(func(t *testing.T, talk []byte) {
		type line struct {
			from    Direction
			id      string
			request bool
			pair    uint64
		}
		var lines []line
		r := New(Config{}, slog.New(slog.DiscardHandler))
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		mark := new(Mark)
		mark.Forwarded(time.Now())
		for i, b := range talk[:min(len(talk), 2000)] {
			l := line{from: Direction(b >> 4 & 1), id: ids[int(b>>5)%len(ids)], request: b&1 == 0}
			text := fmt.Sprintf(`{"id":%s,"result":%d}`, l.id, i)
			if l.request {
				text = fmt.Sprintf(`{"id":%s,"method":"m%d"}`, l.id, i)
			}
			if l.id == "1.0" {
				l.id = "1"
			}
			if !l.request && l.id != "null" {
				at := slices.IndexFunc(lines, func(asked line) bool {
					return asked.request && asked.pair == 0 && asked.id == l.id && asked.from != l.from
				})
				if at >= 0 {
					lines[at].pair, l.pair = uint64(len(lines)+1), uint64(at+1)
				}
			}
			lines = append(lines, l)
			r.handle(event{kind: eventChunk, tape: tape, direction: l.from, bytes: []byte(text + "\n"), at: time.Now(), mark: mark})
		}
		for i, l := range lines {
			n := uint64(i + 1)
			m := r.Store().Message("s", n)
			if m.Pair != l.pair {
				t.Fatalf("line %d of %x is paired with %d, want %d", n, talk, m.Pair, l.pair)
			}
			if m.IsRequest && l.pair > 0 && (m.Response == nil || m.Response.N != l.pair || m.Response.Pair != n) {
				t.Fatalf("line %d of %x does not know its answer %d", n, talk, l.pair)
			}
		}
	})
}
