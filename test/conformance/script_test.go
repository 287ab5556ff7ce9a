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
	least, most int    // number of arguments; most < 0 is any
	usage       string // shown when they are wrong
	check       func(*step) error
}

// words are all that a case may say. The same list is the table of README.md.
var words = map[string]word{
	">":       {0, -1, "> LINE", nil},
	">hex":    {1, 1, ">hex BYTES", func(s *step) (err error) { s.raw, err = hex.DecodeString(s.args[0]); return err }},
	"<":       {1, -1, `< {"id":1,"result":true,"error":null}`, checkPattern},
	"<later":  {1, -1, `<later {"id":1,"result":true,"error":null}`, checkPattern},
	"<work":   {0, 2, "<work [clean|refresh] [NAME]", checkNotify},
	"<notify": {0, 2, "<notify [clean|refresh] [NAME]", checkNotify},
	"<end":    {0, 1, "<end [WITHIN]", optionalDuration},
	"difficulty": {2, 2, "difficulty <=|>=|= NUMBER", func(s *step) error {
		if !slices.Contains([]string{"=", "<=", ">="}, s.args[0]) {
			return fmt.Errorf("%q is none of = <= >=", s.args[0])
		}
		_, err := strconv.ParseFloat(s.args[1], 64)
		return err
	}},
	"within":    {1, 1, "within 1s", duration},
	"pause":     {1, 1, "pause 200ms", duration},
	"silence":   {1, 1, "silence 300ms", duration},
	"nothing":   {0, 0, "nothing", nil},
	"split":     {1, 1, "split 10", count},
	"crlf":      {0, 0, "crlf", nil},
	"read-once": {2, -1, "read-once 1023 mining.notify", count},
	"connect":   {0, 1, "connect [tls]", checkConnect},
	"close":     {0, 0, "close", nil},
	"mine":      {1, -1, "mine NAME [on JOB] [block] [weak] [short] [letter] [rolled=BITS] [later=SECONDS]", checkMine},
	"accepted":  {1, 1, "accepted NAME", nil},
	"new-block": {0, 0, "new-block", nil},
	"allow":     {1, 1, "allow METHOD", nil},
	"let":       {2, 2, "let NAME VALUE", nil},
	"differ":    {2, 2, "differ NAME NAME", nil},
}

// headers are what may stand before the first step of a case.
var headers = []string{"device", "source", "case", "proves", "network", "set", "limit"}

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
		if slices.Contains(headers, first) {
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
	w, known := words[first]
	if !known {
		return fmt.Errorf("%q is no word of the language; see the table in README.md. A line that is sent begins with \"> \", a comment with #", first)
	}
	if len(s.cases) == 0 {
		return fmt.Errorf("%q before the first case line", first)
	}
	st := step{line: number, word: first, rest: rest, args: strings.Fields(rest)}
	if len(st.args) < w.least || w.most >= 0 && len(st.args) > w.most {
		return fmt.Errorf("this is written as: %s", w.usage)
	}
	if w.check != nil {
		if err := w.check(&st); err != nil {
			return fmt.Errorf("%w; this is written as: %s", err, w.usage)
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
