package capture

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An answer that comes after its request left the ring is linked with it both
// ways, for whoever kept the request, with the time of its forwarding.
func TestLateAnswer(t *testing.T) {
	var updated *Message
	o := &keepUpdates{}
	limits := DefaultLimits()
	limits.PerSession = 5
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Limits: limits}, discard(), o)
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		ctx := ended(t)
		mark := tape.Chunk(MinerToPool, []byte(`{"id":77,"method":"mining.submit","params":["w"]}`+"\n"), time.Now())
		_ = r.Run(ctx)
		for range 600 {
			tape.Line(PoolToMiner, []byte(`{"id":null,"method":"x"}`+"\n"), time.Now())
		}
		_ = r.Run(ctx)
		mark.Forwarded(time.Now().Add(time.Second))
		_ = r.Run(ctx)
		tape.Line(PoolToMiner, []byte(`{"id":77,"result":true}`+"\n"), time.Now())
		_ = r.Run(ctx)
		if r.Store().Message("s", 1) != nil {
			t.Fatal("the request is in the ring")
		}
		if r.asked != 0 {
			t.Errorf("%d bytes wait", r.asked)
		}
	})
	updated = o.last
	if updated == nil || updated.N != 1 || updated.Pair != 602 || !updated.Response.OK || updated.Forwarded.IsZero() {
		t.Errorf("sinks were told of %+v", updated)
	}
}

// Requests that nobody answers are given up, the oldest first, by their number
// and by their bytes, and the newest are still answered.
func TestUnansweredAreBounded(t *testing.T) {
	for _, padding := range []int{0, 10_000} {
		const n = 3 * maxWaiting
		r := New(Config{}, discard())
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		for i := range n {
			line := fmt.Sprintf(`{"id":%d,"method":"x","params":["%s"]}`+"\n", i, strings.Repeat("a", padding))
			r.handle(event{kind: eventLine, tape: tape, bytes: []byte(line), at: time.Now()})
			w := &tape.record.waiting
			if w.count > maxWaiting || w.bytes > maxWaitingBytes || len(w.order) > 3*maxWaiting || w.bytes != r.asked {
				t.Fatalf("%d requests of %d bytes, order %d, together %d", w.count, w.bytes, len(w.order), r.asked)
			}
		}
		s, _ := r.Store().Session("s")
		if s.Unpaired+uint64(tape.record.waiting.count) != n { //nolint:gosec // never below zero
			t.Errorf("%d given up, %d wait", s.Unpaired, tape.record.waiting.count)
		}
		r.handle(event{kind: eventLine, tape: tape, direction: PoolToMiner, bytes: fmt.Appendf(nil, `{"id":%d,"result":true}`+"\n", n-1), at: time.Now()})
		if m := r.Store().Message("s", n); m.Pair != n+1 {
			t.Errorf("the newest request is paired with %d", m.Pair)
		}
	}
}

// Lines that are never forwarded are not waited for for ever: own ones that
// failed not at all, others up to a number.
func TestLaggedIsBounded(t *testing.T) {
	r := New(Config{}, discard())
	tape := r.Open(Opening{ID: "s", At: time.Now()})
	ctx := ended(t)
	tape.Own([]byte("{}\n"), OwnLine{}, time.Now()).Failed("never sent", time.Now())
	_ = r.Run(ctx)
	if len(r.lagged) != 0 {
		t.Errorf("%d lines lag after the failure of the only one", len(r.lagged))
	}
	mark := new(Mark)
	for range 2 * maxLagged {
		r.handle(event{kind: eventChunk, tape: tape, bytes: []byte("{}\n"), at: time.Now(), mark: mark})
	}
	if len(r.lagged) > maxLagged || uint64(len(r.lagged))+r.Unforwarded() != 2*maxLagged {
		t.Errorf("%d lines lag, %d given up", len(r.lagged), r.Unforwarded())
	}
}

// keepUpdates is a sink that notes the last update.
type keepUpdates struct{ last *Message }

func (k *keepUpdates) Captured(*Message)      {}
func (k *keepUpdates) Updated(m *Message)     { k.last = m }
func (k *keepUpdates) SessionChanged(Session) {}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// ended is a context with which Run records what is queued and returns.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
