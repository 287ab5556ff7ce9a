package pool

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/stratum"
)

// hostiles is how many hostile connections TestHostileConnections makes. With
// -v it tells how long honest miners waited for their replies:
//
//	go test ./internal/pool -run TestHostileConnections -v -hostiles 10000
var hostiles = flag.Int("hostiles", 140, "number of hostile connections")

// atOnce bounds the hostile connections that are busy at the same time.
const atOnce = 500

// attack is one kind of hostile connection. It returns when the pool has hung
// up, or when it has done what it does.
type attack struct {
	name string
	// close is how the pool ends it; "" when it may stay, harmlessly.
	close string
	run   func(conn net.Conn)
}

// send writes and reports whether it could.
func send(conn net.Conn, text string) bool {
	_, err := io.WriteString(conn, text)
	return err == nil
}

// hungUp reads until the pool hangs up.
func hungUp(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

const signIn = `{"id":1,"method":"mining.subscribe","params":["x"]}` + "\n" + `{"id":2,"method":"mining.authorize","params":["` + alice + `","x"]}` + "\n"

var attacks = []attack{
	{"half a line", "", func(conn net.Conn) { send(conn, `{"id":1,"method":"mining.subs`) }},
	{"a long line", "line_too_long", func(conn net.Conn) {
		send(conn, strings.Repeat("x", 64<<10))
		hungUp(conn)
	}},
	{"deep JSON", "bad_json", func(conn net.Conn) {
		send(conn, strings.Repeat(strings.Repeat(`{"a":[`, 2000)+"\n", 3))
		hungUp(conn)
	}},
	{"random bytes", "bad_json", func(conn net.Conn) {
		noise := []byte("?") // no TLS
		for range 8000 {
			noise = append(noise, byte(rand.Uint32()))
		}
		send(conn, string(noise)+"\n?\n?\n?\n")
		hungUp(conn)
	}},
	{"guessed jobs", "misbehaved", func(conn net.Conn) {
		send(conn, signIn)
		go func() {
			for n := range 5000 {
				if !send(conn, submitLine(n, alice, fmt.Sprintf("%x", rand.Uint32()), 1)+"\n") {
					return
				}
			}
		}()
		hungUp(conn)
	}},
	{"junk shares", "misbehaved", func(conn net.Conn) {
		send(conn, signIn)
		line := `{"id":3,"method":"mining.submit","params":["` + alice + `",{},[],1,2]}` + "\n"
		go send(conn, strings.Repeat(line, 500))
		hungUp(conn)
	}},
	{"many questions", "misbehaved", func(conn net.Conn) {
		go send(conn, signIn+strings.Repeat(`{"id":3,"method":"mining.ping","params":[]}`+"\n", 6000))
		hungUp(conn)
	}},
}

// slowReader asks and never reads an answer.
func slowReader(conn net.Conn) {
	question := strings.Repeat(`{"id":"`+strings.Repeat("x", 8000)+`","method":"mining.ping","params":[]}`+"\n", 8)
	for send(conn, question) {
	}
}

// steady is a miner that shares all the time and notes how long replies take.
type steady struct {
	*testMiner
	took []time.Duration
}

func (s *steady) share() {
	sh := s.solve(s.job, s.job.ofShare(), "", 0)
	start := time.Now()
	if got := s.submit(sh); got != "" {
		s.t.Errorf("an honest share is %q", got)
	}
	s.took = append(s.took, time.Since(start))
}

// percentile of what the miners waited.
func percentile(miners []*steady, p float64) time.Duration {
	var all []time.Duration
	for _, m := range miners {
		all = append(all, m.took...)
	}
	slices.Sort(all)
	return all[int(p*float64(len(all)-1))]
}

// Hostile connections of all kinds, at once and from many addresses: each is
// ended for the right reason, and no honest miner loses a share.
func TestHostileConnections(t *testing.T) {
	for name, bans := range map[string]bool{"dropped": false, "banned": true} {
		t.Run(name, func(t *testing.T) { testHostile(t, bans) })
	}
}

func testHostile(t *testing.T, bans bool) {
	r := newRig(t, false, func(c *Config) {
		c.Abuse = abuse.Default()
		if !bans {
			c.Abuse.BanAfter = 0
		}
	})
	r.newTip()
	proxy := r.behindProxy(t)
	var honest []*steady
	for i := range 8 {
		m := &steady{testMiner: proxy.connect(t, fmt.Sprintf("203.0.113.%d", i+1))}
		m.start(alice, "x")
		honest = append(honest, m)
	}
	mine := func(until func() bool, least int) {
		var mining sync.WaitGroup
		for _, m := range honest {
			mining.Go(func() {
				for n := 0; n < least || !until(); n++ {
					m.share()
				}
			})
		}
		mining.Wait()
	}
	mine(func() bool { return true }, 50)
	calm50, calm99 := percentile(honest, 0.5), percentile(honest, 0.99)
	for _, m := range honest {
		m.took = nil
	}

	// Half lines and slow readers stay until the end.
	var open sync.Mutex
	var left []net.Conn
	slow := 1 + *hostiles/50
	want := map[string]uint64{}
	var attacking, slowing sync.WaitGroup
	busy := make(chan struct{}, atOnce)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range *hostiles {
			a := attacks[i%len(attacks)]
			conn := proxy.open(t, fmt.Sprintf("PROXY TCP4 198.51.100.%d 192.0.2.1 40000 3333\r\n", i%10))
			if a.close == "" {
				open.Lock()
				left = append(left, conn)
				open.Unlock()
			} else {
				want[a.close]++
			}
			busy <- struct{}{}
			attacking.Go(func() {
				defer func() { <-busy }()
				a.run(conn)
				if a.close != "" {
					conn.Close()
				}
			})
		}
		attacking.Wait()
	}()
	for range slow {
		conn := proxy.open(t, "PROXY TCP4 192.0.2.200 192.0.2.1 40000 3333\r\n")
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		slowing.Go(func() { slowReader(conn); conn.Close() })
	}
	mine(func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}, 20)
	slowing.Wait()
	t.Logf("reply to %d honest miners: p50 %v, p99 %v alone; p50 %v, p99 %v beside %d hostile connections",
		len(honest), calm50, calm99, percentile(honest, 0.5), percentile(honest, 0.99), *hostiles+slow)

	if bans {
		eventually(t, "bans", func() bool { return len(r.pool.Bans()) > 0 })
		for _, b := range r.pool.Bans() {
			if !strings.HasPrefix(b.Block.String(), "198.51.100.") && b.Block.Addr().String() != "192.0.2.200" {
				t.Errorf("an innocent is banned: %+v", b)
			}
		}
	} else {
		for reason, n := range want {
			eventually(t, reason, func() bool { return r.closes(reason) >= n })
		}
		// Who reads slowly is cut off for that, or for what it keeps asking.
		eventually(t, "slow readers", func() bool {
			return r.closes("slow_reader")+r.closes("misbehaved") == uint64(slow)+want["misbehaved"]
		})
		for _, reason := range stratum.CloseReasons() {
			switch n := r.closes(reason.String()); reason {
			case stratum.CloseMisbehaved, stratum.CloseSlowReader:
			case stratum.CloseHandshakeTimeout: // half lines, when there are so many that it takes minutes
			default:
				if n != want[reason.String()] {
					t.Errorf("%d connections closed for %s, want %d", n, reason, want[reason.String()])
				}
			}
		}
	}
	for _, m := range honest {
		m.share()
	}
	for _, conn := range left {
		conn.Close()
	}
	eventually(t, "only honest miners are left", func() bool { return r.pool.connections.Load() == int64(len(honest)) })
}
