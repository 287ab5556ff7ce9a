package miner

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNewReportsAllProblems(t *testing.T) {
	_, err := New(Config{Pool: "http://x", Threads: -1, MaxHashrate: math.NaN(), SuggestDifficulty: -1}, nil)
	if !errors.Is(err, ErrBadPool) || !errors.Is(err, ErrBadConfig) {
		t.Fatalf("%v", err)
	}
	for _, word := range []string{"scheme", "user", "threads", "hashrate", "difficulty"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no word about %s in %v", word, err)
		}
	}
}

func TestBenchmark(t *testing.T) {
	if r := Benchmark(20 * time.Millisecond); r < 1000 || math.IsInf(r, 0) {
		t.Errorf("%v H/s", r)
	}
}

// scripted runs a miner in a bubble whose connections a function makes.
func scripted(t *testing.T, cfg Config, dial func(attempt int, e Endpoint) (net.Conn, error)) (*Miner, context.CancelFunc) {
	cfg.Pool, cfg.User, cfg.Threads = "pool.example:3333", "u", 1
	m, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	attempt := 0
	m.dial = func(_ context.Context, e Endpoint) (net.Conn, error) {
		attempt++
		return dial(attempt, e)
	}
	m.rand = func() float64 { return 1 }
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return m, cancel
}

// A pool that is gone is tried after 1, 2, 4 … 60 seconds.
func TestReconnectBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		m, cancel := scripted(t, Config{}, func(int, Endpoint) (net.Conn, error) {
			at = append(at, time.Since(start))
			return nil, errors.New("connection refused")
		})
		time.Sleep(4 * time.Minute)
		cancel()
		synctest.Wait()

		want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183}
		if len(at) != len(want) {
			t.Fatalf("attempts at %v", at)
		}
		for i := range want {
			if at[i] != want[i]*time.Second {
				t.Errorf("attempt %d at %v, want %v s", i, at[i], int(want[i]))
			}
		}
		if st := m.Stats(); st.Connected || st.LastError != "connection refused" {
			t.Errorf("%+v", st)
		}
	})
}

// The pool accepts and says nothing: left after a minute. It signs in and then
// says nothing: left after three. Then it holds, and after its end the wait is
// short again.
func TestSilentPoolsAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		m, cancel := scripted(t, Config{}, func(attempt int, _ Endpoint) (net.Conn, error) {
			at = append(at, time.Since(start))
			ours, theirs := net.Pipe()
			go func() {
				p := newPool(t, theirs)
				if attempt >= 2 {
					p.signIn(en1, 8, "")
				}
				if attempt == 3 {
					for range 4 {
						time.Sleep(170 * time.Second)
						p.send(`{"id":null,"method":"mining.set_difficulty","params":[8]}`)
					}
					_ = theirs.Close()
				}
				for range p.lines {
				}
				_ = theirs.Close()
			}()
			return ours, nil
		})
		time.Sleep(20 * time.Minute)
		cancel()
		synctest.Wait()

		want := []time.Duration{
			0,
			61,              // handshake timeout and one second
			61 + 180 + 1,    // a good connection: the wait starts anew
			242 + 4*170 + 1, // likewise
			923 + 180 + 1,   // silence again
		}
		if len(at) != len(want) {
			t.Fatalf("attempts at %v", at)
		}
		for i := range want {
			if at[i] != want[i]*time.Second {
				t.Errorf("attempt %d at %v, want %d s", i, at[i], want[i])
			}
		}
		if st := m.Stats(); st.Reconnects != 3 {
			t.Errorf("%d reconnects", st.Reconnects)
		}
	})
}

// client.reconnect is obeyed once; the attempt after that is at the old port.
func TestReconnectOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var to []string
		var at []time.Duration
		_, cancel := scripted(t, Config{}, func(attempt int, e Endpoint) (net.Conn, error) {
			to, at = append(to, e.Address()), append(at, time.Since(start))
			if attempt > 1 {
				return nil, errors.New("connection refused")
			}
			ours, theirs := net.Pipe()
			go func() {
				p := newPool(t, theirs)
				p.signIn(en1, 8, "")
				p.send(`{"id":null,"method":"client.reconnect","params":["pool.example",4444,30]}`)
			}()
			return ours, nil
		})
		time.Sleep(40 * time.Second)
		cancel()
		synctest.Wait()
		if len(to) < 3 || to[1] != "pool.example:4444" || to[2] != "pool.example:3333" {
			t.Fatalf("%v", to)
		}
		if at[1] != 30*time.Second {
			t.Errorf("came back after %v instead of the 30 s that were asked for", at[1])
		}
	})
}

// The rate of a throttled miner, by a clock that stands still while it hashes.
func TestMaxHashrate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, cancel := scripted(t, Config{MaxHashrate: 5000}, func(int, Endpoint) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				p := newPool(t, theirs)
				p.signIn(en1, 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e9]}`, notifyLine(jobLine{id: "1", clean: true}))
				for {
					select {
					case _, ok := <-p.lines:
						if !ok {
							return
						}
					case <-time.After(700 * time.Millisecond):
						p.send(notifyLine(jobLine{id: "2"})) // a new job is no excuse for more
					}
				}
			}()
			return ours, nil
		})
		time.Sleep(30*time.Second + time.Millisecond)
		st := m.Stats()
		cancel()
		synctest.Wait()
		if math.Abs(st.Hashrate/5000-1) > 0.02 {
			t.Errorf("measured %v H/s instead of 5000", st.Hashrate)
		}
		if math.Abs(float64(st.Hashes)/150000-1) > 0.02 {
			t.Errorf("%d hashes in 30 s instead of 150000", st.Hashes)
		}
	})
}

// The work of a lost connection is not continued.
func TestLostConnectionStopsTheWork(t *testing.T) {
	m, accept := startMiner(t, Config{})
	p := accept()
	p.signIn(en1, 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e9]}`, notifyLine(jobLine{id: "1", clean: true}))
	eventually(t, "hashing", func() bool { return m.Stats().Hashes > 0 })
	_ = p.conn.Close()
	q := accept()
	eventually(t, "no work", func() bool { return m.board.current.Load() == nil })
	st := m.Stats()
	if st.Connected || st.JobID != "" || st.LastError == "" {
		t.Errorf("%+v", st)
	}
	job := jobLine{id: "9", clean: true}
	q.signIn("00ff00ff", 8, "", `{"id":null,"method":"mining.set_difficulty","params":[1e-7]}`, notifyLine(job))
	s := q.share(yes)
	if d := s.check(t, job, "00ff00ff", 0); d < 1e-7 {
		t.Errorf("share of difficulty %v with the new extranonce", d)
	}
	if st := m.Stats(); st.Reconnects != 1 {
		t.Errorf("%d reconnects", st.Reconnects)
	}
}

// A real socket, and TLS with a certificate that nobody signed.
func TestDial(t *testing.T) {
	for _, secure := range []bool{false, true} {
		l := listen(t, secure)
		e := Endpoint{Host: "127.0.0.1", Port: portOf(l), TLS: secure}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte("x is no TLS record"))
				_ = c.Close()
			}
		}()
		conn, err := e.Dial(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		var b [1]byte
		if _, err := conn.Read(b[:]); err != nil || b[0] != 'x' {
			t.Errorf("tls %v: read %q, %v", secure, b, err)
		}
		_ = conn.Close()
		if !secure {
			e.TLS = true
			if _, err := e.Dial(t.Context(), true); err == nil || !strings.Contains(explain(err), "stratum+tcp://") {
				t.Errorf("TLS to a plain port: %v", err)
			}
			continue
		}
		if _, err := e.Dial(t.Context(), false); err == nil || !strings.Contains(explain(err), "self-signed") {
			t.Errorf("unknown certificate: %v", err)
		}
	}
}
