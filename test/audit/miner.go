package audit

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"
)

// Submission is a share that a miner sent, and what it was told.
type Submission struct {
	worker     string
	hash       string // as people write it
	difficulty float64
	block      bool // the hash meets the network's target
	answered   bool
	accepted   bool
	refusal    string
}

// Log is what all miners did.
type Log struct {
	mu   sync.Mutex
	sent []*Submission

	accepted int
}

// Accepted is how many shares were accepted so far.
func (l *Log) Accepted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

func (l *Log) answer(s *Submission, accepted bool, refusal string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.answered, s.accepted, s.refusal = true, accepted, refusal
	if accepted {
		l.accepted++
	}
}

func (l *Log) add(s *Submission) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, s)
}

// work is a mining.notify, as its miner hashes it.
type work struct {
	id         string
	header     [80]byte
	ntime      string
	block      *big.Int // target of the network
	extra2     string
	difficulty float64
}

// miner mines on one connection until that ends. It shares no code with the
// pool: a bug must not cancel itself out.
type miner struct {
	worker string
	log    *Log
	conn   net.Conn

	mu      sync.Mutex
	extra1  string
	diff    float64
	work    *work
	waiting map[int]*Submission // by request id
	began   func()              // called with the first work
	once    sync.Once
}

// Mine connects, signs in and mines until the connection ends or ctx does. Began
// is called with the first work.
func Mine(ctx context.Context, address, worker string, l *Log, began func()) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return // killed before it listened
	}
	m := &miner{worker: worker, log: l, conn: conn, waiting: map[int]*Submission{}, began: began}
	var both sync.WaitGroup
	defer both.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	both.Go(func() {
		<-ctx.Done()
		_ = conn.Close() // ends the reader
	})
	both.Go(func() { m.hash(ctx) })
	m.send(1, "mining.subscribe", "audit/1.0")
	m.send(2, "mining.authorize", worker, "x")
	m.read()
}

func (m *miner) send(id int, method string, params ...any) {
	line, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		panic(err)
	}
	_, _ = m.conn.Write(append(line, '\n')) // the reader sees that the pool is gone
}

// read takes what the pool says.
func (m *miner) read() {
	in := bufio.NewScanner(m.conn)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var msg struct {
			ID     int
			Method string
			Params []json.RawMessage
			Result json.RawMessage
			Error  []any
		}
		if json.Unmarshal(in.Bytes(), &msg) != nil {
			return // cut off by the kill
		}
		m.mu.Lock()
		switch {
		case msg.Method == "mining.set_difficulty":
			_ = json.Unmarshal(msg.Params[0], &m.diff)
		case msg.Method == "mining.notify":
			m.take(msg.Params)
		case msg.ID == 1 && msg.Method == "":
			var result []json.RawMessage
			if json.Unmarshal(msg.Result, &result) == nil && len(result) == 3 {
				_ = json.Unmarshal(result[1], &m.extra1)
			}
		case m.waiting[msg.ID] != nil:
			s := m.waiting[msg.ID]
			delete(m.waiting, msg.ID)
			refusal := ""
			if len(msg.Error) > 1 {
				refusal, _ = msg.Error[1].(string)
			}
			m.log.answer(s, string(msg.Result) == "true", refusal)
		}
		m.mu.Unlock()
	}
}

// take makes work of a notify's parameters; m.mu is held.
func (m *miner) take(params []json.RawMessage) {
	var id, prev, coinb1, coinb2, version, bits, ntime string
	var branches []string
	for i, into := range []any{&id, &prev, &coinb1, &coinb2, &branches, &version, &bits, &ntime} {
		if json.Unmarshal(params[i], into) != nil {
			return
		}
	}
	w := &work{id: id, ntime: ntime, extra2: "0000000000000000", difficulty: m.diff}
	root := sha256d(unhex(coinb1 + m.extra1 + w.extra2 + coinb2))
	for _, b := range branches {
		root = sha256d(append(slices.Clone(root), unhex(b)...))
	}
	header := append(swapped(unhex(version)), wordSwapped(unhex(prev))...)
	header = append(header, root...)
	header = append(header, swapped(unhex(ntime))...)
	header = append(header, swapped(unhex(bits))...)
	copy(w.header[:], header)
	compact := binary.BigEndian.Uint32(unhex(bits))
	w.block = new(big.Int).Lsh(big.NewInt(int64(compact&0x7fffff)), uint(8*(int(compact>>24)-3)))
	m.work = w
	m.once.Do(m.began)
}

// difficultyOne is the target of difficulty 1.
var difficultyOne = new(big.Int).Lsh(big.NewInt(0xffff), 208)

// hash looks for shares, at a pace that leaves the machine to the pool.
func (m *miner) hash(ctx context.Context) {
	const burst = 400
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	id, nonce := 10, uint32(0)
	var current *work
	var share *big.Int
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		m.mu.Lock()
		w := m.work
		m.mu.Unlock()
		if w == nil {
			continue
		}
		if w != current {
			current, nonce = w, 0
			target, _ := new(big.Float).Quo(new(big.Float).SetInt(difficultyOne), big.NewFloat(w.difficulty)).Int(nil)
			share = target
		}
		for range burst {
			binary.LittleEndian.PutUint32(w.header[76:], nonce)
			hash := swapped(sha256d(w.header[:]))
			nonce++
			if hash[0] != 0 { // every target of this test is harder
				continue
			}
			value := new(big.Int).SetBytes(hash)
			if value.Cmp(share) > 0 {
				continue
			}
			s := &Submission{worker: m.worker, hash: hex.EncodeToString(hash), difficulty: w.difficulty, block: value.Cmp(w.block) <= 0}
			m.log.add(s)
			id++
			m.mu.Lock()
			m.waiting[id] = s
			m.mu.Unlock()
			var n [4]byte
			binary.BigEndian.PutUint32(n[:], nonce-1)
			m.send(id, "mining.submit", m.worker, w.id, w.extra2, w.ntime, hex.EncodeToString(n[:]))
		}
	}
}

func sha256d(b []byte) []byte {
	once := sha256.Sum256(b)
	twice := sha256.Sum256(once[:])
	return twice[:]
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// swapped is b from its end.
func swapped(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// wordSwapped reverses the bytes of each word of four, as Stratum sends the
// previous block's hash.
func wordSwapped(b []byte) []byte {
	b = slices.Clone(b)
	for i := 0; i+4 <= len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	return b
}
