package export

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// tshark runs Wireshark's command line tool on a file.
func tshark(t *testing.T, file []byte, arguments ...string) string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("SKIPPED LOUDLY: there is no tshark; as root, apt-get install tshark")
	}
	path := filepath.Join(t.TempDir(), "export.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"-n", "-r", path,
		"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}, arguments...)...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("tshark %q: %v\n%s", arguments, err, complaints.String())
	}
	return out.String()
}

// follow is a TCP stream as tshark reassembles it.
func follow(t *testing.T, file []byte, stream int) (client, server string) {
	t.Helper()
	out := tshark(t, file, "-q", "-z", fmt.Sprintf("follow,tcp,raw,%d", stream))
	for line := range strings.Lines(out) {
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			continue // a heading
		}
		if line[0] == '\t' {
			server += string(b)
		} else {
			client += string(b)
		}
	}
	return client, server
}

// complaints are the packets that tshark finds something wrong with.
func complaints(t *testing.T, file []byte) string {
	t.Helper()
	return tshark(t, file, "-Y", "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags || _ws.expert.severity >= warning",
		"-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message")
}

func pcapng(t *testing.T, s capture.Session, messages []*capture.Message) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := PCAPNG(&b, About{Session: s, Tool: "poolscope test", Created: start}, sequence(messages, nil))
	if err != nil || n != uint64(len(messages)) {
		t.Fatalf("%d messages, %v", n, err)
	}
	return b.Bytes()
}

// All that was captured comes out of Wireshark's reassembly as it went in, for
// all families of addresses.
func TestWiresharkReassembles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, ends := range map[string][2]string{
		"IPv4":                   {"10.0.0.5:50123", "203.0.113.7:3333"},
		"IPv6":                   {"[2001:db8::5]:50123", "[2001:db8:1::7]:3333"},
		"IPv4 to IPv6":           {"10.0.0.5:50123", "[2001:db8:1::7]:443"},
		"IPv6 with zone to IPv4": {"[fe80::5%eth0]:50123", "203.0.113.7:3333"},
		"unknown":                {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var said [2]string
			o := opening()
			o.Miner = ends[0]
			s, messages := record(t, o, capture.Config{}, func(tape *capture.Tape) {
				if ends[1] != "" {
					tape.PoolConnected(ends[1])
				}
				for i := range 120 {
					line := make([]byte, random.IntN(100))
					if i%40 == 7 {
						line = make([]byte, 100_000)
					}
					for j := range line {
						if line[j] = byte(random.Uint32()); line[j] == '\n' {
							line[j] = 'x'
						}
					}
					text := string(line) + "\n"
					d := capture.Direction(random.IntN(2))
					said[d] += text
					chunk(tape, d, text, 3*i)
				}
				said[0] += "the end"
				chunk(tape, capture.MinerToPool, "the end", 1000)
				tape.Close("pool_closed", after(2000))
			})
			file := pcapng(t, s, messages)
			client, server := follow(t, file, 0)
			if client != said[0] || server != said[1] {
				t.Errorf("client: %d bytes of %d, equal %t; server: %d of %d, equal %t",
					len(client), len(said[0]), client == said[0], len(server), len(said[1]), server == said[1])
			}
			if got := complaints(t, file); got != "" {
				t.Errorf("tshark complains:\n%s", got)
			}
			if name != "IPv4" {
				return // each run of tshark takes a moment
			}
			flags := strings.Fields(tshark(t, file, "-T", "fields", "-e", "tcp.flags.str", "-Y", "tcp.flags.syn==1 || tcp.flags.fin==1"))
			if len(flags) != 4 {
				t.Errorf("handshake and end have the flags %v", flags)
			}
		})
	}
}

// Packets have the times and the comments of their messages.
func TestTimesAndComments(t *testing.T) {
	s, messages := record(t, opening(), capture.Config{MaxLine: 100}, func(tape *capture.Tape) {
		tape.PoolConnected("203.0.113.7:3333")
		chunk(tape, capture.MinerToPool, `{"id":1,"method":"mining.authorize","params":["w","secret"]}`+"\n", 1)
		chunk(tape, capture.PoolToMiner, strings.Repeat("x", 500)+"\n", 2)
		chunk(tape, capture.PoolToMiner, "last\n", 3)
		chunk(tape, capture.MinerToPool, "lost\n", 4)
		chunk(tape, capture.MinerToPool, "after\n", 5)
	})
	gap := *messages[4]
	gap.Gap = 5
	file := pcapng(t, s, append(messages[:3:3], &gap))
	got := tshark(t, file, "-Y", "frame.comment", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment")
	want := `1767323045.678901000	session s1
1767323045.679918000	s1-1; its password was replaced
1767323045.680918000	s1-2; only the first 100 of its 501 bytes were captured
1767323045.681918000	s1-3
1767323045.683918000	s1-5; 5 bytes before it were not captured
`
	if got != want {
		t.Errorf("comments\n%s\nwant\n%s", got, want)
	}
	// What is missing is missing in the sequence numbers, too, and nothing else is.
	got = tshark(t, file, "-Y", "tcp.analysis.flags", "-T", "fields", "-e", "frame.comment", "-e", "_ws.expert.message")
	if lines := strings.Split(strings.TrimSpace(got), "\n"); len(lines) != 5 || strings.Count(got, "Previous segment(s) not captured") != 2 {
		t.Errorf("tshark notes\n%s", got)
	}
	if strings.Contains(string(file), "secret") {
		t.Error("the password is in the file")
	}
}

// Lines of the scope's own have a stream for themselves, and so has a second
// pool.
func TestStreams(t *testing.T) {
	own := `{"id":3,"method":"mining.submit","params":["w"]}`
	s, messages := record(t, opening(), capture.Config{}, func(tape *capture.Tape) {
		tape.PoolConnected("203.0.113.7:3333")
		chunk(tape, capture.MinerToPool, "to the first\n", 1)
		chunk(tape, capture.PoolToMiner, "from the first\n", 2)
		replay := tape.Own([]byte(own), capture.OwnLine{WireID: `"x-1"`, ReplayOf: 1}, after(3))
		replay.Sent(after(3))
		replay.Answered([]byte(`{"id":"x-1","result":true}`+"\n"), after(4))
		chunk(tape, capture.MinerToPool, "more\n", 5)
		tape.PoolLost()
		tape.PoolConnected("198.51.100.1:3334")
		chunk(tape, capture.PoolToMiner, "from the second\n", 6)
		chunk(tape, capture.MinerToPool, "to the second\n", 7)
		tape.Close("miner_closed", after(8))
	})
	file := pcapng(t, s, messages)
	if got := complaints(t, file); got != "" {
		t.Errorf("tshark complains:\n%s", got)
	}
	for i, want := range [][2]string{
		{"to the first\nmore\n", "from the first\n"},
		{own + "\n", `{"id":"x-1","result":true}` + "\n"},
		{"to the second\n", "from the second\n"},
	} {
		if client, server := follow(t, file, i); client != want[0] || server != want[1] {
			t.Errorf("stream %d: %q, %q", i, client, server)
		}
	}
	ends := tshark(t, file, "-Y", "tcp.flags.syn==1 && tcp.flags.ack==0", "-T", "fields", "-e", "ip.src", "-e", "tcp.srcport", "-e", "ip.dst", "-e", "tcp.dstport")
	want := "10.0.0.5\t50123\t203.0.113.7\t3333\n192.0.2.9\t49153\t203.0.113.7\t3333\n10.0.0.5\t50123\t198.51.100.1\t3334\n"
	if ends != want {
		t.Errorf("streams\n%s\nwant\n%s", ends, want)
	}
}

// Who ended the session, and how, can be seen.
func TestEnds(t *testing.T) {
	for reason, want := range map[string]string{
		"miner_closed": "10.0.0.5 ·······A···F 203.0.113.7 ·······A···F", "pool_closed": "203.0.113.7 ·······A···F 10.0.0.5 ·······A···F",
		"miner_reset": "10.0.0.5 ·······A·R··", "pool_reset": "203.0.113.7 ·······A·R··",
	} {
		s, messages := record(t, opening(), capture.Config{}, func(tape *capture.Tape) {
			tape.PoolConnected("203.0.113.7:3333")
			chunk(tape, capture.MinerToPool, "hello\n", 1)
			tape.Close(reason, after(2))
		})
		got := tshark(t, pcapng(t, s, messages), "-Y", "tcp.flags.fin==1 || tcp.flags.reset==1", "-T", "fields", "-e", "ip.src", "-e", "tcp.flags.str")
		if strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("%s: %q", reason, got)
		}
	}
}

// In a tap the pool is our own listener.
func TestTap(t *testing.T) {
	o := opening()
	o.Origin, o.Pool, o.Listener = capture.OriginTap, "", "10.0.0.1:3333"
	s, messages := record(t, o, capture.Config{}, func(tape *capture.Tape) {
		tape.Line(capture.MinerToPool, []byte("hello\n"), after(1))
		tape.Line(capture.PoolToMiner, []byte("welcome\n"), after(2))
		tape.Close("banned", after(3))
	})
	file := pcapng(t, s, messages)
	if client, server := follow(t, file, 0); client != "hello\n" || server != "welcome\n" {
		t.Errorf("%q, %q", client, server)
	}
	if got := tshark(t, file, "-Y", "tcp.flags.syn==1 && tcp.flags.ack==0", "-T", "fields", "-e", "ip.dst", "-e", "tcp.dstport"); got != "10.0.0.1\t3333\n" {
		t.Errorf("the pool is %q", got)
	}
}

// Wireshark dissects the lines as JSON when told the port, as the package
// says.
func TestWiresharkDissectsJSON(t *testing.T) {
	s, messages := record(t, opening(), capture.Config{}, func(tape *capture.Tape) {
		tape.PoolConnected("203.0.113.7:3333")
		chunk(tape, capture.MinerToPool, `{"id":1,"method":"mining.subscribe","params":[]}`+"\n", 1)
	})
	got := tshark(t, pcapng(t, s, messages), "-d", "tcp.port==3333,json", "-Y", "json", "-T", "fields", "-e", "json.value.string")
	if strings.TrimSpace(got) != "mining.subscribe" {
		t.Errorf("dissected %q", got)
	}
}

// A capture of any size takes the same memory.
func TestExportsStream(t *testing.T) {
	session, messages := recorded(t)
	about := About{Session: session}
	for name, write := range map[string]func(io.Writer, iter.Seq2[*capture.Message, error]) error{
		"jsonl": func(w io.Writer, s iter.Seq2[*capture.Message, error]) error {
			_, err := JSONL(w, about, s)
			return err
		},
		"pcapng": func(w io.Writer, s iter.Seq2[*capture.Message, error]) error {
			_, err := PCAPNG(w, about, s)
			return err
		},
		"csv": func(w io.Writer, s iter.Seq2[*capture.Message, error]) error { _, err := CSV(w, s); return err },
	} {
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc) //nolint:gosec // no heap is that large
		}
		var early, late int64
		err := write(io.Discard, func(yield func(*capture.Message, error) bool) {
			for i := range 20_000 {
				switch i {
				case 1000:
					early = heap()
				case 19_999:
					late = heap()
				}
				m := *messages[i%len(messages)]
				m.Method, m.IsRequest = "mining.submit", true
				if !yield(&m, nil) {
					return
				}
			}
		})
		if err != nil || late-early > 512<<10 {
			t.Errorf("%s: %d bytes after 1000 messages, %d after 20000, %v", name, early, late, err)
		}
	}
}
