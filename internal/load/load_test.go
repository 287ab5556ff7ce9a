package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/poolscope/poolscope/internal/miner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick are settings for tests.
func quick(pool string) Config {
	return Config{
		Pool: pool, User: "bcrt1quser.w%d", Connections: 10, Shares: 20,
		Settle: 10 * time.Millisecond, Duration: 20 * time.Second, HandshakeTimeout: 20 * time.Second,
	}
}

func run(t *testing.T, cfg Config) (*Report, error) {
	t.Helper()
	var progress bytes.Buffer
	r, err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), &progress)
	t.Logf("%s%v", progress.String(), r)
	return r, err
}

// Every way to drive and to connect: all shares are valid, different from each
// other, and counted.
func TestSharesAreValid(t *testing.T) {
	for _, c := range []struct {
		name   string
		secure bool
		change func(*Config)
	}{
		{"closed", false, func(*Config) {}},
		{"closed, 7 outstanding", false, func(c *Config) { c.Outstanding = 7 }},
		{"closed, all outstanding", false, func(c *Config) { c.Outstanding = 1000 }},
		{"open", false, func(c *Config) { c.Rate = 2000 }},
		{"open, too fast", false, func(c *Config) { c.Rate = 1e6 }},
		{"closed, TLS", true, func(c *Config) { c.InsecureTLS, c.Outstanding = true, 3 }},
		{"open, TLS", true, func(c *Config) { c.InsecureTLS, c.Rate = true, 2000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &testPool{}
			scheme := "stratum+tcp://"
			if c.secure {
				p.secure(t)
				scheme = "stratum+ssl://"
			}
			cfg := quick(scheme + startPool(t, p))
			c.change(&cfg)
			r, err := run(t, cfg)
			if err != nil {
				t.Fatal(err)
			}
			s := r.Shares
			if r.Handshakes.Ready != 10 || r.Alive != 10 || s.Sent != 200 || s.Accepted != 200 || s.Rejected != 0 || s.Unanswered != 0 || len(r.Errors) != 0 {
				t.Errorf("%+v\n%+v", r, s)
			}
			if l := s.Latency; l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > l.Max || s.PerSecond <= 0 || s.PerSecond != s.AcceptedPerSecond {
				t.Errorf("%+v", s)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.shares) != 200 {
				t.Errorf("the pool saw %d shares", len(p.shares))
			}
			extranonces := map[string]bool{}
			for _, s := range p.shares {
				if !s.valid || s.duplicate {
					t.Errorf("%+v", s)
				}
				extranonces[s.user+s.extranonce2] = true
			}
			if len(extranonces) != 200 {
				t.Errorf("%d extranonces for 200 shares", len(extranonces))
			}
			for i := range 10 {
				if u := fmt.Sprintf("bcrt1quser.w%d", i); !p.users[u] {
					t.Errorf("no worker %s", u)
				}
			}
		})
	}
}

// The open loop keeps its rate: 200 shares at 400 a second take half a second.
func TestOpenLoopKeepsItsRate(t *testing.T) {
	p := &testPool{}
	cfg := quick(startPool(t, p))
	cfg.Rate = 400
	r, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	// The last share is due 199 gaps after the first; it cannot come earlier.
	if r.Shares.Seconds < 199.0/400 {
		t.Errorf("%v s", r.Shares.Seconds)
	}
}

// In the closed loop a connection never has more unanswered than allowed.
func TestOutstandingIsBounded(t *testing.T) {
	p := &testPool{quiet: true}
	cfg := quick(startPool(t, p))
	cfg.Outstanding, cfg.Duration = 3, time.Second
	r, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Shares; s.Sent != 30 || s.Unanswered != 30 || s.Accepted != 0 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(r.Cut, "submitting shares") {
		t.Errorf("no word about the end: %q", r.Cut)
	}
}

// A lower difficulty is asked for, and what the pool then announces is met.
func TestDifficultyIsSuggested(t *testing.T) {
	p := &testPool{difficulty: "1024", suggest: true}
	cfg := quick(startPool(t, p))
	cfg.Connections, cfg.Shares, cfg.SuggestDifficulty = 2, 5, 2e-8
	r, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Shares.Accepted != 10 || r.Prepared.DifficultyMin != 2e-8 || r.Prepared.DifficultyMax != 2e-8 {
		t.Errorf("%+v, %+v", r.Shares, r.Prepared)
	}
}

func TestTooHardIsRefusedAtOnce(t *testing.T) {
	p := &testPool{difficulty: "1024"}
	r, err := run(t, quick(startPool(t, p)))
	if !errors.Is(err, ErrTooHard) || !strings.Contains(err.Error(), "1024") || !strings.Contains(err.Error(), "H/s") {
		t.Fatalf("%v", err)
	}
	if r.Handshakes.Ready != 10 || r.Shares != nil {
		t.Errorf("%+v", r)
	}
}

// A harder difficulty than the estimate allows for ends with the timeout.
func TestPrepareIsBounded(t *testing.T) {
	p := &testPool{}
	cfg, err := quick(startPool(t, p)).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	job := &task{job: &miner.Job{}, difficulty: 1e9, extranonce: miner.Subscription{Extranonce2Size: 4}, count: cfg.Shares}
	if err := job.search(ctx, miner.NewHasher()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// The tip changes while shares are searched: those connections search again.
func TestTipChangeWhilePreparing(t *testing.T) {
	p := &testPool{difficulty: "0.0000002"}
	cfg := quick(startPool(t, p))
	cfg.Connections, cfg.Shares = 2, 100 // about 170,000 hashes
	r, err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), writerFunc(func(line string) {
		if strings.HasPrefix(line, "preparing 200 shares") {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.newTip()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Shares.Accepted != 200 || r.Shares.Segments != 1 || r.Prepared.Rebuilt != 1 {
		t.Errorf("%+v, %+v", r.Shares, r.Prepared)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	jobs := map[string]int{}
	for _, s := range p.shares {
		jobs[s.job]++
	}
	if jobs["j1"] != 100 || jobs["j2"] != 100 {
		t.Errorf("shares by job: %v", jobs)
	}
}

// writerFunc is a writer that calls itself.
type writerFunc func(string)

func (f writerFunc) Write(b []byte) (int, error) {
	f(string(b))
	return len(b), nil
}

// Rejects are counted by the pool's words, and not as accepted.
func TestRejectsAreCounted(t *testing.T) {
	n := 0
	p := &testPool{answer: func(p *testPool, _ *seen) string {
		p.mu.Lock()
		defer p.mu.Unlock()
		n++
		switch n % 4 {
		case 0:
			return `"result":null,"error":[21,"Stale",null]`
		case 1:
			return `"result":false,"error":null`
		case 2:
			return `"error":null,"result":true`
		}
		return `"result":true,"error":null`
	}}
	r, err := run(t, quick(startPool(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	s := r.Shares
	if s.Accepted != 100 || s.Rejected != 100 || s.RejectedBy["Stale"] != 50 || s.RejectedBy["refused without a reason"] != 50 {
		t.Errorf("%+v", s)
	}
	if text := r.String(); !strings.Contains(text, "Stale") {
		t.Errorf("no word of it in\n%s", text)
	}
}

func TestRefusedWorkers(t *testing.T) {
	p := &testPool{authorize: `"result":null,"error":[24,"Invalid Bitcoin address",null]`}
	r, err := run(t, quick(startPool(t, p)))
	if !errors.Is(err, ErrNoConnections) || !strings.Contains(err.Error(), "Invalid Bitcoin address") {
		t.Errorf("%v", err)
	}
	if r.Handshakes.Failed != 10 || r.Errors["authorize refused: Invalid Bitcoin address (24)"]+r.Errors["authorize refused: Invalid Bitcoin address"] != 10 {
		t.Errorf("%+v", r)
	}
}

func TestPoolThatHangsUp(t *testing.T) {
	p := &testPool{hangUp: true}
	r, err := run(t, quick(startPool(t, p)))
	if !errors.Is(err, ErrNoConnections) {
		t.Errorf("%v", err)
	}
	if r.Alive != 0 || r.Handshakes.Ready != 0 || len(r.Errors) == 0 {
		t.Errorf("%+v", r)
	}
}

func TestPoolThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, err = run(t, quick(address))
	if !errors.Is(err, ErrNoConnections) || !strings.Contains(err.Error(), "nothing listens there") {
		t.Errorf("%v", err)
	}
}

// A pool that takes connections and says nothing.
func TestHandshakesAreBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	cfg := quick(l.Addr().String())
	cfg.HandshakeTimeout, cfg.InFlight = 100*time.Millisecond, 4
	r, err := run(t, cfg)
	if !errors.Is(err, ErrNoConnections) {
		t.Errorf("%v", err)
	}
	waited := 0
	for reason, n := range r.Errors {
		if strings.Contains(reason, "subscribe not answered") {
			waited += n
		}
	}
	if waited != 4 || r.Errors["not started before the handshake timeout"] != 6 {
		t.Errorf("%v", r.Errors)
	}
}

func TestUnknownCertificate(t *testing.T) {
	p := (&testPool{}).secure(t)
	_, err := run(t, quick("ssl://"+startPool(t, p)))
	if !errors.Is(err, ErrNoConnections) || !strings.Contains(err.Error(), "insecure") {
		t.Errorf("%v", err)
	}
}

// Idle connections, memory and processor time of a process: our own.
func TestHoldAndProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc on this system")
	}
	p := &testPool{}
	cfg := quick(startPool(t, p))
	cfg.PID, cfg.Hold = os.Getpid(), 50*time.Millisecond
	r, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Memory; m.BeforeKiB < 1000 || m.AfterKiB < 1000 || m.EndKiB < 1000 {
		t.Errorf("%+v", m)
	}
	if i := r.Idle; i.Seconds < 0.05 || i.Closed != 0 {
		t.Errorf("%+v", i)
	}
	cfg.PID = 1 << 22
	if _, err := run(t, cfg); err == nil || !strings.Contains(err.Error(), "4194304") {
		t.Errorf("a process that is not there: %v", err)
	}
}

func TestCancel(t *testing.T) {
	p := &testPool{quiet: true}
	cfg := quick(startPool(t, p))
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(200*time.Millisecond, cancel).Stop()
	cfg.Hold, cfg.Duration = time.Minute, 2*time.Minute
	r, err := Run(ctx, cfg, slog.New(slog.DiscardHandler), nil)
	if !errors.Is(err, context.Canceled) || r.Handshakes.Ready != 10 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestConfigReportsAllProblems(t *testing.T) {
	_, err := Run(t.Context(), Config{Pool: "http://x", Connections: -1, Shares: -1, Rate: -1, Duration: 2 * time.Hour, PID: -2}, nil, nil)
	if !errors.Is(err, ErrBadConfig) || !errors.Is(err, miner.ErrBadPool) {
		t.Fatalf("%v", err)
	}
	for _, word := range []string{"scheme", "user", "connections", "shares", "rate", "duration", "process"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no word about %s in %v", word, err)
		}
	}
	_, err = Run(t.Context(), Config{Pool: "127.0.0.1:1", User: "u", Connections: 1000, Shares: 2001}, nil, nil)
	if !errors.Is(err, ErrBadConfig) {
		t.Errorf("too many shares: %v", err)
	}
}

func TestReportIsJSON(t *testing.T) {
	r := Report{Handshakes: Handshakes{Ready: 3}, Shares: &Shares{Accepted: 2, CPUMicrosPerShare: 1.5}}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ready":3`, `"accepted":2`, `"server_cpu_us_per_accepted_share":1.5`, `"p99_us":0`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	if strings.Contains(string(b), "idle") {
		t.Errorf("what was not asked for in %s", b)
	}
}
