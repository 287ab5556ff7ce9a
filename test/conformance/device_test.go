package conformance

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is how long a device waits for a line that has no time of its own.
// It only ends tests that have failed.
const patience = 20 * time.Second

// device is one connection of an imitated device. Whatever it reads, it reads
// strictly: see inspect.
type device struct {
	t       testing.TB
	p       *place
	conn    net.Conn
	in      *bufio.Reader
	limits  limits
	address string // whom the coinbase must pay; empty until it authorizes
	ended   string // "\n", or "\r\n" of some firmware

	asked    []question // without an answer yet, in order
	allowed  map[string]bool
	lenient  bool // it sent garbage: answers may have any id
	started  bool // a notify has come
	sawSub   bool
	lastSent time.Time

	extranonce1     []byte
	extranonce2Size int
	mask            uint32 // negotiated or, without configure, the default one
	difficulty      string // last set_difficulty
	alone           bool   // a set_difficulty has no notify yet
	jobs            map[string]*job
	newest          *job
	searches        uint64

	log []string
}

// question is a request that the pool has not answered.
type question struct {
	id, method string
	user       string // of authorize
}

// limits are what the firmware can take; 0 leaves what holds for everybody.
type limits struct {
	coinbase int // bytes of the stripped coinbase
	half     int // bytes of each of coinb1 and coinb2
	notify   int // bytes of the mining.notify line
	job      int // bytes of header, coinbase and branches together (bmminer's buffer)
}

// defaultMask is what the pool lets miners roll (BIP320).
const defaultMask = 0x1fffe000

// connect opens a connection to the place's pool.
func (p *place) connect(t testing.TB) *device {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.pool.Stratum, patience)
	if err != nil {
		t.Fatal(err)
	}
	return p.speakOver(t, conn)
}

// connectTLS does so on the port for TLS, trusting the pool's own certificate.
func (p *place) connectTLS(t testing.TB) *device {
	t.Helper()
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: &tls.Config{InsecureSkipVerify: true}} // firmware takes any, too
	conn, err := dialer.Dial("tcp", p.pool.StratumTLS)
	if err != nil {
		t.Fatal(err)
	}
	return p.speakOver(t, conn)
}

func (p *place) speakOver(t testing.TB, conn net.Conn) *device {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	return &device{t: t, p: p, conn: conn, in: bufio.NewReaderSize(conn, 1<<20), ended: "\n", mask: defaultMask,
		allowed: make(map[string]bool), jobs: make(map[string]*job)}
}

// send sends lines in one write, which is one TCP segment on loopback.
func (d *device) send(lines ...string) { d.t.Helper(); d.sendPieces(0, lines...) }

// sendPieces sends lines in segments of a number of bytes.
func (d *device) sendPieces(size int, lines ...string) {
	d.t.Helper()
	var all bytes.Buffer
	for _, line := range lines {
		d.note(line)
		all.WriteString(line + d.ended)
	}
	data := all.Bytes()
	for len(data) > 0 {
		n := len(data)
		if size > 0 {
			n = min(n, size)
		}
		d.sendRaw(data[:n])
		data = data[n:]
	}
}

// sendRaw sends bytes as they are; the pool may answer with any id or close.
func (d *device) sendRaw(data []byte) {
	d.t.Helper()
	d.lastSent = time.Now()
	if err := d.conn.SetWriteDeadline(d.lastSent.Add(patience)); err != nil {
		d.fatalf("set deadline: %v", err)
	}
	if _, err := d.conn.Write(data); err != nil && !d.lenient {
		d.fatalf("send: %v", err)
	}
}

// note remembers what a sent line asks for.
func (d *device) note(line string) {
	d.log = append(d.log, "> "+line)
	var r struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params []any           `json:"params"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		d.lenient = d.lenient || strings.TrimSpace(line) != ""
		return
	}
	if strings.Contains(r.Method, "extranonce.subscribe") {
		d.allowed["mining.set_extranonce"] = true
	}
	if r.Method == "" || strings.HasSuffix(r.Method, "pong") || len(r.ID) == 0 || string(r.ID) == "null" {
		return
	}
	q := question{id: string(r.ID), method: strings.ToLower(r.Method)}
	if strings.HasPrefix(q.method, "mining.auth") && len(r.Params) > 0 {
		q.user, _ = r.Params[0].(string)
	}
	d.asked = append(d.asked, q)
}

// line reads the pool's next line within a time and looks at it strictly.
func (d *device) line(within time.Duration) (string, error) {
	if err := d.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", fmt.Errorf("set deadline: %w", err)
	}
	line, err := d.in.ReadString('\n')
	if err != nil {
		if line != "" {
			d.log = append(d.log, "< "+line+" (no end of line)")
		}
		return "", err
	}
	line = strings.TrimSuffix(line, "\n")
	d.log = append(d.log, "< "+line)
	d.inspect(line)
	return line, nil
}

// next is line for those that must come.
func (d *device) next() string {
	d.t.Helper()
	line, err := d.line(patience)
	if err != nil {
		d.fatalf("the pool says nothing more: %v", err)
	}
	return line
}

// message is any line of Stratum V1.
type message struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
	Result json.RawMessage   `json:"result"`
	Error  json.RawMessage   `json:"error"`
}

// refusal is the code and the text of an error, such as `21 Stale`; empty when
// there is none.
func (m message) refusal() string {
	var fields []json.RawMessage
	var text string
	if json.Unmarshal(m.Error, &fields) != nil || len(fields) < 2 || json.Unmarshal(fields[1], &text) != nil {
		return ""
	}
	return string(fields[0]) + " " + text
}

// await reads until a line is as wanted.
func (d *device) await(what string, wanted func(message) bool) message {
	d.t.Helper()
	return d.awaitWithin(patience, what, wanted)
}

func (d *device) awaitWithin(within time.Duration, what string, wanted func(message) bool) message {
	d.t.Helper()
	for deadline := time.Now().Add(within); ; {
		line, err := d.line(time.Until(deadline))
		if err != nil {
			d.fatalf("waiting for %s: %v", what, err)
		}
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			d.fatalf("waiting for %s: %v", what, err)
		}
		if wanted(m) {
			return m
		}
	}
}

// call sends a request and returns its answer, passing over notifications.
func (d *device) call(id int, method string, params ...any) message {
	d.t.Helper()
	if params == nil {
		params = []any{}
	}
	line, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		d.t.Fatal(err)
	}
	d.send(string(line))
	return d.await("the answer to "+method, func(m message) bool { return m.Method == "" && string(m.ID) == fmt.Sprint(id) })
}

// awaitJob returns the next job.
func (d *device) awaitJob() *job {
	d.t.Helper()
	d.await("a job", func(m message) bool { return m.Method == "mining.notify" })
	return d.newest
}

// awaitJobWithin is awaitJob for what takes longer.
func (d *device) awaitJobWithin(within time.Duration, what string) *job {
	d.t.Helper()
	d.awaitWithin(within, what, func(m message) bool { return m.Method == "mining.notify" })
	return d.newest
}

// awaitTip reads jobs until one is on another block than old.
func (d *device) awaitTip(old *job) *job {
	d.t.Helper()
	for {
		if j := d.awaitJob(); old == nil || j.prevhash != old.prevhash {
			return j
		}
	}
}

// start is the shortest handshake there is, up to the first job.
func (d *device) start(agent, user, password string) *job {
	d.t.Helper()
	if m := d.call(1, "mining.subscribe", agent); len(m.Result) == 0 || m.refusal() != "" {
		d.fatalf("subscribe: %s", m.Error)
	}
	if m := d.call(2, "mining.authorize", user, password); string(m.Result) != "true" {
		d.fatalf("authorize: %s", m.Error)
	}
	return d.awaitJob()
}

// mine finds a share of the newest job that was not found before.
func (d *device) mine(w wish) *share { d.t.Helper(); return d.mineOn(d.newest, w) }

// mineOn does so for a job of choice.
func (d *device) mineOn(j *job, w wish) *share {
	d.t.Helper()
	if j == nil {
		d.fatalf("there is no job to mine")
	}
	if d.extranonce2Size < 2 {
		d.fatalf("there is no extranonce2 to mine with")
	}
	if w.mask == 0 {
		w.mask = d.mask
	}
	d.searches++
	extranonce2 := make([]byte, d.extranonce2Size)
	binary.LittleEndian.PutUint16(extranonce2, uint16(d.searches))
	return j.search(d.t, d.extranonce1, extranonce2, w)
}

// submit hands a share in; version bits go along when the share has some.
func (d *device) submit(id int, user string, s *share) message {
	d.t.Helper()
	params := []any{user, s.job.id, s.extranonce2, s.ntimeText(), s.nonceText()}
	if s.rolled != 0 {
		params = append(params, s.rolledText())
	}
	return d.call(id, "mining.submit", params...)
}

// nothingElse asks a question and wants its answer to be the very next line:
// the pool works in order, so nothing else was on its way.
func (d *device) nothingElse() {
	d.t.Helper()
	const id = `"nothing else"`
	d.send(`{"id":` + id + `,"method":"mining.ping","params":[]}`)
	if got, want := d.next(), `{"id":`+id+`,"result":"pong","error":null}`; got != want {
		d.fatalf("the pool was to say nothing else, and says %s", got)
	}
}

// silent wants nothing to be said for a while.
func (d *device) silent(for_ time.Duration) {
	d.t.Helper()
	line, err := d.line(for_)
	if err == nil {
		d.fatalf("the pool was to be silent for %v, and says %s", for_, line)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		d.fatalf("the pool was to be silent for %v: %v", for_, err)
	}
}

// wantEnd wants the pool to close the connection within a time; what it says
// before is returned.
func (d *device) wantEnd(within time.Duration) (said []string) {
	d.t.Helper()
	for deadline := time.Now().Add(within); ; {
		line, err := d.line(time.Until(deadline))
		switch {
		case err == nil:
			said = append(said, line)
		case errors.Is(err, os.ErrDeadlineExceeded):
			d.fatalf("the pool was to close the connection within %v", within)
		case !errors.Is(err, io.EOF) && !isReset(err):
			d.fatalf("the end of the connection: %v", err)
		default:
			return said
		}
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (strings.Contains(op.Err.Error(), "reset") || strings.Contains(op.Err.Error(), "broken pipe"))
}

// fault reports that the pool broke a rule, with what was said.
func (d *device) fault(rule, format string, args ...any) {
	d.t.Helper()
	d.t.Errorf("%s: %s%s", rule, fmt.Sprintf(format, args...), d.conversation())
}

func (d *device) fatalf(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf("%s%s", fmt.Sprintf(format, args...), d.conversation())
}

// conversation is the last that was said, for people.
func (d *device) conversation() string {
	const shown, width = 12, 400
	from := max(0, len(d.log)-shown)
	var b strings.Builder
	b.WriteString("\nThe conversation:")
	if from > 0 {
		fmt.Fprintf(&b, "\n    … %d lines before", from)
	}
	for _, line := range d.log[from:] {
		if len(line) > width {
			line = line[:width] + "…"
		}
		b.WriteString("\n    " + line)
	}
	return b.String()
}
