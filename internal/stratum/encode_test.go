package stratum

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// decode checks that line is one whole JSON object with exactly the given
// members in this order, and returns it.
func decode(t testing.TB, line []byte, members ...string) map[string]any {
	t.Helper()
	if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
		t.Fatalf("%q is not one line", line)
	}
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	at := -1
	for _, name := range members {
		next := strings.Index(string(line), `"`+name+`":`)
		if next <= at {
			t.Fatalf("%q has no %s in its place", line, name)
		}
		at = next
	}
	if len(m) != len(members) {
		t.Fatalf("%q has %d members, want %v", line, len(m), members)
	}
	return m
}

func TestReplies(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{string(AppendTrue(nil, []byte("6"))), `{"id":6,"result":true,"error":null}`},
		{string(AppendResult(nil, []byte(`"xnsub"`), "[]")), `{"id":"xnsub","result":[],"error":null}`},
		{string(AppendReject(nil, []byte("7"), RejectStale)), `{"id":7,"result":null,"error":[21,"Stale",null]}`},
		{string(AppendError(nil, nil, -32700, "Parse error")), `{"id":null,"result":null,"error":[-32700,"Parse error",null]}`},
		{string(AppendSubscribed(nil, []byte("2"), "1a2b3c4d", "1a2b3c4d", 8)),
			`{"id":2,"result":[[["mining.set_difficulty","1a2b3c4d"],["mining.notify","1a2b3c4d"]],"1a2b3c4d",8],"error":null}`},
		{string(AppendSetDifficulty(nil, 1024)), `{"id":null,"method":"mining.set_difficulty","params":[1024]}`},
		{string(AppendSetDifficulty(nil, 0.00015)), `{"id":null,"method":"mining.set_difficulty","params":[0.00015]}`},
		{string(AppendShowMessage(nil, `a "b"`)), `{"id":null,"method":"client.show_message","params":["a \"b\""]}`},
	} {
		if c.got != c.want+"\n" {
			t.Errorf("got  %q\nwant %q", c.got, c.want+"\n")
		}
		members := []string{"id", "result", "error"}
		if strings.Contains(c.got, `"method"`) {
			members = []string{"id", "method", "params"}
		}
		decode(t, []byte(c.got), members...)
	}
}

// Small difficulties have no exponent on the wire (R-J6).
func TestDifficultyIsPlainAndExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Float64Range(1e-10, 1e15).Draw(t, "difficulty")
		line := AppendSetDifficulty(nil, want)
		var m struct{ Params []json.Number }
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(m.Params[0].String(), "eE") {
			t.Fatalf("%s has an exponent", m.Params[0])
		}
		if got, err := m.Params[0].Float64(); err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s reads back as %v, not %v", m.Params[0], got, want)
		}
	})
}

// checkString checks that a string of any bytes becomes a JSON string of the
// same value on one line.
func checkString(t testing.TB, s string) {
	t.Helper()
	line := AppendString(nil, s)
	var back string
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatalf("AppendString(%q) = %s: %v", s, line, err)
	}
	// Go's own reading of invalid bytes is one U+FFFD for each.
	if want := string([]rune(s)); back != want {
		t.Fatalf("AppendString(%q) reads back as %q", s, back)
	}
	if bytes.ContainsAny(line, "\x00\n\r\x7f\x1b") {
		t.Fatalf("AppendString(%q) = %q breaks its line", s, line)
	}
}

func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "plain", "\"\\/", "\x00\x01\n\r\t\x1b[31m\x7f", "é€😀", "\xff\xc3(", "\u2028\ufffd", strings.Repeat("\"", 3000)} {
		checkString(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		line := AppendString(nil, s)
		var back string
		if err := json.Unmarshal(line, &back); err != nil || back != string([]rune(s)) {
			t.Fatalf("AppendString(%q) = %q, %v", s, line, err)
		}
	})
}

// Hostile texts of every kind cannot break a reply.
func TestErrorsStayOneLine(t *testing.T) {
	for _, text := range []string{"a\nb", `"],"result":true,"x":["`, "\xff", strings.Repeat("x", 5000)} {
		m := decode(t, AppendError(nil, []byte(`"i"`), 20, text), "id", "result", "error")
		if m["result"] != nil {
			t.Errorf("%q made a result of %v", text, m["result"])
		}
	}
}

func TestSwapWords(t *testing.T) {
	var h, want bitcoin.Hash
	for i := range h {
		h[i] = byte(i)
	}
	if _, err := hex.Decode(want[:], []byte("03020100"+"07060504"+"0b0a0908"+"0f0e0d0c"+"13121110"+"17161514"+"1b1a1918"+"1f1e1d1c")); err != nil {
		t.Fatal(err)
	}
	if got := SwapWords(h); got != want {
		t.Errorf("SwapWords = %x", got)
	}
	if SwapWords(SwapWords(h)) != h {
		t.Error("swapping twice changes something")
	}
}

func TestAppendHex32(t *testing.T) {
	for v, want := range map[uint32]string{0: "00000000", 0x20000000: "20000000", 0xffffffff: "ffffffff", 0x1d00ffff: "1d00ffff", 10: "0000000a"} {
		if got := string(AppendHex32(nil, v)); got != want {
			t.Errorf("AppendHex32(%d) = %s", v, got)
		}
	}
}

func TestNotifyHasNineParameters(t *testing.T) {
	n := Notify{JobID: "3f100", Version: 0x20000000, Bits: 0x1d00ffff, Time: 0x68a1b2c3,
		Coinbase: bitcoin.CoinbaseParts{Prefix: []byte{1, 2}, Suffix: []byte{3}}, Branches: []bitcoin.Hash{{1}, {2}}}
	for tail, clean := range map[string]bool{CleanTail: true, DirtyTail: false} {
		m := decode(t, append(AppendNotifyHead(nil, &n), tail...), "id", "method", "params")
		want := []any{"3f100", strings.Repeat("00", 32), "0102", "03",
			[]any{"01" + strings.Repeat("00", 31), "02" + strings.Repeat("00", 31)}, "20000000", "1d00ffff", "68a1b2c3", clean}
		if diff := cmp.Diff(want, m["params"]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEncodersAllocateNothing(t *testing.T) {
	buf := make([]byte, 0, 8192)
	id := []byte("6")
	n := Notify{JobID: "3f100", Branches: make([]bitcoin.Hash, 11), Coinbase: bitcoin.CoinbaseParts{Prefix: make([]byte, 60), Suffix: make([]byte, 120)}}
	for name, encode := range map[string]func(){
		"true":       func() { AppendTrue(buf, id) },
		"reject":     func() { AppendReject(buf, id, RejectLowDifficulty) },
		"difficulty": func() { AppendSetDifficulty(buf, 0.00015) },
		"subscribed": func() { AppendSubscribed(buf, id, "1a2b3c4d", "1a2b3c4d", 8) },
		"notify":     func() { AppendNotifyHead(buf, &n) },
	} {
		if allocs := testing.AllocsPerRun(100, encode); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkAppendTrue(b *testing.B) {
	buf, id := make([]byte, 0, 256), []byte("1234")
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendTrue(buf[:0], id)
	}
}

func BenchmarkAppendNotifyHead(b *testing.B) {
	buf := make([]byte, 0, 8192)
	n := Notify{JobID: "3f100", Branches: make([]bitcoin.Hash, 11), Coinbase: bitcoin.CoinbaseParts{Prefix: make([]byte, 60), Suffix: make([]byte, 120)}}
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendNotifyHead(buf[:0], &n)
	}
}
