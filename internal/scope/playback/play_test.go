package playback

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// record makes a recording of a transcript: "> " is the miner, "< " the pool,
// each with the milliseconds at which it came.
func record(t *testing.T, transcript string) *Recording {
	t.Helper()
	recorder := capture.New(capture.Config{KeepPasswords: true}, slog.New(slog.DiscardHandler))
	tape := recorder.Open(capture.Opening{ID: "s", Origin: capture.OriginFile, At: time.Unix(1000, 0)})
	for row := range strings.SplitSeq(strings.TrimSpace(transcript), "\n") {
		var ms int
		var side string
		if _, err := fmt.Sscanf(row, "%d %1s", &ms, &side); err != nil {
			t.Fatal(err)
		}
		direction := capture.MinerToPool
		if side == "<" {
			direction = capture.PoolToMiner
		}
		_, text, _ := strings.Cut(row, side+" ")
		tape.Line(direction, []byte(text+"\n"), time.Unix(1000, int64(ms)*1e6))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel() // it handles what is queued, and returns
	if err := recorder.Run(ended); err != nil {
		t.Fatal(err)
	}
	var messages []*capture.Message
	recorder.Store().Latest("s", func(m *capture.Message) bool {
		messages = append([]*capture.Message{m}, messages...)
		return true
	})
	return New("s", messages)
}

const transcript = `
0 > {"id":1,"method":"mining.subscribe","params":["miner/1"]}
20 < {"id":1,"result":[[],"00000001",4],"error":null}
30 > {"id":2,"method":"mining.authorize","params":["w","p"]}
40 < {"id":2,"result":true,"error":null}
50 < {"id":null,"method":"mining.set_difficulty","params":[8]}
60 < {"id":null,"method":"mining.notify","params":["j1"]}
5060 > {"id":3,"method":"mining.submit","params":["w","j1"]}
5070 < {"id":3,"result":true,"error":null}
6060 > {"id":4,"method":"mining.submit","params":["w","j1","again"]}
6070 < {"id":4,"result":null,"error":[22,"Duplicate share",null]}
`

// peer is the live side, in a script of the test.
type peer struct {
	t     *testing.T
	conn  net.Conn
	in    *bufio.Reader
	began time.Time
}

// dial returns both ends of a connection, in a bubble.
func dial(t *testing.T) (net.Conn, *peer) {
	here, there := net.Pipe()
	t.Cleanup(func() { there.Close() })
	return here, &peer{t, there, bufio.NewReader(there), time.Now()}
}

// hears expects a line, and returns when it came.
func (p *peer) hears(want string) time.Duration {
	p.t.Helper()
	got, err := p.in.ReadString('\n')
	if err != nil || strings.TrimSpace(got) != want {
		p.t.Errorf("heard %q, %v; not %q", got, err, want)
	}
	return time.Since(p.began)
}

func (p *peer) says(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if _, err := p.conn.Write([]byte(line + "\n")); err != nil {
			p.t.Error(err)
		}
	}
}

// diary keeps events.
type diary []Event

func (d *diary) event(e Event) { *d = append(*d, e) }

func (d diary) of(kind string) (out []Event) {
	for _, e := range d {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func TestToPool(t *testing.T) {
	for _, speed := range []float64{1, 10, 0} {
		synctest.Test(t, func(t *testing.T) {
			conn, pool := dial(t)
			var at []time.Duration
			go func() {
				at = append(at, pool.hears(`{"id":1,"method":"mining.subscribe","params":["miner/1"]}`))
				time.Sleep(time.Second) // slower than the recorded one
				pool.says(`{"id":1,"result":[[],"ffffffff",4],"error":null}`)
				at = append(at, pool.hears(`{"id":2,"method":"mining.authorize","params":["w","p"]}`))
				pool.says(`{"error":null,"id":2,"result":true}`, `{"id":null,"method":"mining.set_difficulty","params":[16]}`)
				at = append(at, pool.hears(`{"id":3,"method":"mining.submit","params":["w","j1"]}`))
				pool.says(`{"id":3,"result":null,"error":[21,"Job not found",null]}`)
				at = append(at, pool.hears(`{"id":4,"method":"mining.submit","params":["w","j1","again"]}`))
				pool.says(`{"id":4,"result":null,"error":[21,"Job not found",null]}`)
			}()
			var d diary
			sum, err := ToPool(t.Context(), conn, record(t, transcript), Options{Speed: speed, Linger: time.Second, Event: d.event})
			if err != nil {
				t.Fatal(err)
			}
			if sum.Sent != 4 || sum.Answers != 4 || sum.Same != 1 || sum.Different != 3 || sum.Received != 1 || sum.Unanswered != 0 {
				t.Errorf("%+v", sum)
			}
			var differences []string
			for _, e := range d.of(KindAnswer) {
				differences = append(differences, e.Difference)
			}
			if got := strings.Join(differences, " "); got != "values same now_rejected other_rejection" {
				t.Error(got)
			}
			if e := d.of(KindAnswer)[0]; *e.LatencyMS != 1000 || *e.RecordedLatencyMS != 20 || e.Recorded != `{"id":1,"result":[[],"00000001",4],"error":null}` {
				t.Errorf("%+v", e)
			}
			// authorize was sent after the answer to subscribe, then the pauses are
			// the recorded ones.
			if speed > 0 {
				part := time.Duration(float64(5030*time.Millisecond) / speed)
				if at[1] != time.Second || at[2]-at[1] != part {
					t.Errorf("speed %v: %v", speed, at)
				}
			} else if at[3] != time.Second {
				t.Errorf("as fast as possible: %v", at)
			}
		})
	}
}

func TestToPoolThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, pool := dial(t)
		go func() {
			for range 4 {
				_, _ = pool.in.ReadString('\n')
			}
			pool.says(`{"id":4,"result":true}`)
		}()
		sum, err := ToPool(t.Context(), conn, record(t, transcript), Options{Patience: 3 * time.Second, Linger: time.Second})
		if err != nil || sum.Sent != 4 || sum.Unanswered != 3 || sum.Answers != 1 || sum.Seconds != 3*3+1 {
			t.Errorf("%v %+v", err, sum)
		}
	})
}

func TestToPoolThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, pool := dial(t)
		go func() {
			pool.hears(`{"id":1,"method":"mining.subscribe","params":["miner/1"]}`)
			pool.says(`{"id":1,"result":[]}`)
			pool.conn.Close()
		}()
		sum, err := ToPool(t.Context(), conn, record(t, transcript), Options{Speed: 1})
		if !errors.Is(err, ErrPeerGone) || sum.Answers != 1 || !sum.PeerEnded {
			t.Errorf("%v %+v", err, sum)
		}
	})
}

// A password that was masked when it was recorded is not the one that the pool
// wants; that is said.
func TestMaskedPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, pool := dial(t)
		go func() { _, _ = pool.in.ReadString('\n') }()
		var d diary
		sum, err := ToPool(t.Context(), conn, record(t, `0 > {"id":2,"method":"mining.authorize","params":["w","********"]}`), Options{Event: d.event})
		if sent := d.of(KindSent); err != nil || sum.Masked != 1 || len(sent) != 1 || sent[0].Note == "" {
			t.Errorf("%v %+v %+v", err, sum, d)
		}
	})
}

func TestToMiner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, miner := dial(t)
		var notified time.Duration
		go func() {
			miner.says(`{"id":"x","method":"mining.configure","params":[]}`)
			miner.hears(`{"id":"x","result":null,"error":[20,"Not in the recording",null]}`)
			time.Sleep(2 * time.Second)
			miner.says(`{"id":7,"method":"mining.subscribe","params":["other/2"]}`)
			miner.hears(`{"id":7,"result":[[],"00000001",4],"error":null}`)
			miner.says(`{"id":8,"method":"mining.authorize","params":["me","x"]}`)
			miner.hears(`{"id":8,"result":true,"error":null}`)
			miner.hears(`{"id":null,"method":"mining.set_difficulty","params":[8]}`)
			notified = miner.hears(`{"id":null,"method":"mining.notify","params":["j1"]}`)
			for id := 10; id < 13; id++ {
				miner.says(fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["me","j1"]}`, id))
			}
			miner.hears(`{"id":10,"result":true,"error":null}`)
			miner.hears(`{"id":11,"result":null,"error":[22,"Duplicate share",null]}`)
			miner.hears(`{"id":12,"result":null,"error":[20,"Not in the recording",null]}`)
		}()
		sum, err := ToMiner(t.Context(), conn, record(t, transcript), Options{Speed: 1, Linger: time.Second})
		if err != nil || sum.Sent != 2 || sum.Answered != 4 || sum.Unknown != 2 || sum.Unasked != 0 {
			t.Errorf("%v %+v", err, sum)
		}
		// 2 s until he asked, then as recorded: authorize at 30, notify at 60.
		if notified != 2*time.Second+30*time.Millisecond {
			t.Errorf("notify after %v", notified)
		}
	})
}

func TestToMinerThatDoesNotAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, miner := dial(t)
		go func() {
			miner.hears(`{"id":null,"method":"mining.set_difficulty","params":[8]}`)
			miner.hears(`{"id":null,"method":"mining.notify","params":["j1"]}`)
		}()
		var d diary
		sum, err := ToMiner(t.Context(), conn, record(t, transcript), Options{Speed: 1, Patience: time.Second, Event: d.event})
		if err != nil || sum.Unasked != 2 || len(d.of(KindUnasked)) != 2 || sum.Sent != 2 {
			t.Errorf("%v %+v", err, sum)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, pool := dial(t)
		go func() { _, _ = pool.in.ReadString('\n') }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := ToPool(ctx, conn, record(t, transcript), Options{Speed: 1})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A peer that talks a lot and reads nothing does not hold us up, nor fills our
// memory.
func TestPeerThatFloods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, pool := dial(t)
		go func() {
			pool.says(strings.Repeat("x", 3*maxLine))
			for range 2*maxUnread - 1 {
				pool.says("{}")
			}
		}()
		sum, err := ToPool(t.Context(), conn, record(t, transcript), Options{Speed: 1})
		if !errors.Is(err, ErrPeerGone) || sum.Sent != 0 || sum.Lost < maxUnread-1 {
			t.Errorf("%v %+v", err, sum)
		}
	})
}
