package inspect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/export"
)

var update = flag.Bool("update", false, "write the golden files anew")

var start = time.Date(2025, 6, 11, 16, 33, 50, 0, time.UTC)

// story is a session with two real shares of p2poolv2's tests on signet, and
// what else happens: milliseconds, who speaks, the line.
const story = `
0 > {"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}
2 < {"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}
5 > {"id":2,"method":"mining.subscribe","params":["cgminer/4.11.1"]}
7 < {"id":2,"result":[[["mining.notify","d4f69aeb"]],"d4f69aeb",8],"error":null}
9 > {"id":3,"method":"mining.authorize","params":["tb1qyazxde6558qj6z3d9np5e6msmrspwpf6k0qggk.rig","x"]}
11 < {"id":3,"result":true,"error":null}
12 < {"id":null,"method":"mining.set_difficulty","params":[1]}
13 < {"id":null,"method":"mining.notify","params":["184809ff85923e7d","f5304c7c535061f870374354668bb7087dc26fc39c45ffd0cbdd48c600000000","02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff25029d00010004ecaf496804007670120c","085032506f6f6c7632ffffffff0200f2052a01000000160014274466e754a1c12d0a2d2cc34ceb70d8e017053a0000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf900000000",[],"20000000","1e0377ae","6849afec",true]}
4000 > {"id":4,"method":"mining.submit","params":["tb1qyazxde6558qj6z3d9np5e6msmrspwpf6k0qggk.rig","184809ff85923e7d","0000000000000000","6849afec","e33674f1"]}
4030 < {"id":4,"result":null,"error":[23,"Above target",null]}
5000 > {"id":5,"method":"mining.submit","params":["tb1qyazxde6558qj6z3d9np5e6msmrspwpf6k0qggk.rig","184809ff85923e7d","0000000000000000","6849afec","e33674f2"]}
5020 < {"id":5,"result":true,"error":null}
6000 > garbage
7000 < {"id":null,"method":"client.reconnect","params":["elsewhere.example",3333,0]}
`

type line struct {
	at        time.Time
	direction capture.Direction
	text      string
}

func lines(t testing.TB, story string) (all []line) {
	t.Helper()
	for text := range strings.Lines(strings.TrimSpace(story)) {
		var ms int
		var who string
		if _, err := fmt.Sscan(text, &ms, &who); err != nil {
			t.Fatal(err)
		}
		d := capture.MinerToPool
		if who == "<" {
			d = capture.PoolToMiner
		}
		_, rest, _ := strings.Cut(text, who+" ")
		all = append(all, line{start.Add(time.Duration(ms) * time.Millisecond), d, strings.TrimSuffix(rest, "\n") + "\n"})
	}
	return all
}

// recorded are a story's session and messages, as the scope keeps them.
func recorded(t testing.TB, story string) (capture.Session, []*capture.Message) {
	t.Helper()
	r := capture.New(capture.Config{QueueChunks: 4096}, slog.New(slog.DiscardHandler))
	tape := r.Open(capture.Opening{ID: "5f1e", Origin: capture.OriginProxy, Miner: "10.0.0.5:50123", Pool: "pool.example:3333", At: start})
	tape.PoolConnected("203.0.113.7:3333")
	var last time.Time
	for _, l := range lines(t, story) {
		tape.Chunk(l.direction, []byte(l.text), l.at).Forwarded(l.at)
		last = l.at
	}
	tape.Close("miner_closed", last.Add(time.Millisecond))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ended); err != nil {
		t.Fatal(err)
	}
	s, _ := r.Store().Session("5f1e")
	var all []*capture.Message
	r.Store().Latest("5f1e", func(m *capture.Message) bool {
		all = append(all, m)
		return true
	})
	slices.Reverse(all)
	return s, all
}

func sequence(messages []*capture.Message) iter.Seq2[*capture.Message, error] {
	return func(yield func(*capture.Message, error) bool) {
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func about(s capture.Session) export.About {
	return export.About{Session: s, Tool: "poolscope test", Created: start.Add(time.Hour)}
}

// pcapng is the story in packets.
func pcapng(t testing.TB, story string) []byte {
	t.Helper()
	s, messages := recorded(t, story)
	var b bytes.Buffer
	if _, err := export.PCAPNG(&b, about(s), sequence(messages)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jsonl(t testing.TB, story string) []byte {
	t.Helper()
	s, messages := recorded(t, story)
	var b bytes.Buffer
	if _, err := export.JSONL(&b, about(s), sequence(messages)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// api is the story as the API lists it: newest first, in an array.
func api(t testing.TB, story string) []byte {
	t.Helper()
	_, messages := recorded(t, story)
	slices.Reverse(messages)
	text, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// original is the story as HashScope lists it: answers stand in their requests
// only, lines have lost their ends and times their zone.
func original(t testing.TB, story string) []byte {
	t.Helper()
	_, messages := recorded(t, story)
	var out []map[string]any
	for _, m := range slices.Backward(messages) {
		if m.Pair > 0 && !m.IsRequest {
			continue
		}
		var o map[string]any
		if err := json.Unmarshal(m.AppendJSON(nil), &o); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"raw_encoding", "seq", "method", "worker", "response_raw_encoding", "response_ok", "masked", "share"} {
			delete(o, name)
		}
		for _, name := range []string{"raw", "response_raw", "ts_recv", "response_ts_recv"} {
			if text, ok := o[name].(string); ok {
				o[name] = strings.TrimSuffix(strings.TrimSpace(text), "Z")
			}
		}
		out = append(out, o)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// recording is the story as poolscope capture writes it.
func recording(t testing.TB, story string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines(t, story) {
		from := "miner"
		if l.direction == capture.PoolToMiner {
			from = "pool"
		}
		text, err := json.Marshal(map[string]any{"time": l.at, "session": "0a", "from": from, "line": strings.TrimSuffix(l.text, "\n")})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(text, '\n'))
	}
	return b.Bytes()
}

// upTo is a file that ends in the middle of the line with a text.
func upTo(file []byte, text string) []byte {
	before, _, _ := bytes.Cut(file, []byte(text))
	return before
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// said is what a result's sessions say, to be compared.
func saidIn(out *Result) (all []string) {
	for _, s := range out.Sessions {
		for _, m := range s.Messages {
			all = append(all, m.Direction.String()+" "+string(m.Raw))
		}
	}
	return all
}

// The same session comes out of every kind of file, to the last share.
func TestEveryFormat(t *testing.T) {
	for name, file := range map[string][]byte{
		"pcapng": pcapng(t, story), "jsonl": jsonl(t, story), "api": api(t, story), "hashscope": original(t, story),
		"recording": recording(t, story), "pcapng.gz": gzipped(t, pcapng(t, story)), "jsonl.gz": gzipped(t, jsonl(t, story)),
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Read(bytes.NewReader(file), Options{})
			if err != nil || len(out.Sessions) != 1 {
				t.Fatalf("%d sessions, %v", len(out.Sessions), err)
			}
			s := out.Sessions[0]
			if len(s.Jobs) != 1 || s.Jobs[0].Height != 157 || s.Jobs[0].Difficulty != 1 || len(s.Shares) != 2 {
				t.Fatalf("jobs %+v, shares %+v", s.Jobs, s.Shares)
			}
			good, bad := s.Shares[0], s.Shares[1]
			if good.Hash != "00000000848122e3a6c318528787230e74dc9dc9624b0cb7957df018e941fec8" || good.Audit != capture.AuditBlock ||
				good.Pool != capture.PoolRejected || good.Reason == "" || good.Conflict == "" || *good.Latency != 30 {
				t.Errorf("first share %+v", good)
			}
			if bad.Audit != capture.AuditLow || bad.Conflict != "accepted_though_low" {
				t.Errorf("second share %+v", bad)
			}
			if s.Facts.UserAgent != "cgminer/4.11.1" || s.Facts.VersionMask != "1fffe000" || s.Facts.ParseErrors != 1 || !s.Facts.Complete || s.Facts.Messages != 14 {
				t.Errorf("facts %+v", s.Facts)
			}
			if s.Newest == nil || s.Newest.Coinbase.Outputs[0].Address != "tb1qyazxde6558qj6z3d9np5e6msmrspwpf6k0qggk" {
				t.Errorf("newest job %+v", s.Newest)
			}
			var kinds []string
			for _, a := range out.Alarms {
				kinds = append(kinds, a.Kind)
			}
			for _, kind := range []string{"block_found", "reconnect_requested", "accepted_though_low"} {
				if !slices.Contains(kinds, kind) {
					t.Errorf("no alarm %s among %v", kind, kinds)
				}
			}
		})
	}
}

var head = regexp.MustCompile(`head [0-9a-f]{64}`)

// What is printed stands in testdata.
func TestPrint(t *testing.T) {
	for name, file := range map[string][]byte{
		"capture.pcapng": pcapng(t, story), "capture.jsonl": jsonl(t, story), "damaged.jsonl": upTo(jsonl(t, story), "mining.authorize"), "capture.json": original(t, story),
	} {
		out, _ := Read(bytes.NewReader(file), Options{})
		out.Keep("", name != "capture.json")
		var b bytes.Buffer
		if err := out.Print(&b, Text{Name: name, Rows: 10}); err != nil {
			t.Fatal(err)
		}
		printed := head.ReplaceAllString(b.String(), "head …") // it is of all members of all messages
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(printed), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), printed); diff != "" {
			t.Errorf("%s is not printed as in %s (-update writes it anew):\n%s", name, golden, diff)
		}
	}
}

// A changed capture is noticed, and read all the same.
func TestBrokenChain(t *testing.T) {
	file := bytes.Replace(jsonl(t, story), []byte(`mining.configure`), []byte(`mining.Configure`), 1)
	out, err := Read(bytes.NewReader(file), Options{})
	if err != nil || out.File.Chain == nil || out.File.Chain.Intact || !strings.HasPrefix(out.File.Chain.Broken, "line 3:") {
		t.Errorf("chain %+v, %v", out.File.Chain, err)
	}
	if out, _ = Read(bytes.NewReader(jsonl(t, story)), Options{}); !out.File.Chain.Intact || len(out.File.Chain.Head) != 64 {
		t.Errorf("chain %+v", out.File.Chain)
	}
}

// A line of which only the beginning was kept is one message of its true size:
// nothing is lost.
func TestCutLine(t *testing.T) {
	long := `{"id":9,"method":"mining.unknown","params":["` + strings.Repeat("x", 300_000) + `"]}`
	story := story + "8000 > " + long + "\n8001 < {\"id\":9,\"result\":true,\"error\":null}\n"
	for name, file := range map[string][]byte{"jsonl": jsonl(t, story), "api": api(t, story)} {
		out, err := Read(bytes.NewReader(file), Options{})
		if err != nil || len(out.Sessions) != 1 {
			t.Fatalf("%s: %d sessions, %v", name, len(out.Sessions), err)
		}
		messages := out.Sessions[0].Messages
		if len(messages) != len(lines(t, story)) {
			t.Fatalf("%s: %d messages", name, len(messages))
		}
		m := messages[len(messages)-2]
		if !m.Cut || m.Size != len(long)+1 || len(m.Raw) != 256<<10 || !strings.HasPrefix(long, string(m.Raw)) || m.Gap != 0 || m.Fault != capture.FaultCut {
			t.Errorf("%s: cut %t, size %d, %d bytes, gap %d, fault %q", name, m.Cut, m.Size, len(m.Raw), m.Gap, m.Fault)
		}
		if last := messages[len(messages)-1]; last.Gap != 0 || out.Sessions[0].Facts.LostBytes != 0 || !out.Sessions[0].Facts.Complete {
			t.Errorf("%s: gap %d, facts %+v", name, last.Gap, out.Sessions[0].Facts)
		}
	}
}

// A file that was cut off anywhere is an error and gives what stands before.
func TestCutOff(t *testing.T) {
	for name, file := range map[string][]byte{"pcapng": pcapng(t, story), "jsonl": jsonl(t, story), "api": api(t, story)} {
		whole, err := Read(bytes.NewReader(file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := saidIn(whole)
		most := 0
		for i := 0; i < len(file); i += 131 {
			out, err := Read(bytes.NewReader(file[:i]), Options{})
			got := saidIn(out)
			most = max(most, len(got))
			if name != "api" && len(got) > 0 && !slices.Equal(got[:len(got)-1], want[:len(got)-1]) {
				t.Fatalf("%s cut at %d: %q", name, i, got)
			}
			if err == nil && name == "api" {
				t.Fatalf("%s cut at %d: no error", name, i)
			}
			if err != nil && out.File.Problem == "" {
				t.Fatalf("%s cut at %d: no problem named", name, i)
			}
		}
		if most < len(want)-1 {
			t.Errorf("%s: at most %d of %d messages", name, most, len(want))
		}
	}
}

func TestUnknownFormats(t *testing.T) {
	for _, text := range []string{"", "hello", "\x00\x00\x00\x00", "[]", "{}", "\n\n", `[1,2]`, "\x1f\x8bxx"} {
		out, err := Read(strings.NewReader(text), Options{})
		if err == nil || out == nil || out.File.Problem == "" || len(out.Sessions) > 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// failing is a disk that fails.
type failing struct{ io.Reader }

func (f failing) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		err = os.ErrClosed
	}
	return n, err
}

func TestReadErrors(t *testing.T) {
	for _, file := range [][]byte{pcapng(t, story), jsonl(t, story)} {
		out, err := Read(failing{bytes.NewReader(file)}, Options{})
		if err == nil || !strings.Contains(err.Error(), os.ErrClosed.Error()) || len(out.Sessions) != 1 {
			t.Errorf("%d sessions, %v", len(out.Sessions), err)
		}
	}
}

// Lines of the scope's own are read with what became of them, and what had been
// said before a tap began is known.
func TestOwnLinesAndLateTaps(t *testing.T) {
	r := capture.New(capture.Config{QueueChunks: 64}, slog.New(slog.DiscardHandler))
	tape := r.Open(capture.Opening{ID: "tap-1", Origin: capture.OriginTap, Miner: "10.0.0.5:50123", At: start, Known: &capture.Known{
		UserAgent: "late/1", Workers: []string{"w"}, Extranonce1: "d4f69aeb", Extranonce2Size: 8, Difficulty: 1,
	}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for i, l := range lines(t, story)[7:9] {
		tape.Line(l.direction, []byte(l.text), start.Add(time.Duration(i)*time.Second))
	}
	replay := tape.Own([]byte(`{"id":4,"method":"mining.submit","params":["w"]}`), capture.OwnLine{WireID: `"x-1"`, ReplayOf: 2}, start.Add(2*time.Second))
	replay.Sent(start.Add(2 * time.Second))
	replay.Answered([]byte(`{"id":"x-1","result":false,"error":null}`), start.Add(2500*time.Millisecond))
	failed := tape.Own([]byte(`{"id":4,"method":"mining.submit","params":["w"]}`), capture.OwnLine{WireID: `"x-2"`, ReplayOf: 2}, start.Add(3*time.Second))
	failed.Sent(start.Add(3 * time.Second))
	failed.Failed("Timeout waiting for pool response", start.Add(13*time.Second))
	if err := r.Run(ended); err != nil {
		t.Fatal(err)
	}
	s, _ := r.Store().Session("tap-1")
	messages, _ := r.Store().Find(capture.Filter{})
	slices.Reverse(messages)
	var file bytes.Buffer
	if _, err := export.JSONL(&file, about(s), sequence(messages)); err != nil {
		t.Fatal(err)
	}
	out, err := Read(&file, Options{})
	if err != nil || len(out.Sessions) != 1 || len(out.Sessions[0].Messages) != 4 {
		t.Fatalf("%v, %+v", err, out.File)
	}
	session := out.Sessions[0]
	if session.Facts.UserAgent != "late/1" || session.Shares[0].Audit != capture.AuditBlock {
		t.Errorf("facts %+v, shares %+v", session.Facts, session.Shares)
	}
	for i, want := range messages {
		plain := *session.Messages[i]
		plain.Share = nil
		if got, want := string(plain.AppendJSON(nil)), string(want.AppendJSON(nil)); i >= 2 && got != want {
			t.Errorf("own line\n%s\nwant\n%s", got, want)
		}
	}
}

// What HashScope writes in hex and in base64 is read as what it was.
func TestEncodingsOfTheOriginal(t *testing.T) {
	file := `[
{"id":"s-2","ts_recv":"2026-01-02T03:04:06","direction":"hashscope_to_pool","session_id":"s","peer":"hashscope","raw":"eyJpZCI6M30=","parse_error":null,"response":{"id":3,"result":true},"response_ts_recv":"2026-01-02T03:04:07"},
{"id":"s-1","ts_recv":"2026-01-02T03:04:05.5","direction":"miner_to_pool","session_id":"s","peer":"1.2.3.4:5","raw":"ff0a","parse_error":"UTF-8 decode error: 'utf-8' codec can't decode byte"}
]`
	out, err := Read(strings.NewReader(file), Options{})
	if err != nil || len(out.Sessions) != 1 {
		t.Fatal(err)
	}
	if got := saidIn(out); !slices.Equal(got, []string{"miner_to_pool \xff\n", "hashscope_to_pool {\"id\":3}"}) {
		t.Errorf("%q", got)
	}
	if m := out.Sessions[0].Messages[1]; m.Response == nil || m.Latency() != time.Second {
		t.Errorf("answer %+v", m.Response)
	}
}
