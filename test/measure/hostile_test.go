package measure

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/load"
	"github.com/poolscope/poolscope/test/nodes"
)

var hostiles = flag.Int("hostiles", 2000, "hostile connections of TestHostile")

// attackLimit ends the attackers, whatever becomes of who started them.
const attackLimit = 20 * time.Second

// What a hostile connection sends, again and again until the pool hangs up; it
// then comes again.
var hostileText = []string{
	`{"id":1,"method":"mining.subs`, // and nothing more
	strings.Repeat("x", 64<<10),
	strings.Repeat(`{"a":[`, 2000) + "\n",
	strings.Repeat(`{"id":3,"method":"mining.submit","params":["`+strings.ReplaceAll(worker, "%d", "1")+`","ff","00000000","00000000","00000000"]}`+"\n", 32),
	strings.Repeat(`{"id":3,"method":"mining.ping","params":[]}`+"\n", 64),
	strings.Repeat(`{"id":3,"method":"mining.unknown","params":[]}`+"\n", 64),
	strings.Repeat(`{"id":3,"method":"mining.authorize","params":["`+strings.ReplaceAll(worker, "%d", "1")+`","x"]}`+"\n", 16),
	"?" + strings.Repeat("\x01\xfe\n", 100),
}

const hostileHello = `{"id":1,"method":"mining.subscribe","params":["x"]}` + "\n"

// runAttack is a process that attacks a pool with so many connections at a time,
// for attackLimit. It says so when all were open once.
func runAttack(out io.Writer, address, connections string) error {
	n, err := strconv.Atoi(connections)
	if err != nil {
		return err
	}
	end := time.Now().Add(attackLimit)
	var opened atomic.Int64
	var all sync.WaitGroup
	busy := make(chan struct{}, 64) // handshakes of TCP at a time
	for i := range n {
		all.Go(func() {
			for first := true; time.Now().Before(end); first = false {
				busy <- struct{}{}
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/2000))}}
				conn, err := d.Dial("tcp", address)
				<-busy
				if first && opened.Add(1) == int64(n) {
					_, _ = fmt.Fprintln(out, "all are open")
				}
				if err == nil {
					attack(conn, i, end)
				}
				time.Sleep(time.Duration(rand.IntN(int(time.Second))))
			}
		})
	}
	all.Wait()
	return nil
}

// attack is one connection. Half of those that ask do not read what they get.
func attack(conn net.Conn, i int, end time.Time) {
	defer conn.Close()
	_ = conn.SetDeadline(end)
	text := hostileText[i%len(hostileText)]
	if i/len(hostileText)%2 == 0 {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	if bytes.ContainsRune([]byte(text), '{') {
		_, _ = io.WriteString(conn, hostileHello)
	}
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		if !strings.Contains(text, "\n") && len(text) < 1000 {
			time.Sleep(time.Until(end)) // half a line, and silence
			return
		}
		time.Sleep(time.Duration(rand.IntN(int(200 * time.Millisecond))))
	}
}

// TestHostile shows how long honest miners wait for their replies alone and
// beside hostile connections, which are another process, with the lowest
// priority that the system has: an attacker brings processors of its own. All
// honest shares are accepted.
func TestHostile(t *testing.T) {
	rounds, attackers, shares := *runs, *hostiles, 400
	if !*full {
		rounds, attackers, shares = 1, 40, 5
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := startChain(t, 5e9)
	for round := range rounds {
		s := startPool(t, c)
		cfg := load.Config{Connections: 8, Shares: shares, Rate: 800, Settle: 100 * time.Millisecond}
		alone, err := measure(t.Context(), t, s, cfg)
		if err != nil {
			t.Fatal(err)
		}
		p := nodes.Start(t, "attackers", "nice", "-n", "19", self, "attack", s.address, strconv.Itoa(attackers))
		nodes.WaitFor(t, attackLimit, "hostile connections", func() bool { return strings.Contains(p.Output(), "all are open") })
		beside, err := measure(t.Context(), t, s, cfg)
		if err == nil && !p.Running() {
			err = errors.New("the attack was over before the measurement was")
		}
		if err != nil {
			t.Error(err)
		} else {
			t.Logf("run %d: submit→reply p50 %.3f, p99 %.3f ms alone; p50 %.3f, p99 %.3f ms beside %d hostile connections; 99%% of handshakes %.0f and %.0f ms",
				round+1, alone.Shares.Latency.P50/1000, alone.Shares.Latency.P99/1000, beside.Shares.Latency.P50/1000, beside.Shares.Latency.P99/1000, attackers,
				alone.Handshakes.Latency.P99/1000, beside.Handshakes.Latency.P99/1000)
		}
		p.Kill()
		s.process.Stop(t, 10*time.Second)
	}
}
