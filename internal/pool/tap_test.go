package pool

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// tapRecord is a sink that keeps what it is shown.
type tapRecord struct {
	mu       sync.Mutex
	sessions []*tapRecorded
	strikes  string // a line with this text in it makes it panic
}

type tapRecorded struct {
	TapOpening
	of     *tapRecord
	lines  []string // "> " of the miner, "< " of the pool
	said   [2]bytes.Buffer
	end    string // why it was closed
	faults []string
}

func (r *tapRecord) Open(o TapOpening) TapSession {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &tapRecorded{TapOpening: o, of: r}
	r.sessions = append(r.sessions, s)
	return s
}

func (s *tapRecorded) ID() string { return "tap of " + s.Connection }

func (s *tapRecorded) Line(dir stratum.Direction, line []byte, at time.Time) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.of.strikes != "" && strings.Contains(string(line), s.of.strikes) {
		panic("injected")
	}
	if s.end != "" || at.Before(s.At) {
		s.faults = append(s.faults, fmt.Sprintf("%q at %v, opened at %v, ended %q", line, at, s.At, s.end))
	}
	s.lines = append(s.lines, []string{"> ", "< "}[dir]+string(line))
	s.said[dir].Write(line)
}

func (s *tapRecorded) Close(reason string, _ time.Time) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.end != "" {
		s.faults = append(s.faults, "closed again: "+reason)
	}
	s.end = reason
}

// ended waits until the nth session has ended, and returns it.
func (r *tapRecord) ended(t testing.TB, n int) *tapRecorded {
	t.Helper()
	eventually(t, fmt.Sprintf("session %d of the tap ends", n), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.sessions) > n && r.sessions[n].end != ""
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[n]
	for _, fault := range s.faults {
		t.Errorf("session %d: %s", n, fault)
	}
	return s
}

// count is how many sessions there were.
func (r *tapRecord) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sessions)
}

// rawWire is a client's connection that keeps every byte of both directions.
type rawWire struct {
	net.Conn
	said [2]bytes.Buffer
}

func (w *rawWire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.said[stratum.FromMiner].Write(b[:n])
	return n, err
}

func (w *rawWire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.said[stratum.ToMiner].Write(b[:n])
	return n, err
}

// want checks that a session of the tap was shown exactly what was on the wire.
func (w *rawWire) want(t testing.TB, s *tapRecorded) {
	t.Helper()
	for dir := range w.said {
		if got, want := s.said[dir].String(), w.said[dir].String(); got != want {
			t.Errorf("direction %d: the tap was shown %d bytes, on the wire were %d:\n%s\nwant\n%s", dir, len(got), len(want), got, want)
		}
	}
}

// hangUp sends the beginning of a line, ends the stream and reads what the pool
// still says.
func (w *rawWire) hangUp(t testing.TB, tail string) {
	t.Helper()
	if _, err := io.WriteString(w, tail); err != nil {
		t.Fatal(err)
	}
	if half, ok := w.Conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		t.Fatal("the stream cannot be ended")
	}
	if _, err := io.Copy(io.Discard, w); err != nil {
		t.Fatal(err)
	}
}

// wired opens a connection whose bytes are kept.
func (r *rig) wired(t testing.TB, dial func() (net.Conn, error)) (*testMiner, *rawWire) {
	t.Helper()
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	w := &rawWire{Conn: conn}
	return newTestMiner(t, w), w
}

// mine says a bit of everything.
func mine(t *testing.T, r *rig, m *testMiner, user string) {
	t.Helper()
	m.send("{\"id\":90,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],{\"version-rolling.mask\":\"1fffe000\"}]}\r\n")
	m.start(user, "hunter2")
	for range 3 {
		if got := m.share(); got != "" {
			t.Errorf("a share is refused: %s", got)
		}
	}
	old := m.solve(m.job, m.job.ofShare(), "", 0)
	r.newTip()
	for !m.job.clean {
		m.line()
	}
	m.submit(old)
	m.send("\n")
	m.send("no JSON \xff\r\n" + `{"id":91,"method":"mining.ping"}` + "\n" + `{"id":"x","method":"what","params":{"a":[]}}` + "\n")
	m.settle()
	m.block()
	m.call("mining.get_transactions", m.job.id)
	m.settle()
}

// TestTapEqualsTheWire compares what the tap is shown with the bytes on the
// socket, for plain and TLS connections, while the settings change and the same
// miners are recorded.
func TestTapEqualsTheWire(t *testing.T) {
	sink, dir := new(tapRecord), t.TempDir()
	r := newRig(t, false, func(c *Config) { c.TapSink, c.Tap, c.CaptureDir = sink, TapMode{All: true}, dir })
	r.newTip()
	if _, err := r.pool.StartCapture(CaptureOrder{Worker: alice + ".a", For: time.Minute, MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	certificate, err := OwnCertificate(dir+"/cert.pem", dir+"/key.pem", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go r.serve(t, l, ListenerOptions{TLS: &tls.Config{GetCertificate: certificate.GetCertificate}})

	for i, c := range []struct {
		name, user string
		dial       func() (net.Conn, error)
		listener   string
	}{
		{"plain", alice + ".a", func() (net.Conn, error) { return net.Dial("tcp", r.listen) }, r.listen},
		{"TLS", bob + ".b", func() (net.Conn, error) {
			return tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: rootsOf(t, dir+"/cert.pem"), ServerName: "localhost"})
		}, l.Addr().String()},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, w := r.wired(t, c.dial)
			reloaded := make(chan error)
			go func() {
				var all error
				for range 50 {
					all = errors.Join(all, r.pool.Reconfigure(testConfigWith(r.dir, func(c *Config) { c.Tap.All = true })))
				}
				reloaded <- all
			}()
			mine(t, r, m, c.user)
			if err := <-reloaded; err != nil {
				t.Error(err)
			}
			w.hangUp(t, `{"id":1,"meth`)
			s := sink.ended(t, i)
			w.want(t, s)
			if s.end != "closed_by_miner" || s.Late != nil || s.Connection != m.en1 || s.TLS != (c.name == "TLS") ||
				s.Miner != w.LocalAddr().String() || s.Listener != c.listener {
				t.Errorf("opened with %+v, ended with %q", s.TapOpening, s.end)
			}
		})
	}
	if text := r.captured(); strings.Count(text, "\n") != len(sink.sessions[0].lines)-recordedFrom(sink.sessions[0]) {
		t.Errorf("the recording has %d lines of %d that came after the name\n%s", strings.Count(text, "\n"), len(sink.sessions[0].lines), text)
	}
}

// recordedFrom is the index of the first line that a recording of the worker
// has: the answer to its authorize.
func recordedFrom(s *tapRecorded) int {
	return 1 + slices.IndexFunc(s.lines, func(l string) bool { return strings.Contains(l, "mining.authorize") })
}

// serve accepts miners on another listener until the pool ends.
func (r *rig) serve(t testing.TB, l net.Listener, o ListenerOptions) {
	t.Cleanup(func() { l.Close() })
	if err := r.pool.Serve(t.Context(), l, o); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// TestTapBusy compares the tap with the wire for many miners that send shares
// in bursts while new work goes out and others come and go.
func TestTapBusy(t *testing.T) {
	const miners, shares = 8, 40
	sink := new(tapRecord)
	r := newRig(t, false, func(c *Config) {
		c.TapSink, c.Tap = sink, TapMode{All: true}
		c.Difficulty.Min, c.Difficulty.Start = 1e-12, 1e-12
	})
	r.newTip()
	var wires [miners]*rawWire
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range miners {
		m, w := r.wired(t, func() (net.Conn, error) { return net.Dial("tcp", r.listen) })
		wires[i] = w
		m.start(fmt.Sprintf("%s.%d", alice, i), "x")
		wg.Go(func() {
			var burst strings.Builder
			for n := range shares {
				fmt.Fprintf(&burst, `{"id":%d,"method":"mining.submit","params":["%s.%d","%s","%016x","%08x","%08x"]}`+"\n", 1000+n, alice, i, m.job.id, n, m.job.time, n)
				if n%8 == 7 {
					m.send(burst.String())
					burst.Reset()
				}
			}
			m.settle()
			w.hangUp(t, "")
		})
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	for tips := 0; ; tips++ {
		select {
		case <-done:
			sink.ended(t, miners-1)
			for i, w := range wires {
				w.want(t, sink.ended(t, i))
			}
			if status := r.pool.Tap(); status.Connections != 0 || status.Sessions != miners || status.Lines < miners*2*shares {
				t.Errorf("status %+v", status)
			}
			return
		default:
			r.newTip()
		}
	}
}

// TestTapResume shows the connection that goes on with the extranonce of an
// earlier one as a session of its own.
func TestTapResume(t *testing.T) {
	sink := new(tapRecord)
	r := newRig(t, false, func(c *Config) { c.TapSink, c.Tap = sink, TapMode{All: true} })
	r.newTip()
	dial := func() (net.Conn, error) { return net.Dial("tcp", r.listen) }
	m, w := r.wired(t, dial)
	m.start(m.user, "x")
	w.hangUp(t, "")
	w.want(t, sink.ended(t, 0))
	eventually(t, "the session is gone", func() bool { return r.pool.connections.Load() == 0 })

	again, w := r.wired(t, dial)
	again.call("mining.subscribe", "test/1.0", m.en1)
	again.call("mining.authorize", again.user, "x")
	again.settle()
	if again.en1 != m.en1 {
		t.Fatal("not resumed")
	}
	// Late to the second session, too, and told of its extranonce.
	if err := errors.Join(r.pool.SetTap(TapMode{}), r.pool.SetTap(TapMode{All: true})); err != nil {
		t.Fatal(err)
	}
	if s := sink.ended(t, 1); s.end != TapOff || !bytes.Contains(w.said[stratum.FromMiner].Bytes(), s.said[stratum.FromMiner].Bytes()) {
		t.Errorf("ended with %q", s.end)
	}
	w.hangUp(t, "")
	if s := sink.ended(t, 2); s.Late == nil || s.Late.Extranonce1 != m.en1 || s.Late.UserAgent != "test/1.0" || s.Late.Extranonce2Size != 8 ||
		!slices.Equal(s.Late.Workers, []string{again.user}) || s.Late.Difficulty != again.difficulty || s.said[stratum.FromMiner].Len() != 0 {
		t.Errorf("late %+v", s.Late)
	}
}

// TestTapWorker shows one worker of several, from the first line on where it
// connects while it is waited for.
func TestTapWorker(t *testing.T) {
	for _, wanted := range []string{alice + ".rig1", "rig1", alice} {
		t.Run(wanted, func(t *testing.T) {
			sink := new(tapRecord)
			mode, err := ParseTapMode("worker:" + wanted)
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, false, func(c *Config) { c.TapSink, c.Tap = sink, mode })
			r.newTip()
			dial := func() (net.Conn, error) { return net.Dial("tcp", r.listen) }
			m, w := r.wired(t, dial)
			other, _ := r.wired(t, dial)
			other.start(bob+".rig2", "x")
			m.start(alice+".rig1", "x")
			m.share()
			other.share()
			w.hangUp(t, "")
			s := sink.ended(t, 0)
			w.want(t, s)
			if s.Late != nil || sink.count() != 1 {
				t.Errorf("%d sessions, late %+v", sink.count(), s.Late)
			}
			// A second name on a connection begins it, too, but its first lines are
			// gone by then.
			other.call("mining.authorize", bob+".rig1", "x")
			if late := wanted == "rig1"; late != (sink.count() == 2) || r.pool.Tap().Connections != sink.count()-1 {
				t.Errorf("%d sessions", sink.count())
			}
		})
	}
}

// TestTapSwitch turns the tap on and off while lines flow: what is shown is one
// piece of what is on the wire, to the line.
func TestTapSwitch(t *testing.T) {
	sink := new(tapRecord)
	r := newRig(t, false, func(c *Config) { c.TapSink = sink })
	r.newTip()
	m, w := r.wired(t, func() (net.Conn, error) { return net.Dial("tcp", r.listen) })
	m.start(alice+".rig", "x")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			m.call("mining.ping", n)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	modes := []TapMode{{All: true}, {Worker: "other"}, {Worker: "rig"}, {All: true}, {}}
	for range 20 {
		for _, mode := range modes {
			if err := r.pool.SetTap(mode); err != nil {
				t.Fatal(err)
			}
			if got := r.pool.Tap(); got.Mode != mode || got.Connections > 1 {
				t.Fatalf("status %+v after %v", got, mode)
			}
		}
	}
	close(stop)
	<-done
	w.hangUp(t, "")
	if n := sink.count(); n != 40 {
		t.Errorf("%d sessions", n)
	}
	for i := range sink.count() {
		s := sink.ended(t, i)
		for dir := range w.said {
			if !bytes.Contains(w.said[dir].Bytes(), s.said[dir].Bytes()) {
				t.Errorf("session %d: not on the wire: %q", i, s.said[dir].String())
			}
		}
		if s.end != TapOff || s.Late == nil {
			t.Errorf("session %d ended with %q, late %v", i, s.end, s.Late)
		}
	}
	if got := r.pool.Tap(); got.Connections != 0 {
		t.Errorf("status %+v", got)
	}
}

// TestTapReload keeps what was set while the pool runs, until the configuration
// has another value.
func TestTapReload(t *testing.T) {
	r := newRig(t, true, func(c *Config) { c.TapSink = new(tapRecord) })
	reload := func(mode TapMode) TapMode {
		t.Helper()
		cfg := testConfig(r.dir)
		cfg.Tap = mode
		if err := r.pool.Reconfigure(cfg); err != nil {
			t.Fatal(err)
		}
		return r.pool.Tap().Mode
	}
	one, all := TapMode{Worker: "one"}, TapMode{All: true}
	if err := r.pool.SetTap(one); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ configured, want TapMode }{{TapMode{}, one}, {all, all}, {all, all}, {TapMode{}, TapMode{}}} {
		if got := reload(step.configured); got != step.want {
			t.Errorf("%s is configured: the mode is %s, want %s", step.configured, got, step.want)
		}
	}
}

// TestTapFault shows that whoever watches cannot hurt a miner.
func TestTapFault(t *testing.T) {
	sink := &tapRecord{strikes: "mining.ping"}
	r := newRig(t, false, func(c *Config) { c.TapSink, c.Tap = sink, TapMode{All: true} })
	r.newTip()
	m := r.connect(t)
	m.start(m.user, "x")
	m.settle()
	if got := m.share(); got != "" {
		t.Error(got)
	}
	if got := r.pool.Tap(); got.Faults != 1 || got.Connections != 0 || r.closes("internal_error") != 0 {
		t.Errorf("status %+v", got)
	}
}

func TestTapMode(t *testing.T) {
	for _, text := range []string{"off", "all", "worker:a.b", "worker:off"} {
		if mode, err := ParseTapMode(text); err != nil || mode.String() != text {
			t.Errorf("%q is %+v, %v", text, mode, err)
		}
	}
	for _, text := range []string{"", "ALL", "worker:", "on", "a.b"} {
		if mode, err := ParseTapMode(text); !errors.Is(err, ErrTapMode) || mode != (TapMode{}) {
			t.Errorf("%q is %+v, %v", text, mode, err)
		}
	}
	p := newRig(t, true).pool
	if err := p.SetTap(TapMode{All: true}); !errors.Is(err, ErrNoTap) {
		t.Errorf("without a sink: %v", err)
	}
	if err := p.SetTap(TapMode{}); err != nil || p.Tap().Available {
		t.Errorf("without a sink: %v, %+v", err, p.Tap())
	}
}
