package pool

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// testMiner is a Stratum client that computes everything with btcd's types and
// big integers, sharing no code with the pool.
type testMiner struct {
	t     testing.TB
	conn  net.Conn
	lines *bufio.Reader
	user  string

	en1        string
	difficulty float64 // last set_difficulty
	job        testJob // last notify, with the difficulty that held then
	jobs       []testJob
	id         int
	en2        uint64
}

// testJob is a mining.notify, decoded.
type testJob struct {
	id             string
	prev           chainhash.Hash
	coinb1, coinb2 string
	branches       []chainhash.Hash
	version, bits  uint32
	time           uint32
	clean          bool
	difficulty     float64
}

// testShare is what a submit says.
type testShare struct {
	job                       string
	en2, ntime, nonce, rolled string // rolled "" is not sent
	header                    wire.BlockHeader
}

// connect opens a connection to the rig's pool: TCP, or a pipe in a bubble.
func (r *rig) connect(t testing.TB) *testMiner {
	t.Helper()
	var conn net.Conn
	if r.listen == "" {
		server, client := net.Pipe()
		r.pool.Accept(server, ListenerOptions{})
		conn = client
	} else {
		var err error
		if conn, err = net.Dial("tcp", r.listen); err != nil {
			t.Fatal(err)
		}
	}
	return newTestMiner(t, conn)
}

func newTestMiner(t testing.TB, conn net.Conn) *testMiner {
	m := &testMiner{t: t, conn: conn, lines: bufio.NewReader(conn), user: alice + ".rig"}
	t.Cleanup(func() { conn.Close() })
	return m
}

func (m *testMiner) send(segment string) {
	m.t.Helper()
	if err := m.conn.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
		m.t.Fatal(err)
	}
	if _, err := io.WriteString(m.conn, segment); err != nil {
		m.t.Fatal(err)
	}
}

// line reads one line and takes notice of what it says.
func (m *testMiner) line() string {
	m.t.Helper()
	line, err := m.tryLine()
	if err != nil {
		m.t.Fatalf("no line: %v", err)
	}
	return line
}

func (m *testMiner) tryLine() (string, error) {
	if err := m.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	line, err := m.lines.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(line, "\n"), m.notice(line)
}

// wantEnd checks that the pool closed the connection and sent nothing more.
func (m *testMiner) wantEnd() {
	m.t.Helper()
	line, err := m.tryLine()
	if err == nil {
		m.t.Fatalf("a line instead of the end: %s", line)
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.ErrClosedPipe) {
		m.t.Fatalf("the end is %v", err)
	}
}

// message is any line from the pool.
type message struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
	Result json.RawMessage   `json:"result"`
	Error  []any             `json:"error"`
}

func (m *testMiner) notice(line string) error {
	var msg message
	if err := json.Unmarshal([]byte(line), &msg); err != nil {
		return fmt.Errorf("pool sent %q: %w", line, err)
	}
	switch msg.Method {
	case "mining.set_difficulty":
		d, err := strconv.ParseFloat(string(msg.Params[0]), 64)
		if err != nil {
			return err
		}
		m.difficulty = d
	case "mining.notify":
		return m.takeNotify(msg.Params)
	case "":
		var subscribed []json.RawMessage
		if json.Unmarshal(msg.Result, &subscribed) == nil && len(subscribed) == 3 {
			return json.Unmarshal(subscribed[1], &m.en1)
		}
	}
	return nil
}

func (m *testMiner) takeNotify(params []json.RawMessage) error {
	if len(params) != 9 {
		return fmt.Errorf("notify with %d parameters", len(params))
	}
	var j testJob
	var prev, version, bits, ntime string
	var branches []string
	for i, to := range []any{&j.id, &prev, &j.coinb1, &j.coinb2, &branches, &version, &bits, &ntime, &j.clean} {
		if err := json.Unmarshal(params[i], to); err != nil {
			return fmt.Errorf("notify parameter %d: %w", i, err)
		}
	}
	words, err := hex.DecodeString(prev)
	if err != nil || len(words) != 32 {
		return fmt.Errorf("prevhash %q", prev)
	}
	for i := 0; i < 32; i += 4 {
		binary.LittleEndian.PutUint32(j.prev[i:], binary.BigEndian.Uint32(words[i:]))
	}
	for _, text := range branches {
		branch, err := hex.DecodeString(text)
		if err != nil || len(branch) != 32 {
			return fmt.Errorf("branch %q", text)
		}
		j.branches = append(j.branches, chainhash.Hash(branch))
	}
	for text, to := range map[string]*uint32{version: &j.version, bits: &j.bits, ntime: &j.time} {
		v, err := strconv.ParseUint(text, 16, 32)
		if err != nil || len(text) != 8 {
			return fmt.Errorf("number %q", text)
		}
		*to = uint32(v)
	}
	j.difficulty = m.difficulty
	m.job = j
	m.jobs = append(m.jobs, j)
	return nil
}

// call sends a request and returns the reply, taking notice of what comes
// before it.
func (m *testMiner) call(method string, params ...any) message {
	m.t.Helper()
	m.id++
	if params == nil {
		params = []any{}
	}
	text, err := json.Marshal(map[string]any{"id": m.id, "method": method, "params": params})
	if err != nil {
		m.t.Fatal(err)
	}
	m.send(string(text) + "\n")
	return m.reply(m.id)
}

func (m *testMiner) reply(id int) message {
	m.t.Helper()
	for {
		var msg message
		if err := json.Unmarshal([]byte(m.line()), &msg); err != nil {
			m.t.Fatal(err)
		}
		if msg.Method == "" && string(msg.ID) == strconv.Itoa(id) {
			return msg
		}
	}
}

// start subscribes, authorizes and waits for the first job.
func (m *testMiner) start(user, password string) {
	m.t.Helper()
	m.user = user
	m.call("mining.subscribe", "test/1.0")
	if got := m.call("mining.authorize", user, password); string(got.Result) != "true" {
		m.t.Fatalf("authorize: %v", got.Error)
	}
	m.nextJob()
}

// nextJob waits for a notify.
func (m *testMiner) nextJob() testJob {
	m.t.Helper()
	for have := len(m.jobs); len(m.jobs) == have; {
		m.line()
	}
	return m.job
}

// wait reads what comes for a while.
func (m *testMiner) wait(d time.Duration) {
	m.t.Helper()
	for end := time.Now().Add(d); ; {
		if err := m.conn.SetReadDeadline(end); err != nil {
			m.t.Fatal(err)
		}
		line, err := m.lines.ReadString('\n')
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil:
			m.t.Fatalf("while waiting: %v", err)
		}
		if err := m.notice(line); err != nil {
			m.t.Fatal(err)
		}
	}
}

// settle waits until everything that the pool has sent is read.
func (m *testMiner) settle() {
	m.t.Helper()
	m.call("mining.ping")
}

func doubleSHA256(b []byte) [32]byte {
	first := sha256.Sum256(b)
	return sha256.Sum256(first[:])
}

// targetOf is floor(0xffff·2^208 / difficulty).
func targetOf(difficulty float64) *big.Int {
	n := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(0xffff), 208))
	n.Quo(n, new(big.Rat).SetFloat64(difficulty))
	return new(big.Int).Quo(n.Num(), n.Denom())
}

func networkTarget(bits uint32) *big.Int {
	mantissa := big.NewInt(int64(bits & 0x7fffff))
	return mantissa.Lsh(mantissa, uint(8*(bits>>24-3)))
}

// bounds is what the number of a header's hash must be.
type bounds struct{ above, atMost *big.Int }

// ofShare asks for a share of the job's difficulty that is no block.
func (j *testJob) ofShare() bounds {
	return bounds{above: networkTarget(j.bits), atMost: targetOf(j.difficulty)}
}

// ofBlock asks for a block.
func (j *testJob) ofBlock() bounds { return bounds{above: new(big.Int), atMost: networkTarget(j.bits)} }

// between asks for a share of a difficulty that is too low for another one.
func between(low, high float64) bounds {
	return bounds{above: targetOf(high * 0.99), atMost: targetOf(low)}
}

// solve searches for a share of a job. rolled holds version bits, mask says
// which of them count; an empty rolled rolls none.
func (m *testMiner) solve(j testJob, b bounds, rolled string, mask uint32) testShare {
	m.t.Helper()
	m.en2++
	s := testShare{job: j.id, en2: fmt.Sprintf("%016x", m.en2), rolled: rolled, ntime: fmt.Sprintf("%08x", j.time)}
	return m.solveShare(j, s, b, mask)
}

// solveShare searches for the nonce of a share whose other fields are given.
func (m *testMiner) solveShare(j testJob, s testShare, b bounds, mask uint32) testShare {
	m.t.Helper()
	coinbase, err := hex.DecodeString(j.coinb1 + m.en1 + s.en2 + j.coinb2)
	if err != nil {
		m.t.Fatal(err)
	}
	root := chainhash.DoubleHashH(coinbase)
	for _, branch := range j.branches {
		root = chainhash.DoubleHashH(slices.Concat(root[:], branch[:]))
	}
	version := j.version
	if s.rolled != "" {
		bits, err := strconv.ParseUint(strings.TrimPrefix(s.rolled, "0x"), 16, 32)
		if err != nil {
			m.t.Fatal(err)
		}
		version = version&^mask | uint32(bits)&mask
	}
	ntime, err := strconv.ParseUint(s.ntime, 16, 32)
	if err != nil {
		m.t.Fatal(err)
	}
	s.header = wire.BlockHeader{Version: int32(version), PrevBlock: j.prev, MerkleRoot: root,
		Timestamp: time.Unix(int64(ntime), 0), Bits: j.bits}
	var raw bytes.Buffer
	if err := s.header.Serialize(&raw); err != nil {
		m.t.Fatal(err)
	}
	header := raw.Bytes()
	for nonce := range uint32(1 << 28) {
		binary.LittleEndian.PutUint32(header[76:], nonce)
		hash := doubleSHA256(header)
		slices.Reverse(hash[:])
		if n := new(big.Int).SetBytes(hash[:]); n.Cmp(b.above) > 0 && n.Cmp(b.atMost) <= 0 {
			s.nonce, s.header.Nonce = fmt.Sprintf("%08x", nonce), nonce
			return s
		}
	}
	m.t.Fatal("no share found")
	return s
}

// params are the parameters of the share's submit.
func (s testShare) params(user string) []any {
	p := []any{user, s.job, s.en2, s.ntime, s.nonce}
	if s.rolled != "" {
		p = append(p, s.rolled)
	}
	return p
}

// submit sends a share and returns the verdict: "" when it is accepted, or the
// reject's text.
func (m *testMiner) submit(s testShare) string {
	m.t.Helper()
	return verdict(m.t, m.call("mining.submit", s.params(m.user)...))
}

func verdict(t testing.TB, msg message) string {
	t.Helper()
	if msg.Error == nil && string(msg.Result) == "true" {
		return ""
	}
	if len(msg.Error) != 3 || string(msg.Result) != "null" {
		t.Fatalf("reply with result %s, error %v", msg.Result, msg.Error)
	}
	return msg.Error[1].(string)
}

// wantVerdict submits a share and checks the verdict.
func (m *testMiner) wantVerdict(s testShare, want string) {
	m.t.Helper()
	if got := m.submit(s); got != want {
		m.t.Errorf("verdict %q, want %q", got, want)
	}
}

// share solves and submits a share of the newest job.
func (m *testMiner) share() string {
	m.t.Helper()
	return m.submit(m.solve(m.job, m.job.ofShare(), "", 0))
}

// block solves and submits a block of the newest job.
func (m *testMiner) block() (testShare, string) {
	m.t.Helper()
	s := m.solve(m.job, m.job.ofBlock(), "", 0)
	return s, m.submit(s)
}
