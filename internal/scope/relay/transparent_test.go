package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// oddLines are what the original was tried with, and some more: none of it may
// matter to a relay.
var oddLines = []string{
	"\n", "\r\n", "   \n", "\t{\"id\":1}\t\n", "{\"id\":1}\r\n", "  {\"id\":2,\"method\":\"mining.submit\",\"params\":[]}  \n",
	"{\"id\":1,\"id\":2}\n", "{\"id\":1\n", "}{\n", "[1,2,3]\n", "[{\"id\":1},{\"id\":2}]\n", "null\n", "\"text\"\n", "17\n", "NaN\n", "{}\n", "{}{}\n",
	"\xff\xfe\xfd\n", "\xef\xbb\xbf{\"id\":1}\n", "{\"id\":\"\xc3\x28\"}\n", "{\"x\":\"\\ud83d\"}\n", "\x00\x01\x02\n", "a\x00b\r\r\n",
	"GET / HTTP/1.1\r\n", "Host: pool\r\n", "\x16\x03\x01\x02\x00\x01\x00\n",
	"{\"id\":1e400}\n", "{\"id\":123456789012345678901234567890}\n", "{\"method\":\"client.reconnec\"}\n", "{\"id\":{},\"method\":[]}\n",
	strings.Repeat("[", 10000) + "\n", "{\"x\":\"" + strings.Repeat("x", 200<<10) + "\"}\n", strings.Repeat("y", 70000) + "\n",
}

// TestOddLines sends each odd line both ways, and a tail without a line feed.
func TestOddLines(t *testing.T) {
	for _, mode := range []ReconnectMode{ReconnectHold, ReconnectPass} {
		t.Run(string(mode), func(t *testing.T) {
			b := newBench(t, Config{Reconnect: mode}, ListenerOptions{})
			miner, pool := b.connect()
			for _, line := range oddLines {
				say(t, miner, line)
				hear(t, pool, line)
				say(t, pool, line)
				hear(t, miner, line)
			}
			say(t, miner, "the tail of the miner")
			hear(t, pool, "the tail of the miner")
			say(t, pool, `{"the tail of`)
			_ = pool.Close()
			hear(t, miner, `{"the tail of`)
			if s := b.ended(); s.Messages != uint64(2*len(oddLines)+2) || s.Reason != string(ReasonPoolClosed) {
				t.Errorf("session %+v", s)
			}
		})
	}
}

// talk is a stream of lines, most of them Stratum.
func talk(random *rand.Rand, size int) []byte {
	var out []byte
	for len(out) < size {
		switch random.IntN(6) {
		case 0:
			out = append(out, oddLines[random.IntN(len(oddLines)-3)]...)
		case 1:
			out = fmt.Appendf(out, `{"params":["j%d",%q,[]],"id":null,"method":"mining.notify"}`+"\n", random.IntN(99), strings.Repeat("ab", random.IntN(3000)))
		case 2:
			junk := make([]byte, random.IntN(5000))
			for i := range junk {
				junk[i] = byte(random.Uint32())
			}
			out = append(out, junk...)
		default:
			out = fmt.Appendf(out, `{"id":%d,"result":true,"error":null}`+"\n", random.IntN(1e6))
		}
	}
	return out
}

// pour writes a stream in random pieces.
func pour(to io.Writer, stream []byte, random *rand.Rand) error {
	for len(stream) > 0 {
		n := min(len(stream), 1+random.IntN(1<<random.IntN(18)))
		if _, err := to.Write(stream[:n]); err != nil {
			return err
		}
		stream = stream[n:]
	}
	return nil
}

// TestAnyStreamPasses relays random bytes in random pieces both ways at once,
// and compares what comes out, and what was captured.
func TestAnyStreamPasses(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, Config{}, ListenerOptions{})
			miner, pool := b.connect()
			random := rand.New(rand.NewPCG(seed, 1))
			up, down := talk(random, 2<<20), talk(random, 2<<20)
			both(t, miner, pool, up, down, seed)
			s := b.ended()
			if got := s.LostBytes; got != 0 {
				t.Skipf("the recorder lost %d bytes", got)
			}
			for d, stream := range map[capture.Direction][]byte{capture.MinerToPool: up, capture.PoolToMiner: down} {
				want := uint64(bytes.Count(stream, []byte("\n")))
				if stream[len(stream)-1] != '\n' {
					want++
				}
				if got := s.ByDirection[d]; got != want {
					t.Errorf("%d lines captured %s, want %d", got, d, want)
				}
			}
		})
	}
}

// both sends a stream each way, ends both, and compares.
func both(t *testing.T, miner, pool *net.TCPConn, up, down []byte, seed uint64) {
	t.Helper()
	var all sync.WaitGroup
	send := func(to *net.TCPConn, stream []byte, s uint64) {
		all.Go(func() {
			if err := pour(to, stream, rand.New(rand.NewPCG(seed, s))); err != nil {
				t.Error(err)
			}
		})
	}
	receive := func(from io.Reader, want []byte, who string) {
		all.Go(func() {
			got := make([]byte, len(want))
			if n, err := io.ReadFull(from, got); err != nil {
				t.Errorf("%s: %v after %d of %d bytes", who, err, n, len(want))
			} else if !bytes.Equal(got, want) {
				at := 0
				for got[at] == want[at] {
					at++
				}
				t.Errorf("%s: other bytes from %d on: %.60q, want %.60q", who, at, got[at:], want[at:])
			}
		})
	}
	send(miner, up, 2)
	send(pool, down, 3)
	receive(pool, up, "miner to pool")
	receive(miner, down, "pool to miner")
	all.Wait()
	_ = miner.CloseWrite()
	_ = pool.CloseWrite()
	for _, side := range []*net.TCPConn{miner, pool} {
		if rest, err := io.ReadAll(side); err != nil || len(rest) > 0 {
			t.Errorf("then %.60q, %v", rest, err)
		}
	}
}

// TestInjectionIsNotNoticed injects lines while a stream passes each way: the
// miner's view, and what the pool gets of the miner, stay what they were.
func TestInjectionIsNotNoticed(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, Config{}, ListenerOptions{})
			miner, pool := b.connect()
			s := b.session()
			random := rand.New(rand.NewPCG(seed, 7))
			up, down := talk(random, 1<<20), talk(random, 1<<20)
			up, down = append(up, '\n'), append(down, '\n')

			// The pool answers what was injected, between two lines of its own.
			const lines = 200
			asked := make(chan string, lines)
			var all sync.WaitGroup
			all.Go(func() {
				if err := pour(miner, up, rand.New(rand.NewPCG(seed, 8))); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				got := make([]byte, len(down))
				if n, err := io.ReadFull(miner, got); err != nil || !bytes.Equal(got, down) {
					t.Errorf("the miner got %d bytes, %v, the same: %t", n, err, bytes.Equal(got, down))
				}
			})
			all.Go(func() {
				var own []byte
				read := newLineReader(pool)
				for injected := 0; len(own) < len(up) || injected < lines; {
					line, err := read()
					if err != nil {
						t.Errorf("the pool got %d bytes of %d, %d injected: %v", len(own), len(up), injected, err)
						break
					}
					if bytes.HasPrefix(line, []byte(`{"id":"scope-`)) {
						injected++
						asked <- string(line)
						continue
					}
					own = append(own, line...)
				}
				if !bytes.Equal(own, up) {
					t.Error("the pool got something else of the miner")
				}
				close(asked)
			})
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, 9))
				for _, line := range bytes.SplitAfter(down, []byte("\n")) {
					select {
					case q, ok := <-asked:
						if ok {
							line = append([]byte(strings.Replace(q, "params", "result", 1)), line...)
						}
					default:
					}
					if err := pour(pool, line, r); err != nil {
						t.Error(err)
						return
					}
				}
				for q := range asked {
					say(t, pool, strings.Replace(q, "params", "result", 1))
				}
			})
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			for worker := range 4 {
				all.Go(func() {
					for i := range lines / 4 {
						id := fmt.Sprintf(`"scope-%d-%d"`, worker, i)
						line, _, err := s.Inject(ctx, []byte(`{"id":`+id+`,"params":[]}`), id, nil)
						if want := `{"id":` + id + `,"result":[]}` + "\n"; err != nil || string(line) != want {
							t.Errorf("answer %q, %v", line, err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// newLineReader reads lines of any length.
func newLineReader(from io.Reader) func() ([]byte, error) {
	var buf []byte
	chunk := make([]byte, 64<<10)
	return func() ([]byte, error) {
		for {
			if end := bytes.IndexByte(buf, '\n'); end >= 0 {
				line := buf[:end+1]
				buf = buf[end+1:]
				return line, nil
			}
			n, err := from.Read(chunk)
			buf = append(buf, chunk[:n]...)
			if err != nil {
				return nil, err
			}
		}
	}
}

// A side that does not read stops the direction that leads to it, and neither
// the other direction nor other sessions.
func TestSlowSideBlocksOnlyItsDirection(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	_ = pool.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	block := bytes.Repeat([]byte("{\"id\":null,\"method\":\"mining.notify\"}\n"), 1000)
	written := 0
	for {
		n, err := pool.Write(block)
		written += n
		if err != nil {
			break
		}
		if written > 256<<20 {
			t.Fatal("the relay takes everything from the pool while the miner reads nothing")
		}
	}
	say(t, miner, "still there\n")
	hear(t, pool, "still there\n")
	_ = pool.SetWriteDeadline(time.Now().Add(patience))
	rest := block[written%len(block):] // of a line
	go func() { _, _ = pool.Write(rest) }()
	written += len(rest)

	other := b.dial()
	otherPool := accept(t, b.pool)
	say(t, otherPool, "another\n")
	hear(t, other, "another\n")

	got, err := io.CopyN(io.Discard, miner, int64(written))
	if err != nil || got != int64(written) {
		t.Errorf("the miner got %d of %d bytes, %v", got, written, err)
	}
}

// What the miner says before the pool is connected is not lost, and its end is
// noticed.
func TestMinerSpeaksFirst(t *testing.T) {
	silent := listen(t, "127.0.0.1:0") // accepts, and never shakes hands
	u := upstreamOf(t, silent)
	u.TLS = true
	pool := listen(t, "127.0.0.1:0")
	b := newBench(t, Config{Upstreams: []Upstream{u, upstreamOf(t, pool)}, ConnectTimeout: 300 * time.Millisecond}, ListenerOptions{})

	miner := b.dial()
	say(t, miner, "one\ntw")
	time.Sleep(20 * time.Millisecond)
	say(t, miner, "o\n")
	_ = miner.CloseWrite()
	side := accept(t, pool)
	hear(t, side, "one\ntwo\n")
	say(t, side, "three\n")
	hear(t, miner, "three\n")
	_ = side.Close()
	if s := b.ended(); s.Reason != string(ReasonMinerClosed) || s.Messages != 3 {
		t.Errorf("session %+v", s)
	}

	leaver := b.dial()
	_ = leaver.Close()
	b.wait("the second session", func() bool { return b.server.Stats().Sessions == 2 })
	if s := b.ended(); s.Reason != string(ReasonMinerClosed) {
		t.Errorf("session %+v", s)
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	if _, err := New(Config{}, nil, nil); !errors.Is(err, ErrNoUpstream) {
		t.Error(err)
	}
	for _, cfg := range []Config{
		{Upstreams: []Upstream{{Host: "p.x", Port: 1}}, Reconnect: "never"},
		{Upstreams: []Upstream{{Host: "p.x", Port: 1, ProxyProtocol: 3}}},
	} {
		if _, err := New(cfg, nil, nil); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}
