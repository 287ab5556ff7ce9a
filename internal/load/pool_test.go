package load

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// testPool is a small pool that believes nothing: every share is recomputed
// with btcd's hash functions and big.Int, from the text of the lines alone.
type testPool struct {
	t        testing.TB
	listener net.Listener

	difficulty string // as announced
	suggest    bool   // wait for a suggestion and announce it instead
	authorize  string // rest of the answer
	answer     func(p *testPool, s *seen) string
	quiet      bool   // do not answer submits
	hangUp     bool   // close after authorize
	early      bool   // difficulty and job come before the answer to authorize
	mask       string // of version rolling; empty: mining.configure is not known

	newTip func() // gives the first connection a job on another tip; set when it signs in

	mu      sync.Mutex
	miners  []func(string)  // each is sent a line
	sources map[string]bool // addresses that connections came from
	targets map[string]bool // and went to
	conns   int
	shares  []seen // guarded by mu
	users   map[string]bool
	heads   map[chainhash.Hash]bool // headers seen
	failed  []string
}

// seen is a share as it came.
type seen struct {
	user, job, extranonce2, ntime, nonce string
	valid, duplicate                     bool
	version                              uint32
}

const (
	poolCoinb1 = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff1603a0860c04deadbeef0c"
	poolCoinb2 = "feffffff0100f2052a010000000151" + "9f860c00"
	poolBranch = "1111111111111111111111111111111111111111111111111111111111111111"
)

func startPool(t testing.TB, p *testPool) (address string) {
	t.Helper()
	p.t = t
	if p.difficulty == "" {
		p.difficulty = "0.00000001"
	}
	if p.authorize == "" {
		p.authorize = `"result":true,"error":null`
	}
	if p.listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p.listener = l
	}
	p.users, p.heads = map[string]bool{}, map[chainhash.Hash]bool{}
	p.sources, p.targets = map[string]bool{}, map[string]bool{}
	var wg sync.WaitGroup
	var open sync.Map
	wg.Go(func() {
		for {
			c, err := p.listener.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			wg.Go(func() {
				defer open.Delete(c)
				p.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = p.listener.Close()
		open.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
		wg.Wait()
		for _, f := range p.failed {
			t.Error(f)
		}
	})
	return p.listener.Addr().String()
}

// fault notes what the generator did wrong.
func (p *testPool) fault(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.failed) < 10 {
		p.failed = append(p.failed, fmt.Sprintf(format, args...))
	}
}

func hostOf(a net.Addr) string { return a.(*net.TCPAddr).IP.String() }

// notify is the line of a job. The tip is a byte in hex, as in j2 on tip 02.
func notify(job, tip string) string {
	return fmt.Sprintf(`{"id":null,"method":"mining.notify","params":[%q,%q,%q,%q,[%q],"20000000","03000001","647025b5",true]}`,
		job, strings.Repeat(tip, 32), poolCoinb1, poolCoinb2, poolBranch)
}

// broadcast sends a line to all miners.
func (p *testPool) broadcast(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, send := range p.miners {
		send(line)
	}
}

func (p *testPool) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	p.mu.Lock()
	n := p.conns
	p.conns++
	p.sources[hostOf(c.RemoteAddr())] = true
	p.targets[hostOf(c.LocalAddr())] = true
	p.mu.Unlock()
	en1 := fmt.Sprintf("%08x", n)
	difficulty := p.difficulty
	var write sync.Mutex
	send := func(s string) {
		write.Lock()
		defer write.Unlock()
		_, _ = c.Write([]byte(s + "\n"))
	}
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		var m struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			p.fault("bad line %s", lines.Text())
			return
		}
		text := make([]string, len(m.Params))
		for i := range m.Params {
			_ = json.Unmarshal(m.Params[i], &text[i])
		}
		switch m.Method {
		case "mining.subscribe":
			send(fmt.Sprintf(`{"id":%s,"result":[[["mining.notify","s"]],%q,4],"error":null}`, m.ID, en1))
		case "mining.suggest_difficulty":
			if p.suggest {
				difficulty = string(m.Params[0])
			}
			send(fmt.Sprintf(`{"id":%s,"result":true,"error":null}`, m.ID))
		case "mining.authorize":
			p.mu.Lock()
			p.users[text[0]] = true
			p.mu.Unlock()
			answer := fmt.Sprintf(`{"id":%s,%s}`, m.ID, p.authorize)
			if !p.early {
				send(answer)
			}
			if p.hangUp {
				return
			}
			p.mu.Lock()
			p.miners = append(p.miners, send)
			if n == 0 {
				p.newTip = func() { send(notify("j2", "02")) }
			}
			p.mu.Unlock()
			// Three lines in two pieces.
			job := `{"id":null,"method":"mining.set_difficulty","params":[` + difficulty + `]}` + "\n" + notify("j1", "01") + "\r"
			write.Lock()
			_, _ = c.Write([]byte(job[:60]))
			_, _ = c.Write([]byte(job[60:] + "\n"))
			write.Unlock()
			if p.early {
				send(answer)
			}
		case "mining.configure":
			if p.mask == "" {
				send(fmt.Sprintf(`{"id":%s,"result":null,"error":[20,"Unknown method",null]}`, m.ID))
			} else {
				send(fmt.Sprintf(`{"id":%s,"result":{"version-rolling":true,"version-rolling.mask":%q},"error":null}`, m.ID, p.mask))
			}
		case "mining.submit":
			s := p.check(en1, difficulty, text)
			if !p.quiet {
				result := `"result":true,"error":null`
				switch {
				case p.answer != nil:
					result = p.answer(p, s)
				case s.duplicate:
					result = `"result":null,"error":[22,"Duplicate",null]`
				case !s.valid:
					result = `"result":null,"error":[23,"Above target",null]`
				}
				send(fmt.Sprintf(`{"id":%s,%s}`, m.ID, result))
			}
		default:
			p.fault("unexpected %s", lines.Text())
		}
	}
}

// check recomputes a share.
func (p *testPool) check(en1, difficulty string, f []string) *seen {
	if want := 5 + min(len(p.mask), 1); len(f) != want {
		p.fault("submit with %d parameters instead of %d", len(f), want)
		return &seen{}
	}
	s := seen{user: f[0], job: f[1], extranonce2: f[2], ntime: f[3], nonce: f[4], version: 0x20000000}
	if p.mask != "" {
		mask, _ := strconv.ParseUint(p.mask, 16, 32)
		bits, err := strconv.ParseUint(f[5], 16, 32)
		if err != nil || uint32(bits)&^uint32(mask) != 0 {
			p.fault("version bits %s", f[5])
		}
		s.version = 0x20000000&^uint32(mask) | uint32(bits)
	}
	coinbase, err := hex.DecodeString(poolCoinb1 + en1 + s.extranonce2 + poolCoinb2)
	if err != nil || len(s.extranonce2) != 8 {
		p.fault("extranonce2 %s", s.extranonce2)
	}
	root := chainhash.DoubleHashH(coinbase)
	branch, _ := hex.DecodeString(poolBranch)
	root = chainhash.DoubleHashH(append(root[:], branch...))

	var header [80]byte
	binary.LittleEndian.PutUint32(header[0:], s.version)
	tip, _ := strconv.ParseUint(strings.TrimPrefix(s.job, "j"), 10, 8)
	for i := range 32 {
		header[4+i] = byte(tip % 100) // j102 is another job on j2's tip
	}
	copy(header[36:], root[:])
	nonce, err1 := strconv.ParseUint(s.nonce, 16, 32)
	ntime, err2 := strconv.ParseUint(s.ntime, 16, 32)
	if err1 != nil || err2 != nil {
		p.fault("nonce %s, ntime %s", s.nonce, s.ntime)
	}
	binary.LittleEndian.PutUint32(header[68:], uint32(ntime))
	binary.LittleEndian.PutUint32(header[72:], 0x03000001)
	binary.LittleEndian.PutUint32(header[76:], uint32(nonce))
	hash := chainhash.DoubleHashH(header[:])

	// hash · difficulty <= 0xffff·2^208, in whole numbers.
	bigEndian := hash
	for i, k := 0, 31; i < k; i, k = i+1, k-1 {
		bigEndian[i], bigEndian[k] = bigEndian[k], bigEndian[i]
	}
	d, ok := new(big.Rat).SetString(difficulty)
	if !ok {
		p.fault("difficulty %s", difficulty)
		return &s
	}
	left := new(big.Int).Mul(new(big.Int).SetBytes(bigEndian[:]), d.Num())
	right := new(big.Int).Mul(new(big.Int).Lsh(big.NewInt(0xffff), 208), d.Denom())
	s.valid = left.Cmp(right) <= 0

	p.mu.Lock()
	defer p.mu.Unlock()
	s.duplicate = p.heads[hash]
	p.heads[hash] = true
	p.shares = append(p.shares, s)
	return &s
}

// secure puts a listener with a fresh certificate in place.
func (p *testPool) secure(t testing.TB) *testPool { return p.secureOn(t, "127.0.0.1:0") }

func (p *testPool) secureOn(t testing.TB, address string) *testPool {
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	p.listener = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}})
	return p
}
