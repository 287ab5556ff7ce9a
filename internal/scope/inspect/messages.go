package inspect

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/export"
)

// maxValue is the largest single JSON value that is read, in bytes.
const maxValue = 64 << 20

// Formats of messages.
const (
	formatCapture   = export.Format // JSONL of our export
	formatMessages  = "messages"    // as the API gives them
	formatRecording = "recording"   // of poolscope capture
)

// value is any JSON object of a file of messages: the members that are needed
// of the three kinds.
type value struct {
	// The API's messages, ours and those of HashScope.
	ID          string          `json:"id"`
	At          string          `json:"ts_recv"`
	Direction   string          `json:"direction"`
	Session     json.RawMessage `json:"session_id"`
	Peer        string          `json:"peer"`
	Raw         *string         `json:"raw"`
	Encoding    string          `json:"raw_encoding"`
	ParseError  string          `json:"parse_error"`
	Size        int             `json:"size_bytes"`
	Truncated   bool            `json:"truncated"`
	Unfinished  bool            `json:"unterminated"`
	Gap         uint64          `json:"gap_bytes"`
	Pair        *string         `json:"paired_message_id"`
	Response    json.RawMessage `json:"response"`
	ResponseAt  *string         `json:"response_ts_recv"`
	ResponseRaw *string         `json:"response_raw"`
	ResponseEnc string          `json:"response_raw_encoding"`
	WireID      json.RawMessage `json:"wire_id"`
	ReplayOf    *string         `json:"replay_of"`
	ReplayError *string         `json:"replay_error"`

	// The header of our export.
	Type   string          `json:"type"`
	Format string          `json:"format"`
	Named  json.RawMessage `json:"session"` // an object; in a recording the name of the connection

	// Lines of poolscope capture.
	Time string  `json:"time"`
	From string  `json:"from"` // miner or pool
	Line *string `json:"line"`
}

// said is a line on its way to the recorder, or one of the scope's own.
type entry struct {
	session   string
	n         uint64 // number of the message in its session
	direction capture.Direction
	at        time.Time
	raw       []byte
	gap       uint64 // bytes before it that were not captured
	cut       int    // size of the line when raw is only its beginning
	answer    bool   // stood in its request
	id        string
	peer      string
	own       *ownLine
}

// ownLine is what lines of the scope's own have besides.
type ownLine struct {
	line     capture.OwnLine
	answer   []byte // nil when there was none
	answerAt time.Time
	failure  string
}

// document is a file of messages on its way to the recorder.
type document struct {
	entries  []entry
	own      map[string]bool           // ids of messages that stand there themselves
	sessions map[string]export.Session // by id, from headers
	format   string
	beyond   int // messages that were too many
}

// guard ends the reading of a value that is too large.
type guard struct {
	r   io.Reader
	n   int   // bytes since the last value
	err error // why there is no more
}

var errLargeValue = errors.New("a single message has more than 64 MiB")

func (g *guard) Read(b []byte) (int, error) {
	if g.n > maxValue {
		return 0, errLargeValue
	}
	n, err := g.r.Read(b)
	g.n += n
	if err != nil && !errors.Is(err, io.EOF) {
		g.err = err
	}
	return n, err
}

// messages reads a file of messages and has them recorded.
func (out *Result) messages(in *bufio.Reader, f *feed) error {
	first, err := firstByte(in)
	if err != nil || first != '{' && first != '[' {
		return ErrUnknownFormat
	}
	doc := &document{own: make(map[string]bool), sessions: make(map[string]export.Session), format: formatMessages}
	chained := newChainCheck()
	err = doc.read(io.TeeReader(in, chained), first == '[')
	out.File.Chain = chained.finish(in, doc.format == formatCapture)
	out.File.Format = doc.format
	if len(doc.entries) == 0 && err == nil {
		return errors.New("there are no Stratum messages in it")
	}
	doc.record(f, out)
	if doc.beyond > 0 && err == nil {
		err = fmt.Errorf("only the first %d messages were read, %d are too many", maxMessages, doc.beyond)
	}
	return err
}

// firstByte skips blanks, and a byte order mark, and looks at what follows.
func firstByte(in *bufio.Reader) (byte, error) {
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // they are there
	}
	for {
		c, err := in.Peek(1)
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsAny(c, " \t\r\n") {
			return c[0], nil
		}
		_, _ = in.Discard(1)
	}
}

// read reads all values. With an error, what stood before it is there.
func (d *document) read(in io.Reader, array bool) error {
	g := &guard{r: in}
	decoder := json.NewDecoder(g)
	if array {
		if _, err := decoder.Token(); err != nil {
			return fmt.Errorf("the array does not begin: %w", err)
		}
	}
	for count := 1; decoder.More(); count++ {
		var raw json.RawMessage
		g.n = 0
		err := decoder.Decode(&raw)
		if err == nil {
			err = d.value(raw)
		}
		switch {
		case g.err != nil:
			return fmt.Errorf("reading message %d: %w", count, g.err)
		case errors.Is(err, io.ErrUnexpectedEOF):
			return damaged(fmt.Sprintf("the file ends in the middle of message %d", count))
		case err != nil:
			return damaged(fmt.Sprintf("message %d, about byte %d: %v", count, decoder.InputOffset(), err))
		}
	}
	if g.err != nil { // the decoder keeps it to itself
		return fmt.Errorf("reading messages: %w", g.err)
	}
	if array {
		if _, err := decoder.Token(); err != nil {
			return damaged("the file ends in the middle of its array")
		}
	}
	return nil
}

// value takes one object.
func (d *document) value(raw json.RawMessage) error {
	if raw[0] != '{' {
		return nil
	}
	var v value
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	switch {
	case v.Type == "header" && v.Format == export.Format:
		var s export.Session
		if err := json.Unmarshal(v.Named, &s); err != nil {
			return err
		}
		d.format = formatCapture
		d.sessions[s.ID] = s
	case v.Raw != nil && v.Direction != "":
		return d.message(&v)
	case v.Line != nil && v.From != "":
		return d.line(&v)
	}
	return nil
}

// add takes an entry, as long as there is room.
func (d *document) add(e entry) {
	if len(d.entries) >= maxMessages {
		d.beyond++
		return
	}
	d.entries = append(d.entries, e)
}

// line takes a line of poolscope capture.
func (d *document) line(v *value) error {
	at, err := parseTime(v.Time)
	if err != nil {
		return err
	}
	direction := capture.MinerToPool
	switch v.From {
	case "miner":
	case "pool":
		direction = capture.PoolToMiner
	default:
		return fmt.Errorf("from is %q, neither miner nor pool", v.From)
	}
	d.format = formatRecording
	d.add(entry{session: sessionName(v.Named), n: uint64(len(d.entries)), direction: direction, at: at, raw: append([]byte(*v.Line), '\n')})
	return nil
}

// message takes a message of the API.
func (d *document) message(v *value) error {
	direction, ok := capture.ParseDirection(v.Direction)
	if !ok {
		return fmt.Errorf("direction %q is unknown", v.Direction)
	}
	at, err := parseTime(v.At)
	if err != nil {
		return err
	}
	e := entry{session: sessionName(v.Session), n: number(v.ID), direction: direction, at: at, gap: v.Gap, id: v.ID, peer: v.Peer}
	if e.raw, err = v.bytes(direction); err != nil {
		return err
	}
	if v.Truncated {
		e.cut = max(v.Size, len(e.raw)+1) // a masked password may have made raw longer
	}
	if n := len(e.raw); e.cut == 0 && !v.Unfinished && direction != capture.ScopeToPool && (n == 0 || e.raw[n-1] != '\n') {
		e.raw = append(e.raw, '\n') // the original takes it off
	}
	d.own[v.ID] = true
	if direction == capture.ScopeToPool {
		if e.own, err = v.ownLine(); err != nil {
			return err
		}
		d.add(e)
		return nil
	}
	d.add(e)
	if v.Pair != nil && v.ResponseRaw != nil && v.ResponseAt != nil {
		// The original keeps no message of its own for an answer.
		return d.answer(v, &e)
	}
	return nil
}

func (d *document) answer(v *value, request *entry) error {
	at, err := parseTime(*v.ResponseAt)
	if err != nil {
		return err
	}
	a := entry{session: request.session, n: number(*v.Pair), direction: capture.PoolToMiner, at: at, answer: true, id: *v.Pair}
	if request.direction == capture.PoolToMiner {
		a.direction = capture.MinerToPool
	}
	if a.raw, err = bytesOf(*v.ResponseRaw, v.ResponseEnc, a.direction); err != nil {
		return err
	}
	a.raw = append(bytes.TrimRight(a.raw, "\n"), '\n')
	d.add(a)
	return nil
}

// ownLine is what a line of the scope's own has besides.
func (v *value) ownLine() (*ownLine, error) {
	o := &ownLine{line: capture.OwnLine{WireID: string(v.WireID)}}
	if v.ReplayOf != nil {
		o.line.ReplayOf = number(*v.ReplayOf)
	}
	if v.ReplayError != nil {
		o.failure = *v.ReplayError
	}
	if v.ResponseAt == nil {
		return o, nil
	}
	var err error
	if o.answerAt, err = parseTime(*v.ResponseAt); err != nil {
		return nil, err
	}
	if v.ResponseRaw != nil {
		o.answer, err = bytesOf(*v.ResponseRaw, v.ResponseEnc, capture.PoolToMiner)
	} else if len(v.Response) > 0 && v.Response[0] == '{' {
		o.answer = v.Response
	}
	return o, err
}

// bytes are those of the line. The original writes what is no text in hex,
// without saying so.
func (v *value) bytes(d capture.Direction) ([]byte, error) {
	if v.Encoding == "" && (strings.HasPrefix(v.ParseError, capture.FaultUTF8) || v.ParseError == capture.FaultEmpty) {
		if b, err := hex.DecodeString(*v.Raw); err == nil {
			return b, nil
		}
	}
	return bytesOf(*v.Raw, v.Encoding, d)
}

// bytesOf undoes the encoding of raw. The original writes what it sent itself
// in base64 without saying so.
func bytesOf(text, encoding string, d capture.Direction) ([]byte, error) {
	switch {
	case encoding == "base64":
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("raw: %w", err)
		}
		return b, nil
	case encoding == "" && d == capture.ScopeToPool && !strings.HasPrefix(text, "{"):
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return b, nil
		}
	}
	return []byte(text), nil
}

// sessionName is a session's id, fit to be shown.
func sessionName(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) != nil {
		name = string(raw)
	}
	return cmp.Or(printable(name), "unnamed")
}

// printable is what a file says, fit to be shown.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if len(s) > 128 {
		s = strings.ToValidUTF8(s[:128], "")
	}
	return s
}

// number is the number within its session that a message's id ends with.
func number(id string) uint64 {
	n, err := strconv.ParseUint(id[strings.LastIndexByte(id, '-')+1:], 10, 63)
	if err != nil {
		return 0
	}
	return n
}

// parseTime reads times with a zone, and those of the original, which have none
// and are in UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time", text)
}

// record has all lines recorded, in the order in which they were said.
func (d *document) record(f *feed, out *Result) {
	d.entries = slices.DeleteFunc(d.entries, func(e entry) bool { return e.answer && d.own[e.id] })
	slices.SortStableFunc(d.entries, func(a, b entry) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.session, b.session), cmp.Compare(a.n, b.n))
	})
	ends := d.ends()
	tapes := make(map[string]*capture.Tape)
	for i := range d.entries {
		e := &d.entries[i]
		out.seen(e.at)
		tape := tapes[e.session]
		if tape == nil {
			tape = f.open(ends[e.session].opening)
			if pool := ends[e.session].pool; pool != "" {
				tape.PoolConnected(pool)
			}
			tapes[e.session] = tape
		}
		d.say(f, tape, e)
	}
	f.settle()
	for _, session := range d.order() {
		tapes[session].Close(cmp.Or(printable(d.sessions[session].Reason), endCapture), ends[session].last)
	}
	f.settle()
}

// say has one line recorded.
func (d *document) say(f *feed, tape *capture.Tape, e *entry) {
	if e.gap > 0 {
		f.lost(tape, e.direction, e.gap)
	}
	switch {
	case e.own != nil:
		f.advance(e.at)
		own := tape.Own(e.raw, e.own.line, e.at)
		own.Sent(e.at)
		if e.own.answer != nil {
			own.Answered(e.own.answer, e.own.answerAt)
		} else if e.own.failure != "" {
			own.Failed(e.own.failure, e.at)
		}
		f.queued(len(e.raw))
	case e.cut > 0:
		f.beginning(tape, e.direction, e.raw, e.cut, e.at)
	default:
		f.line(tape, e.direction, e.raw, e.at)
	}
}

// ends are the two ends of a session, and its last time.
type ends struct {
	opening capture.Opening
	pool    string
	last    time.Time
}

// ends finds out who the parties of each session are.
func (d *document) ends() map[string]*ends {
	all := make(map[string]*ends)
	for i := range d.entries {
		e := &d.entries[i]
		s := all[e.session]
		if s == nil {
			header := d.sessions[e.session]
			s = &ends{
				opening: capture.Opening{
					ID: e.session, Origin: capture.OriginFile, Miner: printable(header.Miner), Listener: printable(header.Listener), Pool: printable(header.Pool), At: e.at,
				},
				pool: printable(header.PoolPeer),
			}
			if header.Known != nil {
				known := capture.Known(*header.Known)
				s.opening.Known = &known
			}
			if at, err := parseTime(header.FirstSeen); err == nil && at.Before(e.at) {
				s.opening.At = at
			}
			all[e.session] = s
		}
		s.last = e.at
		switch {
		case e.direction == capture.MinerToPool && s.opening.Miner == "":
			s.opening.Miner = printable(e.peer)
		case e.direction == capture.PoolToMiner && s.pool == "":
			s.pool = printable(e.peer)
			if s.opening.Pool == "" {
				s.opening.Pool = s.pool
			}
		}
	}
	for id, s := range all {
		if ended := d.sessions[id].EndedAt; ended != nil {
			if at, err := parseTime(*ended); err == nil && at.After(s.last) {
				s.last = at
			}
		}
	}
	return all
}

// order lists the sessions in the order in which they begin.
func (d *document) order() (sessions []string) {
	seen := make(map[string]bool)
	for i := range d.entries {
		if s := d.entries[i].session; !seen[s] {
			seen[s] = true
			sessions = append(sessions, s)
		}
	}
	return sessions
}
