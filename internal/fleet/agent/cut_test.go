package agent

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/hub"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/nostr/nostrtest"
	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

// always are the switches of a scope whose sessions all broadcast.
type always struct{}

func (always) Settings(string) replay.Settings {
	return replay.Settings{Broadcast: true, RepeatCount: 1}
}

func (always) Change(string, replay.Change) (replay.Settings, error) {
	return replay.Settings{}, nil
}

// TestTenMinutesWithoutTheRelay publishes a share every five seconds, from a minute before
// the cut to a minute after it, and counts each of them at the pool. Whether the
// ends are told of the cut makes no difference.
func TestTenMinutesWithoutTheRelay(t *testing.T) {
	for name, cut := range map[string]func(*nostrtest.Network){"broken": (*nostrtest.Network).Cut, "silent": (*nostrtest.Network).Silence} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { tenMinutes(t, cut) }) })
	}
}

func tenMinutes(t *testing.T, cut func(*nostrtest.Network)) {
	r := relay.New(relay.Config{})
	network := nostrtest.New(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait(); r.Close() }()

	ours := member(t, 1)
	h, err := hub.New(hub.Config{
		Member: ours, Relays: []string{"ws://relay.test"}, HTTPClient: network.Client(), Switches: always{},
		Session: func(string) (capture.Session, bool) { return capture.Session{}, true },
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = h.Run(ctx) })
	p := &pool{t: t, ids: map[string]int{}}
	a, err := New(Config{
		Pool: "127.0.0.1:1", User: "us.w", Own: true, Relays: []string{"ws://relay.test"}, HTTPClient: network.Client(),
		Member: member(t, 2), Authors: []string{ours.Public().String()}, ID: "a", Mode: fleet.ModeReplay, Rate: 50,
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	a.dial = func(context.Context, miner.Endpoint) (net.Conn, error) {
		near, far := net.Pipe()
		p.mu.Lock()
		p.conns = append(p.conns, far)
		p.mu.Unlock()
		running.Go(func() { p.serve(far); _ = far.Close() })
		return near, nil
	}
	running.Go(func() { _ = a.Run(ctx) })

	shares := 0
	publish := func(seconds int) {
		for range seconds / 5 {
			shares++
			h.Captured(&capture.Message{
				Session: "s", N: uint64(shares), Direction: capture.MinerToPool, Method: "mining.submit", ID: "4", Received: time.Now(),
				Raw: fmt.Appendf(nil, `{"id":4,"method":"mining.submit","params":["w","job%d","00","65","ab"]}`+"\n", shares),
			})
			time.Sleep(5 * time.Second)
			p.say(notify("keep", "1")) // pools are not silent for ten minutes
		}
	}
	time.Sleep(5 * time.Second)
	publish(60)
	cut(network)
	publish(600)
	if tel := a.Telemetry(); tel.Stats.Received != 12 {
		t.Errorf("%d share events are there during the cut, 12 were published before it", tel.Stats.Received)
	}
	network.Restore()
	publish(60)
	time.Sleep(2 * time.Minute) // a pool that says nothing for three is left

	tel := a.Telemetry()
	wantExact(t, &tel)
	if tel.Stats.Received != uint64(shares) || tel.Stats.Accepted != uint64(shares) || tel.Report.Queue.Dropped > 0 || tel.ConnState != fleet.StateConnected {
		t.Errorf("of %d shares: %+v, %s, %+v", shares, tel.Stats, tel.ConnState, h.Status().Relays)
	}
	jobs := make(map[string]int)
	p.mu.Lock()
	for _, line := range p.lines {
		_, after, _ := strings.Cut(line, `"us.w","`)
		job, _, _ := strings.Cut(after, `"`)
		jobs[job]++
	}
	p.mu.Unlock()
	for n := 1; n <= shares; n++ {
		if times := jobs[fmt.Sprintf("job%d", n)]; times != 1 {
			t.Errorf("share %d was submitted %d times", n, times)
		}
	}
	known := h.Agents()
	if len(known) != 1 || known[0].State != "live" || known[0].Stats.Accepted != uint64(shares) {
		t.Errorf("the scope knows %+v", known)
	}
}
