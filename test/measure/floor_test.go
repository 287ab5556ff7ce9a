package measure

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// The job of the floor: as many bytes to hash as a job of the pool on the
// devnet of this measurement.
const (
	floorBranches = 11
	floorHead     = 60 // bytes of the coinbase before the extranonces
	floorTail     = 120
	floorVersion  = 0x20000000
	floorBits     = 0x1a00ffff
	floorTime     = 0x6b0215dc
)

// floor is the least that a Go server on package net spends on a share: one
// goroutine for each connection reads a line, cuts the fields out, hashes the
// coinbase, the branches and the header, compares with the target and replies.
// It knows one job, keeps no books and checks nothing else.
type floor struct {
	head, tail []byte
	branches   [floorBranches][32]byte
	prev       [32]byte
	target     [32]byte // big-endian
	branchText string
	greeting   []byte // difficulty and job
	miners     atomic.Uint32

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

// newFloor prepares the job.
func newFloor() *floor {
	f := &floor{head: bytes.Repeat([]byte{0x11}, floorHead), tail: bytes.Repeat([]byte{0x22}, floorTail), target: bitcoin.TargetFromDifficulty(shareDifficulty).Bytes()}
	branches := make([]string, floorBranches)
	for i := range f.branches {
		f.branches[i] = sha256.Sum256([]byte{byte(i)})
		branches[i] = fmt.Sprintf("%q", hex.EncodeToString(f.branches[i][:]))
	}
	f.prev = sha256.Sum256([]byte("tip"))
	f.branchText = strings.Join(branches, ",")
	f.greeting = append(fmt.Appendf(nil, `{"id":null,"method":"mining.set_difficulty","params":[%v]}`+"\n", shareDifficulty), f.notify(f.prev)...)
	return f
}

// notify is the line of the job on a tip.
func (f *floor) notify(tip [32]byte) []byte {
	var swapped [32]byte
	for i := range swapped {
		swapped[i] = tip[i&^3|3-i&3]
	}
	return fmt.Appendf(nil, `{"id":null,"method":"mining.notify","params":["1","%x","%x","%x",[%s],"%08x","%08x","%08x",true]}`+"\n",
		swapped, f.head, f.tail, f.branchText, floorVersion, floorBits, floorTime)
}

// announce sends a job on another tip to all miners, one write after the other,
// whenever asked by SIGUSR1.
func (f *floor) announce() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	tip := f.prev
	for range asked {
		tip = sha256.Sum256(tip[:])
		line := f.notify(tip)
		f.mu.Lock()
		for _, c := range f.conns {
			_, _ = c.Write(line) // a connection that is gone costs as much
		}
		f.mu.Unlock()
	}
}

// serve accepts miners until the listener is closed.
func (f *floor) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		go f.miner(c)
	}
}

// miner serves one connection until it ends.
func (f *floor) miner(c net.Conn) {
	defer c.Close()
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	extranonce1 := f.miners.Add(1)
	coinbase := append(binary.BigEndian.AppendUint32(bytes.Clone(f.head), extranonce1), 0, 0, 0, 0)
	coinbase = append(coinbase, f.tail...)
	extranonce2 := coinbase[floorHead+4 : floorHead+8]

	lines := bufio.NewReaderSize(c, 1024)
	var out []byte
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return // io.EOF, or whatever else ended it
		}
		id, _, _ := bytes.Cut(line[len(`{"id":`):], []byte(","))
		switch {
		case bytes.Contains(line, []byte(`"mining.submit"`)):
			verdict := `,"result":null,"error":[23,"Above target",null]}`
			if f.check(line, coinbase, extranonce2) {
				verdict = `,"result":true,"error":null}`
			}
			out = append(append(append(append(out, `{"id":`...), id...), verdict...), '\n')
		case bytes.Contains(line, []byte(`"mining.subscribe"`)):
			out = fmt.Appendf(out, `{"id":%s,"result":[[["mining.notify","1"]],"%08x",4],"error":null}`+"\n", id, extranonce1)
		case bytes.Contains(line, []byte(`"mining.authorize"`)):
			out = fmt.Appendf(out, `{"id":%s,"result":true,"error":null}`+"\n%s", id, f.greeting)
		default:
			out = fmt.Appendf(out, `{"id":%s,"result":true,"error":null}`+"\n", id)
		}
		if lines.Buffered() == 0 {
			if _, err := c.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}

// check hashes a share.
func (f *floor) check(line, coinbase, extranonce2 []byte) bool {
	_, params, _ := bytes.Cut(line, []byte(`"params":[`))
	var field [5][]byte // user, job, extranonce2, time, nonce
	for i := range field {
		_, params, _ = bytes.Cut(params, []byte(`"`))
		field[i], params, _ = bytes.Cut(params, []byte(`"`))
	}
	if len(field[2]) != 8 || len(field[3]) != 8 || len(field[4]) != 8 {
		return false
	}
	var words [8]byte
	_, err1 := hex.Decode(extranonce2, field[2])
	_, err2 := hex.Decode(words[:4], field[3])
	_, err3 := hex.Decode(words[4:], field[4])
	if err1 != nil || err2 != nil || err3 != nil {
		return false
	}
	root := double(coinbase)
	var pair [64]byte
	for i := range f.branches {
		copy(pair[:], root[:])
		copy(pair[32:], f.branches[i][:])
		root = double(pair[:])
	}
	var header [80]byte
	binary.LittleEndian.PutUint32(header[0:], floorVersion)
	copy(header[4:], f.prev[:])
	copy(header[36:], root[:])
	binary.LittleEndian.PutUint32(header[68:], binary.BigEndian.Uint32(words[:4]))
	binary.LittleEndian.PutUint32(header[72:], floorBits)
	binary.LittleEndian.PutUint32(header[76:], binary.BigEndian.Uint32(words[4:]))
	hash := double(header[:])
	for i := range f.target {
		if b := hash[31-i]; b != f.target[i] {
			return b < f.target[i]
		}
	}
	return true
}

func double(b []byte) [32]byte {
	h := sha256.Sum256(b)
	return sha256.Sum256(h[:])
}

// runFloor listens on a port of its own choice, says which on w, and serves.
func runFloor(w io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	fmt.Fprintln(w, l.Addr())
	f := newFloor()
	go f.announce()
	return f.serve(l)
}
