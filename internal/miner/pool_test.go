package miner

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// jobLine says what differs between the jobs of a test.
type jobLine struct {
	id       string
	prev     byte // fills prevhash
	branches int
	version  uint32
	bits     uint32 // 0 means a target that nothing meets
	time     uint32
	clean    bool
}

const (
	coinb1 = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff1603a0860c04deadbeef0c"
	coinb2 = "feffffff0100f2052a010000000151" + "9f860c00"
)

// notifyLine is written without the pool's encoder on purpose.
func notifyLine(j jobLine) string {
	if j.bits == 0 {
		j.bits = 0x03000001
	}
	if j.version == 0 {
		j.version = 0x20000000
	}
	if j.time == 0 {
		j.time = 0x647025b5
	}
	var branches []string
	for i := range j.branches {
		branches = append(branches, `"`+strings.Repeat(fmt.Sprintf("%02x", i+1), 32)+`"`)
	}
	return fmt.Sprintf(`{"id":null,"method":"mining.notify","params":[%q,%q,%q,%q,[%s],"%08x","%08x","%08x",%v]}`,
		j.id, strings.Repeat(fmt.Sprintf("%02x", j.prev), 32), coinb1, coinb2, strings.Join(branches, ","), j.version, j.bits, j.time, j.clean)
}

func paramsOf(t testing.TB, line string) []json.RawMessage {
	t.Helper()
	m, err := ParseMessage([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return m.Params
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hex32(t testing.TB, s string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// testSession is a session without a connection.
func testSession(t testing.TB) *session {
	cfg := Config{User: "u", Pool: "pool.example:3333"}
	if err := cfg.validate(); err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return newSession(&cfg, ours, "pool.example", &board{}, &counters{}, slog.New(slog.DiscardHandler))
}

// submitted is a mining.submit as the pool saw it.
type submitted struct {
	id          int64
	user, job   string
	extranonce2 string
	ntime       uint32
	nonce       uint32
	versionBits string // empty if not sent
}

// pool is the other end of a miner under test: the test plays it line by line.
type pool struct {
	t     testing.TB
	conn  net.Conn
	lines chan string // from the miner; closed with the connection
}

func newPool(t testing.TB, conn net.Conn) *pool {
	p := &pool{t: t, conn: conn, lines: make(chan string, 100000)}
	go func() {
		defer close(p.lines)
		s := bufio.NewScanner(conn)
		for s.Scan() {
			p.lines <- s.Text()
		}
	}()
	return p
}

// send writes lines as one segment.
func (p *pool) send(lines ...string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, strings.Join(lines, "\n")+"\n"); err != nil {
		p.t.Fatalf("pool: %v", err)
	}
}

// line waits for the next line of the miner.
func (p *pool) line() string {
	p.t.Helper()
	select {
	case l, ok := <-p.lines:
		if !ok {
			p.t.Fatal("pool: the miner closed the connection")
		}
		return l
	case <-time.After(20 * time.Second):
		p.t.Fatal("pool: the miner says nothing")
	}
	return ""
}

// request waits for the next request and checks its method.
func (p *pool) request(method string) (id int64, params []json.RawMessage) {
	p.t.Helper()
	l := p.line()
	m, err := ParseMessage([]byte(l))
	if err != nil {
		p.t.Fatal(err)
	}
	id, ok := m.RequestID()
	if m.Method != method || !ok {
		p.t.Fatalf("pool: got %s, want %s", l, method)
	}
	return id, m.Params
}

// signIn answers the handshake. mask is empty for a pool without version
// rolling.
func (p *pool) signIn(extranonce1 string, extranonce2Size int, mask string, more ...string) {
	p.t.Helper()
	configure, _ := p.request("mining.configure")
	subscribe, _ := p.request("mining.subscribe")
	l := p.line()
	if strings.Contains(l, "mining.suggest_difficulty") {
		l = p.line()
	}
	m, err := ParseMessage([]byte(l))
	if err != nil || m.Method != "mining.authorize" {
		p.t.Fatalf("pool: got %s, %v", l, err)
	}
	lines := []string{fmt.Sprintf(`{"id":%d,"result":null,"error":[20,"Not supported.",null]}`, configure)}
	if mask != "" {
		lines[0] = fmt.Sprintf(`{"id":%d,"result":{"version-rolling":true,"version-rolling.mask":%q},"error":null}`, configure, mask)
	}
	lines = append(lines,
		fmt.Sprintf(`{"id":%d,"result":[[["mining.set_difficulty","s"],["mining.notify","s"]],%q,%d],"error":null}`, subscribe, extranonce1, extranonce2Size),
		fmt.Sprintf(`{"id":%s,"result":true,"error":null}`, m.ID))
	p.send(append(lines, more...)...)
	xn, _ := p.request("mining.extranonce.subscribe")
	p.send(fmt.Sprintf(`{"id":%d,"result":true,"error":null}`, xn))
}

// share waits for the next share and answers it.
func (p *pool) share(answer string) submitted {
	p.t.Helper()
	id, raw := p.request("mining.submit")
	var f []string
	for _, r := range raw {
		f = append(f, parseText(r))
	}
	if len(f) != 5 && len(f) != 6 {
		p.t.Fatalf("pool: submit with %d parameters", len(f))
	}
	s := submitted{id: id, user: f[0], job: f[1], extranonce2: f[2], ntime: hex32(p.t, f[3]), nonce: hex32(p.t, f[4])}
	if len(f) == 6 {
		s.versionBits = f[5]
	}
	p.send(fmt.Sprintf(`{"id":%d,%s}`, id, answer))
	return s
}

const yes = `"result":true,"error":null`

// check recomputes a share with btcd's hash functions and byte by byte from the
// protocol, and returns its difficulty.
func (s *submitted) check(t testing.TB, job jobLine, extranonce1 string, mask uint32) float64 {
	t.Helper()
	if s.job != job.id {
		t.Fatalf("share for job %s instead of %s", s.job, job.id)
	}
	p := paramsOf(t, notifyLine(job))
	version := hex32(t, parseText(p[5]))
	if s.versionBits != "" {
		vb := hex32(t, s.versionBits)
		if vb&^mask != 0 {
			t.Fatalf("version bits %s outside of the mask", s.versionBits)
		}
		version = version&^mask | vb
	}
	root := chainhash.DoubleHashH(unhex(t, coinb1+extranonce1+s.extranonce2+coinb2))
	for i := range job.branches {
		root = chainhash.DoubleHashH(append(root[:], unhex(t, strings.Repeat(fmt.Sprintf("%02x", i+1), 32))...))
	}
	var header [80]byte
	binary.LittleEndian.PutUint32(header[0:], version)
	for i := range 32 {
		header[4+i] = job.prev // every word is the same both ways
	}
	copy(header[36:], root[:])
	binary.LittleEndian.PutUint32(header[68:], s.ntime)
	binary.LittleEndian.PutUint32(header[72:], hex32(t, parseText(p[6])))
	binary.LittleEndian.PutUint32(header[76:], s.nonce)
	hash := bitcoin.Hash(chainHash(t, header))
	return bitcoin.HashDifficulty(&hash)
}

// startMiner runs a miner whose connections are pipes; each goes to accept.
func startMiner(t testing.TB, cfg Config) (m *Miner, accept func() *pool) {
	t.Helper()
	cfg.Pool = "stratum+tcp://pool.example:3333"
	if cfg.User == "" {
		cfg.User = "bcrt1quser.rig"
	}
	if cfg.Threads == 0 {
		cfg.Threads = 1
	}
	if cfg.ReconnectMin == 0 {
		cfg.ReconnectMin = time.Millisecond
	}
	m, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn)
	m.dial = func(ctx context.Context, _ Endpoint) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return m, func() *pool {
		t.Helper()
		select {
		case c := <-conns:
			t.Cleanup(func() { _ = c.Close() })
			return newPool(t, c)
		case <-time.After(20 * time.Second):
			t.Fatal("the miner does not connect")
		}
		return nil
	}
}

// eventually waits until a condition holds that another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}
