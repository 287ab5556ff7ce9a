package pool

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// The transcripts in testdata are conversations of real firmware. Each line is
// one of
//
//	> LINE            the miner sends it; lines that follow each other directly
//	                  are one segment
//	>hex BYTES        the miner sends raw bytes
//	< LINE            the pool's next line; {{name}} stands for text without
//	                  quotes that is the same wherever the name is
//	<end              the pool has closed the connection
//	! tip             the node has a new block
//	! refresh         the node has other transactions
//	! share N [MORE]  solves a share of the newest job, as {{N.job}}, {{N.en2}},
//	                  {{N.ntime}}, {{N.nonce}}; MORE is rolled=BITS, easier=FACTOR
//	! wait DURATION   time passes, in a bubble with a clock of its own
//	! connect         the miner connects anew
//	! no work         (first line) the node has no template yet
//	# TEXT            a comment
//
// They are spoken over TCP on loopback, and over a pipe with a fake clock.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d transcripts, %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		if !strings.Contains(string(text), "! wait") {
			t.Run(name+"/tcp", func(t *testing.T) { speak(t, string(text), false) })
		}
		t.Run(name+"/pipe", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { speak(t, string(text), true) })
		})
	}
}

// speaker is the state of one transcript.
type speaker struct {
	t      *testing.T
	rig    *rig
	miner  *testMiner
	values map[string]string
	queue  []string // lines that came while time passed
	number int      // of the transcript's line
}

// transcriptDifficulty is high enough that no share is a block.
const transcriptDifficulty = 1e6

func speak(t *testing.T, text string, inBubble bool) {
	r := newRig(t, inBubble, func(c *Config) {
		c.Difficulty.Start, c.Difficulty.Vardiff = 1024, true
	})
	s := &speaker{t: t, rig: r, values: map[string]string{"alice": alice, "bob": bob, "mainnet": mainnet}}
	if !strings.HasPrefix(text, "! no work\n") {
		s.work(r.newTip)
	}
	s.miner = r.connect(t)
	var segment strings.Builder
	for i, line := range strings.Split(text, "\n") {
		s.number = i + 1
		if sent, ok := strings.CutPrefix(line, "> "); ok {
			segment.WriteString(s.fill(sent) + "\n")
			continue
		}
		if segment.Len() > 0 {
			s.miner.send(segment.String())
			segment.Reset()
		}
		s.do(line)
	}
	if len(s.queue) > 0 {
		t.Errorf("unread lines: %q", s.queue)
	}
	// Nothing may be on its way that the transcript does not know of.
	if !strings.HasSuffix(strings.TrimSpace(text), "<end") {
		s.miner.send(`{"id":"the end","method":"mining.ping","params":[]}` + "\n")
		if got := s.next(); got != `{"id":"the end","result":"pong","error":null}` {
			t.Errorf("more than the transcript says: %s", got)
		}
	}
	r.stop()
}

func (s *speaker) work(give func(...func(*node.Template)) *node.Template) {
	give(func(t *node.Template) { t.Bits = bitcoin.TargetFromDifficulty(transcriptDifficulty).Bits() })
}

func (s *speaker) do(line string) {
	s.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "", "#":
	case "<":
		s.expect(rest)
	case "<end":
		start := time.Now()
		s.miner.wantEnd()
		if s.rig.listen == "" && time.Since(start) > 0 {
			s.t.Errorf("line %d: the end comes %v later", s.number, time.Since(start))
		}
	case ">hex":
		raw, err := hex.DecodeString(rest)
		if err != nil {
			s.t.Fatal(err)
		}
		s.miner.send(string(raw))
	case "!":
		s.direct(strings.Fields(rest))
	default:
		s.t.Fatalf("line %d: what is %q?", s.number, line)
	}
}

// direct follows a stage direction.
func (s *speaker) direct(words []string) {
	switch words[0] {
	case "no":
	case "tip":
		s.work(s.rig.newTip)
	case "refresh":
		s.work(s.rig.refresh)
	case "connect":
		s.miner.conn.Close()
		s.miner = s.rig.connect(s.t)
	case "share":
		s.solve(words[1], words[2:])
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.queue = append(s.queue, s.miner.collect(d)...)
	default:
		s.t.Fatalf("line %d: unknown direction %q", s.number, words)
	}
}

func (s *speaker) solve(name string, more []string) {
	job := s.miner.job
	b, rolled := job.ofShare(), ""
	for _, option := range more {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "rolled":
			rolled = value
		case "easier":
			factor, err := strconv.ParseFloat(value, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			b = between(job.difficulty/factor, job.difficulty)
		default:
			s.t.Fatalf("line %d: unknown option %q", s.number, option)
		}
	}
	share := s.miner.solve(job, b, rolled, 0x1fffe000)
	for field, value := range map[string]string{"job": share.job, "en2": share.en2, "ntime": share.ntime, "nonce": share.nonce} {
		s.values[name+"."+field] = value
	}
	s.values[name+".NONCE"] = strings.ToUpper(share.nonce)
	s.values[name+".short"] = strings.TrimLeft(share.nonce, "0")
}

var placeholder = regexp.MustCompile(`\{\{([^}]+)\}\}`)

// fill replaces the names in a line by their values.
func (s *speaker) fill(line string) string {
	return placeholder.ReplaceAllStringFunc(line, func(p string) string {
		value, known := s.values[p[2:len(p)-2]]
		if !known {
			s.t.Fatalf("line %d: nothing is known of %s", s.number, p)
		}
		return value
	})
}

func (s *speaker) next() string {
	s.t.Helper()
	if len(s.queue) > 0 {
		line := s.queue[0]
		s.queue = s.queue[1:]
		return line
	}
	line, err := s.miner.tryLine()
	if err != nil {
		s.t.Fatalf("line %d: the pool says nothing: %v", s.number, err)
	}
	return line
}

// expect compares the pool's next line with a pattern, and learns from it.
func (s *speaker) expect(pattern string) {
	s.t.Helper()
	got := s.next()
	var expression strings.Builder
	var names []string
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(pattern, -1) {
		expression.WriteString(regexp.QuoteMeta(pattern[last:at[0]]))
		last = at[1]
		name := pattern[at[2]:at[3]]
		value, known := s.values[name]
		switch {
		case known:
			expression.WriteString(regexp.QuoteMeta(value))
		default:
			expression.WriteString(`([^"]*)`)
			names = append(names, name)
			// The same name again on this line must be the same text, which
			// is checked below.
		}
	}
	expression.WriteString(regexp.QuoteMeta(pattern[last:]))
	found := regexp.MustCompile("^" + expression.String() + "$").FindStringSubmatch(got)
	if found == nil {
		s.t.Fatalf("line %d:\n got %s\nwant %s", s.number, got, pattern)
	}
	for i, name := range names {
		if before, known := s.values[name]; known && before != found[i+1] {
			s.t.Fatalf("line %d: {{%s}} is %q and %q in %s", s.number, name, before, found[i+1], got)
		}
		s.values[name] = found[i+1]
	}
}

// collect reads the lines that come for a while.
func (m *testMiner) collect(d time.Duration) (lines []string) {
	m.t.Helper()
	for end := time.Now().Add(d); ; {
		if err := m.conn.SetReadDeadline(end); err != nil {
			time.Sleep(time.Until(end))
			return lines // closed by the pool
		}
		line, err := m.lines.ReadString('\n')
		if err != nil {
			time.Sleep(time.Until(end))
			return lines
		}
		if err := m.notice(line); err != nil {
			m.t.Fatal(err)
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
}

// A pipelined handshake is answered by a single write, so that the answer to
// the failback probe of AxeOS, which reads once, is in it (R-S1, A2).
func TestHandshakeIsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip(withTransactions(1000))
		m := r.connect(t)
		m.send(fmt.Sprintf(`{"id":1,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.15.0"]}
{"id":2,"method":"mining.authorize","params":["%s","x"]}
`, alice))
		buf := make([]byte, 1<<16)
		n, err := m.conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(buf[:n]), "\n"); lines != 4 || buf[n-1] != '\n' {
			t.Errorf("the first write holds %d lines: %s", lines, buf[:n])
		}
		if !strings.Contains(string(buf[:min(n, 1023)]), "mining.notify") {
			t.Error("the probe finds no mining.notify")
		}
		r.stop()
	})
}
