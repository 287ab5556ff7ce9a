//go:build linux

package stratum

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stepped is a loop whose turns the test takes itself, and what was handled by
// all of its members, in order.
type stepped struct {
	*Loop
	t       *testing.T
	handled []string // names of the members, one for each line
	bytes   map[string]int
}

func newStepped(t *testing.T) *stepped {
	t.Helper()
	l, err := NewLoop(func() {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Stop()
		if err := l.Run(); err != nil {
			t.Error(err)
		}
	})
	return &stepped{Loop: l, t: t, bytes: map[string]int{}}
}

// turn takes one turn without waiting for anything.
func (s *stepped) turn() {
	s.t.Helper()
	s.takeMail()
	if err := s.await(true); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Loop.turn(); err != nil {
		s.t.Fatal(err)
	}
}

// join adds a member with a name and a standing.
func (s *stepped) join(name string, standing Standing) (*recorder, *net.TCPConn) {
	s.t.Helper()
	r, client := member(s.t, s.Loop, func(_ *recorder, line string) {
		s.handled = append(s.handled, name)
		s.bytes[name] += len(line) + 1
	})
	r.m.SetStanding(standing)
	s.takeMail()
	return r, client
}

// arrived waits until the kernel has something for a member to read.
func (s *stepped) arrived(r *recorder) {
	s.t.Helper()
	fds := []unix.PollFd{{Fd: int32(r.m.fd), Events: unix.POLLIN}}
	for n := 0; n == 0; {
		var err error
		if n, err = unix.Poll(fds, 10_000); err != nil && err != unix.EINTR {
			s.t.Fatal(err)
		} else if err == nil && n == 0 {
			s.t.Fatal("nothing arrives")
		}
	}
}

// lines are numbered lines of some bytes in all.
func numbered(total int) (text string, want []string) {
	var b strings.Builder
	for i := 0; b.Len() < total; i++ {
		line := fmt.Sprintf("%06d %s", i, strings.Repeat("f", i%60))
		want = append(want, line)
		b.WriteString(line + "\n")
	}
	return b.String(), want
}

// flood makes members that have sent a lot already. It returns what each sent.
func (s *stepped) flood(name string, standing Standing, members, each int) (all []*recorder, want []string) {
	s.t.Helper()
	text, want := numbered(each)
	for range members {
		r, client := s.join(name, standing)
		write(s.t, client, text)
		s.arrived(r)
		all = append(all, r)
	}
	return all, want
}

// However many flooders were ready before: the trusted connection's line is
// handled before any of theirs, in every turn, and theirs cost no more than a
// turn has for them.
func TestTurnTrustedFirst(t *testing.T) {
	s := newStepped(t)
	s.flood("newcomer", Newcomer, 150, 6000) // more than the kernel tells at once
	s.flood("suspect", Suspect, 150, 6000)
	honest, client := s.join("honest", Trusted)
	for round := range 20 {
		write(t, client, "one\ntwo\n")
		s.arrived(honest)
		s.handled = nil
		clear(s.bytes)
		s.turn()
		if len(s.handled) < 3 || s.handled[0] != "honest" || s.handled[1] != "honest" {
			t.Fatalf("turn %d began with %.5q", round, s.handled)
		}
		for name, most := range map[string]int{"newcomer": newcomerBytes, "suspect": suspectBytes} {
			// What was left of a line from the turn before comes on top.
			if got := s.bytes[name]; got == 0 || got > most+most/leastCost*70 {
				t.Errorf("turn %d handled %d bytes of each %s, at most %d", round, got, name, most)
			}
		}
	}
}

// A newcomer's line among suspects that flood is handled in the next turn.
func TestTurnNewcomerAmongSuspects(t *testing.T) {
	s := newStepped(t)
	s.flood("suspect", Suspect, 100, 6000)
	s.turn()
	r, client := s.join("new", Newcomer)
	write(t, client, "hello\n")
	s.arrived(r)
	s.turn()
	if !slices.Contains(s.handled, "new") {
		t.Errorf("%d lines of suspects before the newcomer's", len(s.handled))
	}
}

// Among newcomers that flood, another one's line waits until each was served
// once, not longer.
func TestTurnNewcomersTakeTurns(t *testing.T) {
	s := newStepped(t)
	const flooders = 64
	s.flood("flooder", Newcomer, flooders, 6000)
	r, client := s.join("new", Newcomer)
	write(t, client, "hello\n")
	s.arrived(r)
	for range flooders*leastCost/newcomerBytes + 1 {
		s.turn()
	}
	if !slices.Contains(s.handled, "new") {
		t.Errorf("%d lines of others before", len(s.handled))
	}
}

// One event each is all the kernel tells; everything is handled all the same,
// in its order, and then nobody is left waiting.
func TestTurnLosesNothing(t *testing.T) {
	s := newStepped(t)
	suspects, want := s.flood("suspect", Suspect, 20, 20_000)
	newcomers, _ := s.flood("newcomer", Newcomer, 20, 20_000)
	trusted, _ := s.flood("trusted", Trusted, 20, 20_000)
	all := slices.Concat(suspects, newcomers, trusted)
	for turns := 0; len(s.handled) < len(all)*len(want); turns++ {
		if s.turn(); turns > 100_000 {
			t.Fatalf("%d lines of %d", len(s.handled), len(all)*len(want))
		}
	}
	for _, r := range all {
		if got := r.got(); !slices.Equal(got, want) {
			t.Errorf("%d lines of %d, or in another order", len(got), len(want))
		}
	}
	if s.turn(); s.backlog() {
		t.Error("somebody still waits")
	}
}

// A connection that is paused in the middle of its flood goes on afterwards, and
// so does one whose standing changes while it waits.
func TestTurnPauseAndStanding(t *testing.T) {
	s := newStepped(t)
	text, want := numbered(20_000)
	r, client := member(t, s.Loop, func(r *recorder, line string) {
		switch line[:6] {
		case "000003", "000100":
			r.m.Pause()
		case "000050":
			r.m.SetStanding(Trusted)
		case "000150":
			r.m.SetStanding(Suspect)
		}
	})
	write(t, client, text)
	s.arrived(r)
	for _, resumed := range []bool{false, true, true} {
		if resumed {
			r.m.Resume()
		}
		before := len(r.got())
		for s.turn(); s.backlog(); {
			s.turn()
		}
		if len(r.got()) == before {
			t.Errorf("stuck after %d lines", before)
		}
	}
	if got := r.got(); !slices.Equal(got, want) {
		t.Errorf("%d lines of %d", len(got), len(want))
	}
}

// A suspect's lines of every length up to the limit get through, and one that is
// longer ends it.
func TestTurnLongLines(t *testing.T) {
	l := startLoop(t, func() {})
	r, client := member(t, l, nil)
	r.m.SetStanding(Suspect)
	longest := strings.Repeat("x", MaxLine-1)
	go func() { _, _ = io.WriteString(client, "short\n"+longest+"\n"+longest+"\n"+longest+"x\n") }()
	r.wantEnd(t, CloseLineTooLong)
	if got := r.got(); !slices.Equal(got, []string{"short", longest, longest}) {
		t.Errorf("%d lines before the one that is too long", len(got))
	}
}

// A flood allocates nothing on the loop: queues reuse their memory.
func TestTurnAllocatesNothing(t *testing.T) {
	l, err := NewLoop(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Stop()
		if err := l.Run(); err != nil {
			t.Error(err)
		}
	})
	lines := []byte(strings.Repeat(strings.Repeat("f", 99)+"\n", 10))
	var clients []*net.TCPConn
	for i := range 40 {
		server, client := tcpPair(t)
		q := &quick{reply: []byte("no\n")}
		m, err := l.Take(server, "rig", q)
		if err != nil {
			t.Fatal(err)
		}
		q.m = m
		m.SetStanding(Standing(i % int(standings)))
		t.Cleanup(func() { m.Close(CloseShutdown) })
		m.Start(nil)
		clients = append(clients, client)
	}
	l.takeMail()
	for range 40 {
		for _, c := range clients {
			_ = c.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if _, err := c.Write(lines); err != nil {
				t.Fatal(err)
			}
		}
	}
	step := func() {
		l.poll(0)
		if err := l.turn(); err != nil {
			t.Error(err)
		}
	}
	for range 20 {
		step()
	}
	if n := testing.AllocsPerRun(50, step); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations a turn", n)
	}
	if !l.backlog() {
		t.Error("the flood was over before the count was")
	}
}
