package conformance

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"github.com/poolscope/poolscope/test/nodes"
)

// TestDevices plays every device file: the cases of all of them side by side,
// each on a network and a pool of its own.
func TestDevices(t *testing.T) {
	t.Parallel()
	for _, path := range deviceFiles(t) {
		s, err := readScript(path)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			for _, c := range s.cases {
				t.Run(c.id+" "+c.title, func(t *testing.T) {
					t.Parallel()
					play(t, s, &c)
				})
			}
		})
	}
}

func deviceFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("devices/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no device files, %v", err)
	}
	return paths
}

// player is the state of one case.
type player struct {
	t      testing.TB
	script *script
	c      *scriptCase
	place  *place
	device *device

	values map[string]string // of placeholders
	jobs   map[string]*job
	shares map[string]*share
	within time.Duration // of the next expectation, 0 is patience
	split  int           // bytes per segment of the next lines, 0 is all
	step   *step
	passed []*job // that came before the answer that <later waited for
}

func play(t testing.TB, s *script, c *scriptCase) {
	p := &player{t: t, script: s, c: c, values: make(map[string]string), jobs: make(map[string]*job), shares: make(map[string]*share)}
	if c.network == "mainnet" {
		p.place = onMainnet(t, c.set)
	} else {
		p.place = onDevnet(t, c.set)
	}
	p.place.awaitWork(t)
	p.values["address"], p.values["other"] = p.place.addressOf("miner"), p.place.addressOf("other")
	p.values["ADDRESS"], p.values["testnet"] = strings.ToUpper(p.values["address"]), addressOn(&chaincfg.TestNet3Params, "miner")
	p.connect(false)

	var lines []string // of the segment
	for i := range c.steps {
		p.step = &c.steps[i]
		if p.step.word == ">" {
			lines = append(lines, p.fill(p.step.rest))
			p.passed = nil
			continue
		}
		if len(lines) > 0 {
			p.device.sendPieces(p.split, lines...)
			lines, p.split = nil, 0
		}
		p.do(p.step)
		if t.Failed() {
			t.Fatalf("%s: it went wrong here: %s %s", p.at(), p.step.word, p.step.rest)
		}
	}
	if len(lines) > 0 {
		p.device.sendPieces(p.split, lines...)
	}
}

func (p *player) at() string { return fmt.Sprintf("%s:%d", p.script.path, p.step.line) }

func (p *player) fatalf(format string, args ...any) {
	p.t.Helper()
	p.device.fatalf("%s: %s", p.at(), fmt.Sprintf(format, args...))
}

func (p *player) connect(overTLS bool) {
	if overTLS {
		p.device = p.place.connectTLS(p.t)
	} else {
		p.device = p.place.connect(p.t)
	}
	p.device.limits = p.c.limits
}

// fill replaces placeholders by their values.
func (p *player) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-2]
		value, known := p.values[name]
		if !known {
			p.fatalf("nothing is known of {{%s}}; known are %s", name, strings.Join(slices.Sorted(maps.Keys(p.values)), ", "))
		}
		return value
	})
}

func (p *player) do(s *step) {
	p.t.Helper()
	d := p.device
	switch s.word {
	case "":
	case ">hex":
		d.lenient = true
		d.log = append(d.log, ">hex "+s.args[0])
		d.sendRaw(s.raw)
	case "<":
		p.expect(p.read())
	case "<later":
		p.expectLater()
	case "<work":
		p.difficultyLine()
		p.notifyLine(s)
	case "<notify":
		p.notifyLine(s)
	case "<end":
		if said := d.wantEnd(s.wait); len(said) > 0 {
			p.fatalf("before the end the pool says %s", said)
		}
	case "difficulty":
		p.compareDifficulty(s.args[0], s.args[1])
	case "within":
		p.within = s.wait
	case "pause":
		time.Sleep(s.wait) // as the firmware does
	case "silence":
		d.silent(s.wait)
	case "nothing":
		d.nothingElse()
	case "split":
		p.split = s.n
	case "crlf":
		d.ended = "\r\n"
	case "read-once":
		p.readOnce(s.n, strings.TrimSpace(strings.TrimPrefix(s.rest, s.args[0])))
	case "connect":
		p.connect(len(s.args) > 0)
	case "close":
		d.conn.Close()
	case "mine":
		p.mine(s.args[0], s.args[1:])
	case "accepted":
		p.accepted(s.args[0])
	case "new-block":
		p.place.network.newBlock(p.t)
	case "allow":
		d.allowed[s.args[0]] = true
	case "let":
		p.values[s.args[0]] = p.fill(s.args[1])
	case "differ":
		if a, b := p.fill("{{"+s.args[0]+"}}"), p.fill("{{"+s.args[1]+"}}"); a == b {
			p.fatalf("both are %q", a)
		}
	default:
		p.fatalf("the player does not know the word %q", s.word)
	}
}

// read is the pool's next line.
func (p *player) read() string {
	p.t.Helper()
	within := patience
	if p.within > 0 {
		within, p.within = p.within-time.Since(p.device.lastSent), 0
	}
	line, err := p.device.line(max(within, time.Millisecond))
	if err != nil {
		p.fatalf("the pool's next line: %v", err)
	}
	return line
}

func (p *player) expect(line string) {
	p.t.Helper()
	if err := match(p.step.rest, line, p.values); err != nil {
		p.fatalf("%v\n got %s\nwant %s", err, line, p.step.rest)
	}
}

// expectLater passes over notifications: those may come at any time.
func (p *player) expectLater() {
	p.t.Helper()
	for {
		line := p.read()
		if strings.Contains(line, `"method":`) && !strings.Contains(p.step.rest, `"method":`) {
			if strings.Contains(line, `"mining.notify"`) {
				p.passed = append(p.passed, p.device.newest)
			}
			continue
		}
		p.expect(line)
		return
	}
}

func (p *player) difficultyLine() {
	p.t.Helper()
	line := p.read()
	if !strings.Contains(line, `"mining.set_difficulty"`) {
		p.fatalf("a set_difficulty was to come, and not %s", line)
	}
}

// passedClean takes the clean job out of those that came before an answer: the
// tip that a block makes may be told before the block's own answer.
func (p *player) passedClean() *job {
	for i, j := range p.passed {
		if j.clean {
			p.passed = slices.Delete(p.passed, i, i+1)
			return j
		}
	}
	return nil
}

func (p *player) notifyLine(s *step) {
	p.t.Helper()
	args := s.args
	var j *job
	if len(args) > 0 && args[0] == "clean" {
		j = p.passedClean()
	}
	if j == nil {
		if line := p.read(); !strings.Contains(line, `"mining.notify"`) {
			p.fatalf("a notify was to come, and not %s", line)
		}
		j = p.device.newest
	}
	if len(args) > 0 && (args[0] == "clean" || args[0] == "refresh") {
		if j.clean != (args[0] == "clean") {
			p.fatalf("clean_jobs is %t", j.clean)
		}
		args = args[1:]
	}
	if len(args) > 0 {
		p.jobs[args[0]] = j
		p.values[args[0]] = j.id
	}
}

func (p *player) compareDifficulty(relation, text string) {
	p.t.Helper()
	want, _ := strconv.ParseFloat(text, 64) // checked when the file was read
	got, err := strconv.ParseFloat(p.device.difficulty, 64)
	if err != nil {
		p.fatalf("there is no difficulty yet")
	}
	if relation == "=" && got == want || relation == "<=" && got <= want || relation == ">=" && got >= want {
		return
	}
	p.fatalf("the difficulty is %s", p.device.difficulty)
}

// readOnce does what the failback probe of AxeOS does: one read, one search.
func (p *player) readOnce(n int, text string) {
	p.t.Helper()
	d := p.device
	if err := d.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	buf := make([]byte, n)
	n, err := d.conn.Read(buf)
	if err != nil {
		p.fatalf("read once: %v", err)
	}
	d.log = append(d.log, "< "+string(buf[:n]))
	if !strings.Contains(string(buf[:n]), text) {
		p.fatalf("one read of %d bytes is all the device makes, and has no %q", n, text)
	}
}

func (p *player) mine(name string, args []string) {
	p.t.Helper()
	w, on, err := mineOptions(args)
	if err != nil {
		p.fatalf("%v", err)
	}
	j := p.device.newest
	if on != "" {
		if j = p.jobs[on]; j == nil {
			p.fatalf("no job is called %s: name it with <notify clean %s", on, on)
		}
	}
	s := p.device.mineOn(j, w)
	p.shares[name] = s
	for field, value := range map[string]string{
		"job": j.id, "en2": s.extranonce2, "ntime": s.ntimeText(), "nonce": s.nonceText(), "version": s.rolledText(),
		"NONCE": strings.ToUpper(s.nonceText()), "short": strings.TrimLeft(s.nonceText(), "0"), "hash": s.hash(),
	} {
		p.values[name+"."+field] = value
	}
}

// accepted waits until a mined block is in the chain.
func (p *player) accepted(name string) {
	p.t.Helper()
	s := p.shares[name]
	if s == nil {
		p.fatalf("no share is called %s", name)
	}
	nodes.WaitFor(p.t, patience, "block "+name+" is in the best chain", func() bool { return p.place.network.inChain(p.t, s.hash()) })
}
