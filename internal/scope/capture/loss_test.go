package capture

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stalled lets do use a recorder that does not run yet, so that its queue fills,
// then runs it, and lets after use it.
func stalled(t *testing.T, cfg Config, do, after func(r *Recorder)) (r *Recorder) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r = New(cfg, slog.New(slog.DiscardHandler))
		do(r)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Second)
		after(r)
		synctest.Wait()
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// A gap is where the bytes were lost, not where the recorder was at that time:
// the lines that were queued before are whole, and no line is made of halves.
func TestGapPlace(t *testing.T) {
	var tape *Tape
	first, second := `{"id":1,"method":"a"}`+"\n", `{"id":2,"method":"a"}`+"\n"
	begun, rest := `{"id":3,"method":"b",`, `"params":["w","secret"]}`+"\n"
	r := stalled(t, Config{QueueBytes: 4 * 64}, func(r *Recorder) {
		tape = r.OpenSoon(Opening{ID: "s", At: time.Now()})
		for _, text := range []string{first, second, begun} {
			if tape.Chunk(MinerToPool, []byte(text), time.Now()) == nil {
				t.Fatalf("%q found no room", text)
			}
		}
		if tape.Chunk(MinerToPool, []byte(strings.Repeat("x", 257)), time.Now()) != nil {
			t.Error("more was taken than the queue holds")
		}
	}, func(*Recorder) {
		say(tape, MinerToPool, rest+`{"id":5}`+"\n")
	})
	var got []string
	r.Store().Latest("s", func(m *Message) bool { got = append(got, fmt.Sprintf("%s %d", m.Raw, m.Gap)); return true })
	slices.Reverse(got)
	want := []string{first + " 0", second + " 0", fmt.Sprintf("{\"id\":5}\n %d", len(begun)+257+len(rest))}
	if !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}

// What a session says it lost is what its messages say, and what was lost after
// the last of them: of each direction, and of lines of the scope's own.
func TestGapsAgree(t *testing.T) {
	r, sink := capture(t, Config{QueueBytes: 400}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		settle := func() { synctest.Wait(); time.Sleep(time.Second) }
		big := []byte(strings.Repeat("x", 401))
		say(tape, MinerToPool, `{"id":1,`)
		settle()
		tape.Chunk(MinerToPool, big, time.Now())
		say(tape, MinerToPool, "tail}\n"+`{"id":3}`+"\n")
		settle()
		tape.Own(big, OwnLine{WireID: "1"}, time.Now())
		tape.Own([]byte(`{"id":9}`+"\n"), OwnLine{WireID: "2"}, time.Now()).Failed("never sent", time.Now())
		settle()
		tape.Own(big, OwnLine{WireID: "3"}, time.Now())
		say(tape, PoolToMiner, `{"id":3,`)
		settle()
		tape.Chunk(PoolToMiner, big, time.Now())
		tape.Close("closed_by_miner", time.Now())
	})
	const trailing = 401 + 401 + 8 // of the own line, of the pool's, and what it had begun
	var gaps, lost uint64
	for _, m := range sink.captured {
		if m.Gap > 0 {
			gaps++
			lost += m.Gap
		}
	}
	if gaps != 2 || lost != 8+401+6+401 {
		t.Errorf("messages tell of %d gaps of %d bytes", gaps, lost)
	}
	s, _ := r.Store().Session("s")
	if s.Gaps != gaps+2 || s.LostBytes != lost+trailing {
		t.Errorf("session tells of %d gaps of %d bytes, want %d of %d", s.Gaps, s.LostBytes, gaps+2, lost+trailing)
	}
	if told := sink.sessions[len(sink.sessions)-1]; told.LostBytes != s.LostBytes || told.Gaps != s.Gaps {
		t.Errorf("sinks were told of %+v", told)
	}
}

// order is an analyst that notes what it is told.
type order struct{ told []string }

func (o *order) Opened(s Session)       { o.told = append(o.told, "opened "+s.ID) }
func (o *order) Message(m *Message)     { o.told = append(o.told, fmt.Sprint("line ", m.N)) }
func (o *order) Answered(_, _ *Message) {}
func (o *order) Closed(s Session)       { o.told = append(o.told, "closed "+s.ID) }
func (o *order) of(id string) (out []string) {
	for _, what := range o.told {
		if !strings.HasSuffix(what, " fill") {
			out = append(out, what)
		}
	}
	return out
}

// A session begins before its first line, and ends after its last, when the
// queue was full at its beginning and had room again for its lines.
func TestOpenedFirst(t *testing.T) {
	o := &order{}
	r := New(Config{Analyst: o, QueueChunks: 4}, slog.New(slog.DiscardHandler))
	for range 4 {
		r.queue <- event{kind: eventOpened, tape: &Tape{recorder: r, record: newRecord(Opening{ID: "fill"}), live: true}}
	}
	tape := r.OpenSoon(Opening{ID: "s", At: time.Now()}) // no room
	tape.PoolConnected("192.0.2.1:3333")                 // no room
	for range 4 {
		r.handle(<-r.queue)
	}
	tape.Line(MinerToPool, []byte("{}\n"), time.Now())
	tape.PoolLost() // there is room, but it must not overtake
	r.work(0)
	tape.Close("closed_by_miner", time.Now())
	for r.handleControl() {
	}
	r.work(0)
	if got, want := o.of("s"), []string{"opened s", "line 1", "closed s"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if s, _ := r.Store().Session("s"); s.Connected || s.PoolPeer == "" {
		t.Errorf("session %+v: the loss of the pool overtook its connection", s)
	}
}

// A message that could not be kept leaves no hole in the numbers: the next ones
// are found under theirs.
func TestNumbersAfterPanic(t *testing.T) {
	r := New(Config{}, slog.New(slog.DiscardHandler))
	tape := r.Open(Opening{ID: "s", At: time.Now()})
	keep := func(d Direction, raw string) {
		defer r.survive("test", "s")
		r.message(&event{kind: eventLine, tape: tape, direction: d, at: time.Now()}, &Message{Raw: []byte(raw), Size: len(raw)})
	}
	keep(MinerToPool, "{\"id\":1}\n")
	keep(Direction(9), "{\"id\":2}\n") // no such direction
	keep(MinerToPool, "{\"id\":3}\n")
	if r.Faults() != 1 {
		t.Fatalf("%d faults", r.Faults())
	}
	if m := r.Store().Message("s", 2); m == nil || m.ID != "3" || m.N != 2 || m.Seq != 2 {
		t.Errorf("message 2 is %+v", m)
	}
}
