package conformance

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// script is a device file: what the device is, and the cases that it plays.
// README.md describes the language.
type script struct {
	path   string
	device string
	source string
	cases  []scriptCase
}

// scriptCase is one case of a device file.
type scriptCase struct {
	id      string // C01 … C20
	title   string
	proves  []string // requirement ids
	network string   // "devnet" or "mainnet"
	set     settings
	limits  limits
	steps   []step
}

// step is one line that does something.
type step struct {
	line int // in the file, from 1
	word string
	rest string   // behind the word
	args []string // rest, in words
	raw  []byte   // of >hex
	wait time.Duration
	n    int
}

// word is one of the language.
type word struct {
	name        string
	least, most int    // number of arguments; most < 0 is any
	usage       string // shown when they are wrong
	meaning     string // for README.md
	check       func(*step) error
}

// words are all that a case may say, in the order of README.md.
var words = []word{
	{">", 0, -1, "> LINE", "the device sends a line. Lines that follow each other directly are one TCP segment; an empty line or any other word ends it", nil},
	{"<", 1, -1, `< {"id":1,"result":true,"error":null}`, "the pool's very next line is this JSON: same keys, same types, same digits of numbers. `{{name}}` in a text, or bare in place of a value, stands for what it stood for before, and the first time for whatever is there; `{{_}}` for anything, always", checkPattern},
	{"<later", 1, -1, `<later {"id":1,"result":true,"error":null}`, "the same, but notifications before it are passed over", checkPattern},
	{"<notify", 0, 2, "<notify [clean\\|refresh] [NAME]", "the next line is a mining.notify, whose clean_jobs is true or false; a clean one may have come before the answer that `<later` waited for, too; NAME names its job, and `{{NAME}}` is the job's id", checkNotify},
	{"<work", 0, 2, "<work [clean\\|refresh] [NAME]", "the next two lines are set_difficulty and mining.notify", checkNotify},
	{"<end", 0, 1, "<end [WITHIN]", "the pool says nothing more and closes the connection", optionalDuration},
	{"difficulty", 2, 2, "difficulty <=\\|>=\\|= NUMBER", "what the last set_difficulty said", checkDifficulty},
	{"mine", 1, -1, "mine NAME [on JOB] [block] [weak] [short] [letter] [rolled=BITS] [later=SECONDS]", "finds a share of the newest job, or of JOB, that is no block. With block: one that is; weak: one that is up to four times too easy; short: its nonce begins with 0; letter: its nonce has one of a to f; rolled: with these version bits; later: with a later ntime. `{{NAME.job}}`, `.en2`, `.ntime`, `.nonce`, `.version`, `.NONCE` (in capitals), `.short` (without zeros in front) and `.hash` are its fields", checkMine},
	{"accepted", 1, 1, "accepted NAME", "the block is in the node's best chain", nil},
	{"new-block", 0, 0, "new-block", "somebody else finds a block", nil},
	{"nothing", 0, 0, "nothing", "the pool has said nothing else: the next line is the answer to a ping", nil},
	{"silence", 1, 1, "silence 300ms", "the pool says nothing for a while", duration},
	{"within", 1, 1, "within 1s", "the next line must come within this time after the last that was sent; without it, patience is 20 s", duration},
	{"pause", 1, 1, "pause 200ms", "the device waits, as its firmware does", duration},
	{"read-once", 2, -1, "read-once 1023 mining.notify", "one read of at most so many bytes, which must hold the text", count},
	{"split", 1, 1, "split 10", "the next lines go out in segments of so many bytes", count},
	{"crlf", 0, 0, "crlf", "the device ends its lines with CR LF from here on", nil},
	{">hex", 1, 1, ">hex BYTES", "the device sends these bytes; from here on, answers may have any id", func(s *step) (err error) { s.raw, err = hex.DecodeString(s.args[0]); return err }},
	{"connect", 0, 1, "connect [tls]", "the device opens another connection; a case begins with one on the plain port", checkConnect},
	{"close", 0, 0, "close", "the device closes its connection", nil},
	{"allow", 1, 1, "allow METHOD", "the device understands this notification, too", nil},
	{"let", 2, 2, "let NAME VALUE", "`{{NAME}}` stands for a value", nil},
	{"differ", 2, 2, "differ NAME NAME", "two names stand for different values", nil},
}

// headers are what may stand before the first step of a case, with their
// meanings for README.md.
var headers = []struct{ name, usage, meaning string }{
	{"device", "device TEXT", "which device with which firmware, once at the top"},
	{"source", "source TEXT", "where it is known from that the device does this; at the top"},
	{"limit", "limit coinbase\\|half\\|notify\\|job BYTES", "what the device can take: of the coinbase, of each half of it, of a line of mining.notify, of header with coinbase and branches. At the top for all cases, or in a case"},
	{"case", "case C05 TITLE", "begins a case; the ids are those of the list below"},
	{"proves", "proves R-F1 R-S4", "the requirements that the case proves"},
	{"network", "network devnet\\|mainnet", "devnet (the default): blocks can be found, and the difficulty of shares is capped at the network's. mainnet: real height, real difficulty, twelve merkle branches, and no block will be found; shares can, with a password such as `d=0.0002`"},
	{"set", "set difficulty.start 16", "a key of the pool's configuration, with its value in TOML; `{{operator}}` is an address"},
}

// plainUsage is the usage without what Markdown's tables need.
func (w word) plainUsage() string { return strings.ReplaceAll(w.usage, `\|`, "|") }

var (
	caseID        = regexp.MustCompile(`^C(0[1-9]|1[0-9]|2[0-2])$`)
	requirementID = regexp.MustCompile(`^R-[A-Z]\d+[a-z]?$`)
)

// readScript parses a device file. Errors name the file, the line and what to
// do about it.
func readScript(path string) (*script, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read device file: %w", err)
	}
	return parseScript(filepath.Base(path), string(data))
}

func parseScript(name, text string) (*script, error) {
	s := &script{path: name}
	var common limits // before the first case: for all of them
	for i, line := range strings.Split(text, "\n") {
		number := i + 1
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "#") {
			continue
		}
		if trimmed == "" {
			// An empty line ends a segment; otherwise it is for the eye.
			if n := len(s.cases); n > 0 && len(s.cases[n-1].steps) > 0 {
				c := &s.cases[n-1]
				c.steps = append(c.steps, step{line: number, word: ""})
			}
			continue
		}
		first, rest, _ := strings.Cut(trimmed, " ")
		rest = strings.TrimSpace(rest)
		var err error
		if isHeader(first) {
			err = s.header(first, rest, &common)
		} else {
			err = s.step(number, first, rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

func isHeader(first string) bool {
	for _, h := range headers {
		if h.name == first {
			return true
		}
	}
	return false
}

// header takes a line that describes the device or a case.
func (s *script) header(key, value string, common *limits) error {
	if value == "" {
		return fmt.Errorf("%s needs a text behind it", key)
	}
	if key == "device" || key == "source" {
		if len(s.cases) > 0 {
			return fmt.Errorf("%s belongs to the top of the file, before the first case", key)
		}
		if key == "device" {
			s.device = value
		} else {
			s.source = strings.TrimSpace(s.source + " " + value)
		}
		return nil
	}
	if key == "case" {
		id, title, _ := strings.Cut(value, " ")
		if !caseID.MatchString(id) || title == "" {
			return fmt.Errorf("a case is an id from C01 to C22 and a title, such as: case C05 what it shows")
		}
		s.cases = append(s.cases, scriptCase{id: id, title: title, network: "devnet", set: settings{}, limits: *common})
		return nil
	}
	if len(s.cases) == 0 {
		if key == "limit" {
			return common.set(value)
		}
		return fmt.Errorf("%s belongs behind a case line", key)
	}

	c := &s.cases[len(s.cases)-1]
	if len(c.steps) > 0 {
		return fmt.Errorf("%s belongs before the first step of its case", key)
	}
	switch key {
	case "proves":
		for _, id := range strings.Fields(value) {
			if !requirementID.MatchString(id) {
				return fmt.Errorf("%q is no requirement id such as R-F1; separate them by spaces", id)
			}
			c.proves = append(c.proves, id)
		}
	case "network":
		if value != "devnet" && value != "mainnet" {
			return fmt.Errorf("the network is devnet (blocks can be found) or mainnet (difficulties are real), not %q", value)
		}
		c.network = value
	case "set":
		name, toml, ok := strings.Cut(value, " ")
		if !ok {
			return fmt.Errorf("set needs a key of the configuration and its value, such as: set difficulty.start 16")
		}
		c.set[name] = strings.TrimSpace(toml)
	case "limit":
		return c.limits.set(value)
	}
	return nil
}

// set reads a limit line.
func (l *limits) set(value string) error {
	name, text, _ := strings.Cut(value, " ")
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return fmt.Errorf("a limit is a name and a number of bytes, such as: limit coinbase 255")
	}
	switch name {
	case "coinbase":
		l.coinbase = n
	case "half":
		l.half = n
	case "notify":
		l.notify = n
	case "job":
		l.job = n
	default:
		return fmt.Errorf("%q is none of the limits coinbase, half, notify, job", name)
	}
	return nil
}

// step takes a line that does something.
func (s *script) step(number int, first, rest string) error {
	i := slices.IndexFunc(words, func(w word) bool { return w.name == first })
	if i < 0 {
		return fmt.Errorf("%q is no word of the language; see the table in README.md. A line that is sent begins with \"> \", a comment with #", first)
	}
	if len(s.cases) == 0 {
		return fmt.Errorf("%q before the first case line", first)
	}
	w := words[i]
	st := step{line: number, word: first, rest: rest, args: strings.Fields(rest)}
	if len(st.args) < w.least || w.most >= 0 && len(st.args) > w.most {
		return fmt.Errorf("this is written as: %s", w.plainUsage())
	}
	if w.check != nil {
		if err := w.check(&st); err != nil {
			return fmt.Errorf("%w; this is written as: %s", err, w.plainUsage())
		}
	}
	c := &s.cases[len(s.cases)-1]
	c.steps = append(c.steps, st)
	return nil
}

// check looks at the whole file.
func (s *script) check() error {
	switch {
	case s.device == "":
		return fmt.Errorf("%s:1: no device line: which device and firmware is this?", s.path)
	case s.source == "":
		return fmt.Errorf("%s:1: no source line: where is it known from that the device does this?", s.path)
	case len(s.cases) == 0:
		return fmt.Errorf("%s:1: no case line, so nothing would be tested", s.path)
	}
	for _, c := range s.cases {
		if len(c.proves) == 0 || len(c.steps) == 0 {
			return fmt.Errorf("%s: case %s %q needs a proves line and steps", s.path, c.id, c.title)
		}
	}
	return nil
}

func duration(s *step) (err error) {
	s.wait, err = time.ParseDuration(s.args[0])
	return err
}

func optionalDuration(s *step) error {
	s.wait = patience
	if len(s.args) == 0 {
		return nil
	}
	return duration(s)
}

func count(s *step) (err error) {
	s.n, err = strconv.Atoi(s.args[0])
	if err == nil && s.n < 1 {
		err = fmt.Errorf("%d is less than 1", s.n)
	}
	return err
}

func checkDifficulty(s *step) error {
	if !slices.Contains([]string{"=", "<=", ">="}, s.args[0]) {
		return fmt.Errorf("%q is none of = <= >=", s.args[0])
	}
	_, err := strconv.ParseFloat(s.args[1], 64)
	return err
}

func checkConnect(s *step) error {
	if len(s.args) > 0 && s.args[0] != "tls" {
		return fmt.Errorf("a connection is plain or tls, not %q", s.args[0])
	}
	return nil
}

func checkNotify(s *step) error {
	if len(s.args) > 1 && s.args[0] != "clean" && s.args[0] != "refresh" {
		return fmt.Errorf("%q is none of clean, refresh", s.args[0])
	}
	return nil
}

// checkPattern wants JSON, once the placeholders are filled in.
func checkPattern(s *step) error {
	var v any
	if err := json.Unmarshal([]byte(quoteBare(s.rest)), &v); err != nil {
		return fmt.Errorf("the pattern is no JSON: %w", err)
	}
	return nil
}

func checkMine(s *step) error {
	_, _, err := mineOptions(s.args[1:])
	return err
}

// mineOptions reads what stands behind the name of a share.
func mineOptions(args []string) (w wish, on string, err error) {
	for i := 0; i < len(args); i++ {
		key, value, _ := strings.Cut(args[i], "=")
		switch key {
		case "on":
			if i++; i == len(args) {
				return w, on, fmt.Errorf("on which job?")
			}
			on = args[i]
		case "block":
			w.block = true
		case "weak":
			w.weak = true
		case "short":
			w.short = true
		case "letter":
			w.letter = true
		case "rolled":
			bits, err := strconv.ParseUint(value, 16, 32)
			if err != nil {
				return w, on, fmt.Errorf("rolled=%s is not hexadecimal", value)
			}
			w.rolled = uint32(bits)
		case "later":
			if w.later, err = strconv.ParseInt(value, 10, 64); err != nil {
				return w, on, fmt.Errorf("later=%s is no number of seconds", value)
			}
		default:
			return w, on, fmt.Errorf("%q is no option of mine", args[i])
		}
	}
	return w, on, nil
}
